/// Gathers predictions one by one, keeping only what the report needs of each, so that 100,000 files take megabytes.
///
///     var tally = try EvaluationTally(labels: ["cat", "dog"], groupBy: ["speaker"])
///     for prediction in predictions { try tally.add(prediction) }
///     print(tally.report().text)
public struct EvaluationTally: Sendable {
  public private(set) var outcomes: Outcomes
  /// Files without an answer, and files without a truth to compare it with.
  public private(set) var failed = 0
  public private(set) var unlabeled = 0
  private(set) var files: ReportedFiles?
  private var groups: [GroupTally]
  private let least: Double?

  /// With `keepsFiles`, paths and groups of the files are kept too, for an `HTMLReport`. Where there is a probability to
  /// `reject` below, answers that have less count as `unknown`. Throws when labels are missing or repeated.
  public init(
    labels: [String], groupBy fields: [String] = [], keepsFiles: Bool = false, reject least: Double? = nil
  ) throws(EvaluationError) {
    let unknown = least == nil || labels.contains(Prediction.unknown) ? [] : [Prediction.unknown]
    outcomes = try Outcomes(labels: labels + unknown)
    self.least = least
    groups = fields.map { GroupTally(field: $0) }
    files = keepsFiles ? ReportedFiles(groupBy: fields) : nil
  }

  /// All predictions so far.
  public var count: Int { outcomes.count + failed + unlabeled }

  /// Throws for a label that is not known and a probability that is none.
  public mutating func add(_ prediction: Prediction) throws(EvaluationError) {
    var prediction = prediction
    if let least { prediction.reject(below: least) }
    if prediction.label == nil {
      failed += 1
      files?.addFailed(prediction)
    } else if try outcomes.append(prediction) {
      for index in groups.indices { groups[index].add(prediction) }
      files?.addAnswered(prediction)
    } else {
      unlabeled += 1
    }
  }

  /// The report on all that was added.
  public func report(topK: [Int] = [2, 3, 5]) -> ClassificationReport {
    ClassificationReport(
      outcomes.confusion, scores: ScoreMetrics(outcomes, topK: topK), groups: groups.map(\.report), failed: failed)
  }
}
