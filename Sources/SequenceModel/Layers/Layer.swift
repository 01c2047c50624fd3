/// One layer of a network; a network is a list of them.
///
///     [.batchNormalization(), .convolution(filters: 32, frames: 3, bins: 3), .activation(.relu), .maxPooling(frames: 2, bins: 2),
///      .recurrent(.gru, units: 128, directions: 2), .dropout(0.3), .pooling(.attention(heads: 4)), .dense(10)]
///
/// This is the registry: a new kind of layer has a case, a line in `definition` and one in `kinds`; all else stands in its
/// own file. As JSON a layer is an object with its `type` and its fields.
public enum Layer: Hashable, Sendable {
  case activation(Activation)
  case batchNormalization(BatchNormalization)
  case convolution(Convolution)
  case dense(Dense)
  case depthwiseConvolution(DepthwiseConvolution)
  case dropout(Dropout)
  case layerNormalization(LayerNormalization)
  case pooling(SequencePooling)
  case recurrent(Recurrent)
  case residual(Residual)
  case windowPooling(WindowPooling)

  var definition: any LayerDefinition {
    switch self {
    case .activation(let layer): layer
    case .batchNormalization(let layer): layer
    case .convolution(let layer): layer
    case .dense(let layer): layer
    case .depthwiseConvolution(let layer): layer
    case .dropout(let layer): layer
    case .layerNormalization(let layer): layer
    case .pooling(let layer): layer
    case .recurrent(let layer): layer
    case .residual(let layer): layer
    case .windowPooling(let layer): layer
    }
  }

  /// How each `type` is read.
  static let kinds: [String: @Sendable (any Decoder) throws -> Layer] = [
    Activation.type: { .activation(try Activation(from: $0)) },
    BatchNormalization.type: { .batchNormalization(try BatchNormalization(from: $0)) },
    Convolution.type: { .convolution(try Convolution(from: $0)) },
    Dense.type: { .dense(try Dense(from: $0)) },
    DepthwiseConvolution.type: { .depthwiseConvolution(try DepthwiseConvolution(from: $0)) },
    Dropout.type: { .dropout(try Dropout(from: $0)) },
    LayerNormalization.type: { .layerNormalization(try LayerNormalization(from: $0)) },
    SequencePooling.type: { .pooling(try SequencePooling(from: $0)) },
    Recurrent.type: { .recurrent(try Recurrent(from: $0)) },
    Residual.type: { .residual(try Residual(from: $0)) },
    WindowPooling.type: { .windowPooling(try WindowPooling(from: $0)) },
  ]
}

extension Layer: Codable {
  private enum CodingKeys: String, CodingKey { case type }

  public init(from decoder: any Decoder) throws {
    guard let type = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .type) else {
      throw ModelError.configuration("a layer without a 'type'")
    }
    guard let read = Layer.kinds[type] else {
      let known = Layer.kinds.keys.sorted().joined(separator: ", ")
      throw ModelError.configuration("unknown layer type '\(type)'; known are \(known)")
    }
    self = try read(decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(Swift.type(of: definition).type, forKey: .type)
    try definition.encode(to: encoder)
  }
}

/// A kind of layer: all that is known of it without its numbers. The value is what JSON says of it.
protocol LayerDefinition: Codable, Hashable, Sendable {
  /// Its `type` in JSON.
  static var type: String { get }
  /// The shape that leaves it. Throws `ModelError.configuration` for fields out of range or an input it cannot take.
  func output(of input: LayerShape) throws(ModelError) -> LayerShape
  /// What it learns (and what it keeps without learning it), in the order in which a pass takes them.
  func tensors(_ input: LayerShape) -> [TensorSpecification]
  /// For a summary, as Keras names it.
  func title(_ input: LayerShape) -> String
  /// Whether the last frame must be known before the first can be answered, and why; nil for a layer that can stream.
  var waitsForEnd: String? { get }
  /// What it carries from frame to frame, for each direction: units, and whether there is a cell state beside the hidden.
  var states: [(units: Int, hasCell: Bool)] { get }
  /// The layer with its numbers, packed for the kernels.
  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar>
}

