import RealModule

/// What a cross-validation found: how well models do on files they have not learned from.
public struct CrossValidation: Codable, Sendable {
  public struct FoldResult: Codable, Hashable, Sendable {
    public var name: String
    /// Files learned from, to choose the epoch by, and to be judged by.
    public var training: Int
    public var validation: Int
    public var testing: Int
    /// Right answers, and their share of `testing`.
    public var correct: Int
    public var accuracy: Double
    /// The epochs of the training of each network.
    public var records: [TrainingRecord]
  }

  public var folds: [FoldResult]
  /// Of the folds' accuracies; the deviation is that of a sample, divided by one less than the number of folds.
  public var meanAccuracy: Double
  public var standardDeviation: Double
  /// Of all folds' files together.
  public var pooled: ClassificationReport
  public var failures: [FailedFile]
}

extension SoundTrainer {
  /// What happens in a cross-validation.
  public enum FoldProgress: Sendable {
    case progress(Progress)
    case begins(fold: Int, of: Int, name: String)
    case ends(CrossValidation.FoldResult)
  }

  /// Trains a model for each of `folds`, one after the other, and judges it by the files it was kept from.
  ///
  /// The files for testing decide nothing: the last epoch's weights are taken, or, with a `validation` share, those of the
  /// epoch that did best on that share of the fold's training files. Checkpoints and logs go to a folder per fold. Throws
  /// as `train` does.
  public func crossValidate(
    _ folds: [Fold], labels: [String], validation: Double = 0, isolation: isolated (any Actor)? = #isolation,
    progress: (FoldProgress) -> Void = { _ in }
  ) async throws -> CrossValidation {
    let plan = try plan(labels: labels)
    // All folders first: one that cannot be used is found before the hours that the others may take.
    let trainers = try folds.indices.map { try within("fold-\($0 + 1)") }
    for trainer in trainers { _ = try trainer.sequenceTrainer(labels: labels).trainersOfNetworks() }
    var seen: Set<Example> = []
    let examples = folds.flatMap { $0.training + $0.testing }.filter { seen.insert($0).inserted }
    let sounds = try await SoundCollection(examples, labels: labels, trainer: self) { progress(.progress($0)) }
    var results: [CrossValidation.FoldResult] = []
    var (truth, predicted) = ([String](), [String]())
    for (index, fold) in folds.enumerated() {
      progress(.begins(fold: index + 1, of: folds.count, name: fold.name))
      let split = try Dataset(examples: fold.training, source: fold.name)
        .split(validation: .fraction(validation), seed: training.seed)
      let model = try await trainers[index].fit(plan, sounds, split) { progress(.progress($0)) }

      let testing = sounds.subset(fold.testing)
      let answers = try await testing.answers(of: model, jobs: training.jobs)
      truth += testing.labels.map { labels[$0] }
      predicted += answers.map { labels[$0] }
      let correct = zip(testing.labels, answers).count { $0 == $1 }
      let result = CrossValidation.FoldResult(
        name: fold.name, training: sounds.subset(split.training).indices.count,
        validation: sounds.subset(split.validation).indices.count, testing: testing.indices.count, correct: correct,
        accuracy: Double(correct) / Double(max(1, testing.indices.count)),
        records: model.members.compactMap(\.record))
      results.append(result)
      progress(.ends(result))
    }
    let accuracies = results.map(\.accuracy)
    let mean = accuracies.reduce(0, +) / Double(max(1, accuracies.count))
    let squares = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return CrossValidation(
      folds: results, meanAccuracy: mean,
      standardDeviation: Double.sqrt(squares / Double(max(1, accuracies.count - 1))),
      pooled: ClassificationReport(try ConfusionMatrix(truth: truth, predicted: predicted, labels: labels)),
      failures: sounds.failures)
  }
}
