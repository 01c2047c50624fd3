import AudioFeatures

/// A network at one point of its training: packed weights for both passes. A value that workers share.
public struct TrainableNetwork: Sendable {
  public let configuration: NetworkConfiguration
  let weights: NetworkWeights<Float>

  /// `parameters` as `layout` places them. Throws `ModelError.configuration` where their number is not the layout's, or
  /// the layout is another network's.
  public init(
    _ configuration: NetworkConfiguration, layout: ParameterLayout, parameters: [Float]
  ) throws(ModelError) {
    guard layout.layers.count == configuration.layers.count, parameters.count == layout.count,
      layout.count == configuration.parameterCount
    else {
      throw .configuration("\(parameters.count) parameters; this network has \(configuration.parameterCount)")
    }
    self.configuration = configuration
    weights = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: true)
  }

  public var parameterCount: Int { weights.layout.count }

  /// Logits, `sequences x classes`, as in use: without dropout, batch normalisation by its moving averages. Throws
  /// `ModelError.inputSize` for features of another width.
  public func logits(of sequences: [FeatureMatrix], normalizer: FeatureNormalizer?) throws(ModelError) -> [Float] {
    try configuration.check(sequences, normalizer)
    return NetworkTape<Float>(configuration).forward(weights, sequences, normalizer)
  }
}

extension NetworkConfiguration {
  /// Throws `ModelError.inputSize` where a sequence or the normaliser has another width than the input.
  func check(_ sequences: [FeatureMatrix], _ normalizer: FeatureNormalizer?) throws(ModelError) {
    let widths = sequences.map(\.coefficients) + (normalizer.map { [$0.mean.count, $0.scale.count] } ?? [])
    if let odd = widths.first(where: { $0 != input }) { throw .inputSize(found: odd, wanted: input) }
  }
}

/// Forward and backward passes of one worker; keeps its buffers from batch to batch. Not `Sendable`.
public final class NetworkWorker {
  private let configuration: NetworkConfiguration
  private let tape: NetworkTape<Float>
  /// Sequences of the last training pass, whose gradient can be added.
  private var sequences: Int?

  public init(_ configuration: NetworkConfiguration) {
    self.configuration = configuration
    tape = NetworkTape(configuration)
  }

  /// Whether `addGradient` also computes the gradient of the features, which training has no use for.
  public var computesInputGradient: Bool {
    get { tape.computesInputGradient }
    set { tape.computesInputGradient = newValue }
  }

  /// Logits, `sequences x classes`, as in use; keeps nothing for `addGradient`. Throws as the others do.
  public func logits(
    _ network: TrainableNetwork, of sequences: [FeatureMatrix], normalizer: FeatureNormalizer?
  ) throws(ModelError) -> [Float] {
    try check(network)
    try configuration.check(sequences, normalizer)
    self.sequences = nil
    return tape.forward(network.weights, sequences, normalizer)
  }

  /// Logits, `sequences x classes`, of a training pass: batch normalisation uses the statistics of these sequences and,
  /// with a `dropoutSeed`, dropout is applied; keeps what `addGradient` needs. `share` is the part of the batch that these
  /// sequences are: what their statistics count.
  ///
  /// Throws `ModelError.inputSize` for features of another width, and `ModelError.configuration` for another network.
  public func logits(
    _ network: TrainableNetwork, of sequences: [FeatureMatrix], normalizer: FeatureNormalizer?, dropoutSeed: UInt64?,
    share: Double = 1
  ) throws(ModelError) -> [Float] {
    try check(network)
    try configuration.check(sequences, normalizer)
    self.sequences = sequences.count
    return tape.forward(
      network.weights, sequences, normalizer,
      PassOptions(training: true, dropoutSeed: dropoutSeed, share: share))
  }

  /// Adds the gradient of the parameters to `gradient`, given the loss's with respect to the logits just returned. Where
  /// the network keeps moving averages, their places get the statistics of the pass; see `ParameterLayout.takeStatistics`.
  ///
  /// Throws `ModelError.configuration` for arrays of other lengths, or before any `logits`.
  public func addGradient(
    _ network: TrainableNetwork, ofLogits logitGradient: [Float], to gradient: inout [Float]
  ) throws(ModelError) {
    try check(network)
    guard let sequences, logitGradient.count == sequences * configuration.classCount,
      gradient.count == network.parameterCount
    else { throw .configuration("a gradient of other logits or of another network") }
    tape.backward(network.weights, logitGradient: logitGradient, to: &gradient)
  }

  private func check(_ network: TrainableNetwork) throws(ModelError) {
    guard network.configuration == configuration else { throw .configuration("the worker is another network's") }
  }
}
