import AuricleBase

/// Writes predictions to a file as they come, a row each, so that a run that is stopped leaves all it did.
///
///     let writer = try PredictionWriter(to: "predictions.jsonl", labels: model.labels)
///     try writer.write(prediction)
///
/// Each row goes to the system in one piece: however the program ends, at most the last row is unfinished.
public final class PredictionWriter {
  private let file: AppendableFile
  private let format: PredictionFile.Format
  private let columns: PredictionColumns

  /// Begins the file at `path` anew (`-` is standard output), in the format its name says, with a CSV column for each of
  /// `labels` and `fields`.
  public init(to path: String, labels: [String], fields: [String] = []) throws {
    format = PredictionFile(path: path).format
    columns = PredictionColumns(labels: labels, fields: fields)
    file = try AppendableFile(path: path, keeping: 0)
    try writeHeader()
  }

  /// Continues a file after the last whole row that was read from it; an unfinished one is cut off.
  ///
  /// Throws `FileError`, and `EvaluationError.otherColumns` for a CSV file that has others than this run writes.
  public init(resuming path: String, at end: PredictionFile.End, labels: [String], fields: [String] = []) throws {
    format = PredictionFile(path: path).format
    columns = PredictionColumns(labels: labels, fields: fields)
    if format == .csv, let found = end.columns, found != columns {
      throw EvaluationError.otherColumns(path: path, found: found.names, wanted: columns.names)
    }
    file = try AppendableFile(path: path, keeping: end.byteCount)
    if end.columns == nil { try writeHeader() }
  }

  public func write(_ prediction: Prediction) throws(FileError) {
    let line = format == .csv ? CSVText.line(columns.row(prediction)) : prediction.jsonLine
    try file.append(Array((line + "\n").utf8))
  }

  /// Gives the file another name, once all of it is on the disk.
  public func rename(to path: String) throws(FileError) { try file.rename(to: path) }

  private func writeHeader() throws(FileError) {
    if format == .csv { try file.append(Array((CSVText.line(columns.names) + "\n").utf8)) }
  }
}
