import ArgumentParser
import Auricle

struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Judge a model on labelled files: how good, how sure, and where it fails.",
    discussion: """
      Examples:
        auricle evaluate --model digits.safetensors recordings/ --label-pattern '{label}_{speaker}_{index}' --only 'index<10'
        auricle evaluate --model birds.safetensors test.csv --predictions predictions.jsonl --report report.html
        auricle evaluate --from predictions.jsonl --group-by speaker --confusion confusion.svg
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
  @Flag(help: "Go on where a stopped run left its --predictions.")
  var resume = false
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
  @OptionGroup(title: "Events") var eventEvaluation: EventEvaluation
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions

  func validate() throws {
    if let split, Split(split) == nil {
      throw ValidationError("--split is '\(split)'; it must be training, validation or testing.")
    }
    if eventEvaluation.isGiven {
      guard from == nil, dataset == nil, confusion.isEmpty, minAccuracy == nil else {
        throw ValidationError(
          "--events takes the place of a data set; of the other options, --json, --report, --embed-audio and --model go with it."
        )
      }
      for path in report where ![.html, .json].contains(ReportFormat(path)) {
        throw ValidationError("--report '\(path)': with --events its name must end in .html or .json.")
      }
      return
    }
    if from == nil && dataset == nil {
      throw ValidationError("Say which labelled files to judge by, or use --from FILE.")
    }
    if from != nil && (dataset != nil || predictions != nil) {
      throw ValidationError("--from takes the place of a data set and of --predictions.")
    }
    if resume && predictions == nil { throw ValidationError("--resume needs --predictions, the file to go on with.") }
    if resume && predictions == "-" { throw ValidationError("--resume cannot go on with standard output.") }
    if let minAccuracy, !(0...1).contains(minAccuracy) {
      throw ValidationError("--min-accuracy is \(minAccuracy); it must be 0 to 1.")
    }
    if let k = topK.first(where: { $0 < 1 }) { throw ValidationError("--top-k is \(k); it must be at least 1.") }
    if illustrate < 0 { throw ValidationError("--illustrate is \(illustrate); it must be at least 0.") }
    if embedAudio && !needsFiles {
      throw ValidationError("--embed-audio is for an HTML report; add --report FILE.html.")
    }
    for path in report where ReportFormat(path) == nil {
      throw ValidationError("--report '\(path)': its name must end in \(ReportFormat.endings).")
    }
    for path in confusion where ConfusionFormat(path) == nil {
      throw ValidationError("--confusion '\(path)': its name must end in \(ConfusionFormat.endings).")
    }
  }

  /// Whether paths and groups of the files must be kept.
  private var needsFiles: Bool { report.contains { ReportFormat($0) == .html } }

  func run() async throws {
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
    let tally: EvaluationTally
    if let from {
      tally = try read(from)
    } else if let model {
      tally = try await classify(with: model)
    } else {
      return
    }
    guard tally.outcomes.count > 0 else {
      if tally.failed > 0 { try ExitStatus.check(failed: tally.failed, of: tally.count) }
      throw CommandError("\(from ?? dataset ?? ""): no file with a truth and an answer is left to evaluate")
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
    try ExitStatus.check(failed: tally.failed, of: tally.count)
  }

  private func write(
    _ report: ClassificationReport, of tally: EvaluationTally, model: ClassifierEnsemble?
  ) async throws {
    let page = EvaluationPage(
      illustrations: illustrate, embedsAudio: embedAudio, channel: channelOptions.selection, jobs: jobOptions.jobs)
    for path in self.report {
      switch ReportFormat(path) {
      case .json: try FileAccess.writeAtomically(report.json(), to: path)
      case .csv: try FileAccess.writeAtomically(report.csv, to: path)
      default:
        let name = modelOptions.model.map { String($0.split(separator: "/").last ?? "") }
        try await page.write(
          report, of: tally, model: model, name: name ?? (model == nil ? nil : "the bundled model"),
          data: from ?? dataset ?? "", to: path)
      }
    }
  }

  private func conditions() throws -> [FieldCondition] { try only.map { try FieldCondition($0) } }

  /// What an earlier run predicted.
  private func read(_ path: String) throws -> EvaluationTally {
    guard path != "-" else { throw CommandError("--from reads its file twice, which standard input does not allow") }
    let (file, conditions, split) = (PredictionFile(path: path), try conditions(), split.flatMap { Split($0) })
    let labels = try file.labels()
    guard !labels.isEmpty else {
      throw CommandError(
        "\(path): holds no label, neither a true one nor an answer: rows want 'truth' and 'label', as 'auricle evaluate --predictions' writes them"
      )
    }
    var fields: Set<String> = []
    var tally = try EvaluationTally(labels: labels, groupBy: groupBy, keepsFiles: needsFiles)
    var unequal = 0
    let end = try file.read { prediction in
      let sum = prediction.probabilities.reduce(0) { $0 + Double($1.probability) }
      if !prediction.probabilities.isEmpty && abs(sum - 1) > 0.01 { unequal += 1 }
      let example = Example(path: prediction.path, label: prediction.truth ?? "", fields: prediction.fields)
      guard conditions.allSatisfy({ $0.matches(example) }),
        split == nil || prediction.fields["split"].flatMap({ Split($0) }) == split
      else { return }
      fields.formUnion(prediction.fields.keys)
      try tally.add(prediction)
    }
    if unequal > 0 {
      StandardError.report(
        "warning: \(path): the probabilities of \(unequal) rows do not sum to 1; figures that use them mean little, unless "
          + "each label was judged by itself")
    }
    if end.isCutOff { StandardError.write("auricle: \(path): its last row is cut off; it does not count") }
    try checkGroups(known: fields)
    return tally
  }

  private func checkGroups(known fields: Set<String>) throws {
    let known = fields.union(["label", "sample-rate", "duration"])
    if let field = groupBy.first(where: { !known.contains($0) }) {
      throw CommandError(
        "--group-by '\(field)': no file has such a field; there are: \(known.sorted(by: naturallyPrecedes).joined(separator: ", "))"
      )
    }
  }

  /// Runs the model, and writes each prediction as it comes.
  private func classify(with model: ClassifierEnsemble) async throws -> EvaluationTally {
    let data = try labels.load(dataset ?? "")
    let classifier = data.sequences == nil ? try SoundClassifier(model, channel: channelOptions.selection) : nil
    let (examples, fields) = try examples(of: data.dataset, labels: model.labels)
    let lacking = Set(examples.map(\.label)).subtracting(model.labels).sorted(by: naturallyPrecedes)
    var tally = try EvaluationTally(labels: model.labels + lacking, groupBy: groupBy, keepsFiles: needsFiles)
    let fingerprint =
      try predictions == nil ? nil : classifier?.fingerprint() ?? model.fingerprint(listeningTo: "sequences")
    let writer = try predictions.map { path in
      try resume && FileAccess.exists(path)
        ? resumedWriter(path, &tally, examples, fields, labels: model.labels, model: fingerprint)
        : PredictionWriter(to: path, labels: model.labels, fields: fields)
    }
    let done = tally.count
    var progress = ProgressLine()
    let start = ContinuousClock.now
    Interruption.listen()
    do {
      func take(_ prediction: Prediction) throws {
        var prediction = prediction
        prediction.model = fingerprint
        try writer?.write(prediction)
        try tally.add(prediction)
        for warning in prediction.warnings {
          progress.clear()
          StandardError.report("warning: \(warning)")
        }
        if let error = prediction.error {
          progress.clear()
          StandardError.report(error)
          if failureOptions.failFast { throw ExitStatus.failFast(done: tally.count - tally.failed, of: examples.count) }
        }
        progress.update("\(tally.count) of \(examples.count) \(data.noun)")
      }
      let rest = Array(examples[done...])
      try await classifier?.classify(rest, jobs: jobOptions.jobs, until: Interruption.isRequested, each: take)
      try await data.sequences?.classify(
        rest, with: model, jobs: jobOptions.jobs, until: Interruption.isRequested, each: take)
    } catch is CancellationError {
      progress.clear()
      let hint = predictions == nil ? "" : "; go on with --resume"
      StandardError.report("stopped; \(tally.count) of \(examples.count) files done\(hint)")
      throw Interruption.status
    }
    progress.clear()
    let (seconds, count) = ((ContinuousClock.now - start) / .seconds(1), examples.count - done)
    StandardError.write(
      "\(count) \(data.noun) in \(fixed(seconds, decimals: 2)) s (\(Int(Double(count) / max(seconds, 1e-9))) a second)"
        + (done > 0 ? ", \(done) taken over" : ""))
    return tally
  }

  /// The files to classify, and the names of all their fields.
  private func examples(of found: Dataset, labels modelLabels: [String]) throws -> ([Example], fields: [String]) {
    let name = dataset ?? ""
    var examples = try found.examples(where: conditions())
    if let split = split.flatMap({ Split($0) }) { examples = examples.filter { $0.split == split } }
    guard !examples.isEmpty else { throw CommandError("\(name): no file is left to evaluate") }
    let lacking = examples.filter { [known = Set(modelLabels)] in !known.contains($0.label) }
    if let odd = lacking.first, lacking.count == examples.count {
      throw CommandError(
        "\(odd.path): its label '\(odd.label)' is not one of the model's (\(modelLabels.joined(separator: ", "))), and "
          + "neither is that of any other file")
    }
    if !lacking.isEmpty {
      let counts = lacking.reduce(into: [String: Int]()) { $0[$1.label, default: 0] += 1 }
      let classes = counts.sorted { naturallyPrecedes($0.key, $1.key) }.map { "'\($0.key)' \($0.value)" }
      StandardError.report(
        "warning: \(lacking.count) of \(examples.count) files are of classes that the model lacks "
          + "(\(printable(classes.joined(separator: ", ")))); they count as wrong")
    }
    var fields: Set<String> = []
    for example in examples {
      fields.formUnion(example.fields.keys)
      if example.split != nil { fields.insert("split") }
    }
    try checkGroups(known: fields)
    return (examples, fields.sorted(by: naturallyPrecedes))
  }

  /// Takes over what a stopped run wrote: the same model's answers to the first of the same files.
  private func resumedWriter(
    _ path: String, _ tally: inout EvaluationTally, _ examples: [Example], _ fields: [String], labels: [String],
    model: String?
  ) throws -> PredictionWriter {
    let end = try PredictionFile(path: path).read(linesMustEnd: true) { prediction in
      let row = tally.count
      guard prediction.model == model else {
        throw CommandError(
          "\(path): \(prediction.path) was answered by another model or channel (\(prediction.model ?? "unknown"); this is "
            + "\(model ?? "unknown")); resume with the same, or write to another file")
      }
      guard row < examples.count, examples[row].identity == prediction.path, examples[row].label == prediction.truth
      else {
        throw CommandError(
          "\(path): row \(row + 1) is \(prediction.path) with truth '\(prediction.truth ?? "")', but this run has "
            + (row < examples.count
              ? "\(examples[row].identity) with '\(examples[row].label)' there" : "only \(examples.count) files")
            + "; resume with the same data set and choice of files")
      }
      try tally.add(prediction)
    }
    return try PredictionWriter(resuming: path, at: end, labels: labels, fields: fields)
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
