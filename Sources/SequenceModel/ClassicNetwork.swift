/// The networks that 0.1 knew, by its names: input normalisation, convolutions with ReLU, recurrent layers with dropout
/// after each, pooling, a dense layer. Model files of 0.1 and the options of `auricle train` (`--cell`, `--hidden`, ...)
/// speak of these; all else sees the list of layers that `layers` makes of them.
public struct ClassicNetwork: Hashable, Sendable {
  public enum InputNormalization: String, Codable, CaseIterable, Sendable { case batch, layer }
  public enum Pooling: String, Codable, CaseIterable, Sendable { case last, mean, max, attention }

  /// Normalisation of each frame's coefficients before all other layers, if any.
  public var inputNormalization: InputNormalization?
  public var normalizationMomentum = 0.99
  public var normalizationEpsilon = 1e-3
  public var convolutions: [Convolution] = []
  public var cell = Recurrent.Cell.gru
  /// Units of the hidden state, in each direction.
  public var hiddenSize = 128
  /// Recurrent layers.
  public var recurrentLayers = 2
  public var bidirectional = true
  public var pooling = Pooling.attention
  /// After each recurrent layer.
  public var dropout = 0.3
  public var recurrentDropout = 0.0

  public init() {}

  /// The layers but for the last, dense one. Throws `ModelError.configuration` for impossible numbers of them.
  public func layers() throws(ModelError) -> [Layer] {
    try NetworkConfiguration.check("number of convolutions", convolutions.count, 0...16)
    try NetworkConfiguration.check("number of layers", recurrentLayers, 1...64)
    var layers: [Layer] = []
    switch inputNormalization {
    case .batch: layers.append(.batchNormalization(momentum: normalizationMomentum, epsilon: normalizationEpsilon))
    case .layer: layers.append(.layerNormalization(epsilon: normalizationEpsilon))
    case nil: break
    }
    layers += convolutions.map { convolution in
      var convolution = convolution
      convolution.activation = .relu
      return .convolution(convolution)
    }
    let recurrent = Layer.recurrent(
      cell, units: hiddenSize, directions: bidirectional ? 2 : 1, recurrentDropout: recurrentDropout)
    try NetworkConfiguration.checkRate("dropout", dropout)
    let drop: [Layer] = dropout > 0 ? [.dropout(dropout)] : []
    for index in 0..<recurrentLayers { layers += (index > 0 ? drop : []) + [recurrent] }
    let pooling: SequencePooling.Kind =
      switch self.pooling {
      case .last: .last
      case .mean: .mean
      case .max: .max
      case .attention: .attention()
      }
    return layers + [.pooling(pooling)] + drop
  }

  /// For frames of `input` coefficients. Throws `ModelError.configuration` for a size or a rate out of range.
  public func network(input: Int, classCount: Int) throws(ModelError) -> NetworkConfiguration {
    try NetworkConfiguration(input: input, layers() + [.dense(classCount)])
  }
}

/// The description in model files of 0.1, which only reads.
///
///     {"inputSize": 40, "classCount": 10, "cell": "lstm", "hiddenSize": 64, "layers": 1, "bidirectional": false,
///      "pooling": "mean", "dropout": 0.2, "recurrentDropout": 0.1, "inputNormalization": {"kind": "batch"},
///      "convolutions": [{"filters": 32, "frames": 5, "frameStride": 2, "bins": 3, "binStride": 2}]}
extension ClassicNetwork {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case inputSize, inputNormalization, convolutions, cell, hiddenSize, layers, bidirectional, pooling, dropout
    case recurrentDropout, classCount
  }

  private enum NormalizationKeys: String, CodingKey, CaseIterable { case kind, momentum, epsilon }

  /// Whether this is a description of 0.1.
  static func isDescribed(by decoder: any Decoder) throws -> Bool {
    try decoder.container(keyedBy: CodingKeys.self).contains(.inputSize)
  }

  /// The description with the sizes that the data decide.
  struct Description {
    let network: ClassicNetwork
    let inputSize: Int
    let classCount: Int

    func configuration() throws(ModelError) -> NetworkConfiguration {
      try network.network(input: inputSize, classCount: classCount)
    }

    /// The names that 0.1 gave the tensors, in the order of `ParameterLayout`.
    var tensorNames: [String] {
      var names: [String] = []
      if let normalization = network.inputNormalization {
        names += ["gamma", "beta"] + (normalization == .batch ? ["moving_mean", "moving_variance"] : [])
        names = names.map { "input_normalization.\($0)" }
      }
      names += network.convolutions.indices.flatMap { ["convolution.\($0).kernel", "convolution.\($0).bias"] }
      for layer in 0..<network.recurrentLayers {
        for direction in ["forward", "backward"].prefix(network.bidirectional ? 2 : 1) {
          names += ["kernel", "recurrent_kernel", "bias"].map { "recurrent.\(layer).\(direction).\($0)" }
        }
      }
      return names + (network.pooling == .attention ? ["attention.query"] : []) + ["dense.kernel", "dense.bias"]
    }
  }

  /// The names of the tensors in a file with this description; nil where it is not one of 0.1.
  static func tensorNames(json text: String) throws(ModelError) -> [String]? {
    try decodeJSON(Names.self, text).names
  }

  private struct Names: Decodable {
    let names: [String]?
    init(from decoder: any Decoder) throws {
      names = try isDescribed(by: decoder) ? description(from: decoder).tensorNames : nil
    }
  }

  static func description(from decoder: any Decoder) throws -> Description {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a model")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    var network = ClassicNetwork()
    func read<Value: Decodable>(_ key: CodingKeys, _ field: WritableKeyPath<ClassicNetwork, Value>) throws {
      if let value = try values.decodeIfPresent(Value.self, forKey: key) { network[keyPath: field] = value }
    }
    if values.contains(.inputNormalization) {
      let fields = try values.nestedContainer(keyedBy: NormalizationKeys.self, forKey: .inputNormalization)
      try refuseUnknownKeys(
        of: NormalizationKeys.self, values.superDecoder(forKey: .inputNormalization), in: "the input normalisation")
      network.inputNormalization = try decodeName(fields, .kind, "input normalisation")
      guard network.inputNormalization != nil else {
        throw ModelError.configuration("the 'kind' of the input normalisation is missing")
      }
      network.normalizationMomentum = try fields.decodeIfPresent(Double.self, forKey: .momentum) ?? 0.99
      network.normalizationEpsilon = try fields.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-3
    }
    try read(.convolutions, \.convolutions)
    network.cell = try decodeName(values, .cell, "cell") ?? network.cell
    try read(.hiddenSize, \.hiddenSize)
    try read(.layers, \.recurrentLayers)
    try read(.bidirectional, \.bidirectional)
    network.pooling = try decodeName(values, .pooling, "pooling") ?? network.pooling
    try read(.dropout, \.dropout)
    try read(.recurrentDropout, \.recurrentDropout)
    return Description(
      network: network, inputSize: try values.decode(Int.self, forKey: .inputSize),
      classCount: try values.decode(Int.self, forKey: .classCount))
  }
}
