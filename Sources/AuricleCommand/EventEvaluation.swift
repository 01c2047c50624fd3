import ArgumentParser
import Auricle

/// `evaluate --events`: judges events by annotated ones.
struct EventEvaluation: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Judge the events of the second file by those of the first, instead of labels of whole files; Audacity, Raven, RTTM, "
        + "TextGrid, DESED TSV, SRT, CSV or JSON lines.", valueName: "truth> <found"))
  var events: [String] = []
  @Option(help: ArgumentHelp("How much the times of events may differ.", valueName: "s"))
  var collar = 0.2
  @Flag(help: "Let the ends of events be where they will; only beginnings count.")
  var onsetOnly = false
  @Option(help: ArgumentHelp("Length of the segments of segment-based figures.", valueName: "s"))
  var segment = 1.0
  @Option(help: ArgumentHelp("Labels whose events do not count, with commas between them.", valueName: "labels"))
  var ignore: String?
  @Option(
    help: ArgumentHelp("What detect --scores wrote: false rejects against false alarms an hour.", valueName: "file"))
  var scores: String?

  func validate() throws {
    if !events.isEmpty && events.count != 2 {
      throw ValidationError("--events takes two files, the truth and what was found; there are \(events.count).")
    }
    if scores != nil && events.isEmpty { throw ValidationError("--scores goes with --events.") }
    try checkUsage { _ = try matching() }
  }

  private func matching() throws(DetectionError) -> EventMatching {
    try EventMatching(collar: collar, evaluatesOffset: !onsetOnly)
  }

  /// Nil where no events are to be judged.
  func report() throws -> DetectionReport? {
    guard events.count == 2 else { return nil }
    let ignored = Set((ignore ?? "").split(separator: ",").map { String($0) })
    let read = try events.map { path in try AnnotationFormat.read(path).filter { !ignored.contains($0.label) } }
    let (truth, found) = try Self.sameSounds(read[0], read[1])
    var report = DetectionReport(events: try EventMetrics(truth: truth, found: found, matching: matching()))
    report.segments = try SegmentMetrics(truth: truth, found: found, resolution: segment)
    if let scores {
      let track = try ScoreTrack(contentsOf: scores)
      let sounds = Set(truth.map(\.path))
      guard sounds.count <= 1 else {
        throw CommandError("\(scores): the scores of one sound; the truth is of \(sounds.count)")
      }
      let labels = Set(truth.map(\.label)).sorted()
      report.curves = [
        try DetectionCurve(
          truth: truth.map { $0.located(in: nil) }, tracks: ["": track], labels: labels,
          configuration: EventDetector.Configuration(
            ignoredLabels: Set(track.labels).subtracting(labels)), matching: matching())
      ]
    }
    return report
  }

  /// Formats name sounds by path, by name, by name without ending, or not at all: events of the same sound get the same
  /// path.
  private static func sameSounds(
    _ truth: [SoundEvent], _ found: [SoundEvent]
  ) throws -> (truth: [SoundEvent], found: [SoundEvent]) {
    if (truth + found).contains(where: { $0.path == nil }) {
      for events in [truth, found] where Set(events.compactMap(\.path)).count > 1 {
        throw CommandError(
          "the events of one file name several sounds, those of the other none; give a file for each sound")
      }
      return (truth.map { $0.located(in: nil) }, found.map { $0.located(in: nil) })
    }
    func stem(_ path: String) -> String {
      let name = path.split(separator: "/").last.map { String($0) } ?? path
      return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }
    for events in [truth, found] {
      let paths = Set(events.compactMap(\.path))
      if Set(paths.map(stem)).count < paths.count { return (truth, found) }
    }
    return (
      truth.map { $0.located(in: $0.path.map(stem)) }, found.map { $0.located(in: $0.path.map(stem)) }
    )
  }
}
