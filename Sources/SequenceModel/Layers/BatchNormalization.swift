import AuricleBase
import RealModule

/// Batch normalisation (Ioffe and Szegedy, ICML 2015), as in Keras: y = gamma (x - mean) / sqrt(variance + epsilon) + beta,
/// for each channel where there are bins of several channels, else for each value of a frame.
///
/// In training mean and variance are those of all valid frames (and bins) of the sequences of one pass, a fixed shard of
/// the batch, so that the result does not depend on the number of jobs; padding does not exist. In use they are moving
/// averages, which move by `1 - momentum` towards those of a batch: the mean over its shards.
public struct BatchNormalization: Hashable, Sendable {
  /// Share of the moving averages that a batch leaves as it was.
  public var momentum: Double
  /// Added to the variance.
  public var epsilon: Double

  public init(momentum: Double = 0.99, epsilon: Double = 1e-3) {
    (self.momentum, self.epsilon) = (momentum, epsilon)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case momentum, epsilon }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a batch normalisation")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      momentum: try values.decodeIfPresent(Double.self, forKey: .momentum) ?? 0.99,
      epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-3)
  }
}

extension Layer {
  public static func batchNormalization(momentum: Double = 0.99, epsilon: Double = 1e-3) -> Layer {
    .batchNormalization(BatchNormalization(momentum: momentum, epsilon: epsilon))
  }
}

extension BatchNormalization: LayerDefinition {
  static let type = "batch-normalization"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    guard (0...1).contains(momentum) else {
      throw .configuration("the momentum of batch normalisation is \(momentum); it must be in 0...1")
    }
    guard epsilon > 0, epsilon.isFinite else {
      throw .configuration("the epsilon of batch normalisation is \(epsilon); it must be positive")
    }
    return input
  }

  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    let shape = [input.columns.axis.count]
    return [
      TensorSpecification(role: "gamma", shape: shape, initializer: .ones, decays: false),
      TensorSpecification(role: "beta", shape: shape, initializer: .zeros, decays: false),
      TensorSpecification(role: "moving_mean", shape: shape, initializer: .zeros, decays: false, momentum: momentum),
      TensorSpecification(role: "moving_variance", shape: shape, initializer: .ones, decays: false, momentum: momentum),
    ]
  }

  func title(_ input: LayerShape) -> String { "Batch normalization" }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    BatchNormalizationPass(epsilon, place)
  }

  /// In use: scale and shift of each channel.
  func channelScale<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> ChannelScale<Scalar> {
    let (gamma, beta, mean, variance) = (place.values(0), place.values(1), place.values(2), place.values(3))
    let scale = (0..<place.input.columns.axis.count).map {
      Double(gamma[$0]) / Double.sqrt(Double(variance[$0]) + epsilon)
    }
    return ChannelScale(
      scale: scale.map { Scalar($0) },
      shift: scale.indices.map { Scalar(Double(beta[$0]) - Double(mean[$0]) * scale[$0]) })
  }
}

extension ParameterLayout {
  /// Moves the moving averages among `parameters` towards the `statistics` of a batch, as `takeStatistics` gave them:
  /// average * momentum + statistic * (1 - momentum). Does nothing when one of these is not finite.
  public func updateMovingAverages(in parameters: inout [Float], statistics: [Float]) {
    guard parameters.count == count, statistics.allSatisfy(\.isFinite) else { return }
    var rest = statistics[...]
    for tensor in tensors where rest.count >= tensor.count {
      guard let momentum = tensor.momentum else { continue }
      for (index, value) in zip(tensor.range, rest) {
        parameters[index] = Float(Double(parameters[index]) * momentum + Double(value) * (1 - momentum))
      }
      rest = rest.dropFirst(tensor.count)
    }
  }
}
