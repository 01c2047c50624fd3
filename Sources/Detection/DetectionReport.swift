import AuricleBase
import RealModule

/// What is known of how well events were found; `text` is one way to show it.
///
///     var report = DetectionReport(events: try EventMetrics(truth: truth, found: found, matching: matching))
///     report.segments = try SegmentMetrics(truth: truth, found: found)
///     print(report.text)
public struct DetectionReport: Codable, Hashable, Sendable {
  public struct NamedPSDS: Codable, Hashable, Sendable {
    public let name: String
    public let score: PSDS

    public init(_ name: String, _ score: PSDS) {
      self.name = name
      self.score = score
    }
  }

  /// Thresholds that were chosen for a rate of false alarms, and what they give where they were chosen.
  public struct OperatingPoint: Codable, Hashable, Sendable {
    /// False alarms an hour, at most.
    public let limit: Double
    public let thresholds: [String: Float]
    public let falseAlarmsPerHour: Double
    public let falseRejects: Int
    /// Annotated events.
    public let truth: Int

    public init(
      limit: Double, thresholds: [String: Float], falseAlarmsPerHour: Double, falseRejects: Int, truth: Int
    ) {
      (self.limit, self.thresholds, self.falseAlarmsPerHour) = (limit, thresholds, falseAlarmsPerHour)
      (self.falseRejects, self.truth) = (falseRejects, truth)
    }
  }

  public var events: EventMetrics
  public var segments: SegmentMetrics?
  public var psds: [NamedPSDS] = []
  public var curves: [DetectionCurve] = []
  public var operatingPoint: OperatingPoint?

  public init(events: EventMetrics) {
    self.events = events
  }

  /// The report for a terminal, without a line end after the last line: how it was matched, a line for each class, the
  /// figures over all, the most frequent confusions, PSDS, and the curves at some rates of false alarms. A figure that is
  /// not defined, because nothing was annotated or found, is "-".
  public var text: String {
    var blocks = [
      "event-based: \(events.matching.summary)\n"
        + "\(counted(events.overall.truth, "annotated event")) and \(events.overall.found) found in "
        + counted(events.sounds, "sound"),
      table(events.labels, events.classes, events.overall, events.averages),
    ]
    if !confusionLines.isEmpty { blocks.append(confusionLines.joined(separator: "\n")) }
    if let segments {
      blocks.append(
        "segment-based: segments of \(plain(segments.resolution)) s\n\(fixed(segments.length, 1)) s of "
          + counted(segments.sounds, "sound"))
      blocks.append(table(segments.labels, segments.classes, segments.overall, segments.averages))
    }
    blocks += psds.map(psdsText) + curves.map(curveText)
    if let operatingPoint { blocks.append(text(of: operatingPoint)) }
    return blocks.joined(separator: "\n\n")
  }

  private func table(
    _ labels: [String], _ classes: [DetectionCounts], _ overall: DetectionCounts, _ averages: DetectionAverages
  ) -> String {
    func row(_ name: String, _ counts: DetectionCounts) -> [String] {
      let rates = [counts.errorRate, counts.substitutionRate, counts.deletionRate, counts.insertionRate]
      return [name, "\(counts.truth)", "\(counts.found)", "\(counts.correct)"]
        + [counts.f1, counts.precision, counts.recall].map(figure)
        + rates.map { counts.truth > 0 ? figure($0) : "-" }
    }
    var rows = [
      ["class", "annotated", "found", "correct", "F1", "precision", "recall", "error rate", "subst.", "del.", "ins."]
    ]
    for (label, counts) in zip(labels, classes) {
      var cells = row(oneLine(label), counts)
      cells[8] = ""
      rows.append(cells)
    }
    // Of a class that is not annotated, sed_eval's rates are enormous, and so would be their mean.
    let isDefined = classes.allSatisfy { $0.truth > 0 }
    rows.append(
      ["mean of classes", "", "", ""] + [averages.f1, averages.precision, averages.recall].map(figure)
        + [isDefined ? figure(averages.errorRate) : "-", ""]
        + [averages.deletionRate, averages.insertionRate].map { isDefined ? figure($0) : "-" })
    rows.append(row("all together", overall))
    var text = aligned(rows)
    let empty = zip(labels, classes).filter { $1.precision == nil }.map { oneLine($0.0) }
    if !empty.isEmpty {
      text +=
        "\nnothing was found of \(empty.joined(separator: ", ")); the means of precision and F1 leave out such classes"
    }
    return text
  }

