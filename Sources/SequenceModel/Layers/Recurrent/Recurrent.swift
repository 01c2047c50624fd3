/// A recurrent layer: each frame's hidden state from the frame and the state before it, in one direction or in two, whose
/// outputs stand side by side (`frames x (directions * units)`). Names and defaults are those of Keras.
public struct Recurrent: Hashable, Sendable {
  public enum Cell: String, Codable, CaseIterable, Sendable {
    /// Gated recurrent unit, reset gate applied after the recurrent product (cuDNN, PyTorch, Keras `reset_after=True`,
    /// ONNX `linear_before_reset=1`).
    case gru
    /// Gated recurrent unit as first published (Cho et al., 2014): reset gate applied to the state before the product
    /// (Keras `reset_after=False`).
    case gruResetBefore = "gru-reset-before"
    /// Long short-term memory (Hochreiter and Schmidhuber, 1997, with forget gate), forget bias initialised to 1.
    case lstm
    /// Elman network with tanh.
    case simpleRNN = "simple-rnn"
    /// Elman network with max(x, 0).
    case simpleRNNReLU = "simple-rnn-relu"

    var gateCount: Int {
      switch self {
      case .gru, .gruResetBefore: 3
      case .lstm: 4
      case .simpleRNN, .simpleRNNReLU: 1
      }
    }

    /// Rows of the bias: Keras gives the reset-after GRU one for the inputs and one for the state.
    var biasRows: Int { self == .gru ? 2 : 1 }

    var title: String {
      switch self {
      case .gru: "GRU"
      case .gruResetBefore: "GRU (reset before)"
      case .lstm: "LSTM"
      case .simpleRNN: "SimpleRNN (tanh)"
      case .simpleRNNReLU: "SimpleRNN (ReLU)"
      }
    }
  }

  public var cell: Cell
  /// Units of the hidden state, in each direction.
  public var units: Int
  /// 1, or 2 to go through the frames backward as well.
  public var directions: Int
  /// Share of the units whose state the recurrent weights do not see in training, the same at every step of a sequence
  /// (Gal and Ghahramani, 2016; Keras `recurrent_dropout`); in [0, 1).
  public var recurrentDropout: Double

  public init(_ cell: Cell, units: Int, directions: Int = 1, recurrentDropout: Double = 0) {
    (self.cell, self.units, self.directions, self.recurrentDropout) = (cell, units, directions, recurrentDropout)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case cell, units, directions, recurrentDropout }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a recurrent layer")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try decodeName(values, .cell, "cell") ?? .gru, units: try values.decode(Int.self, forKey: .units),
      directions: try values.decodeIfPresent(Int.self, forKey: .directions) ?? 1,
      recurrentDropout: try values.decodeIfPresent(Double.self, forKey: .recurrentDropout) ?? 0)
  }
}

extension Layer {
  public static func recurrent(
    _ cell: Recurrent.Cell, units: Int, directions: Int = 1, recurrentDropout: Double = 0
  ) -> Layer {
    .recurrent(Recurrent(cell, units: units, directions: directions, recurrentDropout: recurrentDropout))
  }
}

extension Recurrent: LayerDefinition {
  static let type = "recurrent"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try input.requireFrames("a recurrent layer")
    try NetworkConfiguration.check("hidden size", units, 1...16_384)
    try NetworkConfiguration.check("directions", directions, 1...2)
    try NetworkConfiguration.checkRate("recurrent dropout", recurrentDropout)
    return input.flat(units, segments: directions)
  }

  /// `kernel` is `inputs x (gates * units)`, `recurrent_kernel` is `units x (gates * units)`, gates in the order z, r, h
  /// (GRU) or i, f, c, o (LSTM); `bias` is `gates * units`, for the reset-after GRU `2 x (gates * units)`: inputs, state.
  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    let gates = cell.gateCount * units
    return ["forward", "backward"].prefix(directions).flatMap { direction in
      [
        TensorSpecification(role: "\(direction).kernel", shape: [input.count, gates], initializer: .glorotUniform),
        TensorSpecification(role: "\(direction).recurrent_kernel", shape: [units, gates], initializer: .orthogonal),
        TensorSpecification(
          role: "\(direction).bias", shape: cell.biasRows == 2 ? [2, gates] : [gates],
          initializer: cell == .lstm ? .forgetOnes : .zeros, decays: false),
      ]
    }
  }

  func title(_ input: LayerShape) -> String {
    (directions == 2 ? "Bidirectional " : "") + "\(cell.title) \(units)"
      + (recurrentDropout > 0 ? ", recurrent dropout \(recurrentDropout)" : "")
  }

  var waitsForEnd: String? {
    directions == 2 ? "it is bidirectional, so the last frame comes first; train a unidirectional one" : nil
  }

  var states: [(units: Int, hasCell: Bool)] {
    (0..<directions).map { _ in (units, cell == .lstm) }
  }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    RecurrentPass(self, place)
  }
}

/// A recurrent layer with its numbers: one loop over time for each direction.
struct RecurrentPass<Scalar: NetworkScalar>: LayerPass {
  private let configuration: Recurrent
  private let output: Axis
  private let hidden: Axis
  private let directions: [RecurrentLayer<Scalar>]
  /// In place of the others, with weights of 8 bits.
  private let int8: [Int8RecurrentLayer]
  private let firstState: Int
  private let number: Int

