import AudioFeatures
import AuricleBase
import TestSupport

@testable import SequenceModel

extension NetworkConfiguration {
  /// A trained-looking classifier of such a network: random weights, moving averages too.
  func classifier(
    seed: UInt64 = 1, normalization: FeatureConfiguration.Normalization = .none
  ) throws -> SequenceClassifier {
    var features = FeatureConfiguration.speech(sampleRate: 8_000)
    features.kind = .logMel
    features.mel.count = input
    features.deltas.order = 0
    features.normalization = normalization
    let layout = ParameterLayout(self)
    var generator = SeededGenerator(seed: seed)
    var parameters = layout.initialParameters(seed: seed)
    for i in parameters.indices { parameters[i] += Float(0.2 * generator.normal()) }
    for tensor in layout.tensors where tensor.name.hasSuffix("moving_variance") {
      for i in tensor.range { parameters[i] = abs(parameters[i]) }
    }
    let normalizer = FeatureNormalizer(
      mean: (0..<input).map { _ in Float(generator.normal()) },
      scale: (0..<input).map { _ in Float(0.5 + generator.uniform()) })
    return try SequenceClassifier(
      configuration: self, features: features, labels: (0..<classCount).map { "class \($0)" },
      normalizer: normalization == .global ? normalizer : nil, parameters: parameters)
  }

  /// Random features of `frames` frames.
  func features(_ frames: Int, seed: UInt64) -> FeatureMatrix {
    var generator = SeededGenerator(seed: seed, stream: UInt64(frames))
    return FeatureMatrix(
      coefficients: input, values: (0..<frames * input).map { _ in Float(generator.normal()) })
  }
}

/// What may stand before the recurrent layers, with sizes that divide nothing.
enum Front: String, CaseIterable, CustomStringConvertible {
  case none, batch, layer
  case oneDimensional = "1-D"
  case twoDimensional = "2-D"
  case everything = "layer, 2-D, 1-D"

  var description: String { rawValue }

  func configuration(
    cell: Recurrent.Cell = .gru, layers: Int = 2, bidirectional: Bool = false,
    pooling: ClassicNetwork.Pooling = .mean, hiddenSize: Int = 17
  ) throws -> NetworkConfiguration {
    let one = Convolution(filters: 18, frames: 5, frameStride: 2)
    let two = Convolution(filters: 3, frames: 4, frameStride: 3, bins: 3, binStride: 2)
    let (normalization, convolutions): (ClassicNetwork.InputNormalization?, [Convolution]) =
      switch self {
      case .none: (nil, [])
      case .batch: (.batch, [])
      case .layer: (.layer, [])
      case .oneDimensional: (nil, [one])
      case .twoDimensional: (nil, [two])
      case .everything: (.layer, [two, one])
      }
    return try classicNetwork(
      inputSize: 7, inputNormalization: normalization, convolutions: convolutions,
      cell: cell, hiddenSize: hiddenSize, layers: layers, bidirectional: bidirectional, pooling: pooling, classCount: 3)
  }
}
