import RealModule

/// What a detector is judged by while it learns: the share of what is to be found that it finds with a threshold at which it
/// gives no more than so many false alarms an hour.
public struct FalseAlarmLimit: Codable, Hashable, Sendable {
  /// The class of sound that holds nothing to be found.
  public var background: Int
  /// Frames in an hour of sound.
  public var framesPerHour: Double
  /// False alarms that are borne.
  public var perHour: Double

  public init(background: Int, framesPerHour: Double, perHour: Double = 6) {
    (self.background, self.framesPerHour, self.perHour) = (background, framesPerHour, perHour)
  }

  /// An example as a threshold sees it.
  struct Answer {
    /// Its class.
    var truth: Int
    /// The most probable class but the background, and its probability.
    var found: Int
    var score: Double
  }

  /// The answers that softmax makes of `logits` (`targets x classes`); in double precision, so that a threshold can tell scores
  /// near 1 apart.
  func answers(_ logits: [Float], _ targets: [Target]) -> [Answer] {
    guard let classes = targets.first?.probabilities.count, classes > 1 else { return [] }
    return targets.enumerated().map { index, target in
      let row = logits[index * classes..<(index + 1) * classes]
      let others = row.indices.filter { $0 - row.startIndex != background }
      let best = others.max { row[$0] < row[$1] } ?? row.startIndex
      let largest = row.max() ?? 0
      let sum = row.reduce(0) { $0 + Double.exp(Double($1 - largest)) }
      return Answer(
        truth: target.label, found: best - row.startIndex, score: Double.exp(Double(row[best] - largest)) / sum)
    }
  }

  /// The share of the examples of other classes that are found, `frames` being those of the background; nil where there are
  /// none of either.
  func share(of answers: [Answer], frames: Int) -> Double? {
    let alarms = answers.filter { $0.truth == background }.map(\.score).sorted(by: >)
    let wanted = answers.filter { $0.truth != background }
    guard !alarms.isEmpty, !wanted.isEmpty else { return nil }
    let borne = Int(perHour * Double(frames) / framesPerHour)
    let threshold = borne < alarms.count ? alarms[borne] : -1
    return Double(wanted.count { $0.found == $0.truth && $0.score > threshold }) / Double(wanted.count)
  }
}
