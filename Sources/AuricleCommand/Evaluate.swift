import ArgumentParser
import Auricle
import AuricleBase
import Pictures

struct Evaluate: AsyncParsableCommand, CheckedCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Judge a model on labelled files: how good, how sure, and where it fails.",
    discussion: """
      Examples:
        auricle evaluate --model digits.safetensors recordings/ --only 'index<10' \\
          --label-pattern '{label}_{speaker}_{index}'
        auricle evaluate --model birds.safetensors test.csv --report report.html
        auricle evaluate --from predictions.jsonl --group-by speaker
        auricle evaluate test.csv --shard 3/8 --predictions part-3.jsonl
        auricle evaluate --events truth.csv found.csv --collar 0.5 --onset-only

      Exit code 4 says that --min-accuracy was not reached.
      """)

  @OptionGroup var modelOptions: ModelOptions
  @Argument(
    help: ArgumentHelp("Labelled files or features, as for train; left out with --from.", valueName: "dataset"))
  var dataset: String?
  @OptionGroup var labels: LabelOptions
  @Option(
    help: ArgumentHelp(
      "Only files whose field fulfils the condition, for example 'speaker=theo'; repeat for several.",
      valueName: "condition"))
  var only: [String] = []
  @Option(
    help: ArgumentHelp("Only files that the data set puts in this split.", valueName: "training|validation|testing"))
  var split: String?

  @Option(
    help: ArgumentHelp(
      "Write a row per file here as it is done: CSV for a name in .csv, JSON lines otherwise.", valueName: "file"))
  var predictions: String?
  @OptionGroup var batch: BatchOptions
  @Flag(help: "Go on where a stopped run left its --predictions.")
  var resume = false
  @Flag(help: "Write --predictions anew where they are there already.")
  var overwrite = false
  @Option(help: ArgumentHelp("Judge the predictions in this file instead of running a model.", valueName: "file"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Write a report here: .html to look at and listen to, .json with all numbers, .csv with a row per class; repeat for "
        + "several.", valueName: "file"))
  var report: [String] = []
  @Flag(help: "Put sound into the HTML report, so that it can be passed on; without, it links to the files.")
  var embedAudio = false
  @Option(
    help: ArgumentHelp(
      "Files with a mel spectrogram (and embedded sound) in the HTML report, wrong answers first.", valueName: "n"))
  var illustrate = 1000
  @Option(
    help: ArgumentHelp(
      "Write the confusion matrix here: .csv, .json, .svg or .png; repeat for several.", valueName: "file"))
  var confusion: [String] = []
  @Option(help: "Confusion as counts, or as shares.")
  var normalize = ConfusionMatrix.Normalization.none
  @Option(help: "Order of the classes in it.")
  var sort = ConfusionMatrix.Order.model
  @Option(
    help: ArgumentHelp(
      "Accuracy per value of a field of the data set, or of label, sample-rate or duration; repeat for several.",
      valueName: "field"))
  var groupBy: [String] = []
  @Option(
    help: ArgumentHelp(
      "Share of files whose truth is among the n most probable labels; repeat (default: 2, 3, 5).", valueName: "n"))
  var topK: [Int] = []
  @Option(help: ArgumentHelp("End with exit code 4 when the accuracy is lower, for example 0.95.", valueName: "share"))
  var minAccuracy: Double?
  @OptionGroup var rejection: RejectionOptions
  @OptionGroup(title: "Events") var eventEvaluation: EventEvaluation
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions

  func checkFiles(_ problems: inout Problems) {
    problems.add(
      missing: [dataset, from, labels.labels, labels.table.audioRoot, labels.confinement.root, modelOptions.model]
        + [batch.filesFrom] + eventEvaluation.paths)
    // Folders of parts are made.
    problems.add(unwritable: report + confusion + (batch.isUsed ? [] : [predictions]))
  }

  func checkOptions(_ problems: inout Problems) {
    if let split {
      problems.add("--split is '\(split)'; it must be training, validation or testing", if: Split(split) == nil)
    }
    eventEvaluation.check(&problems)
    if eventEvaluation.isGiven {
      problems.add(
        "--events takes the place of a data set; of the other options, --json, --report, --embed-audio and --model go with it",
        if: from != nil || dataset != nil || !confusion.isEmpty || minAccuracy != nil)
      for path in report where ![.html, .json].contains(ReportFormat(path)) {
        problems.add("--report '\(path)': with --events its name must end in .html or .json")
      }
      return
    }
    checkSources(&problems)
    if let minAccuracy {
      problems.add("--min-accuracy is \(minAccuracy); it must be 0 to 1", if: !(0...1).contains(minAccuracy))
    }
    for k in topK where k < 1 { problems.add("--top-k is \(k); it must be at least 1") }
    for condition in only { problems.add("--only") { _ = try FieldCondition(condition) } }
    problems.add("--illustrate is \(illustrate); it must be at least 0", if: illustrate < 0)
    problems.add("--embed-audio is for an HTML report; add --report FILE.html", if: embedAudio && !needsFiles)
    for path in report where ReportFormat(path) == nil {
      problems.add("--report '\(path)': its name must end in \(ReportFormat.endings)")
    }
    for path in confusion where ConfusionFormat(path) == nil {
      problems.add("--confusion '\(path)': its name must end in \(ConfusionFormat.endings)")
    }
  }

  /// Where files and answers come from, and where answers go to.
  private func checkSources(_ problems: inout Problems) {
    problems.add(
      "--files-from takes the place of a data set and of --from",
      if: batch.filesFrom != nil && (from != nil || dataset != nil))
    problems.add("--from judges what is there; it has no shards", if: batch.isUsed && from != nil)
    let keepsRows = (predictions ?? "-") != "-"
    problems.add(
      "Reports on a list are made from its rows; say where to keep them with --predictions",
      if: batch.filesFrom != nil && !keepsRows && writesReports)
    problems.add(
      "--shard needs --predictions, the file for its part",
      if: batch.shard != nil && batch.filesFrom == nil && !keepsRows)
    if batch.isUsed, let predictions {
      problems.add(
        "--predictions '\(predictions)': rows of lists and shards are JSON lines; name it .jsonl",
        if: PredictionFile(path: predictions).format == .csv)
    }
    problems.add(
      "Say which labelled files to judge by, or use --from FILE",
      if: from == nil && dataset == nil && batch.filesFrom == nil)
    problems.add(
      "--from takes the place of a data set and of --predictions",
      if: from != nil && (dataset != nil || predictions != nil))
    problems.add("--resume needs --predictions, the file to go on with", if: resume && predictions == nil)
    problems.add("--overwrite is for --predictions", if: overwrite && predictions == nil)
    problems.add("--resume and --overwrite exclude each other", if: resume && overwrite)
    problems.add("--resume cannot go on with standard output", if: resume && predictions == "-")
  }

  private var writesReports: Bool { !report.isEmpty || !confusion.isEmpty || minAccuracy != nil }

  /// Whether paths and groups of the files must be kept.
  private var needsFiles: Bool { report.contains { ReportFormat($0) == .html } }

  func run() async throws {
    try checkFiles()
    if eventEvaluation.isGiven {
      let judged = try eventEvaluation.judge(model: modelOptions.model)
      for path in report {
        if ReportFormat(path) == .json {
          try FileAccess.writeAtomically(jsonLine(judged.report) + "\n", to: path)
        } else {
          try await EventReportPage(
            judged: judged, matching: eventEvaluation.matching(), sounds: judged.sounds, embedsAudio: embedAudio,
            channel: channelOptions.selection, jobs: jobOptions.jobs
          ).write(to: path)
        }
      }
      return try StandardOutput.write(output.json ? jsonLine(judged.report) : judged.report.text)
    }
    let model = from == nil || modelOptions.model != nil ? try modelOptions.load() : nil
    guard let tally = try await tally(of: model) else { return }
    if batch.shard != nil && tally.outcomes.count == 0 { return try check(tally) }
    guard tally.outcomes.count > 0 else {
      if tally.failed > 0 { try check(tally) }
      throw CommandError("\(source): no file with a truth and an answer is left to evaluate")
    }
    let report = tally.report(topK: topK.isEmpty ? [2, 3, 5] : topK)
    try await write(report, of: tally, model: model)
    let matrix = report.confusion.sorted(by: sort)
    for path in confusion { try ConfusionFormat(path)?.write(matrix, normalize, to: path) }
    if predictions != "-" {
      let table = matrix.text(normalize, width: StandardOutput.width ?? 200, colored: StandardOutput.hasColor)
      try StandardOutput.write(output.json ? jsonLine(report) : "\(table)\n\n\(report.text)")
    }
    if tally.unlabeled > 0 {
      StandardError.write("auricle: \(tally.unlabeled) files have no true label; they do not count")
    }
    if let minAccuracy, report.accuracy < minAccuracy {
      if tally.failed > 0 { StandardError.write("auricle: \(tally.failed) of \(tally.count) files failed") }
      StandardError.write(
        "auricle: accuracy \(percent(report.accuracy)) (\(report.confusion.correct) of \(report.confusion.total)) is below "
          + "the \(percent(minAccuracy)) wanted")
      throw ExitStatus.belowMinimum
    }
    try check(tally)
  }

  private func check(_ tally: EvaluationTally) throws {
    if !batch.errorsAsRows { try ExitStatus.check(failed: tally.failed, of: tally.count) }
  }

  private var source: String { from ?? dataset ?? batch.filesFrom ?? "" }

  private func write(
    _ report: ClassificationReport, of tally: EvaluationTally, model: ClassifierEnsemble?
  ) async throws {
    for path in self.report {
      switch ReportFormat(path) {
      case .json: try FileAccess.writeAtomically(report.json(), to: path)
      case .csv: try FileAccess.writeAtomically(report.csv, to: path)
      default: try await writePage(report, of: tally, model: model, to: path)
      }
    }
  }

  private func writePage(
    _ report: ClassificationReport, of tally: EvaluationTally, model: ClassifierEnsemble?, to path: String
  ) async throws {
    var page = IllustratedReport()
    let name = modelOptions.model.map { String($0.split(separator: "/").last ?? "") }
    if let name = name ?? (model == nil ? nil : "the bundled model") { page.title = "How good is \(name)?" }
    (page.illustrations, page.embedsAudio) = (illustrate, embedAudio)
    (page.channel, page.jobs) = (channelOptions.selection, jobOptions.jobs)
    page.decoding = labels.decodingOptions.decoding
    var progress = ProgressLine()
    let linked = try await page.write(
      report, of: tally, model: model, data: source, to: path, until: Interruption.isRequested
    ) { done, total in
      progress.update("report: \(done) of \(total) spectrograms")
    }
    progress.clear()
    if linked > 0 {
      StandardError.write(
        "auricle: the sound of \(linked) files is linked, not embedded: more than "
          + "\(IllustratedReport.audioLimit >> 20) MiB")
    }
  }

  /// What an earlier run predicted, or what the model does; nil where rows on standard output are all that is wanted.
  private func tally(of model: ClassifierEnsemble?) async throws -> EvaluationTally? {
    var evaluator = Evaluator()
    evaluator.conditions = try only.map { try FieldCondition($0) }
    evaluator.split = split.flatMap { Split($0) }
    evaluator.reject = rejection.reject
    (evaluator.groupBy, evaluator.keepsFiles) = (groupBy, needsFiles)
    (evaluator.channel, evaluator.jobs) = (channelOptions.selection, jobOptions.jobs)
    do {
      guard let model, from == nil else {
        guard source != "-" else {
          throw CommandError("--from reads its file twice, which standard input does not allow")
        }
        return try evaluator.evaluate(predictionsAt: source) { StandardError.report("warning: \($0)") }
      }
      guard batch.filesFrom == nil else { return try await runBatch(evaluator, model) }
      evaluator.shard = try batch.chosenShard()
      return try await run(evaluator, model)
    } catch EvaluationError.noLabelInFile where batch.shard != nil {
      return nil  // no file fell to this shard
    } catch EvaluationError.nothingChosen {
      throw CommandError("\(source): \(EvaluationError.nothingChosen)")
    } catch EvaluationError.unknownField(let field, let known) {
      throw CommandError("--group-by: \(EvaluationError.unknownField(field, known: known))")
    }
  }

  /// Answers a list, and judges the rows that are kept.
  private func runBatch(_ evaluator: Evaluator, _ model: ClassifierEnsemble) async throws -> EvaluationTally? {
    let output = predictions == "-" ? nil : predictions
    let answers = try ListClassifier(
      model, channel: channelOptions.selection, shard: batch.chosenShard(), isMarked: output != nil)
    let run = BatchRun(
      options: batch, failureOptions: failureOptions, jobs: jobOptions.jobs, output: output, model: answers.fingerprint,
      decoding: labels.decodingOptions.decoding)
    if !run.isFinished() {
      do {
        try await run.run([]) { files, _ in answers.rows(for: files) }
      } catch ExitStatus.someFailed where output != nil {
        // The report says so.
      }
    }
    return try output.map { try evaluator.evaluate(predictionsAt: $0) { StandardError.report("warning: \($0)") } }
  }

  /// Runs the model, and tells how it goes.
  private func run(_ evaluator: Evaluator, _ model: ClassifierEnsemble) async throws -> EvaluationTally {
    let data = try labels.load(source)
    var (done, failed, total, resumed) = (0, 0, 0, 0)
    var line = ProgressLine()
    let start = ContinuousClock.now
    Interruption.listen()
    func show(_ progress: Evaluator.Progress) throws {
      switch progress {
      case .warning(let text): StandardError.report("warning: \(text)")
      case .begins(let examples, let earlier): (total, resumed, done) = (examples, earlier, earlier)
      case .prediction(let prediction, let count):
        done = count
        if !prediction.warnings.isEmpty || prediction.error != nil { line.clear() }
        for warning in prediction.warnings { StandardError.report("warning: \(warning)") }
        if let error = prediction.error {
          failed += 1
          if !batch.errorsAsRows { StandardError.report(error) }
          if failureOptions.failFast { throw ExitStatus.failFast(done: done - failed, of: total) }
        }
        line.update("\(done) of \(total) \(data.noun)")
      }
    }
    if let predictions, predictions != "-", !resume, !overwrite, evaluator.shard == nil,
      FileAccess.size(of: predictions) ?? 0 > 0
    {
      throw CommandError("\(predictions): is there already; go on with --resume, or begin anew with --overwrite")
    }
    let tally: EvaluationTally
    do {
      tally = try await evaluator.evaluate(
        model, on: data, writing: predictions.map { .init(path: $0, resumes: resume) }, until: Interruption.isRequested,
        progress: show)
    } catch is CancellationError {
      line.clear()
      let hint = predictions == nil ? "" : "; go on with --resume"
      StandardError.report("stopped; \(done) of \(total) files done\(hint)")
      throw Interruption.status
    }
    line.clear()
    let (seconds, count) = ((ContinuousClock.now - start) / .seconds(1), total - resumed)
    StandardError.write(
      "\(count) \(data.noun) in \(fixed(seconds, decimals: 2)) s (\(Int(Double(count) / max(seconds, 1e-9))) a second)"
        + (resumed > 0 ? ", \(resumed) taken over" : ""))
    return tally
  }
}

/// A plain sentence that ends a command.
struct CommandError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension ConfusionMatrix.Normalization: ExpressibleByArgument {}
extension ConfusionMatrix.Order: ExpressibleByArgument {}