extension LayerDefinition {
  func tensors(_ input: LayerShape) -> [TensorSpecification] { [] }
  var waitsForEnd: String? { nil }
  var states: [(units: Int, hasCell: Bool)] { [] }
}

/// One tensor of a layer.
struct TensorSpecification: Hashable, Sendable {
  /// Its name within the layer.
  var role: String
  /// Row-major, as Keras has it.
  var shape: [Int]
  var initializer: TensorInitializer
  /// Whether weight decay applies: to weights, not to biases and scales.
  var decays = true
  /// Of a moving average, which is not trained and whose "gradient" is what a batch found: the share of it that a batch
  /// leaves as it was.
  var momentum: Double?
}

/// Where a layer stands in a network: what it gets and gives, and its numbers.
struct LayerPlace<Scalar: NetworkScalar> {
  let input: LayerShape
  let output: LayerShape
  /// Those of `LayerDefinition.tensors`, in that order, with their places in the network's list of parameters.
  let tensors: ArraySlice<ParameterLayout.Tensor>
  /// All of the network.
  let parameters: UnsafePointer<Scalar>
  /// Which of the network's layers of this kind it is: tells them apart where they draw random numbers.
  let number: Int
  /// Which of the network's recurrent states are the layer's: from this one on.
  let firstState: Int
  let forTraining: Bool
  /// How weights are held, in use.
  var precision = WeightPrecision.float32
  /// A scale and an offset of each output channel that the layer is to take over (batch normalisation in use).
  var outputScale: ChannelScale<Scalar>?
  /// Whether a ReLU that follows is the layer's to apply.
  var endsWithReLU = false

  /// Where tensor `index` of the layer begins.
  func offset(_ index: Int) -> Int { tensors[tensors.startIndex + index].offset }
  func values(_ index: Int) -> UnsafePointer<Scalar> { parameters + offset(index) }
}

/// y = scale * x + shift, a pair for each channel.
struct ChannelScale<Scalar: NetworkScalar>: Sendable {
  var scale: [Scalar]
  var shift: [Scalar]
}

/// A layer with its numbers: a value that any number of threads share. What changes in a pass is in a tape.
///
/// Shapes: frames are rows in the order of a `BatchShape`, columns are padded (see `Axis`), padding is zero.
protocol LayerPass<Scalar>: Sendable {
  associatedtype Scalar: NetworkScalar
  associatedtype Tape: AnyObject = PlainTape<Scalar>

  func makeTape() -> Tape
  /// What leaves the layer; it stays valid until the tape's next pass. `tape` keeps what `backward` needs.
  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar>
  /// Adds the gradients of the layer's parameters to `gradient` (laid out like the network's) and returns that of the
  /// input of the last `forward` with `training`; nil where it is not `wanted`. May overwrite `dy`.
  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>?
  /// The layer fed piece by piece, for one sequence.
  func stream() -> any LayerStream<Scalar>
}

/// A layer that is fed frames as they come: all that it must remember. A copy goes on by itself.
protocol LayerStream<Scalar> {
  associatedtype Scalar: NetworkScalar
  /// Takes the next frames of one sequence, none allowed; returns those that they complete, all that remain if `isLast`.
  mutating func append(_ x: Frames<Scalar>, isLast: Bool) -> Frames<Scalar>
}

/// What a pass through a network may be given beside the sequences.
struct PassOptions<Scalar: NetworkScalar> {
  /// Keeps what `backward` needs; batch normalisation uses the statistics of these sequences.
  var training = false
  /// Dropout of all kinds is applied where it is given.
  var dropoutSeed: UInt64?
  /// The share of the batch that these sequences are: what their statistics count in its moving averages.
  var share = 1.0
  /// Where the recurrent layers begin; nil for zeros.
  var initialState: RecurrentState<Scalar>?
  /// For `backward`: the gradient of the final states, if the loss depends on them.
  var stateGradient: RecurrentState<Scalar>?
  /// Where `backward` puts the gradients of what enters the layers; nil for memory of their own.
  var room: GradientRoom<Scalar>?
  /// Gathers where they end, if anybody wants to know; in `backward`, the gradient of where they began.
  var finalState: FinalState?

