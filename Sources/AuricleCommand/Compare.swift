import ArgumentParser
import Auricle

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two models by their answers to the same files.",
    discussion: """
      Takes two files that 'auricle evaluate --predictions' wrote, matched by path.

      Example:
        auricle compare old.jsonl new.jsonl
      """)

  @Option(help: ArgumentHelp("How many of the files that changed sides to list.", valueName: "n"))
  var limit = 20
  @OptionGroup var output: OutputOptions
  @Argument(help: ArgumentHelp("Predictions of the first model (.jsonl or .csv).", valueName: "first"))
  var first: String
  @Argument(help: ArgumentHelp("Predictions of the second model.", valueName: "second"))
  var second: String

  func validate() throws {
    if limit < 0 { throw ValidationError("--limit is \(limit); it must be at least 0.") }
  }

  private struct Result: Encodable {
    let firstAccuracy: Double
    let secondAccuracy: Double
    let difference: Double
    let interval: ConfidenceInterval
    let pValue: Double
    let counts: Comparison
    let onlyInFirst: Int
    let onlyInSecond: Int
    let changed: [ChangedFile]
  }

  func run() throws {
    let comparison = try PredictionComparison(first: first, second: second)
    let counts = comparison.counts
    if output.json {
      return try StandardOutput.write(
        jsonLine(
          Result(
            firstAccuracy: Double(counts.firstCorrect) / Double(counts.files),
            secondAccuracy: Double(counts.secondCorrect) / Double(counts.files), difference: counts.difference,
            interval: counts.interval, pValue: counts.pValue, counts: counts, onlyInFirst: comparison.onlyInFirst,
            onlyInSecond: comparison.onlyInSecond, changed: comparison.changed)))
    }
    try StandardOutput.write(counts.text(first: first, second: second))
    if comparison.onlyInFirst + comparison.onlyInSecond > 0 {
      StandardError.write(
        "auricle: left out, because only one has an answer to compare: \(comparison.onlyInFirst) files of the first, "
          + "\(comparison.onlyInSecond) of the second")
    }
    for (title, files) in [
      ("gained", comparison.changed.filter(\.isGained)), ("lost", comparison.changed.filter { !$0.isGained }),
    ] where !files.isEmpty && limit > 0 {
      var table = TextTable([.left(title), .left("truth"), .left("first"), .left("second")])
      for file in files.prefix(limit) { table.append([file.path, file.truth, file.first, file.second]) }
      let more = files.count > limit ? "\nand \(files.count - limit) more (--limit \(files.count), or --json)" : ""
      try StandardOutput.write("\n" + table.text + more)
    }
  }
}
