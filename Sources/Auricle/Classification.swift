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

  init(
    _ model: ClassifierEnsemble, _ probabilities: [Float], duration: Double, sampleRate: Int,
    warnings: [AudioWarning] = []
  ) {
    (label, probability, self.probabilities) = model.answer(probabilities)
    (self.duration, self.sampleRate, self.warnings) = (duration, sampleRate, warnings)
  }
}

extension ClassifierEnsemble {
  /// The most probable label, its probability, and that of every label.
  func answer(_ probabilities: [Float]) -> (label: String, probability: Float, all: [Prediction.Candidate]) {
    let best = mostProbable(probabilities)
    let all = zip(labels, probabilities).map { Prediction.Candidate(label: $0, probability: $1) }
    return (labels[best], probabilities[best], all)
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

  /// The row of a sequence that is not sound.
  init(path: String, _ model: ClassifierEnsemble, _ probabilities: [Float]) {
    let (label, probability, all) = model.answer(probabilities)
    self.init(path: path, label: label, probability: probability, probabilities: all)
  }

  /// The row of an example: what the data set says of it, and what `answer` gives, or why it gives nothing.
  init(of example: Example, stage: (any Error) -> Stage = { Stage(of: $0) }, answer: () throws -> Prediction) {
    let path = example.identity
    do {
      self = try answer()
      self.path = path
    } catch {
      let stage = stage(error)
      let reason = stage == .model ? "\(path): \(error)" : "\(error)"  // the model knows no files
      self.init(path: path, error: reason, stage: stage.rawValue)
    }
    truth = example.labels.isEmpty ? nil : example.label
    fields = example.fields
    if let split = example.split { fields["split"] = split.rawValue }
  }
}

/// The class with the greatest of `probabilities`, the last of several.
func mostProbable(_ probabilities: [Float]) -> Int {
  probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
}
