/// Reads comma- or tab-separated text as RFC 4180 describes it.
///
/// Beyond the RFC, as spreadsheets and people write it: lines may end in LF, CR LF or CR; blank lines are passed over;
/// blanks around a cell are dropped; a quotation mark inside an unquoted cell stands for itself.
struct DelimitedText {
  struct Row {
    /// Where the row begins, counted from 1.
    let line: Int
    let cells: [String]
  }

  struct Malformed: Error {
    let line: Int
    let reason: String
  }

  private var bytes: ArraySlice<UInt8>
  private let separator: UInt8
  private var line = 1

  static func rows(of text: String, separator: Character) throws(Malformed) -> [Row] {
    var reader = DelimitedText(bytes: Array(text.utf8)[...], separator: separator.asciiValue ?? 0x2C)
    var rows: [Row] = []
    while !reader.bytes.isEmpty {
      let row = try reader.takeRow()
      if row.cells != [""] { rows.append(row) }
    }
    return rows
  }

  private init(bytes: ArraySlice<UInt8>, separator: UInt8) {
    self.bytes = bytes
    self.separator = separator
  }

  private mutating func takeRow() throws(Malformed) -> Row {
    let start = line
    var cells: [String] = []
    while true {
      skipBlanks()
      cells.append(bytes.first == quote ? try takeQuoted() : takePlain())
      guard let end = bytes.popFirst() else { break }
      if end == separator { continue }
      if end == carriageReturn && bytes.first == lineFeed { bytes.removeFirst() }
      line += 1
      break
    }
    return Row(line: start, cells: cells)
  }

  /// Up to the separator or the end of the line, which is left.
  private mutating func takePlain() -> String {
    let cell = bytes.prefix { $0 != separator && $0 != lineFeed && $0 != carriageReturn }
    bytes = bytes.dropFirst(cell.count)
    return trimmed(String(decoding: cell, as: UTF8.self))
  }

  private mutating func takeQuoted() throws(Malformed) -> String {
    let start = line
    var cell: [UInt8] = []
    bytes.removeFirst()
    while let byte = bytes.popFirst() {
      if byte == quote {
        guard bytes.first == quote else {
          let rest = takePlain()
          guard rest.isEmpty else { throw Malformed(line: line, reason: "'\(rest)' follows a closing quotation mark") }
          return String(decoding: cell, as: UTF8.self)
        }
        bytes.removeFirst()
      } else if byte == lineFeed || (byte == carriageReturn && bytes.first != lineFeed) {
        line += 1
      }
      cell.append(byte)
    }
    throw Malformed(line: start, reason: "a quotation mark is never closed")
  }

  private mutating func skipBlanks() {
    bytes = bytes.drop { $0 != separator && ($0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t")) }
  }
}

private let quote = UInt8(ascii: "\"")
private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
