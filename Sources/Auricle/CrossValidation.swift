import RealModule

/// What a cross-validation found: how well models do on files they have not learned from.
public struct CrossValidation: Codable, Sendable {
  public struct FoldResult: Codable, Hashable, Sendable {
    public var name: String
    /// The first is 1.
    public var number: Int
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
  /// How many there are in all; `folds` may be some of them.
  public var foldCount: Int
  /// Of the folds' accuracies; the deviation is that of a sample, divided by one less than the number of folds.
  public var meanAccuracy: Double
  public var standardDeviation: Double
  /// Of all folds' files together.
  public var pooled: ClassificationReport
  public var failures: [FailedFile]

  init(_ folds: [FoldResult], of count: Int, pooled: ConfusionMatrix, failures: [FailedFile]) {
    self.folds = folds
    foldCount = count
    let accuracies = folds.map(\.accuracy)
    let mean = accuracies.reduce(0, +) / Double(max(1, accuracies.count))
    let squares = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    meanAccuracy = mean
    standardDeviation = Double.sqrt(squares / Double(max(1, accuracies.count - 1)))
    self.pooled = ClassificationReport(pooled)
    self.failures = failures
  }

  /// What runs of single folds have found, joined: the very report of a run of all.
  ///
  /// Throws `JoiningError` where a fold is missing or there twice, or they are not of one cross-validation.
  public init(joining parts: [CrossValidation]) throws {
    guard let first = parts.first else { throw JoiningError.missing([]) }
    let folds = parts.flatMap(\.folds).sorted { $0.number < $1.number }
    let labels = first.pooled.confusion.labels
    guard parts.allSatisfy({ $0.foldCount == first.foldCount && $0.pooled.confusion.labels == labels }),
      folds.allSatisfy({ (1...max(1, first.foldCount)).contains($0.number) })
    else { throw JoiningError.different }
    let doubled = zip(folds, folds.dropFirst()).filter { $0.number == $1.number }.map(\.0.number)
    guard doubled.isEmpty else { throw JoiningError.doubled(doubled) }
    let missing = Set(1...max(1, first.foldCount)).subtracting(folds.map(\.number)).sorted()
    guard missing.isEmpty else { throw JoiningError.missing(missing) }
    let counts = labels.indices.map { row in
      labels.indices.map { column in parts.reduce(0) { $0 + $1.pooled.confusion.counts[row][column] } }
    }
    var seen: Set<FailedFile> = []
    self.init(
      folds, of: first.foldCount, pooled: try ConfusionMatrix(labels: labels, counts: counts),
      failures: parts.flatMap(\.failures).filter { seen.insert($0).inserted })
  }

  /// Why reports of folds do not make one.
  public enum JoiningError: Error, Hashable, Sendable, CustomStringConvertible {
    case different
    case missing([Int])
    case doubled([Int])

    public var description: String {
      func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
      return switch self {
      case .different: "the folds are not of one cross-validation"
      case .missing(let numbers): "missing: fold \(list(numbers))"
      case .doubled(let numbers): "there twice: fold \(list(numbers))"
      }
    }
  }
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
  /// epoch that did best on that share of the fold's training files. Checkpoints and logs go to a folder per fold. With
  /// `only` that fold, the first being 1, is trained; see `CrossValidation.init(joining:)`. Throws as `train` does, and
  /// `TrainingError.configuration` where there is no such fold.
  public func crossValidate(
    _ folds: [Fold], labels: [String], validation: Double = 0, only: Int? = nil,
    isolation: isolated (any Actor)? = #isolation,
    progress: (FoldProgress) -> Void = { _ in }
  ) async throws -> CrossValidation {
    let plan = try plan(labels: labels)
    let chosen = only.map { $0 - 1..<$0 } ?? folds.indices
    guard folds.indices.contains(chosen.lowerBound) else {
      throw TrainingError.configuration("fold \(chosen.upperBound) of \(folds.count), the first of which is 1")
    }
    // All folders first: one that cannot be used is found before the hours that the others may take.
    let trainers = try folds.indices.map { try within("fold-\($0 + 1)") }
    for trainer in trainers[chosen] { _ = try trainer.sequenceTrainer(labels: labels).trainersOfNetworks() }
    var seen: Set<Example> = []
    let examples = folds.flatMap { $0.training + $0.testing }.filter { seen.insert($0).inserted }
    let sounds = try await SoundCollection(examples, labels: labels, trainer: self) { progress(.progress($0)) }
    var results: [CrossValidation.FoldResult] = []
    var (truth, predicted) = ([String](), [String]())
    for index in chosen {
      let fold = folds[index]
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
        name: fold.name, number: index + 1, training: sounds.subset(split.training).indices.count,
        validation: sounds.subset(split.validation).indices.count, testing: testing.indices.count, correct: correct,
        accuracy: Double(correct) / Double(max(1, testing.indices.count)),
        records: model.members.compactMap(\.record))
      results.append(result)
      progress(.ends(result))
    }
    return CrossValidation(
      results, of: folds.count, pooled: try ConfusionMatrix(truth: truth, predicted: predicted, labels: labels),
      failures: sounds.failures)
  }
}
