/// What a network is made of, layer by layer, as Keras prints it.
public struct ModelSummary: Codable, Hashable, Sendable {
  public struct Layer: Codable, Hashable, Sendable {
    public var name: String
    /// Shape of what leaves the layer; "frames" stands for the length of the sequence.
    public var output: String
    public var parameters: Int
  }

  public let layers: [Layer]
  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }

  public init(_ configuration: ModelConfiguration) {
    let layout = ParameterLayout(configuration)
    func count(_ prefix: String) -> Int {
      layout.tensors.filter { $0.name.hasPrefix(prefix) }.reduce(0) { $0 + $1.count }
    }
    let outputs = configuration.outputSize
    let cell =
      switch configuration.cell {
      case .gru: "GRU"
      case .gruResetBefore: "GRU (reset before)"
      case .lstm: "LSTM"
      case .simpleRNN: "SimpleRNN (tanh)"
      case .simpleRNNReLU: "SimpleRNN (ReLU)"
      }
    var layers = [Layer(name: "Input", output: "frames x \(configuration.inputSize)", parameters: 0)]
    for layer in 0..<configuration.layers {
      layers.append(
        Layer(
          name: (configuration.bidirectional ? "Bidirectional " : "") + "\(cell) \(configuration.hiddenSize)",
          output: "frames x \(outputs)", parameters: count("recurrent.\(layer).")))
      if configuration.dropout > 0 && layer + 1 < configuration.layers {
        layers.append(Layer(name: "Dropout \(configuration.dropout)", output: "frames x \(outputs)", parameters: 0))
      }
    }
    layers.append(
      Layer(name: "Pooling (\(configuration.pooling.rawValue))", output: "\(outputs)", parameters: count("attention.")))
    if configuration.dropout > 0 {
      layers.append(Layer(name: "Dropout \(configuration.dropout)", output: "\(outputs)", parameters: 0))
    }
    layers.append(Layer(name: "Dense, softmax", output: "\(configuration.classCount)", parameters: count("dense.")))
    self.layers = layers
  }
}
