import ArgumentParser
import Auricle
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

struct Merge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Join what the shards of a run have written.",
    discussion: """
      Takes rows (JSON lines of classify, detect and evaluate), archives of
      features (.npz, .ark), reports of train's folds (.json), or models that
      were trained by themselves, which become one that answers with their mean
      (.safetensors). Of rows and features it says what is missing and what is
      there twice; then nothing is written, unless --partial allows it, and the
      exit code is 1.

      Examples:
        auricle merge part-*.jsonl --files-from list.txt -o all.jsonl
        auricle merge part-*.jsonl -o all.jsonl --report report.json
        auricle merge part-*.ark --files-from list.txt -o all.ark
        auricle merge fold-*.json -o folds.json
        auricle merge seed-*.safetensors -o ensemble.safetensors
      """)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where to write what is joined; - is standard output, for rows.", valueName: "file"))
  var output: String
  @Option(
    help: ArgumentHelp(
      "The list that the run was given: then it is known whether all its lines are answered, and each once.",
      valueName: "file"))
  var filesFrom: String?
  @Flag(help: "Write what is there although something is missing; of what is there twice, the first.")
  var partial = false
  @Option(
    help: ArgumentHelp(
      "Write a report on the predictions here, as evaluate does: .html, .json or .csv; repeat for several.",
      valueName: "file"))
  var report: [String] = []
  @Option(help: ArgumentHelp("In it, accuracy per value of a field; repeat for several.", valueName: "field"))
  var groupBy: [String] = []
  @OptionGroup var jobOptions: JobOptions
  @Argument(help: ArgumentHelp("What the shards have written.", valueName: "part"))
  var parts: [String]

  func validate() throws {
    for path in report where ReportFormat(path) == nil {
      throw ValidationError("--report '\(path)': its name must end in \(ReportFormat.endings).")
    }
    if isOfTraining && (filesFrom != nil || partial || !report.isEmpty) {
      throw ValidationError("--files-from, --partial and --report are for rows and features.")
    }
    if !report.isEmpty && (isOfFeatures || output == "-") {
      throw ValidationError("--report is made from predictions that are written to a file.")
    }
    if parts.contains(output) { throw ValidationError("-o '\(output)' is one of the parts.") }
  }

  private var isOfFeatures: Bool { FeatureFileFormat(endingOf: output)?.isArchive == true }
  private var isOfModels: Bool { output.hasSuffix(".safetensors") }
  private var isOfTraining: Bool { isOfModels || output.hasSuffix(".json") }

  func run() async throws {
    if isOfTraining { return try mergeTraining() }
    if isOfFeatures {
      let merge = try FeatureMerge(parts: parts, list: filesFrom)
      try check(merge.problems, count: merge.count)
      try await merge.write(to: output)
      return StandardError.write("\(merge.count) sounds of \(parts.count) parts")
    }
    let merge = try RowMerge(parts: parts, list: filesFrom)
    try check(merge.problems, count: merge.count)
    try merge.write(to: output)
    StandardError.write("\(merge.count) rows of \(parts.count) parts")
    if !report.isEmpty { try await writeReports() }
  }

  private func mergeTraining() throws {
    if isOfModels {
      let model = try ClassifierEnsemble(joining: try parts.map { try ClassifierEnsemble(contentsOf: $0) })
      try model.write(to: output)
      return StandardError.write("\(parts.count) models, \(model.members.count) networks")
    }
    let folds = try parts.map { path in
      do {
        return try JSONDecoder().decode(CrossValidation.self, from: Data(try FileAccess.read(path)))
      } catch is DecodingError {
        throw CommandError("\(path): no report of a cross-validation; 'auricle train --fold 1 --report' writes one")
      }
    }
    do {
      let joined = try CrossValidation(joining: folds)
      try FileAccess.writeAtomically(jsonLine(joined) + "\n", to: output)
      StandardError.write("\(joined.folds.count) folds, mean accuracy \(percent(joined.meanAccuracy))")
    } catch let error as CrossValidation.JoiningError {
      throw CommandError("\(error); nothing is written")
    }
  }

  private func check(_ problems: MergeProblems, count: Int) throws {
    if problems.areNone { return }
    func tell(_ what: String, _ shown: [String], of count: Int) {
      if count == 0 { return }
      let more = count > shown.count ? " and more" : ""
      StandardError.report("\(what): \(shown.joined(separator: ", "))\(more)")
    }
    tell("unfinished", problems.unfinished, of: problems.unfinished.count)
    tell("\(problems.missingCount) missing", problems.missing, of: problems.missingCount)
    tell("\(problems.doubledCount) there twice", problems.doubled, of: problems.doubledCount)
    guard partial else { throw CommandError("nothing is written; --partial writes what is there") }
  }

  private func writeReports() async throws {
    var evaluator = Evaluator()
    (evaluator.groupBy, evaluator.keepsFiles) = (groupBy, report.contains { ReportFormat($0) == .html })
    let tally = try evaluator.evaluate(predictionsAt: output) { StandardError.report("warning: \($0)") }
    let result = tally.report()
    for path in report {
      switch ReportFormat(path) {
      case .json: try FileAccess.writeAtomically(result.json(), to: path)
      case .csv: try FileAccess.writeAtomically(result.csv, to: path)
      default:
        var page = IllustratedReport()
        page.jobs = jobOptions.jobs
        try await page.write(result, of: tally, data: output, to: path)
      }
    }
  }
}
