/// What a model takes a sound for.
///
///     let classification = try classifier.classify("seven.wav")
///     print(classification.label, classification.probability)           // 7 0.99
public struct Classification: Hashable, Sendable {
  /// A label and how probable the model finds it, in [0, 1].
  public typealias Candidate = Prediction.Candidate

  /// The label that the model finds most probable.
  public var label: String
  /// Of `label`, in [0, 1].
  public var probability: Float
  /// Every label, in the model's order.
  public var probabilities: [Candidate]
  /// Of the sound, in seconds.
  public var duration: Double
  /// Of the file, in Hz.
  public var sampleRate: Int
  /// What a person should know of the sound.
  public var warnings: [AudioWarning] = []

  init(_ model: ClassifierEnsemble, _ probabilities: [Float], duration: Double, sampleRate: Int) {
    let best = mostProbable(probabilities)
    (label, probability) = (model.labels[best], probabilities[best])
    self.probabilities = zip(model.labels, probabilities).map { Candidate(label: $0, probability: $1) }
    (self.duration, self.sampleRate) = (duration, sampleRate)
  }
}

extension Prediction {
  /// The row of a sound that was classified.
  public init(path: String, _ classification: Classification) {
    self.init(
      path: path, label: classification.label, probability: classification.probability,
      probabilities: classification.probabilities, duration: classification.duration,
      sampleRate: classification.sampleRate)
    warnings = classification.warnings.map(\.description)
  }
}

/// The class with the greatest of `probabilities`, the last of several.
func mostProbable(_ probabilities: [Float]) -> Int {
  probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
}
