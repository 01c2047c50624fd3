/// Normalisation inside the network, of each frame's coefficients before all other layers, with a learned scale (gamma)
/// and offset (beta) per coefficient. Names and defaults are those of Keras.
///
/// This is apart from `FeatureConfiguration.normalization`, which has nothing to learn.
public struct InputNormalization: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// By mean and variance of each coefficient over all valid frames of a batch in training, by their moving averages
    /// afterwards (Ioffe and Szegedy, 2015).
    case batch
    /// By mean and variance over the coefficients of one frame (Ba, Kiros and Hinton, 2016).
    case layer
  }

  public var kind: Kind
  /// Share of the moving averages that a batch leaves as it was; for batch normalisation.
  public var momentum: Double
  /// Added to the variance.
  public var epsilon: Double

  public init(_ kind: Kind, momentum: Double = 0.99, epsilon: Double = 1e-3) {
    self.kind = kind
    self.momentum = momentum
    self.epsilon = epsilon
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case kind, momentum, epsilon }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "the input normalisation")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    guard let kind: Kind = try decodeName(values, .kind, "input normalisation") else {
      throw ModelError.configuration("the 'kind' of the input normalisation is missing")
    }
    self.init(
      kind, momentum: try values.decodeIfPresent(Double.self, forKey: .momentum) ?? 0.99,
      epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-3)
  }

  func validate() throws(ModelError) {
    guard (0...1).contains(momentum) else {
      throw .configuration("the momentum of batch normalisation is \(momentum); it must be in 0...1")
    }
    guard epsilon > 0, epsilon.isFinite else {
      throw .configuration("the epsilon of the input normalisation is \(epsilon); it must be positive")
    }
  }
}
