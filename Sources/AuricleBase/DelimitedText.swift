/// Reads comma- or tab-separated text as RFC 4180 describes it.
///
///     try DelimitedText().rows(of: "a,\"b, c\"\n")[0].cells     // ["a", "b, c"]
///
/// Beyond the RFC, as spreadsheets and people write it: lines may end in LF, CR LF or CR; blank lines are passed over;
/// a quotation mark inside an unquoted cell stands for itself. Bytes that are not UTF-8 are read as U+FFFD.
public struct DelimitedText: Sendable {
  public struct Row: Sendable {
    /// Where the row begins, counted from 1.
    public let line: Int
    public let cells: [String]
  }

  public struct Malformed: Error {
    public let line: Int
    public let reason: String
  }

  /// An ASCII character.
  public var separator: UInt8
  /// Whether a cell that begins with a quotation mark ends with the next one; if not, quotation marks are data, as in
  /// tab-separated text (https://www.iana.org/assignments/media-types/text/tab-separated-values).
  public var isQuoted: Bool
  /// Whether blanks around a cell are dropped.
  public var trimsBlanks: Bool

  public init(separator: UInt8 = UInt8(ascii: ","), isQuoted: Bool = true, trimsBlanks: Bool = true) {
    self.separator = separator
    self.isQuoted = isQuoted
    self.trimsBlanks = trimsBlanks
  }

  /// All rows of a text.
  public func rows(of text: String) throws(Malformed) -> [Row] {
    var reader = Reader(dialect: self, bytes: Array(text.utf8)[...], isRecord: false)
    var rows: [Row] = []
    while !reader.bytes.isEmpty {
      let row = try reader.takeRow()
      if row.cells != [""] { rows.append(row) }
    }
    return rows
  }

  /// The cells of one record, whose line end, if it has one, is cut off but for a CR.
  public func cells(of record: some Collection<UInt8>) throws(Malformed) -> [String] {
    var bytes = Array(record)[...]
    if bytes.last == carriageReturn { bytes.removeLast() }
    var reader = Reader(dialect: self, bytes: bytes, isRecord: true)
    return try reader.takeRow().cells
  }
}

private struct Reader {
  let dialect: DelimitedText
  var bytes: ArraySlice<UInt8>
  /// Whether line ends are data.
  let isRecord: Bool
  private var line = 1

  init(dialect: DelimitedText, bytes: ArraySlice<UInt8>, isRecord: Bool) {
    self.dialect = dialect
    self.bytes = bytes
    self.isRecord = isRecord
  }

  mutating func takeRow() throws(DelimitedText.Malformed) -> DelimitedText.Row {
    let start = line
    var cells: [String] = []
    while true {
      if dialect.trimsBlanks { skipBlanks() }
      cells.append(dialect.isQuoted && bytes.first == quote ? try takeQuoted() : takePlain())
      guard let end = bytes.popFirst() else { break }
      if end == dialect.separator { continue }
      if end == carriageReturn && bytes.first == lineFeed { bytes.removeFirst() }
      line += 1
      break
    }
    return DelimitedText.Row(line: start, cells: cells)
  }

  /// Up to the separator or the end of the line, which is left.
  private mutating func takePlain() -> String {
    let (separator, isRecord) = (dialect.separator, isRecord)
    let cell = bytes.prefix { $0 != separator && (isRecord || $0 != lineFeed && $0 != carriageReturn) }
    bytes = bytes.dropFirst(cell.count)
    let text = String(decoding: cell, as: UTF8.self)
    return dialect.trimsBlanks ? trimmed(text) : text
  }

  private mutating func takeQuoted() throws(DelimitedText.Malformed) -> String {
    let start = line
    var cell: [UInt8] = []
    bytes.removeFirst()
    while let byte = bytes.popFirst() {
      if byte == quote {
        guard bytes.first == quote else {
          let rest = takePlain()
          guard rest.isEmpty else {
            throw DelimitedText.Malformed(line: line, reason: "'\(rest)' follows a closing quotation mark")
          }
          return String(decoding: cell, as: UTF8.self)
        }
        bytes.removeFirst()
      } else if byte == lineFeed || (byte == carriageReturn && bytes.first != lineFeed) {
        line += 1
      }
      cell.append(byte)
    }
    throw DelimitedText.Malformed(line: start, reason: "a quotation mark is never closed")
  }

  private mutating func skipBlanks() {
    let separator = dialect.separator
    bytes = bytes.drop { $0 != separator && ($0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t")) }
  }
}

/// Without white space at either end.
package func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text)
  while rest.first?.isWhitespace == true { rest.removeFirst() }
  while rest.last?.isWhitespace == true { rest.removeLast() }
  return String(rest)
}

private let quote = UInt8(ascii: "\"")
private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
