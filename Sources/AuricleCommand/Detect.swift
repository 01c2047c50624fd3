import ArgumentParser
import Auricle
import AuricleBase

struct Detect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Find events in sound of any length, from files or live.",
    discussion: """
      Examples:
        auricle detect --model birds.safetensors --window 3 day.flac
        auricle detect recordings/ -o events/ --format raven --scores scores/
        arecord -f S16_LE -r 16000 -t raw \\
          | auricle detect --live --raw s16le:16000:1 -

      A line is start and end in seconds, label, probability and file. With --live
      each event is written as soon as it can be known, and Ctrl-C ends the stream
      in good order.
      """)

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup(title: "From sound to events") var detection: DetectionOptions

  @Option(
    help: ArgumentHelp(
      "How events are written: \(EventFormat.names.joined(separator: ", ")) (default: as -o is named, or table).",
      valueName: "format"))
  var format: EventFormat?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "File for the events, or a folder (its name ends in /) with a file for each sound.", valueName: "path"))
  var output: String?
  @Option(
    help: ArgumentHelp(
      "File for every class's score at every hop (TSV), or a folder (its name ends in /) with a file for each sound.",
      valueName: "path"))
  var scores: String?
  @Flag(help: "Sound comes on a pipe, raw (--raw) or as WAV; write each event as soon as it can be known.")
  var live = false
  @OptionGroup var decodingOptions: DecodingOptions
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var confinement: RootOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions
  @Argument(
    help: ArgumentHelp(
      "Audio files, folders of them, manifests (.csv, .tsv, .jsonl), or - for standard input.", valueName: "file"))
  var files: [String] = []

  func validate() throws {
    try batch.check(files)
    if batch.isUsed {
      guard !live, scores == nil, format == nil else {
        throw ValidationError("Rows of a list hold the events; --live, --format and --scores do not go with them.")
      }
      return
    }
    if let output, format == nil, !output.hasSuffix("/"), output != "-", AnnotationFormat(name: output) == nil {
      throw ValidationError("-o '\(output)': its name tells no format; say --format.")
    }
    guard live else { return }
    if files.count != 1 { throw ValidationError("--live hears one stream; there are \(files.count).") }
    if case .annotation(.textGrid) = eventFormat {
      throw ValidationError("A TextGrid is written only when all events are known; --live needs another format.")
    }
    if output?.hasSuffix("/") == true || scores?.hasSuffix("/") == true {
      throw ValidationError("--live hears one stream, which needs no folder.")
    }
  }

  private var eventFormat: EventFormat {
    format ?? output.flatMap { AnnotationFormat(name: $0) }.map { .annotation($0) } ?? .table
  }

  func run() async throws {
    let classifier = try SoundClassifier(modelOptions.load(), channel: channelOptions.selection)
    let detector = try detection.detector(classifier)
    if live { return try listen(detector) }
    if batch.isUsed { return try await runBatch(detector) }
    let corpus = try Corpus(paths: files, root: confinement.root, decoding: decodingOptions.decoding)
    if corpus.leftOut.soundCount > 0 { StandardError.report("left out: \(corpus.leftOut)") }
    let destination = try Destination(self, corpus.files.count, labels: classifier.model.labels)
    try await detect(corpus.files, detector, to: destination)
  }

  // MARK: Files

  /// What was found in one file.
  private struct Found: Sendable {
    var events: [SoundEvent] = []
    var summary: SoundDetector.Summary
  }

  private func detect(_ files: [Corpus.File], _ detector: SoundDetector, to destination: consuming Destination)
    async throws
  {
    // The cores share the files; or, where these are few, the windows of each.
    let (fileJobs, windowJobs) = files.count < jobOptions.jobs ? (1, jobOptions.jobs) : (jobOptions.jobs, 1)
    let (scores, labels) = (scores, detector.classifier.model.labels)
    var (done, failed, count, seconds) = (0, 0, 0, 0.0)
    var progress = ProgressLine()
    let start = ContinuousClock.now
    if !files.contains(where: { $0.path == "-" }) { Interruption.listen() }
    defer { progress.clear() }
    do {
      try await orderedMap(files, jobs: fileJobs, until: Interruption.isRequested) { file -> Result<Found, any Error> in
        do {
          let table = try scores.map { try ScoreTable(path: Self.path($0, file, ".tsv"), labels: labels) }
          var events: [SoundEvent] = []
          let summary = try await detector.detect(
            in: file.sound, jobs: windowJobs, until: Interruption.isRequested, scores: { try table?.append($0) },
            each: { events.append($0) })
          return .success(Found(events: events.sorted(by: SoundEvent.precedes), summary: summary))
        } catch {
          return .failure(error)
        }
      } each: { index, result in
        progress.clear()
        do {
          let found = try result.get()
          for warning in found.summary.warnings { StandardError.report("warning: \(warning)") }
          let end = (files[index].sound.seconds?.lowerBound ?? 0) + found.summary.duration
          try destination.write(found.events, of: files[index], duration: end)
          (done, count, seconds) = (done + 1, count + found.events.count, seconds + found.summary.duration)
        } catch let error where error is CancellationError || Stage(of: error) == .output || error is DetectionError {
          throw error
        } catch {
          failed += 1
          StandardError.report(Stage(of: error) == .model ? "\(files[index].path): \(error)" : "\(error)")
          if failureOptions.failFast { throw ExitStatus.failFast(done: done, of: files.count) }
        }
        progress.update("\(done + failed) of \(files.count) sounds, \(count) events")
      }
    } catch is CancellationError {
      try destination.finish()
      throw CancellationError()
    }
    try destination.finish()
    let time = max((ContinuousClock.now - start) / .seconds(1), 1e-9)
    StandardError.write(
      "\(count) event\(count == 1 ? "" : "s") in \(fixed(seconds, decimals: 1)) s of sound, in \(fixed(time, decimals: 2)) s "
        + "(\(Int(seconds / time)) times real time)")
    try ExitStatus.check(failed: failed, of: files.count)
  }

  /// `path`, or the file for one sound in the folder `path`.
  private static func path(_ path: String, _ file: Corpus.File, _ ending: String) -> String {
    path.hasSuffix("/") ? path + file.name + ending : path
  }

  /// Where the events of files go.
  private struct Destination {
    private let format: EventFormat
    private let output: String?
    private var text: EventText?
    /// What is to be written to the one file at the end.
    private var whole = ""

    init(_ command: Detect, _ count: Int, labels: [String]) throws {
      format = command.eventFormat
      output = command.output == "-" ? nil : command.output
      if command.scores?.hasSuffix("/") == false, count > 1 {
        throw ValidationError("--scores of \(count) sounds need a folder; let its name end in /.")
      }
      guard !(output?.hasSuffix("/") ?? false) else {
        if case .annotation(let format) = format { try format.check(labels: labels) }
        return
      }
      if let output { try FileAccess.checkWritable(output) }
      if case .annotation(let format) = format {
        if count > 1 && !format.holdsPaths {
          throw ValidationError("\(format.title) hold the events of one sound; let -o end in / for a file for each.")
        }
        try format.check(labels: labels)
        if format == .textGrid { return }
      }
      text = try EventText(format, labels: labels)
      try write(text?.header ?? "")
    }

    mutating func write(_ events: [SoundEvent], of file: Corpus.File, duration: Double) throws {
      if let output, output.hasSuffix("/") {
        let whole: String
        var ending = ".txt"
        if case .annotation(let format) = format {
          (whole, ending) = (try format.text(events, duration: duration), format.fileExtension)
        } else {
          var text = try EventText(format, labels: events.map(\.label))
          whole = try events.map { try text.text(of: $0) }.joined()
        }
        let path = Detect.path(output, file, ending)
        try FileAccess.makeFolder(Features.folder(of: path))
        return try FileAccess.writeAtomically(whole, to: path)
      }
      guard text != nil else {
        if case .annotation(let format) = format { try write(format.text(events, duration: duration)) }
        return
      }
      for event in events { try write(text?.text(of: event) ?? "") }
    }

    private mutating func write(_ text: String) throws {
      if output == nil {
        if !text.isEmpty { try FileAccess.writeAtomically(text, to: "-") }
      } else {
        whole += text
      }
    }

    func finish() throws {
      if let output, !output.hasSuffix("/") { try FileAccess.writeAtomically(whole, to: output) }
    }
  }

  // MARK: Live

  private func listen(_ detector: SoundDetector) throws {
    Interruption.listen()
    let labels = detector.classifier.model.labels
    let input: LiveInput
    do {
      input = try LiveInput(
        path: files[0], raw: decodingOptions.raw, channel: channelOptions.selection, until: { Interruption.isRequested }
      )
    } catch AudioError.unsuitableForLive(let path, let what) {
      throw CommandError("\(AudioError.unsuitableForLive(path: path, what: what)); --raw describes raw samples")
    }
    var live = try detector.live(sampleRate: input.format.sampleRate)
    var text = try EventText(eventFormat, labels: labels)
    let target = try AppendableFile(path: output ?? "-", keeping: 0)
    if !text.header.isEmpty { try target.append(text.header.utf8) }
    let table = try scores.map { try ScoreTable(path: $0, labels: labels) }
    var line = StatusLine()
    var block: [Float] = []
    func show(_ events: [SoundEvent]) throws {
      guard !events.isEmpty else { return }
      line.clear()
      for event in events { try target.append(text.text(of: event).utf8) }
    }
    while try input.next(into: &block) {
      try show(live.append(block) { try table?.append($0) })
      line.update(block, live.duration, live.latest, labels)
      block.removeAll(keepingCapacity: true)
    }
    try show(live.finish { try table?.append($0) })
    line.clear()
    if Interruption.isRequested { throw Interruption.status }
  }
}

