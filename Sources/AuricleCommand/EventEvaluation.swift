import ArgumentParser
import Auricle
import AuricleBase

/// `evaluate --events`: judges events by annotated ones.
struct EventEvaluation: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Judge the events of the second file by those of the first, instead of labels of whole files; Audacity, Raven, RTTM, "
        + "TextGrid, DESED TSV, SRT, CSV or JSON lines, or folders of them. With --scores the second may be left out.",
      valueName: "truth> <found"))
  var events: [String] = []
  @Option(help: ArgumentHelp("How much the times of events may differ.", valueName: "s"))
  var collar = 0.2
  @Flag(help: "Let the ends of events be where they will; only beginnings count.")
  var onsetOnly = false
  @Option(help: ArgumentHelp("Length of the segments of segment-based figures.", valueName: "s"))
  var segment = 1.0
  @Option(
    help: ArgumentHelp(
      "What detect --scores wrote, or a folder of it: PSDS, false rejects against false alarms an hour, and the events where no second file is given.",
      valueName: "file|folder"))
  var scores: String?
  @Option(
    help: ArgumentHelp(
      "Choose a threshold for each class by --scores, so that all together have no more false alarms an hour; with --model they are stored in it.",
      valueName: "n"))
  var targetFalseAlarms: Double?
  @Option(
    help: ArgumentHelp(
      "Recordings for the HTML report, where the events do not lead to them; repeat for several.",
      valueName: "file|folder"))
  var audio: [String] = []
  @OptionGroup var eventOptions: EventOptions

  var isGiven: Bool { !events.isEmpty }

  /// Of all files to read.
  var paths: [String] { events + (scores.map { [$0] } ?? []) + audio }

  func check(_ problems: inout Problems) {
    problems.add(
      "--events takes two files, the truth and what was found, or with --scores the truth alone; there are \(events.count)",
      if: events.count > 2 || events.count == 1 && scores == nil)
    if !isGiven {
      for (name, isGiven) in [
        ("--scores", scores != nil), ("--target-false-alarms", targetFalseAlarms != nil), ("--audio", !audio.isEmpty),
      ] { problems.add("\(name) goes with --events", if: isGiven) }
    }
    if let targetFalseAlarms {
      problems.add("--target-false-alarms needs the --scores to choose by", if: scores == nil)
      problems.add(
        "--target-false-alarms makes the events itself; give --events the truth alone", if: events.count > 1)
      problems.add(
        "--target-false-alarms is \(targetFalseAlarms); it must be 0 or more",
        if: !(0...1e6).contains(targetFalseAlarms))
    }
    problems.add { _ = try matching() }
  }

  func matching() throws(DetectionError) -> EventMatching {
    try EventMatching(collar: collar, evaluatesOffset: !onsetOnly)
  }

  /// What was read, its sounds all named in the same way.
  struct Judged {
    var truth: [SoundEvent]
    var found: [SoundEvent]
    /// By the names of the sounds; "" for the one sound that has none.
    var tracks: [String: ScoreTrack]
    /// Recordings, by those names.
    var sounds: [String: String]
    var report: DetectionReport
  }

  /// Reads and judges; thresholds that are chosen go to the file of `model`, if given.
  func judge(model: String?) throws -> Judged {
    let ignored = eventOptions.ignored ?? (scores == nil ? [] : SoundDetector.backgroundLabels)
    var names = SoundNaming()
    var read = try events.map { path in
      try Self.read(path).filter { !ignored.contains($0.label) }
    }
    let paths = Set(read.flatMap { $0.compactMap(\.path) })
    let files = try scores.map { try Self.scoreFiles($0) } ?? []
    names.learn(read, files.map(\.name))
    read = try read.map { try names.located($0) }
    var tracks: [String: ScoreTrack] = [:]
    for file in files { tracks[names.name(of: file.name)] = try ScoreTrack(contentsOf: file.path) }

    let loaded = try model.map { try ClassifierEnsemble(contentsOf: $0) }
    let settings = try loaded?.detectionSettings() ?? DetectionSettings()
    // Events of classes that are annotated nowhere are false alarms, too.
    let labels = Set(read[0].map(\.label)).union(tracks.values.flatMap(\.labels)).subtracting(ignored).sorted()
    // All are of one detector; the longest tells most surely which windows it had.
    let typical = tracks.sorted { $0.key < $1.key }.map(\.value).max { $0.hops < $1.hops }
    var configuration = try typical.map { track in
      let given = try settings.complete(window: track.window, hop: track.hop, labels: track.labels).events
      return try eventOptions.configuration(given, ignoring: ignored.intersection(track.labels))
    }
    var operatingPoint: DetectionReport.OperatingPoint?
    if let targetFalseAlarms, let given = configuration {
      let chosen = try choose(targetFalseAlarms, read[0], tracks, labels, given)
      (configuration, operatingPoint) = (chosen.configuration, chosen.point)
      if let model, var loaded {
        var settings = settings
        (settings.events, settings.falseAlarmsPerHour) = (configuration, targetFalseAlarms)
        if let hop = typical?.hop, let window = typical?.window, window > hop {
          (settings.window, settings.hop) = (window, hop)
        }
        try loaded.setDetectionSettings(settings)
        try loaded.write(to: model)
        StandardError.write("auricle: \(model): keeps these thresholds; detect uses them unless told otherwise")
      }
    }
    if read.count < 2, let configuration {
      read.append(
        try tracks.sorted { $0.key < $1.key }.flatMap { name, track in
          try track.events(configuration).map { $0.located(in: name.isEmpty ? nil : name) }
        })
    }
    var report = DetectionReport(
      events: try EventMetrics(truth: read[0], found: read[1], matching: matching()))
    let durations = tracks.mapValues { $0.boundaries.last ?? 0 }
    report.segments = try SegmentMetrics(
      truth: read[0], found: read[1], resolution: segment, durations: durations)
    report.operatingPoint = operatingPoint
    if let configuration {
      let missing = Set(read[0].map { $0.path ?? "" }).subtracting(tracks.keys)
      if let name = missing.min() {
        throw CommandError("\(scores ?? ""): no scores of '\(name)', of which there are annotations")
      }
      for (name, parameters) in [("PSDS 1", PSDS.Parameters.psds1), ("PSDS 2", .psds2)] {
        do {
          report.psds.append(.init(name, try PSDS(truth: read[0], tracks: tracks, parameters: parameters)))
        } catch {
          StandardError.report("\(name) is left out: \(error)")
        }
      }
      report.curves = [
        try DetectionCurve(
          truth: read[0], tracks: tracks, labels: labels, configuration: configuration, matching: matching())
      ]
    }
    var sounds: [String: String] = [:]
    for path in try paths.filter({ FileAccess.exists($0) }).sorted() + AudioFiles.expand(paths: audio) {
      sounds[names.name(of: path)] = path
    }
    return Judged(truth: read[0], found: read[1], tracks: tracks, sounds: sounds, report: report)
  }

  /// A threshold for each of `labels`.
  private func choose(
    _ limit: Double, _ truth: [SoundEvent], _ tracks: [String: ScoreTrack], _ labels: [String],
    _ configuration: EventDetector.Configuration
  ) throws -> (configuration: EventDetector.Configuration, point: DetectionReport.OperatingPoint) {
    let curves = try labels.map { label in
      try DetectionCurve(
        truth: truth, tracks: tracks, labels: [label], configuration: configuration, matching: matching())
    }
    guard let points = DetectionCurve.points(of: curves, forFalseAlarmsPerHour: limit) else {
      throw CommandError("--target-false-alarms \(limit): no thresholds reach it")
    }
    var thresholds: [String: EventDetector.Configuration.Threshold] = [:]
    for (label, point) in zip(labels, points) {
      thresholds[label] = configuration.threshold(of: label).with(on: point.threshold)
    }
    return (
      try configuration.with(threshold: configuration.threshold, thresholds: thresholds),
      DetectionReport.OperatingPoint(
        limit: limit, thresholds: thresholds.mapValues(\.on),
        falseAlarmsPerHour: Double(points.reduce(0) { $0 + $1.falseAlarms }) / (curves.map(\.hours).max() ?? 1),
        falseRejects: points.reduce(0) { $0 + $1.falseRejects }, truth: truth.count)
    )
  }

  /// The events of a file, or of all annotations in a folder; those of a file in a folder that names no sound are of the
  /// sound that the file is called after.
  private static func read(_ path: String) throws -> [SoundEvent] {
    guard FileAccess.isFolder(path) else { return try AnnotationFormat.read(path) }
    return try files(in: path, AnnotatedRecordings.annotationEndings).flatMap { file in
      try AnnotationFormat.read(file).map { $0.path == nil ? $0.located(in: SoundNaming.stem(file)) : $0 }
    }
  }

  private static func scoreFiles(_ path: String) throws -> [(path: String, name: String)] {
    guard FileAccess.isFolder(path) else { return [(path, "")] }
    return try files(in: path, ["tsv", "npy"]).map { ($0, $0) }
  }

  private static func files(in folder: String, _ endings: Set<String>) throws -> [String] {
    let files = try AudioFiles.expand(paths: [folder], extensions: endings)
    guard !files.isEmpty else { throw CommandError("\(folder): no files in it to judge") }
    return files
  }
}

