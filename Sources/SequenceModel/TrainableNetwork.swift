import AudioFeatures

/// A network at one point of its training: packed weights for both passes. A value that workers share.
public struct TrainableNetwork: Sendable {
  let weights: NetworkWeights<Float>

  /// `parameters` as `ParameterLayout` places them; traps if their number is not the layout's.
  public init(_ configuration: ModelConfiguration, layout: ParameterLayout, parameters: [Float]) {
    weights = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: true)
  }

  public var parameterCount: Int { weights.layout.count }

  /// Logits, `sequences x classes`, without dropout.
  public func logits(of sequences: [FeatureMatrix], normalizer: FeatureNormalizer?) -> [Float] {
    NetworkTape<Float>(weights.configuration).forward(weights, sequences, normalizer)
  }
}

/// Forward and backward passes of one worker; keeps its buffers from batch to batch. Not `Sendable`.
public final class NetworkWorker {
  private let tape: NetworkTape<Float>

  public init(_ configuration: ModelConfiguration) {
    tape = NetworkTape(configuration)
  }

  /// Whether `addGradient` also computes the gradient of the features, which training has no use for.
  public var computesInputGradient: Bool {
    get { tape.inputGradient != nil }
    set { tape.inputGradient = newValue ? tape.inputGradient ?? Buffer() : nil }
  }

  /// Logits, `sequences x classes`, without dropout; keeps nothing for `addGradient`.
  public func logits(
    _ network: TrainableNetwork, of sequences: [FeatureMatrix], normalizer: FeatureNormalizer?
  ) -> [Float] {
    tape.forward(network.weights, sequences, normalizer)
  }

  /// Logits, `sequences x classes`. With a `dropoutSeed`, dropout is applied; keeps what `addGradient` needs.
  ///
  /// Batch normalisation uses `statistics`, those of the sequences themselves if nil.
  public func logits(
    _ network: TrainableNetwork, of sequences: [FeatureMatrix], normalizer: FeatureNormalizer?, dropoutSeed: UInt64?,
    statistics: BatchStatistics? = nil
  ) -> [Float] {
    tape.forward(
      network.weights, sequences, normalizer,
      NetworkTape.Options(training: true, dropoutSeed: dropoutSeed, statistics: statistics))
  }

  /// Adds the gradient of the parameters to `gradient`, given the loss's with respect to the logits just returned.
  public func addGradient(_ network: TrainableNetwork, ofLogits logitGradient: [Float], to gradient: inout [Float]) {
    tape.backward(network.weights, logitGradient: logitGradient, to: &gradient)
  }
}
