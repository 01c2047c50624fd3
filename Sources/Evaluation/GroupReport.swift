import AuricleBase

/// The accuracy of each group of files that share a field's value: a speaker, a device, a sample rate.
public struct GroupReport: Codable, Hashable, Sendable {
  public struct Group: Codable, Hashable, Sendable {
    public let value: String
    public let correct: Int
    public let files: Int
    public let accuracy: Double
    /// 95%, of the accuracy.
    public let interval: ConfidenceInterval
  }

  public let field: String
  /// In natural order of their values ("2" before "10"), durations from short to long.
  public let groups: [Group]
  /// The group of the lowest accuracy, of several the one with the most files; nil when there are fewer than two.
  public let worst: Group?
}

/// Counts right and wrong answers per value of one field.
struct GroupTally: Sendable {
  let field: String
  private var counts: [String: (correct: Int, files: Int)] = [:]

  init(field: String) {
    self.field = field
  }

  mutating func add(_ prediction: Prediction) {
    guard let isCorrect = prediction.isCorrect else { return }
    let value = prediction.group(by: field)
    counts[value, default: (0, 0)].files += 1
    if isCorrect { counts[value, default: (0, 0)].correct += 1 }
  }

  var report: GroupReport {
    let groups = counts.sorted { naturallyPrecedes($0.key, $1.key) }.map { value, counts in
      GroupReport.Group(
        value: value, correct: counts.correct, files: counts.files,
        accuracy: Double(counts.correct) / Double(counts.files), interval: .wilson(counts.correct, of: counts.files))
    }
    let worst = groups.min { ($0.accuracy, $1.files) < ($1.accuracy, $0.files) }
    return GroupReport(field: field, groups: groups, worst: groups.count > 1 ? worst : nil)
  }
}

extension Prediction {
  /// The name of the group it belongs to.
  func group(by field: String) -> String { value(of: field) ?? "(none)" }

  /// What the prediction is grouped by: a field of the data set, or one of `label`, `sample-rate` and `duration`.
  ///
  /// Durations fall into buckets bounded by 0.5, 1, 2, 5, 10 and 30 s, the lower bound within. Nil when it is not known.
  public func value(of field: String) -> String? {
    switch field {
    case "label": truth
    case "sample-rate": sampleRate.map { "\($0) Hz" }
    case "duration": duration.map(durationBucket)
    default: fields[field]
    }
  }
}

private func durationBucket(_ seconds: Double) -> String {
  let bounds: [(Double, String)] = [
    (0.5, "0 to 0.5 s"), (1, "0.5 to 1 s"), (2, "1 to 2 s"), (5, "2 to 5 s"), (10, "5 to 10 s"), (30, "10 to 30 s"),
  ]
  return bounds.first { seconds < $0.0 }?.1 ?? "30 s and more"
}
