extension Prediction {
  /// What is said of a sound whose most probable label is not probable enough.
  public static let unknown = "unknown"

  /// Says `unknown` where the probability of the label is below `least`; the probabilities stay.
  public mutating func reject(below least: Double) {
    if label != nil, let probability, Double(probability) < least { label = Prediction.unknown }
  }
}
