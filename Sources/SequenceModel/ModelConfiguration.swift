/// What a network is made of: everything but the numbers it learns.
///
///     let configuration = try ModelConfiguration(inputSize: 39, hiddenSize: 128, classCount: 10)
///     configuration.parameterCount     // 425482
///
/// `Codable`; a decoded configuration has passed the same checks as one made by `init`.
public struct ModelConfiguration: Codable, Hashable, Sendable {
  /// The recurrent cell. Names and defaults are those of Keras.
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
  }

  /// How the outputs of all frames become one vector.
  public enum Pooling: String, Codable, CaseIterable, Sendable {
    /// The final state: of the last frame going forward and, if bidirectional, of the first going backward.
    case last
    case mean
    case max
    /// The mean weighted by softmax over frames of the dot product with one learned query.
    case attention
  }

  /// Coefficients in a frame.
  public let inputSize: Int
  public let cell: Cell
  /// Units of the hidden state, in each direction.
  public let hiddenSize: Int
  /// Recurrent layers, one on the other.
  public let layers: Int
  public let bidirectional: Bool
  public let pooling: Pooling
  /// Share of a layer's outputs set to zero in training, between layers and before the dense layer; in [0, 1).
  public let dropout: Double
  public let classCount: Int

  /// Throws `ModelError.configuration` when a size or a rate is out of range.
  public init(
    inputSize: Int, cell: Cell = .gru, hiddenSize: Int = 128, layers: Int = 2, bidirectional: Bool = true,
    pooling: Pooling = .attention, dropout: Double = 0.3, classCount: Int
  ) throws(ModelError) {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(ModelError) {
      guard range.contains(value) else {
        throw .configuration("\(name) is \(value); it must be in \(range.lowerBound)...\(range.upperBound)")
      }
    }
    try check("input size", inputSize, 1...65_536)
    try check("hidden size", hiddenSize, 1...16_384)
    try check("number of layers", layers, 1...64)
    try check("number of classes", classCount, 2...1_000_000)
    guard dropout >= 0 && dropout < 1 else {
      throw .configuration("dropout is \(dropout); it must be at least 0 and below 1")
    }
    self.inputSize = inputSize
    self.cell = cell
    self.hiddenSize = hiddenSize
    self.layers = layers
    self.bidirectional = bidirectional
    self.pooling = pooling
    self.dropout = dropout
    self.classCount = classCount
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      inputSize: values.decode(Int.self, forKey: .inputSize), cell: values.decode(Cell.self, forKey: .cell),
      hiddenSize: values.decode(Int.self, forKey: .hiddenSize), layers: values.decode(Int.self, forKey: .layers),
      bidirectional: values.decode(Bool.self, forKey: .bidirectional),
      pooling: values.decode(Pooling.self, forKey: .pooling), dropout: values.decode(Double.self, forKey: .dropout),
      classCount: values.decode(Int.self, forKey: .classCount))
  }

  /// Elements in each frame of the recurrent layers' output.
  public var outputSize: Int { directions * hiddenSize }

  var directions: Int { bidirectional ? 2 : 1 }
  var hiddenAxis: Axis { Axis(hiddenSize) }
  var gatesAxis: Axis { Axis(hiddenSize, segments: cell.gateCount) }
  var outputAxis: Axis { Axis(hiddenSize, segments: directions) }
  var classAxis: Axis { Axis(classCount) }
  func inputAxis(layer: Int) -> Axis { layer == 0 ? Axis(inputSize) : outputAxis }

  /// Numbers the network learns.
  public var parameterCount: Int { ParameterLayout(self).count }
}
