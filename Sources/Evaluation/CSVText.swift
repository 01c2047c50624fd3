import AuricleBase

/// Comma-separated values as RFC 4180 has them, lines ending in LF.
enum CSVText {
  /// The rows, a line end after each.
  static func text(_ rows: [[String]]) -> String {
    rows.map { line($0) + "\n" }.joined()
  }

  /// One row without its line end; cells that need them are put in quotation marks.
  static func line(_ cells: [String]) -> String {
    cells.map(cell).joined(separator: ",")
  }

  private static func cell(_ text: String) -> String {
    let needsQuotes = text.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) }
    guard needsQuotes || text.first == " " || text.last == " " else { return text }
    return "\"" + text.replacingScalars { $0 == "\"" ? "\"\"" : nil } + "\""
  }

  /// The cells of one record; nil when a quotation mark is not closed, or followed by more text.
  static func cells(of record: some Collection<UInt8>) -> [String]? {
    var rest = Array(record)[...]
    if rest.last == carriageReturn { rest.removeLast() }
    var cells: [String] = []
    while true {
      var cell: [UInt8] = []
      if rest.first == quote {
        rest.removeFirst()
        while true {
          guard let byte = rest.popFirst() else { return nil }
          if byte == quote {
            guard rest.first == quote else { break }
            rest.removeFirst()
          }
          cell.append(byte)
        }
        guard rest.isEmpty || rest.first == comma else { return nil }
      } else {
        let plain = rest.prefix { $0 != comma }
        cell = Array(plain)
        rest = rest.dropFirst(plain.count)
      }
      cells.append(String(decoding: cell, as: UTF8.self))
      if rest.popFirst() == nil { return cells }
    }
  }
}

private let comma = UInt8(ascii: ",")
private let quote = UInt8(ascii: "\"")
private let carriageReturn = UInt8(ascii: "\r")
