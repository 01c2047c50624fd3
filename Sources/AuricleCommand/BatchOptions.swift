import ArgumentParser
import Auricle
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What every engine that runs the program many times over needs: a row for each line of a list, errors among them, and
/// shards.
struct BatchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Take the files from this list, - for standard input: a path a line, or JSON lines with a path and whatever is to be "
        + "handed on; gives a JSON line for each, in order.", valueName: "file"))
  var filesFrom: String?
  @Option(
    help: ArgumentHelp(
      "Do only the i-th of n parts, the same files on every machine; 'slurm' for the task's own of a job array.",
      valueName: "i/n"))
  var shard: String?
  @Flag(help: "A file that fails is a row like any other: no other message, and exit code 0.")
  var errorsAsRows = false

  var isUsed: Bool { filesFrom != nil || shard != nil || errorsAsRows }

  func validate() throws {
    if shard != nil { try checkUsage("--shard") { _ = try chosenShard() } }
  }

  /// The files are those of the list, or those that are given: one of the two.
  func check(_ files: [String]) throws {
    if files.isEmpty && filesFrom == nil { throw ValidationError("Missing expected argument '<file> ...'") }
    if !files.isEmpty && filesFrom != nil { throw ValidationError("--files-from takes the place of files.") }
  }

  func chosenShard() throws -> Shard? {
    try shard.map { try $0 == "slurm" ? Shard(slurm: ProcessInfo.processInfo.environment) : Shard($0) }
  }
}

/// A run that gives a row for each file.
struct BatchRun {
  let options: BatchOptions
  let failureOptions: FailureOptions
  let jobs: Int
  /// The file for the rows; nil for standard output.
  var output: String?
  /// Which model answers; rows of another are not continued.
  var model: String?
  /// Whether no two files may give one name to what is made of them.
  var checksNames = false
  var decoding = SoundDecoding()

  /// Whether there is nothing to do, because the rows are there, whole.
  func isFinished() -> Bool {
    guard let output, PartFile.isFinished(output) else { return false }
    StandardError.report("\(output): is there already, whole; remove it to do it again")
    return true
  }

  /// `files`, or what the options' list names.
  func run(
    _ files: [String], by answer: @escaping @Sendable (ArraySlice<ListedFile>, _ turn: Int) async throws -> [BatchRow],
    whenDone: () async throws -> Void = {}
  ) async throws {
    let part = try output.map { try PartFile($0, model: model) }
    let (shard, answered) = (try options.chosenShard(), part?.answered ?? FileList.Answered())
    let list =
      try options.filesFrom.map {
        try FileList(
          path: $0, shard: shard, answered: answered, checksNames: checksNames, jobs: jobs, decoding: decoding)
      }
      ?? FileList(files: files, shard: shard, answered: answered, jobs: jobs, decoding: decoding)
    var (done, failed) = (answered.rows, part?.failed ?? 0)
    var progress = ProgressLine()
    let start = ContinuousClock.now
    // Standard input may be waited for; then Ctrl-C ends the program at once.
    if list.path != "-" { Interruption.listen() }
    defer { progress.clear() }
    try await list.answers(until: Interruption.isRequested, by: answer) { _, row in
      if let part { try part.append(row.json) } else { try StandardOutput.write(row.json) }
      done += 1
      if row.error != nil { failed += 1 }
      if !options.errorsAsRows {
        if row.error != nil || !row.warnings.isEmpty { progress.clear() }
        for warning in row.warnings { StandardError.report("warning: \(warning)") }
        if let error = row.error { StandardError.report(error) }
        if row.error != nil && failureOptions.failFast { throw ExitStatus.failFast(done: done - failed, of: done) }
      }
      progress.update("\(done) rows")
    }
    if list.leftOut.soundCount > 0 { StandardError.report("left out: \(list.leftOut)") }
    try part?.finish()
    try await whenDone()
    progress.clear()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let count = done - answered.rows
    StandardError.write(
      "\(done) row\(done == 1 ? "" : "s"), \(failed) of them errors"
        + (answered.rows > 0 ? ", \(answered.rows) taken over" : "")
        + "; \(fixed(seconds, decimals: 2)) s (\(Int(Double(count) / max(seconds, 1e-9))) a second)")
    if !options.errorsAsRows && failed > 0 { throw failed == done ? ExitStatus.nothingDone : ExitStatus.someFailed }
  }
}
