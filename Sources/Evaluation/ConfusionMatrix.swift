/// How often each true label was given each label.
///
///     let matrix = try ConfusionMatrix(
///       truth: ["cat", "cat", "dog"], predicted: ["cat", "dog", "dog"], labels: ["cat", "dog"])
///     matrix.counts       // [[1, 1], [0, 1]]
///     matrix.accuracy     // 0.6666666666666666
public struct ConfusionMatrix: Codable, Hashable, Sendable {
  public let labels: [String]
  /// `labels x labels`: rows are the truth, columns the prediction.
  public let counts: [[Int]]

  /// Counts the pairs of `truth` and `predicted` at equal positions.
  ///
  /// Throws for lists of unequal length, for a label that is not among `labels`, and when those repeat or are none.
  public init(truth: [String], predicted: [String], labels: [String]) throws(EvaluationError) {
    guard truth.count == predicted.count else {
      throw .unequalCounts(truth: truth.count, predicted: predicted.count)
    }
    var positions: [String: Int] = [:]
    for (index, label) in labels.enumerated() { positions[label] = index }
    var counts = Array(repeating: Array(repeating: 0, count: labels.count), count: labels.count)
    for (truth, predicted) in zip(truth, predicted) {
      guard let row = positions[truth] else { throw .unknownLabel(truth, known: labels) }
      guard let column = positions[predicted] else { throw .unknownLabel(predicted, known: labels) }
      counts[row][column] += 1
    }
    try self.init(labels: labels, counts: counts)
  }

  /// Takes counts as they are. Throws unless they are a square, as large as `labels`, of numbers none of them negative.
  public init(labels: [String], counts: [[Int]]) throws(EvaluationError) {
    guard !labels.isEmpty else { throw .noLabels }
    var seen: Set<String> = []
    for label in labels where !seen.insert(label).inserted { throw .duplicateLabel(label) }
    // The limit on a count keeps every sum of them, here and downstream, within Int.
    let limit = Int(Int32.max)
    guard counts.count == labels.count,
      counts.allSatisfy({ $0.count == labels.count && $0.allSatisfy { (0...limit).contains($0) } })
    else { throw .malformedCounts(labels: labels.count) }
    self.labels = labels
    self.counts = counts
  }

  /// Labels and counts that are known to fit each other.
  init(checkedLabels labels: [String], counts: [[Int]]) {
    self.labels = labels
    self.counts = counts
  }

  private enum CodingKeys: CodingKey { case labels, counts }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      labels: container.decode([String].self, forKey: .labels),
      counts: container.decode([[Int]].self, forKey: .counts))
  }

  /// The number of files.
  public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }

  /// The number of files whose label is right.
  public var correct: Int { labels.indices.reduce(0) { $0 + counts[$1][$1] } }

  /// Right answers among all; 0 when there are no files.
  public var accuracy: Double { total == 0 ? 0 : Double(correct) / Double(total) }

  /// The number of files of each true label.
  public var supports: [Int] { counts.map { $0.reduce(0, +) } }

  /// How often each label was given.
  public var predictedCounts: [Int] { labels.indices.map { column in counts.reduce(0) { $0 + $1[column] } } }

  /// A mistake and how often it was made.
  public struct Confusion: Hashable, Sendable {
    public let truth: String
    public let predicted: String
    public let count: Int
    /// The files of the true label.
    public let support: Int

    /// "'7' was taken for '1' in 12 of 30 files (40.00%)".
    public var sentence: String {
      "'\(truth)' was taken for '\(predicted)' in \(count) of \(support) files (\(percent(Double(count) / Double(support))))"
    }
  }

  /// Every mistake that was made, the most frequent first, ties in the order of the labels.
  public var confusions: [Confusion] {
    var confusions: [Confusion] = []
    let supports = supports
    for (row, truth) in labels.enumerated() {
      for (column, predicted) in labels.enumerated() where row != column && counts[row][column] > 0 {
        confusions.append(
          Confusion(truth: truth, predicted: predicted, count: counts[row][column], support: supports[row]))
      }
    }
    return confusions.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
      .map(\.element)
  }
}
