import AuricleBase

/// A file of rows, one JSON object a line, that is written under a temporary name, `PATH.part`, and gets its own when it is
/// whole. A run that was stopped is continued: the rows that are there stay.
///
///     if !PartFile.isFinished("part-3.jsonl") {
///       let part = try PartFile("part-3.jsonl", model: fingerprint)
///       let list = try FileList(path: "list.txt", shard: shard, answered: part.answered)
///       ...
///       try part.finish()
///     }
///
/// However the program ends, at most the last row is unfinished. One process at a time may write it.
public final class PartFile {
  public let path: String
  /// What is there of an earlier run, and how many of those rows are errors.
  public let answered: FileList.Answered
  public let failed: Int
  private let file: AppendableFile

  /// Whether the file is there, whole.
  public static func isFinished(_ path: String) -> Bool { FileAccess.exists(path) }

  public static func temporaryPath(of path: String) -> String { path + ".part" }

  /// Opens the file, or begins it. Throws `FileError`, and `EvaluationError` for rows of another model than the one of this
  /// fingerprint, and for what are no rows.
  public init(_ path: String, model: String?) throws {
    self.path = path
    let temporary = Self.temporaryPath(of: path)
    try FileAccess.makeFolder(folder(of: path))
    var (answered, failed, length) = (FileList.Answered(), 0, 0)
    if FileAccess.exists(temporary) {
      let end = try PredictionFile(path: temporary).read(linesMustEnd: true) { row in
        guard row.model == model else {
          throw EvaluationError.notResumed(
            path: temporary,
            reason: "\(row.path) was answered by another model or channel; go on with the same, or write another file")
        }
        if row.error != nil { failed += 1 }
        answered.add(row.path)
      }
      length = end.byteCount
    }
    (self.answered, self.failed) = (answered, failed)
    file = try AppendableFile(path: temporary, keeping: length, exclusively: true)
  }

  public func append(_ row: String) throws(FileError) { try file.append(Array((row + "\n").utf8)) }

  /// Gives the file its own name.
  public func finish() throws(FileError) { try file.rename(to: path) }
}
