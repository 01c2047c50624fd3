import ArgumentParser
import Auricle
import AuricleBase
import RealModule

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
      "File for every class's score at every hop, TSV or for a name in .npy NumPy's records, or a folder (its name ends in /) with a table for each sound.",
      valueName: "path"))
  var scores: String?
  @Flag(help: "Go on with the sounds that a stopped run with this -o has not done.")
  var resume = false
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
    if resume && (live || output == nil || output == "-") {
      throw ValidationError("--resume needs -o, the file or folder that the stopped run wrote to.")
    }
    guard live else { return }
    if scores?.lowercased().hasSuffix(".npy") == true {
      throw ValidationError("NumPy's records are written only when all scores are known; --live writes TSV.")
    }
    if files.count != 1 { throw ValidationError("--live hears one stream; there are \(files.count).") }
    if case .annotation(.textGrid) = eventFormat {
      throw ValidationError("A TextGrid is written only when all events are known; --live needs another format.")
    }
    if output?.hasSuffix("/") == true || scores?.hasSuffix("/") == true {
      throw ValidationError("--live hears one stream, which needs no folder.")
    }
  }

  /// Raven, and what reads its tables, wants a box in the spectrogram for each event: up to the highest frequency that the
  /// model hears. 0 for other formats.
  private func highestFrequency(_ detector: SoundDetector) throws -> Double {
    guard case .annotation(.raven) = eventFormat else { return 0 }
    return Double(try detector.classifier.model.features.sampleRate) / 2
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
    var journal: DetectionJournal?
    if let output, output != "-", corpus.files.count > 1 {
      journal = try DetectionJournal(for: output, run: run(of: detector), resuming: resume)
    }
    try await detect(corpus.files, detector, to: destination, journal)
  }

  /// All that decides what is found and kept.
  private func run(of detector: SoundDetector) throws -> String {
    let raw = decodingOptions.raw.map { "\($0)" } ?? ""
    return try "\(detector.classifier.fingerprint()) \(detector.window)/\(detector.hop) \(detector.overlap) "
      + "\(jsonLine(detector.events)) \(raw) \(eventFormat) \(scores ?? "")"
  }

  // MARK: Files

  /// What was found in one file.
  private struct Found: Sendable {
    var events: [SoundEvent]
    var duration: Double
    var warnings: [AudioWarning] = []
    /// What ended the sound too early: the events are those before it.
    var failure: (any Error)?
  }

  private func detect(
    _ files: [Corpus.File], _ detector: SoundDetector, to destination: consuming Destination,
    _ journal: DetectionJournal?
  ) async throws {
    // The cores share the files; or, where these are few, the windows of each.
    let (fileJobs, windowJobs) = files.count < jobOptions.jobs ? (1, jobOptions.jobs) : (jobOptions.jobs, 1)
    let (scores, labels) = (scores, detector.classifier.model.labels)
    let highest = try highestFrequency(detector)
    var (done, failed, count, seconds) = (0, 0, 0, 0.0)
    let earlier = try files.map { try journal?.found($0.sound.identity) }
    let takenOver = earlier.count { $0 != nil }
    var progress = ProgressLine()
    let start = ContinuousClock.now
    if !files.contains(where: { $0.path == "-" }) { Interruption.listen() }
    defer { progress.clear() }
    do {
      try await orderedMap(zip(files, earlier), jobs: fileJobs, until: Interruption.isRequested) {
        file, earlier -> Result<Found, any Error> in
        if let earlier {
          return .success(Found(events: earlier.events, duration: earlier.duration))
        }
        var (events, heard): ([SoundEvent], Double) = ([], 0)
        do {
          let table = try scores.map { try ScoreTable(path: Self.path($0, file, ".tsv"), labels: labels) }
          let summary = try await detector.detect(
            in: file.sound, jobs: windowJobs, until: Interruption.isRequested,
            scores: {
              try table?.append($0)
              heard = $0.end
            },
            each: { events.append($0.filling(to: highest)) })
          try table?.finish()
          return .success(
            Found(
              events: events.sorted(by: SoundEvent.precedes), duration: summary.duration, warnings: summary.warnings))
        } catch let error where !events.isEmpty && (Stage(of: error) == .audio || Stage(of: error) == .features) {
          // A recorder that stopped while it wrote: what came before is not lost.
          let found = Found(events: events.sorted(by: SoundEvent.precedes), duration: heard, failure: error)
          return .success(found)
        } catch {
          return .failure(error)
        }
      } each: { index, result in
        progress.clear()
        do {
          let found = try result.get()
          for warning in found.warnings { StandardError.report("warning: \(warning)") }
          let end = (files[index].sound.seconds?.lowerBound ?? 0) + found.duration
          try destination.write(found.events, of: files[index], duration: end)
          count += found.events.count
          if earlier[index] == nil { seconds += found.duration }
          if let failure = found.failure {
            let kept = found.events.count == 1 ? "the event before that is kept" : "the events before that are kept"
            StandardError.report("\(failure); \(kept)")
            failed += 1
            if failureOptions.failFast { throw ExitStatus.failFast(done: done, of: files.count) }
            return
          }
          if earlier[index] == nil {
            try journal?.add(files[index].sound.identity, found.events, duration: found.duration)
          }
          done += 1
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
      if journal != nil {
        progress.clear()
        StandardError.report("stopped; \(done) of \(files.count) sounds done; go on with --resume")
      }
      throw CancellationError()
    }
    try destination.finish()
    try journal?.remove()
    let time = max((ContinuousClock.now - start) / .seconds(1), 1e-9)
    StandardError.write(
      "\(count) event\(count == 1 ? "" : "s") in \(fixed(seconds, decimals: 1)) s of sound, in \(fixed(time, decimals: 2)) s "
        + "(\(Int(seconds / time)) times real time)\(takenOver > 0 ? ", \(takenOver) sounds taken over" : "")")
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
        try FileAccess.makeFolder(Auricle.folder(of: path))
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
    let highest = try highestFrequency(detector)
    var text = try EventText(eventFormat, labels: labels)
    let target = try AppendableFile(path: output ?? "-", keeping: 0)
    if !text.header.isEmpty { try target.append(text.header.utf8) }
    let table = try scores.map { try ScoreTable(path: $0, labels: labels) }
    var line = StatusLine()
    var block: [Float] = []
    func show(_ events: [SoundEvent]) throws {
      guard !events.isEmpty else { return }
      line.clear()
      for event in events { try target.append(text.text(of: event.filling(to: highest)).utf8) }
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

/// The scores of a sound: a table that is written as they come, or NumPy's records at the end.
private final class ScoreTable {
  private let path: String
  private var table: AppendableFile?
  private var track: ScoreTrack?

  init(path: String, labels: [String]) throws {
    self.path = path
    try FileAccess.makeFolder(Auricle.folder(of: path))
    guard !path.lowercased().hasSuffix(".npy") else {
      try FileAccess.checkWritable(path)
      _ = try ScoreTrack(labels: labels).npy()
      track = try ScoreTrack(labels: labels)
      return
    }
    let header = try ScoreTrack.tsvHeader(labels)
    let table = try AppendableFile(path: path, keeping: 0)
    try table.append(header.utf8)
    self.table = table
  }

  func append(_ hop: HopScores) throws {
    if var track {
      self.track = nil
      if track.hops == 0 { track = try ScoreTrack(labels: track.labels, startingAt: hop.start) }
      try track.append(hop.scores, until: hop.end)
      self.track = track
    }
    try table?.append(ScoreTrack.tsvLine(hop.scores, from: hop.start, until: hop.end).utf8)
  }

  func finish() throws {
    if let track { try FileAccess.writeAtomically(track.npy(), to: path) }
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
    let level = 10 * Double.log10(max(Double(energy) / Double(count), 1e-10))
    (energy, count) = (0, 0)
    let best = latest.flatMap { latest in latest.scores.indices.max { latest.scores[$0] < latest.scores[$1] } }
    let answer = best.map { "\(printable(labels[$0])) \(fixed(Double(latest?.scores[$0] ?? 0), decimals: 2))" } ?? ""
    line.update("\(fixed(seconds, decimals: 1)) s  \(padded(fixed(level, decimals: 1), toLeftOf: 6)) dB  \(answer)")
  }

  mutating func clear() { line.clear() }
}
