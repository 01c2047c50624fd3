import AuricleBase

/// A table as it stands in a file, before anything is made of it: CSV, TSV, JSON lines, a JSON array, any of them
/// compressed by gzip.
struct Table {
  /// A value; what is null is not there.
  indirect enum Cell {
    case text(String)
    case list([Cell])
    case object([String: Cell])

    var text: String? { if case .text(let text) = self { text } else { nil } }

    subscript(_ name: String) -> Cell? { if case .object(let members) = self { members[name] } else { nil } }
  }

  struct Row {
    /// From 1.
    let line: Int
    var cells: [String: Cell]
  }

  enum Format: String {
    case csv = "CSV"
    case tsv = "TSV"
    case jsonLines = "JSON lines"

    /// By the ending, before ".gz" if there is one.
    init?(path: String) {
      let isCompressed = fileExtension(of: path) == "gz"
      switch fileExtension(of: isCompressed ? String(path.dropLast(3)) : path) {
      case "csv": self = .csv
      case "tsv": self = .tsv
      case "jsonl", "ndjson", "json": self = .jsonLines
      default: return nil
      }
    }
  }

  let path: String
  /// "CSV", "CSV separated by ';'", "JSON array", ...
  var format: String
  /// The line of the header, or of the first object.
  var firstLine = 1
  /// Every column once, in the order in which it first comes.
  private(set) var columns: [String] = [] {
    didSet { columnsByName = Dictionary(grouping: columns) { $0.lowercased() } }
  }
  private var columnsByName: [String: [String]] = [:]
  var rows: [Row] = []

  /// A table made of other files than one with a header.
  init(path: String, format: String, columns: [String], rows: [Row]) {
    self.path = path
    self.format = format
    self.columns = columns
    self.rows = rows
    columnsByName = Dictionary(grouping: columns) { $0.lowercased() }  // no observer is called in an initialiser
  }

  /// Reads the file at `path`. Throws for a table without rows, too.
  init(path: String, format: Format, options: TableOptions = TableOptions()) throws(DatasetError) {
    self.path = path
    self.format = format.rawValue
    let text = try readText(path)
    if format == .jsonLines { try readJSON(text) } else { try readDelimited(text, format, options) }
    guard !rows.isEmpty else { throw .noExamples(path: path) }
  }

  /// The columns of these names, in the order of `names`, in any case of letters; one spelt just so comes first.
  func columns(named names: [String]) -> [String] {
    names.flatMap { name in
      let found = columnsByName[name.lowercased()] ?? []
      return found.filter { $0 == name } + found.filter { $0 != name }
    }
  }

  func column(named names: [String]) -> String? { columns(named: names).first }

  private func malformed(_ line: Int, _ reason: String) -> DatasetError {
    .malformedLine(path: path, line: line, reason: reason)
  }

  // MARK: CSV and TSV

  private mutating func readDelimited(
    _ text: String, _ given: Format, _ options: TableOptions
  ) throws(DatasetError) {
    let announced = Self.announcedSeparator(of: text)
    let separator = options.separator?.asciiValue ?? announced ?? Self.separator(of: text, given, options)
    let header = Self.header(of: text)
    var read: [DelimitedText.Row]
    do throws(DelimitedText.Malformed) {
      let isQuoted = separator != tab || header.utf8.split(separator: tab).contains { $0.first == UInt8(ascii: "\"") }
      read = try DelimitedText(separator: separator, isQuoted: isQuoted).rows(of: text)
    } catch {
      throw malformed(error.line, error.reason)
    }
    if announced != nil { read.removeFirst() }
    guard let first = read.first else { throw .noExamples(path: path) }
    firstLine = first.line
    if separator != (given == .tsv ? tab : comma) {
      format += separator == tab ? " separated by tabs" : " separated by '\(Character(UnicodeScalar(separator)))'"
    }
    let names = first.cells
    var seen: Set<String> = []
    for name in names where !name.isEmpty && !seen.insert(name).inserted {
      throw malformed(first.line, "the column '\(name)' stands in the header twice")
    }
    columns = names.filter { !$0.isEmpty }
    let known = Set(TableConvention.knownPathColumns + [options.pathColumn?.lowercased() ?? ""])
    if !columns.contains(where: { known.contains($0.lowercased()) }),
      let cell = columns.first(where: { AudioFiles.extensions.contains(fileExtension(of: $0)) })
    {
      throw .noHeader(path: path, line: first.line, cell: cell)
    }

    var problems = LineProblems(path: path)
    for row in read.dropFirst() {
      guard row.cells.count == names.count else {
        let mark = UnicodeScalar(separator)
        let remedy =
          row.cells.count > names.count && separator != tab
          ? "; a cell with a '\(mark)' in it needs quotation marks" : ""
        problems.add(malformed(row.line, "\(row.cells.count) cells, but the header has \(names.count)\(remedy)"))
        continue
      }
      let cells = Dictionary(zip(names, row.cells.map { Cell.text($0) })) { first, _ in first }
      rows.append(Row(line: row.line, cells: cells.filter { !$0.key.isEmpty }))
    }
    try problems.check()
  }