  private var confusionLines: [String] {
    let confusion = events.confusion
    var found: [(count: Int, text: String)] = []
    for (truth, row) in confusion.counts.enumerated() {
      for (place, count) in row.enumerated() where place != truth && count > 0 {
        found.append((count, "\(oneLine(confusion.labels[truth])) found as \(oneLine(confusion.labels[place]))"))
      }
    }
    let most = found.sorted { ($1.count, $0.text) < ($0.count, $1.text) }.prefix(10)
    return most.isEmpty ? [] : ["most often confused:"] + most.map { "  \($0.count) \($0.text)" }
  }

  private func psdsText(_ named: NamedPSDS) -> String {
    let parameters = named.score.parameters
    let settings =
      "DTC \(plain(parameters.detectionTolerance)), GTC \(plain(parameters.groundTruthIntersection)), "
      + (parameters.crossTriggerCost > 0
        ? "CTTC \(plain(parameters.crossTriggerTolerance)), alpha_CT \(plain(parameters.crossTriggerCost)), " : "")
      + "alpha_ST \(plain(parameters.instabilityCost)), up to "
      + "\(plain(parameters.maximumFalsePositivesPerHour)) false positives an hour"
    let rows = named.score.classes.map { [oneLine($0.label), fixed($0.value, 4)] }
    return "\(named.name) \(fixed(named.score.value, 4)) (\(settings))\n" + aligned([["class", "score"]] + rows)
  }

  private func text(of point: OperatingPoint) -> String {
    let rows = point.thresholds.sorted { $0.key < $1.key }.map { [oneLine($0.key), fixed(Double($0.value), 4)] }
    return "thresholds for at most \(plain(point.limit)) false alarms an hour: \(fixed(point.falseAlarmsPerHour, 2)), "
      + "and \(point.falseRejects) of \(counted(point.truth, "annotated event")) missed\n"
      + aligned([["class", "threshold"]] + rows)
  }

  private func curveText(_ curve: DetectionCurve) -> String {
    var rows = [["false alarms/h up to", "threshold", "false alarms/h", "false rejects"]]
    for limit in [0, 0.5, 1, 2, 5, 10, 20, 50, 100] {
      guard let point = curve.threshold(forFalseAlarmsPerHour: limit) else { continue }
      rows.append([
        plain(limit), fixed(Double(point.threshold), 4), fixed(curve.falseAlarmsPerHour(point), 2),
        curve.falseRejectRate(point).map { fixed(100 * $0, 2) + "%" } ?? "-",
      ])
    }
    return "detection curve of \(curve.labels.map(oneLine).joined(separator: ", ")): \(curve.matching.summary)\n"
      + "\(counted(curve.truth, "annotated event")) in \(fixed(curve.hours, 3)) hours\n" + aligned(rows)
  }
}

private func counted(_ count: Int, _ thing: String) -> String {
  "\(count) \(thing)\(count == 1 ? "" : "s")"
}

private func figure(_ value: Double?) -> String {
  value.map { fixed($0, 4) } ?? "-"
}

/// `value` with so many decimals, halves away from zero; numbers too large for that as Swift prints them.
private func fixed(_ value: Double, _ decimals: Int) -> String {
  let scaled = (value.magnitude * Double.pow(10, Double(decimals))).rounded()
  guard let whole = Int(exactly: scaled) else { return value.description }
  let digits = String(repeating: "0", count: max(0, decimals + 1 - String(whole).count)) + String(whole)
  return (value < 0 && whole > 0 ? "-" : "") + digits.dropLast(decimals) + "." + digits.suffix(decimals)
}

/// Rows in columns, the first to the left, the others to the right.
private func aligned(_ rows: [[String]]) -> String {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
  return rows.map { row in
    row.enumerated().map { column, cell in
      let blanks = String(repeating: " ", count: widths[column] - cell.count)
      return column == 0 ? cell + blanks : blanks + cell
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}