/// Formats name sounds by path, by name, by name without ending, or not at all: events of the same sound get the same
/// name.
private struct SoundNaming {
  /// Nil: all is of one sound without name.
  private var name: ((String) -> String)? = { $0 }

  mutating func learn(_ events: [[SoundEvent]], _ scores: [String]) {
    let paths = events.flatMap { $0.map(\.path) } + scores.map { $0.isEmpty ? nil : $0 }
    if paths.contains(where: { $0 == nil }) {
      name = nil
      return
    }
    let sets = events.map { Set($0.compactMap(\.path)) } + [Set(scores)]
    let isPlain = sets.allSatisfy { Set($0.map(Self.stem)).count == $0.count }
    name = isPlain || !scores.isEmpty ? Self.stem : { $0 }
  }

  func name(of path: String) -> String { name?(path) ?? "" }

  func located(_ events: [SoundEvent]) throws -> [SoundEvent] {
    guard let name else {
      if Set(events.compactMap(\.path)).count > 1 {
        throw CommandError(
          "the events of one file name several sounds, those of the other, or the scores, none; give a file for each sound"
        )
      }
      return events.map { $0.located(in: nil) }
    }
    return events.map { $0.located(in: $0.path.map(name)) }
  }

  static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last.map { String($0) } ?? path
    if let format = AnnotationFormat(name: name), name.count > format.fileExtension.count,
      name.lowercased().hasSuffix(format.fileExtension.lowercased())
    {
      return String(name.dropLast(format.fileExtension.count))
    }
    return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }
}

extension ScoreTrack {
  /// The middle of the lengths of its hops, but for the first and the last, which are of windows at the ends of the sound;
  /// in seconds, to the millisecond; nil without any.
  fileprivate var hop: Double? {
    let lengths = zip(boundaries, boundaries.dropFirst()).map { $1 - $0 }.dropFirst().dropLast().sorted()
    return lengths.isEmpty ? nil : milliseconds(lengths[lengths.count / 2])
  }

  /// Of windows that slid over the sound, whose first one's scores hold until half a hop after its middle.
  fileprivate var window: Double? {
    hop.map { max($0, milliseconds(2 * (boundaries[1] - boundaries[0]) - $0)) }
  }

  private func milliseconds(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}
