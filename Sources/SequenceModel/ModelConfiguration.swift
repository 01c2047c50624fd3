/// What a network is made of: everything but the numbers it learns.
///
///     let configuration = try ModelConfiguration(inputSize: 39, hiddenSize: 128, classCount: 10)
///     configuration.parameterCount     // 425482
///
/// Frames (`frames x inputSize`) go through the input normalisation, the convolutions (`frames / stride` from here on),
/// the recurrent layers (`frames x outputSize`), pooling (`outputSize`) and the dense layer (`classCount`).
///
/// As JSON, see `ModelConfiguration+JSON.swift`.
public struct ModelConfiguration: Hashable, Sendable {
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
  /// What frames pass through first, if anything.
  public let inputNormalization: InputNormalization?
  /// Convolutions before the recurrent layers, one on the other; none as a rule.
  public let convolutions: [Convolution]
  public let cell: Cell
  /// Units of the hidden state, in each direction.
  public let hiddenSize: Int
  /// Recurrent layers, one on the other.
  public let layers: Int
  public let bidirectional: Bool
  public let pooling: Pooling
  /// Share of a layer's outputs set to zero in training, between layers and before the dense layer; in [0, 1).
  public let dropout: Double
  /// Share of the units whose state the recurrent weights do not see in training, the same at every step of a sequence
  /// (Gal and Ghahramani, 2016; Keras `recurrent_dropout`); in [0, 1).
  public let recurrentDropout: Double
  public let classCount: Int

  /// Throws `ModelError.configuration` when a size or a rate is out of range.
  public init(
    inputSize: Int, inputNormalization: InputNormalization? = nil, convolutions: [Convolution] = [], cell: Cell = .gru,
    hiddenSize: Int = 128, layers: Int = 2, bidirectional: Bool = true, pooling: Pooling = .attention,
    dropout: Double = 0.3, recurrentDropout: Double = 0, classCount: Int
  ) throws(ModelError) {
    try ModelConfiguration.check("input size", inputSize, 1...65_536)
    try ModelConfiguration.check("number of convolutions", convolutions.count, 0...16)
    try ModelConfiguration.check("hidden size", hiddenSize, 1...16_384)
    try ModelConfiguration.check("number of layers", layers, 1...64)
    try ModelConfiguration.check("number of classes", classCount, 2...1_000_000)
    for (name, rate) in [("dropout", dropout), ("recurrent dropout", recurrentDropout)] {
      guard rate >= 0 && rate < 1 else {
        throw .configuration("\(name) is \(rate); it must be at least 0 and below 1")
      }
    }
    try inputNormalization?.validate()
    self.inputSize = inputSize
    self.inputNormalization = inputNormalization
    self.convolutions = convolutions
    self.cell = cell
    self.hiddenSize = hiddenSize
    self.layers = layers
    self.bidirectional = bidirectional
    self.pooling = pooling
    self.dropout = dropout
    self.recurrentDropout = recurrentDropout
    self.classCount = classCount
    var input = ConvolutionInput(inputSize)
    for convolution in convolutions { input = try convolution.output(of: input) }
  }

  static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(ModelError) {
    guard range.contains(value) else {
      throw .configuration("\(name) is \(value); it must be in \(range.lowerBound)...\(range.upperBound)")
    }
  }

  /// Elements in each frame of the recurrent layers' output.
  public var outputSize: Int { directions * hiddenSize }

  /// Frames that reach the recurrent layers of a sequence of `frames`: each convolution leaves one for every stride
  /// begun.
  public func outputFrames(_ frames: Int) -> Int {
    convolutions.reduce(frames) { $1.outputFrames($0) }
  }

  var directions: Int { bidirectional ? 2 : 1 }
  var featureAxis: Axis { Axis(inputSize) }
  var hiddenAxis: Axis { Axis(hiddenSize) }
  var gatesAxis: Axis { Axis(hiddenSize, segments: cell.gateCount) }
  var outputAxis: Axis { Axis(hiddenSize, segments: directions) }
  var classAxis: Axis { Axis(classCount) }
  func inputAxis(layer: Int) -> Axis {
    layer == 0 ? convolutionGeometries.last?.outputAxis ?? featureAxis : outputAxis
  }

  /// Numbers of the network: those it learns and, with batch normalisation, the moving mean and variance.
  public var parameterCount: Int { ParameterLayout(self).count }
}
