import ArgumentParser
import Auricle

struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge a model on labelled files: accuracy, precision, recall, confusion matrix.",
    discussion: """
      Examples:
        auricle evaluate --model digits.safetensors recordings/ --label-pattern '{label}_{speaker}_{index}' --only 'index<10'
        auricle evaluate --model birds.safetensors test.csv --predictions predictions.jsonl --report report.json
      """)

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var data: DatasetOptions
  @Option(
    help: ArgumentHelp(
      "Only files whose field fulfils the condition, for example 'speaker=theo'; repeat for several.",
      valueName: "condition"))
  var only: [String] = []
  @Option(help: ArgumentHelp("Only files that the data set puts in this split.", valueName: "training|validation|testing"))
  var split: String?
  @Option(help: ArgumentHelp("Write a JSON line per file here.", valueName: "file"))
  var predictions: String?
  @Option(help: ArgumentHelp("Write all numbers here, as JSON, or as a CSV table per class for a name in .csv.", valueName: "file"))
  var report: String?
  @Option(help: ArgumentHelp("Write the confusion matrix here as CSV.", valueName: "file"))
  var confusion: String?
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var jobOptions: JobOptions

  func validate() throws {
    if let split, Split(split) == nil {
      throw ValidationError("--split is '\(split)'; it must be training, validation or testing.")
    }
  }

  func run() async throws {
    let classifier = try modelOptions.classifier(channelOptions)
    let dataset = try data.load()
    var examples = try dataset.examples(where: only.map { try FieldCondition($0) })
    if let split = split.flatMap({ Split($0) }) { examples = examples.filter { $0.split == split } }
    guard !examples.isEmpty else { throw CommandError("\(data.dataset): no file is left to evaluate") }
    let known = Set(classifier.model.labels)
    if let odd = examples.first(where: { !known.contains($0.label) }) {
      throw CommandError(
        "\(odd.path): its label '\(odd.label)' is not one of the model's (\(classifier.model.labels.joined(separator: ", ")))")
    }

    var results: [Prediction] = []
    var progress = ProgressLine()
    let start = ContinuousClock.now
    try await classifier.classify(examples, jobs: jobOptions.jobs) { prediction in
      if let error = prediction.error {
        progress.clear()
        StandardError.write("auricle: \(error)")
      }
      results.append(prediction)
      progress.update("\(results.count) of \(examples.count) files")
    }
    progress.clear()
    let seconds = (ContinuousClock.now - start) / .seconds(1)

    let report = try ClassificationReport(results, labels: classifier.model.labels)
    if let predictions {
      try FileAccess.writeAtomically(results.map { $0.jsonLine + "\n" }.joined(), to: predictions)
    }
    if let path = self.report {
      try FileAccess.writeAtomically(path.hasSuffix(".csv") ? report.csv : report.json() + "\n", to: path)
    }
    if let confusion { try FileAccess.writeAtomically(report.confusion.csv, to: confusion) }
    let failed = results.count { $0.error != nil }
    if failed < results.count {
      try StandardOutput.write(
        output.json ? jsonLine(report) : "\(report.confusion.text)\n\n\(report.text)")
      StandardError.write(
        "\(results.count) files in \(fixed(seconds, decimals: 2)) s (\(Int(Double(results.count) / max(seconds, 1e-9))) a second)")
    }
    try ExitStatus.check(failed: failed, of: results.count)
  }
}

/// A plain sentence that ends a command.
struct CommandError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
