import Auricle

/// A file of predictions of any bytes is an error that names it, or rows that are the same when written and read again;
/// and it can be resumed wherever it was cut. The first byte says which format.
@Sendable func fuzzPredictions(_ bytes: [UInt8]) throws {
  let ending = ["csv", "jsonl"][Int(bytes.first ?? 0) % 2]
  let path = try write(bytes.dropFirst(), to: "predictions.\(ending)")
  let rows: [Prediction]
  let labels: [String]
  do {
    rows = try read(path)
    labels = try PredictionFile(path: path).labels()
  } catch let error as EvaluationError {
    check(error.description.hasPrefix(path), "the error does not name the file: \(error)")
    return
  }
  guard !labels.isEmpty else { return }  // files that all failed: an error of the command
  let known = Set(labels)
  for row in rows {
    check(row.probabilities.allSatisfy { known.contains($0.label) }, "a label that is not listed")
    var tally = try EvaluationTally(labels: labels)
    try? tally.add(row)
  }
  let fields = Set(rows.flatMap(\.fields.keys)).sorted()
  let copy = "\(scratch)/copy.\(ending)"
  let writer = try PredictionWriter(to: copy, labels: labels, fields: fields)
  for row in rows { try writer.write(row) }
  let again = try read(copy)
  check(again.map(\.path) == rows.map(\.path), "paths change when written")
  check(again.map { $0.label ?? "" } == rows.map { $0.label ?? "" }, "labels change when written")
  check(again.map { $0.truth ?? "" } == rows.map { $0.truth ?? "" }, "truths change when written")
  check(again.map { $0.error ?? "" } == rows.map { $0.error ?? "" }, "errors change when written")

  // Cut in the middle and resumed, nothing whole is lost.
  let whole = try FileAccess.read(copy)
  let cut = try write(whole.prefix(whole.count / 2), to: "cut.\(ending)")
  var kept: [Prediction] = []
  let end = try PredictionFile(path: cut).read(linesMustEnd: true) { kept.append($0) }
  let resumed = try PredictionWriter(resuming: cut, at: end, labels: labels, fields: fields)
  for row in rows.dropFirst(kept.count) { try resumed.write(row) }
  check(try FileAccess.read(cut) == whole, "a resumed file differs")
}

private func read(_ path: String) throws -> [Prediction] {
  var rows: [Prediction] = []
  try PredictionFile(path: path).read { rows.append($0) }
  return rows
}