  final class FinalState {
    var state: RecurrentState<Scalar>
    init(_ state: RecurrentState<Scalar>) { self.state = state }
  }
}

/// Rows of frames that pass from layer to layer: one row for each frame of each sequence, in the order of the shape.
struct Frames<Scalar: NetworkScalar> {
  var shape: BatchShape
  var axis: Axis
  var buffer: Buffer<Scalar>

  var base: UnsafeMutablePointer<Scalar> { buffer.base }
  var rows: Int { shape.rows }
  var width: Int { axis.paddedCount }

  init(_ shape: BatchShape, _ axis: Axis, _ buffer: Buffer<Scalar>) {
    (self.shape, self.axis, self.buffer) = (shape, axis, buffer)
    buffer.reserve(shape.rows * axis.paddedCount)
  }
}

/// Memory for the gradients of what enters the layers. A gradient is needed until the layer before has made its own, so that
/// two of them, in turn, are enough for a network.
final class GradientRoom<Scalar: NetworkScalar> {
  private let buffers = (Buffer<Scalar>(), Buffer<Scalar>())

  fileprivate func buffer(besides buffer: Buffer<Scalar>) -> Buffer<Scalar> {
    buffer === buffers.0 ? buffers.1 : buffers.0
  }
}

extension PassOptions {
  /// Frames for a gradient beside `dy`. Those that are not `zeroed` hold anything, but for the padding, which is zero.
  func gradientFrames(
    _ shape: BatchShape, _ axis: Axis, besides dy: Frames<Scalar>, zeroed: Bool = false
  ) -> Frames<Scalar> {
    let frames = Frames(shape, axis, room?.buffer(besides: dy.buffer) ?? Buffer())
    if zeroed || axis.paddedCount > axis.count { frames.buffer.clear(frames.rows * frames.width) }
    return frames
  }
}

/// The buffers of a layer that needs no others: what came in, what goes out, the gradient of what came in.
class PlainTape<Scalar: NetworkScalar> {
  final var x: Frames<Scalar>?
  final let y = Buffer<Scalar>(), dx = Buffer<Scalar>()
  init() {}
}

extension LayerPass where Tape == PlainTape<Scalar> {
  func makeTape() -> PlainTape<Scalar> { PlainTape() }
}

extension LayerPass {
  /// `forward` and `backward` for a tape that `makeTape` made.
  func forward(_ x: Frames<Scalar>, erased tape: AnyObject, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    forward(x, unsafeDowncast(tape, to: Tape.self), options)
  }

  func backward(
    _ dy: Frames<Scalar>, erased tape: AnyObject, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    backward(dy, unsafeDowncast(tape, to: Tape.self), options, wanted: wanted, gradient: gradient)
  }

  func makeErasedTape() -> AnyObject { makeTape() }

  /// For a layer that treats each frame by itself: a stream is the same layer on fewer frames.
  func stream() -> any LayerStream<Scalar> { FramewiseStream(self) }
}

/// The stream of a layer that treats each frame by itself.
struct FramewiseStream<Scalar: NetworkScalar>: LayerStream {
  private let pass: any LayerPass<Scalar>
  /// Holds nothing between calls, so that copies may share it.
  private let tape: AnyObject

  init(_ pass: any LayerPass<Scalar>) {
    self.pass = pass
    tape = pass.makeErasedTape()
  }

  func append(_ x: Frames<Scalar>, isLast: Bool) -> Frames<Scalar> {
    pass.forward(x, erased: tape, PassOptions())
  }
}

extension Layer {
  /// Roles and shapes of the layer's own tensors, in the order of its parameters.
  package func tensorShapes(_ input: LayerShape) -> [(role: String, shape: [Int])] {
    definition.tensors(input).map { ($0.role, $0.shape) }
  }
}