/// The scores of a sound as a table, written as they come.
private final class ScoreTable {
  private let file: AppendableFile

  init(path: String, labels: [String]) throws {
    let header = try ScoreTrack.tsvHeader(labels)
    try FileAccess.makeFolder(Features.folder(of: path))
    file = try AppendableFile(path: path, keeping: 0)
    try file.append(header.utf8)
  }

  func append(_ hop: HopScores) throws {
    try file.append(ScoreTrack.tsvLine(hop.scores, from: hop.start, until: hop.end).utf8)
  }
}

/// Time, level and running answer of a live stream, on a terminal.
private struct StatusLine {
  private var line = ProgressLine()
  private var energy: Float = 0
  private var count = 0

  mutating func update(_ block: [Float], _ seconds: Double, _ latest: HopScores?, _ labels: [String]) {
    guard StandardError.isTerminal else { return }
    for sample in block { energy += sample * sample }
    count += block.count
    guard count >= 1600 else { return }
    let level = 10 * decimalLogarithm(max(Double(energy) / Double(count), 1e-10))
    (energy, count) = (0, 0)
    let best = latest.flatMap { latest in latest.scores.indices.max { latest.scores[$0] < latest.scores[$1] } }
    let answer = best.map { "\(printable(labels[$0])) \(fixed(Double(latest?.scores[$0] ?? 0), decimals: 2))" } ?? ""
    line.update("\(fixed(seconds, decimals: 1)) s  \(padded(fixed(level, decimals: 1), toLeftOf: 6)) dB  \(answer)")
  }

  mutating func clear() { line.clear() }
}
