import ArgumentParser
import Auricle

struct Features: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Compute features only, and write them for other programs, or draw them.",
    discussion: """
      Examples:
        auricle features recordings/ -o features/
        auricle features seven.wav --preset librosa --format csv
        auricle features corpus.csv --preset kaldi --kind logmel --mels 80 -o features.ark
        auricle features seven.wav --kind spectrogram --plot seven.png

      A run that was interrupted is continued by the same command: what is already written whole is skipped.
      """)

  @OptionGroup(title: "Which features") var features: FeatureOptions
  @Option(help: ArgumentHelp("The features of this model file instead (without its normalisation).", valueName: "file"))
  var model: String?
  @Flag(help: "Write the configuration to standard output as JSON, and nothing else.")
  var printConfig = false

  @Option(
    help:
      "npy, csv or htk: a file for each sound; npz or ark (with scp): one for all. Default: as -o is named, or npy.")
  var format: FeatureFileFormat?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Folder to write to, or a file in .npz or .ark, or for one sound in .npy, .csv or .htk; without it, one sound goes to standard output as csv.",
      valueName: "path"))
  var output: String?
  @Flag(help: "Write again what is already there.")
  var overwrite = false
  @Option(help: ArgumentHelp("Draw one sound's features to a file in .png or .svg.", valueName: "file"))
  var plot: String?
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var confinement: RootOptions
  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions
  @Argument(
    help: ArgumentHelp(
      "Audio files, folders of them, manifests (.csv, .tsv, .jsonl), or - for standard input.", valueName: "file"))
  var files: [String] = []

  func validate() throws {
    if files.isEmpty && !printConfig { throw ValidationError("Missing expected argument '<file> ...'") }
    if model != nil && !features.isEmpty {
      throw ValidationError("A model has its own features; leave --preset, --config and what changes them out.")
    }
    if let plot, !plot.lowercased().hasSuffix(".png"), !plot.lowercased().hasSuffix(".svg") {
      throw ValidationError("--plot is '\(plot)'; its name must end in .png or .svg.")
    }
    if plot != nil && (output != nil || format != nil) {
      throw ValidationError("--plot draws and -o writes; use two runs.")
    }
    if outputOptions.json && output == nil && plot == nil && !printConfig {
      throw ValidationError("--json tells what was written; say where to write with -o.")
    }
  }

  func run() async throws {
    let recipe = try model.map { try FeatureRecipe(JSONValue(json: ClassifierEnsemble(contentsOf: $0).features.json)) }
    let extractor = CorpusExtractor(try recipe ?? features.recipe(), channel: channelOptions.selection)
    if printConfig { return try writeConfiguration(extractor.recipe) }
    let corpus = try Corpus(paths: files, root: confinement.root)
    if corpus.leftOut.soundCount > 0 { StandardError.report("left out: \(corpus.leftOut)") }
    if let plot { return try draw(corpus, extractor, to: plot) }

    let destination = try FeatureDestination(format: format, output: output, corpus: corpus, arguments: files)
    let note = try destination.notePath.map { try keepNote(at: $0, extractor.recipe) }
    // Whatever ends the run, the note says of which rates the sounds were.
    defer {
      if var note, extractor.recipe.sampleRate == nil, let path = destination.notePath {
        note.sampleRates = extractor.sampleRates.union(note.sampleRates).sorted()
        try? note.write(to: path)
      }
    }
    switch destination {
    case .standardOutput: try writeText(corpus.files[0].sound, extractor)
    case .file(let path, let format):
      try await run(corpus.files.map { Job(file: $0, target: path, format: format, overwrite: true) }, extractor)
    case .folder(let folder, let format):
      let jobs = corpus.files.map {
        Job(file: $0, target: "\(folder)/\($0.name).\(format.rawValue)", format: format, overwrite: overwrite)
      }
      try await run(jobs, extractor)
    case .archive(let path, let format):
      try FileAccess.makeFolder(Features.folder(of: path))
      let archive = try FeatureArchive(path: path, format: format, overwrite: overwrite)
      try await run(try Features.entries(corpus, format), to: archive, extractor)
    }
  }

  // MARK: One sound

  private func writeConfiguration(_ recipe: FeatureRecipe) throws {
    let rate = try files.first.map { try AudioFile(path: $0).info.sampleRate }
    let configuration = try recipe.configuration(at: rate)
    try configuration.validate()
    try StandardOutput.write(configuration.json)
  }

  private func writeText(_ sound: SoundSpan, _ extractor: CorpusExtractor) throws {
    let source = try extractor.source(sound)
    let encoding = FeatureEncoding(.csv, of: source.configuration)
    var bytes = encoding.header(frames: 0)
    try source.forEachBlock { block in
      encoding.encode(block, into: &bytes)
      try FileAccess.writeAtomically(bytes, to: "-")
      bytes.removeAll(keepingCapacity: true)
    }
  }

  private func draw(_ corpus: Corpus, _ extractor: CorpusExtractor, to plot: String) throws {
    guard corpus.files.count == 1 else {
      throw ValidationError("--plot draws one sound; there are \(corpus.files.count).")
    }
    let path = corpus.files[0].path
    let source = try extractor.source(corpus.files[0].sound)
    let name = path == "-" ? "standard input" : String(path.split(separator: "/").last ?? "")
    var picture = FeaturePicture(source.configuration, title: name)
    try source.forEachBlock { picture.append($0) }
    if plot.lowercased().hasSuffix(".svg") {
      try FileAccess.writeAtomically(picture.picture.svg, to: plot)
    } else {
      try FileAccess.writeAtomically(picture.picture.png(), to: plot)
    }
  }

  // MARK: Many sounds

  private struct Job: Sendable {
    var file: Corpus.File
    var target: String
    var format: FeatureFileFormat
    var overwrite: Bool
  }

  /// What became of one file, as `--json` tells it.
  private struct Outcome: Encodable, Sendable {
    var path: String
    var output: String
    var name: String
    var frames: Int?
    var coefficients: Int?
    var skipped: Bool?
    var error: String?
    var stage: Stage?

    mutating func fail(_ error: any Error) {
      self.error = "\(error)"
      stage = Stage(of: error)
    }
  }

  private func run(_ jobs: [Job], _ extractor: CorpusExtractor) async throws {
    var tally = Tally(total: jobs.count, json: outputOptions.json, failFast: failureOptions.failFast)
    if !jobs.contains(where: { $0.file.path == "-" }) { Interruption.listen() }
    try await orderedMap(jobs, jobs: jobOptions.jobs, until: Interruption.isRequested) { job in
      var outcome = Outcome(path: job.file.path, output: job.target, name: job.file.name)
      do {
        let source = try extractor.source(job.file.sound)
        let encoding = FeatureEncoding(job.format, of: source.configuration)
        outcome.coefficients = encoding.coefficients
        if !job.overwrite, let frames = FeatureFile.frames(at: job.target, encoding: encoding) {
          (outcome.frames, outcome.skipped) = (frames, true)
        } else {
          let folder = Features.folder(of: job.target)
          if !FileAccess.isFolder(folder) { try FileAccess.makeFolder(folder) }
          let file = try FeatureFile(path: job.target, encoding: encoding)
          try source.forEachBlock { try file.append($0) }
          try file.finish()
          outcome.frames = file.frames
        }
      } catch {
        outcome.fail(error)
      }
      return outcome
    } each: { _, outcome in
      try tally.add(outcome, label: outcome.output)
    }
    try tally.finish()
  }

  private func run(_ files: [Corpus.File], to archive: FeatureArchive, _ extractor: CorpusExtractor) async throws {
    var tally = Tally(total: files.count, json: outputOptions.json, failFast: failureOptions.failFast)
    if !files.contains(where: { $0.path == "-" }) { Interruption.listen() }
    try await orderedMap(
      Array(files.enumerated()), jobs: jobOptions.jobs, until: Interruption.isRequested
    ) { turn, file -> Result<Outcome, any Error> in
      var outcome = Outcome(path: file.path, output: archive.path, name: file.name)
      var entry: FeatureEntry?
      do {
        let source = try extractor.source(file.sound)
        let coefficients = source.configuration.coefficientCount
        outcome.coefficients = coefficients
        if let shape = archive.existing[file.name] {
          guard shape.coefficients == coefficients else {
            throw FeatureFileError.notContinued(
              path: archive.path,
              reason: "'\(file.name)' in it has \(shape.coefficients) coefficients, not \(coefficients)")
          }
          (outcome.frames, outcome.skipped) = (shape.frames, true)
        } else {
          let begun = archive.entry(source.configuration)
          try source.forEachBlock { try begun.append($0) }
          outcome.frames = begun.frames
          entry = begun
        }
      } catch {
        outcome.fail(error)
        entry = nil
      }
      // What cannot be written ends the run; what cannot be read does not.
      do {
        try await archive.append(entry, named: file.name, turn: turn)
        return .success(outcome)
      } catch {
        return .failure(error)
      }
    } each: { _, result in
      let outcome = try result.get()
      try tally.add(outcome, label: outcome.name)
    }
    try await archive.finish()
    try tally.finish()
  }

  /// Counts and reports outcomes.
  private struct Tally {
    let total: Int
    let json: Bool
    let failFast: Bool
    private var (written, skipped, failed) = (0, 0, 0)
    private var progress = ProgressLine()
    private let start = ContinuousClock.now

    init(total: Int, json: Bool, failFast: Bool) {
      self.total = total
      self.json = json
      self.failFast = failFast
    }

    mutating func add(_ outcome: Outcome, label: String) throws {
      if json || outcome.skipped != true { progress.clear() }
      if json { try StandardOutput.write(jsonLine(outcome)) }
      if let error = outcome.error {
        failed += 1
        StandardError.report(error)
        if failFast { throw ExitStatus.failFast(done: written + skipped, of: total) }
      } else if outcome.skipped == true {
        skipped += 1
      } else {
        written += 1
        if !json {
          try StandardOutput.write("\(printable(label))  \(outcome.frames ?? 0) x \(outcome.coefficients ?? 0)")
        }
      }
      let (done, total) = (written + skipped + failed, total)
      progress.update("\(done) of \(total) files")
    }

    mutating func finish() throws {
      progress.clear()
      if total > 1 || skipped > 0 {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        StandardError.write(
          "\(written) files written, \(skipped) already there, \(failed) failed, in \(fixed(seconds, decimals: 2)) s")
      }
      try ExitStatus.check(failed: failed, of: total)
    }
  }

  /// Refuses to mix features of two configurations in one place, and notes which it holds.
  private func keepNote(at path: String, _ recipe: FeatureRecipe) throws -> FeatureNote {
    if !overwrite, FileAccess.exists(path) {
      guard let noted = FeatureNote(at: path), noted.recipe == (try JSONValue(json: recipe.json)) else {
        throw CommandError(
          "\(output ?? path): holds features of another configuration (it is in \(path)); use --overwrite, or another place"
        )
      }
      return noted
    }
    try FileAccess.makeFolder(Features.folder(of: path))
    let note = FeatureNote(recipe: try JSONValue(json: recipe.json))
    try note.write(to: path)
    return note
  }

  /// Kaldi's names hold no white space.
  private static func entries(_ corpus: Corpus, _ format: FeatureFileFormat) throws -> [Corpus.File] {
    guard format == .ark else { return corpus.files }
    var earlier: [String: String] = [:]
    return try corpus.files.map { file in
      let name = String(file.name.map { $0.isWhitespace ? "_" : $0 })
      if let other = earlier.updateValue(file.path, forKey: name) {
        throw DatasetError.sameName(name, path: file.path, earlier: other)
      }
      return Corpus.File(file.sound, name: name)
    }
  }

  static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }
}
