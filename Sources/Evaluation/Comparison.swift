import AuricleBase
import RealModule

/// Two models' answers to the same files.
///
///     let comparison = Comparison(bothRight: 1, onlyFirstRight: 1, onlySecondRight: 7, bothWrong: 12)
///     comparison.difference           // 0.2857..., the second's accuracy less the first's
///     comparison.interval.text        // "2.60% to 50.71%"
///     comparison.pValue               // 0.0703125
public struct Comparison: Codable, Hashable, Sendable {
  public let bothRight: Int
  public let onlyFirstRight: Int
  public let onlySecondRight: Int
  public let bothWrong: Int

  public init(bothRight: Int, onlyFirstRight: Int, onlySecondRight: Int, bothWrong: Int) {
    self.bothRight = bothRight
    self.onlyFirstRight = onlyFirstRight
    self.onlySecondRight = onlySecondRight
    self.bothWrong = bothWrong
  }

  /// Files that both have answered.
  public var files: Int { bothRight + onlyFirstRight + onlySecondRight + bothWrong }
  public var firstCorrect: Int { bothRight + onlyFirstRight }
  public var secondCorrect: Int { bothRight + onlySecondRight }

  /// The second's accuracy less the first's; 0 without files.
  public var difference: Double {
    files == 0 ? 0 : Double(onlySecondRight - onlyFirstRight) / Double(files)
  }

  /// The difference's 95% interval for paired proportions: Wilson's intervals of both, squared and added with their
  /// correlation (method 10 of Newcombe, "Improved confidence intervals for the difference between binomial proportions
  /// based on paired data", Statistics in Medicine 17, 1998, doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C).
  public var interval: ConfidenceInterval {
    guard files > 0 else { return ConfidenceInterval(lower: -1, upper: 1) }
    let n = Double(files)
    let (first, second) = (Double(firstCorrect) / n, Double(secondCorrect) / n)
    let firstInterval = ConfidenceInterval.wilson(firstCorrect, of: files)
    let secondInterval = ConfidenceInterval.wilson(secondCorrect, of: files)
    func halfWidth(_ a: Double, _ b: Double) -> Double { Double.sqrt(max(0, a * a - 2 * correlation * a * b + b * b)) }
    return ConfidenceInterval(
      lower: difference - halfWidth(second - secondInterval.lower, firstInterval.upper - first),
      upper: difference + halfWidth(secondInterval.upper - second, first - firstInterval.lower))
  }

  /// The correlation of being right, with Newcombe's correction for continuity; 0 where it is undefined.
  private var correlation: Double {
    let (a, b, c, d) = (Double(bothRight), Double(onlyFirstRight), Double(onlySecondRight), Double(bothWrong))
    let variances = (a + b) * (c + d) * (a + c) * (b + d)
    guard variances > 0 else { return 0 }
    let covariance = a * d - b * c
    return (covariance > 0 ? max(0, covariance - Double(files) / 2) : covariance) / Double.sqrt(variances)
  }

  /// McNemar's exact test: how probable it is that chance alone splits the files that only one has right at least as
  /// unevenly (two-sided; McNemar, Psychometrika 12, 1947, doi:10.1007/BF02295996). 1 when there are none.
  public var pValue: Double {
    let (few, all) = (min(onlyFirstRight, onlySecondRight), onlyFirstRight + onlySecondRight)
    // Twice the sum of the binomial probabilities (all over k) / 2^all for k up to `few`, from the middle outwards:
    // a product of small ratios loses no digits, which factorials would.
    var middle = all / 2
    var probability = 1.0
    for j in stride(from: 1, through: middle, by: 1) { probability *= (Double(2 * j) - 1) / Double(2 * j) }
    if all % 2 == 1 { probability *= Double(all) / Double(all + 1) }
    var sum = 0.0
    while middle >= 0 {
      if middle <= few { sum += probability }
      probability *= Double(middle) / Double(all - middle + 1)
      middle -= 1
    }
    return min(1, 2 * sum)
  }
}

/// A file that one of two models has right and the other wrong.
public struct ChangedFile: Codable, Hashable, Sendable {
  public let path: String
  public let truth: String
  public let first: String
  public let second: String

  /// Whether the second model has it right.
  public var isGained: Bool { second == truth }
}

/// Two files of predictions, matched by path.
public struct PredictionComparison: Sendable {
  public let counts: Comparison
  /// In the order of the second file.
  public let changed: [ChangedFile]
  /// Files that only one of the two answered, or answered without a known truth.
  public let onlyInFirst: Int
  public let onlyInSecond: Int

  /// Reads both, keeping path, truth and label of the first. Where a path comes more than once, its last row counts.
  ///
  /// Throws `FileError`, and `EvaluationError` for a row that cannot be read, for a file whose truth is not the same in
  /// both, and when no file is in both.
  public init(first firstPath: String, second secondPath: String) throws {
    let (first, second) = (try Self.answers(firstPath), try Self.answers(secondPath))
    var (bothRight, bothWrong, common) = (0, 0, 0)
    var changed: [ChangedFile] = []
    for (path, answer) in second.ordered {
      guard let other = first.byPath[path] else { continue }
      guard other.truth == answer.truth else {
        throw EvaluationError.unequalTruths(path: path, first: other.truth, second: answer.truth)
      }
      common += 1
      switch (other.label == other.truth, answer.label == answer.truth) {
      case (true, true): bothRight += 1
      case (false, false): bothWrong += 1
      default:
        changed.append(ChangedFile(path: path, truth: answer.truth, first: other.label, second: answer.label))
      }
    }
    guard common > 0 else { throw EvaluationError.nothingInCommon(first: firstPath, second: secondPath) }
    let gained = changed.count { $0.isGained }
    counts = Comparison(
      bothRight: bothRight, onlyFirstRight: changed.count - gained, onlySecondRight: gained, bothWrong: bothWrong)
    self.changed = changed
    onlyInFirst = first.byPath.count - common
    onlyInSecond = second.byPath.count - common
  }

  private struct Answer {
    let truth: String
    let label: String
  }

  private struct Answers {
    var byPath: [String: Answer] = [:]
    var paths: [String] = []
    var ordered: some Sequence<(String, Answer)> {
      paths.lazy.compactMap { path in byPath[path].map { (path, $0) } }
    }
  }

  private static func answers(_ path: String) throws -> Answers {
    var answers = Answers()
    try PredictionFile(path: path).read { prediction in
      guard let truth = prediction.truth, let label = prediction.label else { return }
      if answers.byPath.updateValue(Answer(truth: truth, label: label), forKey: prediction.path) == nil {
        answers.paths.append(prediction.path)
      }
    }
    return answers
  }
}
