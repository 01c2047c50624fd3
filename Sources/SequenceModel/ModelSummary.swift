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
  /// How many of the parameters are not learned: the moving averages of batch normalisation.
  public let nonTrainableParameters: Int

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
    if let normalization = configuration.inputNormalization {
      layers.append(
        Layer(
          name: normalization.kind == .batch ? "Batch normalization" : "Layer normalization",
          output: "frames x \(configuration.inputSize)", parameters: count("input_normalization.")))
    }
    var stride = 1
    func frames() -> String { stride == 1 ? "frames" : "frames/\(stride)" }
    for (index, (convolution, geometry)) in zip(configuration.convolutions, configuration.convolutionGeometries)
      .enumerated()
    {
      stride *= convolution.frameStride
      let (span, strides, output) =
        convolution.bins.map { bins in
          (
            "\(convolution.frames) x \(bins)", "\(convolution.frameStride) x \(convolution.binStride)",
            "\(geometry.output.bins) x \(convolution.filters)"
          )
        } ?? ("\(convolution.frames)", "\(convolution.frameStride)", "\(convolution.filters)")
      layers.append(
        Layer(
          name: "Conv\(convolution.bins == nil ? 1 : 2)D \(convolution.filters) (\(span)), stride \(strides), ReLU",
          output: "\(frames()) x \(output)", parameters: count("convolution.\(index).")))
    }
    let dropout = configuration.recurrentDropout > 0 ? ", recurrent dropout \(configuration.recurrentDropout)" : ""
    for layer in 0..<configuration.layers {
      layers.append(
        Layer(
          name: (configuration.bidirectional ? "Bidirectional " : "") + "\(cell) \(configuration.hiddenSize)\(dropout)",
          output: "\(frames()) x \(outputs)", parameters: count("recurrent.\(layer).")))
      if configuration.dropout > 0 && layer + 1 < configuration.layers {
        layers.append(
          Layer(name: "Dropout \(configuration.dropout)", output: "\(frames()) x \(outputs)", parameters: 0))
      }
    }
    layers.append(
      Layer(name: "Pooling (\(configuration.pooling.rawValue))", output: "\(outputs)", parameters: count("attention.")))
    if configuration.dropout > 0 {
      layers.append(Layer(name: "Dropout \(configuration.dropout)", output: "\(outputs)", parameters: 0))
    }
    layers.append(Layer(name: "Dense, softmax", output: "\(configuration.classCount)", parameters: count("dense.")))
    self.layers = layers
    nonTrainableParameters = layout.count - layout.trainableCount
  }
}