  private static func header(of text: String) -> Substring {
    text.split(maxSplits: 1) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }.first ?? ""
  }

  /// The X of a first line `sep=X`, which is for Excel alone.
  private static func announcedSeparator(of text: String) -> UInt8? {
    let first = Array(header(of: text).utf8)
    return first.count == 5 && first.starts(with: "sep=".utf8) && first[4] < 0x80 ? first[4] : nil
  }

  /// What the first line shows to stand between its cells: that by which a column's name for the path is found.
  private static func separator(of text: String, _ format: Format, _ options: TableOptions) -> UInt8 {
    let usual = format == .tsv ? tab : comma
    let header = header(of: text)
    let known = Set(TableConvention.knownPathColumns + [options.pathColumn?.lowercased() ?? ""])
    for separator in [usual, comma, tab, UInt8(ascii: ";"), UInt8(ascii: "|")] {
      let names = (try? DelimitedText(separator: separator).cells(of: header.utf8)) ?? []
      if names.contains(where: { !$0.isEmpty && known.contains($0.lowercased()) }) { return separator }
    }
    return usual
  }

  // MARK: JSON

  private mutating func readJSON(_ text: String) throws(DatasetError) {
    let bytes = Array(text.utf8)
    if bytes.first(where: { !$0.isBlank }) == UInt8(ascii: "[") {
      format = "JSON array"
      try readArray(bytes)
    } else {
      try readLines(bytes)
    }
    var seen: Set<String> = []
    columns = rows.flatMap { row in row.cells.keys.sorted(by: bytesPrecede).filter { seen.insert($0).inserted } }
    firstLine = rows.first?.line ?? 1
  }

  private mutating func readLines(_ bytes: [UInt8]) throws(DatasetError) {
    var problems = LineProblems(path: path)
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
    where line.contains(where: { !$0.isBlank }) {
      var scanner = JSONScanner(line)
      do throws(MalformedJSON) {
        let cells = try Self.object(&scanner)
        try scanner.end()
        rows.append(Row(line: index + 1, cells: cells))
      } catch {
        problems.add(malformed(index + 1, "not a JSON object: \(error.reason)"))
      }
    }
    try problems.check()
  }

  private mutating func readArray(_ bytes: [UInt8]) throws(DatasetError) {
    var scanner = JSONScanner(bytes)
    var (line, counted) = (1, 0)
    func countLines(to position: Int) {
      for byte in bytes[counted..<min(position, bytes.count)] where byte == UInt8(ascii: "\n") { line += 1 }
      counted = min(position, bytes.count)
    }
    var found: [Row] = []
    do throws(MalformedJSON) {
      try scanner.array { (scanner) throws(MalformedJSON) in
        _ = scanner.kind()  // past white space
        countLines(to: scanner.position)
        found.append(Row(line: line, cells: try Self.object(&scanner)))
      }
      try scanner.end()
    } catch {
      countLines(to: scanner.position)
      throw malformed(line, "not a JSON array of objects: \(error.reason)")
    }
    rows = found
  }

  private static func object(
    _ scanner: inout JSONScanner, depth: Int = 0
  ) throws(MalformedJSON) -> [String: Cell] {
    guard scanner.kind() == .object else { throw MalformedJSON(reason: "it does not begin with '{'") }
    var cells: [String: Cell] = [:]
    var names: Set<String> = []
    try scanner.object { (scanner, name) throws(MalformedJSON) in
      guard names.insert(name).inserted else { throw MalformedJSON(reason: "'\(name)' stands in it twice") }
      cells[name] = try cell(&scanner, depth: depth + 1)
    }
    return cells
  }

  /// Nothing for null, and for what is nested deeper than any table nests.
  private static func cell(_ scanner: inout JSONScanner, depth: Int) throws(MalformedJSON) -> Cell? {
    switch scanner.kind() {
    case .object where depth < 16: return .object(try object(&scanner, depth: depth))
    case .array where depth < 16:
      var list: [Cell] = []
      try scanner.array { (scanner) throws(MalformedJSON) in
        if let cell = try cell(&scanner, depth: depth + 1) { list.append(cell) }
      }
      return .list(list)
    case .object, .array:
      try scanner.skipValue()
      return nil
    default: return try scanner.text().map { .text(trimmed($0)) }
    }
  }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}

private let comma = UInt8(ascii: ",")
private let tab = UInt8(ascii: "\t")

/// The file's text, decompressed if its name ends in ".gz", without a byte-order mark. Throws `DatasetError.notUTF8` for
/// anything that is not UTF-8.
func readText(_ path: String) throws(DatasetError) -> String {
  var bytes: [UInt8]
  do throws(FileError) {
    bytes = try FileAccess.read(path, limit: longestText)
  } catch {
    throw .file(error)
  }
  if fileExtension(of: path) == "gz" {
    do throws(Gzip.Malformed) {
      bytes = try Gzip.inflated(bytes, limit: longestText)
    } catch {
      throw .file(.unreadable(path: path, reason: error.reason))
    }
  }
  let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
  guard let text = String(validating: content, as: UTF8.self) else {
    let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    throw .notUTF8(path: path, line: line + 1)
  }
  return text
}

private let longestText = 1 << 30