  init(_ configuration: Recurrent, _ place: LayerPlace<Scalar>) {
    self.configuration = configuration
    (output, hidden) = (place.output.axis, Axis(configuration.units))
    (firstState, number) = (place.firstState, place.number)
    if place.precision == .int8, let parameters = place.parameters as? UnsafePointer<Float> {
      directions = []
      int8 = (0..<configuration.directions).map { direction in
        Int8RecurrentLayer(
          configuration.cell, input: place.input.axis, hidden: Axis(configuration.units), reversed: direction == 1,
          kernel: parameters + place.offset(3 * direction), recurrent: parameters + place.offset(3 * direction + 1),
          bias: parameters + place.offset(3 * direction + 2))
      }
      return
    }
    int8 = []
    directions = (0..<configuration.directions).map { direction in
      RecurrentLayer(
        configuration.cell, input: place.input.axis, hidden: Axis(configuration.units), reversed: direction == 1,
        tensors: (place.offset(3 * direction), place.offset(3 * direction + 1), place.offset(3 * direction + 2)),
        parameters: place.parameters, forTraining: place.forTraining)
    }
  }

  final class Tape {
    fileprivate let directions: [RecurrentLayer<Scalar>.Tape]
    fileprivate let y = Buffer<Scalar>(), dx = Buffer<Scalar>()
    fileprivate var x: Frames<Scalar>?
    /// Recurrent dropout of the last pass, for each direction. A test may set them.
    var masks: [Buffer<Scalar>]?

    fileprivate init(_ directions: Int) {
      self.directions = (0..<directions).map { _ in RecurrentLayer<Scalar>.Tape() }
    }
  }

  func makeTape() -> Tape { Tape(configuration.directions) }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    let y = Frames(x.shape, output, tape.y)
    tape.x = x
    if let seed = options.dropoutSeed, configuration.recurrentDropout > 0 {
      tape.masks = directions.indices.map { direction in
        RecurrentMask.make(
          configuration.recurrentDropout, sequences: x.shape.sequences, hidden: hidden, seed: seed,
          place: 2 * number + direction)
      }
    } else if configuration.recurrentDropout > 0 {
      tape.masks = nil
    }
    for (index, direction) in int8.enumerated() {
      guard let x = x as? Frames<Float>, let y = y as? Frames<Float>,
        let own = tape.directions[index] as? RecurrentLayer<Float>.Tape
      else { continue }
      direction.forward(
        x.shape, x.base, y.base, ldy: y.width, tape: own,
        initial: options.initialState?.layers[firstState + index] as? RecurrentState<Float>.Layer)
      options.finalState?.state.layers[firstState + index] = finalState(x.shape, tape, index)
    }
    for (index, direction) in directions.enumerated() {
      direction.forward(
        x.shape, x.base, y.base, ldy: y.width, tape: tape.directions[index], training: options.training,
        initial: options.initialState?.layers[firstState + index], mask: tape.masks?[index].base)
      options.finalState?.state.layers[firstState + index] = finalState(x.shape, tape, index)
    }
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard let x = tape.x else { return nil }
    let dx = wanted ? Frames(x.shape, x.axis, tape.dx) : nil
    for (index, direction) in directions.enumerated() {
      direction.backward(
        x.shape, x: x.base, dy: dy.base, ldy: dy.width, dx: dx?.base, addingToInput: index > 0,
        tape: tape.directions[index], gradient: gradient, final: options.stateGradient?.layers[firstState + index],
        mask: tape.masks?[index].base)
      options.finalState?.state.layers[firstState + index] = finalState(x.shape, tape, index)
    }
    return dx
  }

  private func finalState(_ shape: BatchShape, _ tape: Tape, _ direction: Int) -> RecurrentState<Scalar>.Layer {
    tape.directions[direction].finalState(shape, hidden, configuration.cell)
  }

  func stream() -> any LayerStream<Scalar> {
    RecurrentStream(pass: self, tape: makeTape(), state: RecurrentState(layers: []), firstState: firstState)
  }
}

/// A unidirectional layer that goes on where it stopped.
private struct RecurrentStream<Scalar: NetworkScalar>: LayerStream {
  let pass: RecurrentPass<Scalar>
  /// Holds nothing between calls, so that copies may share it.
  let tape: RecurrentPass<Scalar>.Tape
  /// The network's states up to the layer's own, which alone is in use; empty at first.
  var state: RecurrentState<Scalar>
  let firstState: Int

  mutating func append(_ x: Frames<Scalar>, isLast: Bool) -> Frames<Scalar> {
    guard x.rows > 0 else { return pass.forward(x, tape, PassOptions()) }
    let none = RecurrentState<Scalar>.Layer(hidden: [])
    let final = PassOptions<Scalar>.FinalState(
      RecurrentState(layers: [RecurrentState.Layer](repeating: none, count: firstState + 1)))
    let y = pass.forward(
      x, tape, PassOptions(initialState: state.layers.isEmpty ? nil : state, finalState: final))
    state = final.state
    return y
  }
}
