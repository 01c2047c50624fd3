/// The columns that say which part of a file counts, in seconds: `offset` and `duration`, as NeMo has them; `start` (or
/// `start_time`, `begin`) and `end` (or `end_time`, `stop`) or `duration`; `onset` and `offset`, as in DESED.
struct SpanColumns {
  private var start: String?
  private var end: String?
  private var duration: String?

  /// Of these columns, those that are there; nil when a whole file is meant.
  init?(_ table: Table) {
    duration = table.column(named: ["duration"])
    if let onset = table.column(named: ["onset"]) {
      start = onset
      end = table.column(named: ["offset", "end"])
    } else {
      start = table.column(named: ["offset", "start", "start_time", "begin"])
      end = table.column(named: ["end", "end_time", "stop"])
    }
    // NeMo gives the duration of whole files, too.
    guard start != nil || end != nil else { return nil }
  }

  /// For people: "'offset' and 'duration'".
  var description: String {
    [start, end ?? (start == nil ? nil : duration)].compactMap { $0.map { "'\($0)'" } }.joined(separator: " and ")
  }

  /// Takes the times out of a row; nil for a whole file. Throws the reason why they are none.
  func take(from row: inout Table.Row) throws(SpanProblem) -> Range<Double>? {
    let first = try start.map { column throws(SpanProblem) in try seconds(column, row) } ?? nil
    let last = try end.map { column throws(SpanProblem) in try seconds(column, row) } ?? nil
    var length: Double?
    if last == nil, let duration, first != nil {
      length = try seconds(duration, row)
      row.cells[duration] = nil
    }
    for column in [start, end] { if let column { row.cells[column] = nil } }
    let begin = first ?? 0
    guard let stop = last ?? length.map({ begin + $0 }) else {
      guard begin == 0 else {
        throw SpanProblem(reason: "it begins at \(begin) s, but no end and no duration is given")
      }
      return nil
    }
    guard begin < stop else {
      throw SpanProblem(
        reason: last == nil
          ? "a duration of \(stop - begin) s; it must be more than 0" : "it ends at \(stop) s, but begins at \(begin) s"
      )
    }
    return begin..<stop
  }

  /// Nil for an empty cell.
  private func seconds(_ column: String, _ row: Table.Row) throws(SpanProblem) -> Double? {
    guard let cell = row.cells[column] else { return nil }
    let text = cell.text ?? "a list"
    if text.isEmpty { return nil }
    guard let value = Double(text), value.isFinite else {
      throw SpanProblem(reason: "'\(text)' in the column '\(column)' is not a number of seconds")
    }
    guard value >= 0 else { throw SpanProblem(reason: "\(text) s in the column '\(column)' is negative") }
    return value
  }
}

/// Why a row's times are none.
struct SpanProblem: Error {
  let reason: String
}
