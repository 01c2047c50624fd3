import ArgumentParser
import Auricle
import AuricleBase
import Pictures

struct Features: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Compute features only, and write them for other programs, or draw them.",
    discussion: """
      Examples:
        auricle features recordings/ -o features/
        auricle features seven.wav --preset librosa --format csv
        auricle features corpus.csv --preset kaldi --kind logmel -o features.ark
        auricle features seven.wav --kind spectrogram --plot seven.png
        auricle features --files-from list.txt --shard 3/8 --errors-as-rows \\
          -o part-3.ark

      A run that was interrupted is continued by the same command: what is already
      written whole is skipped.
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
  @OptionGroup var decodingOptions: DecodingOptions
  @OptionGroup var confinement: RootOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions
  @Argument(
    help: ArgumentHelp(
      "Audio files, folders of them, manifests (.csv, .tsv, .jsonl), or - for standard input.", valueName: "file"))
  var files: [String] = []

  func validate() throws {
    if !printConfig { try batch.check(files) }
    if batch.isUsed && batch.filesFrom == nil {
      throw ValidationError("--shard and --errors-as-rows go with --files-from.")
    }
    if batch.isUsed && plot != nil { throw ValidationError("--plot draws one sound, not those of a list.") }
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
    let recipe = try model.map { try FeatureRecipe(ClassifierEnsemble(contentsOf: $0).features) }
    let extractor = CorpusExtractor(try recipe ?? features.recipe(), channel: channelOptions.selection)
    if printConfig { return try writeConfiguration(extractor.recipe) }
    if batch.isUsed { return try await runBatch(extractor) }
    let corpus = try Corpus(paths: files, root: confinement.root, decoding: decodingOptions.decoding)
    if corpus.leftOut.soundCount > 0 { StandardError.report("left out: \(corpus.leftOut)") }
    if let plot { return try draw(corpus, extractor, to: plot) }

    defer { warn(extractor) }
    guard
      let destination = try FeatureDestination.chosen(
        format: format, output: output, count: corpus.files.count,
        isOneFile: files.count == 1 && corpus.files.count == 1 && !FileAccess.isFolder(files[0]))
    else {
      return try writeText(corpus.files[0].sound, extractor)
    }
    var tally = Tally(total: corpus.files.count, json: outputOptions.json, failFast: failureOptions.failFast)
    if !corpus.files.contains(where: { $0.path == "-" }) { Interruption.listen() }
    let isArchive = if case .archive = destination { true } else { false }
    try await extractor.extract(
      corpus.files, to: destination, overwrite: overwrite, jobs: jobOptions.jobs, until: Interruption.isRequested
    ) { outcome in
      try tally.add(outcome, label: isArchive ? outcome.name : outcome.output)
    }
    try tally.finish()
  }

  private func runBatch(_ extractor: CorpusExtractor) async throws {
    guard
      let destination = try FeatureDestination.chosen(format: format, output: output, count: nil, isOneFile: false)
    else { return }
    let shard = try batch.chosenShard()
    let extraction = try ExtractionRun(extractor, to: destination, overwrite: overwrite)
    defer {
      extraction.keepRates()
      warn(extractor)
    }
    let run = BatchRun(
      options: batch, failureOptions: failureOptions, jobs: jobOptions.jobs, checksNames: true,
      decoding: decodingOptions.decoding)
    try await run.run([]) { files, _ in
      var rows: [BatchRow] = []
      for file in files { rows.append(try await extraction.row(for: file, shard: shard)) }
      return rows
    } whenDone: {
      try await extraction.finish()
    }
  }

  /// What is to be known of the features that were computed.
  private func warn(_ extractor: CorpusExtractor) {
    for warning in extractor.warnings { StandardError.report("warning: \(warning)") }
    let rates = extractor.sampleRates.sorted()
    if rates.count > 1 {
      StandardError.report(
        "warning: the sounds have \(rates.count) rates (\(rates.map { "\($0)" }.joined(separator: ", ")) Hz), and their features "
          + "are not alike; --sample-rate brings them to one")
    }
  }

  // MARK: One sound

  private func writeConfiguration(_ recipe: FeatureRecipe) throws {
    let rate = try files.first.map {
      try AudioFile(of: SoundSpan($0).decoded(by: decodingOptions.decoding)).info.sampleRate
    }
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

    mutating func add(_ outcome: Extraction, label: String) throws {
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
}
