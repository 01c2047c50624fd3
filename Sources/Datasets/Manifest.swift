import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A file that lists audio files with their labels, one a line; paths are relative to the folder it stands in.
struct Manifest {
  enum Format: String {
    case csv = "CSV"
    case tsv = "TSV"
    case jsonLines = "JSON lines"

    init?(fileExtension: String) {
      switch fileExtension {
      case "csv": self = .csv
      case "tsv": self = .tsv
      case "jsonl", "ndjson", "json": self = .jsonLines
      default: return nil
      }
    }
  }

  let path: String
  let format: Format
  var pattern: LabelPattern?
  /// The folder that no path may lead out of.
  var root: String?

  private static let pathColumns = ["path", "file", "filename", "audio_filepath"]
  private static let labelColumns = ["label", "command", "text"]
  private static let nameColumns = ["id", "utterance", "utterance_id", "utt_id", "utt", "key"]

  private struct Row {
    let line: Int
    /// The columns' names, as they stand in the file.
    let names: [String]
    var values: [String: String]

    /// Takes the value of the first of `columns` that is there, in any case of letters.
    mutating func take(_ columns: [String]) -> String? {
      for column in columns {
        if let name = names.first(where: { $0.lowercased() == column }) { return values.removeValue(forKey: name) }
      }
      return nil
    }
  }

  func dataset() throws(DatasetError) -> Dataset {
    let text = try readText(path)
    let labelIsCaptured = pattern?.names.contains("label") == true
    let rows = try rows(of: text, wanted: [Self.pathColumns] + (labelIsCaptured ? [] : [Self.labelColumns]))
    let folder = folderPrefix(of: path)
    let confinement = try root.map { root throws(DatasetError) in try Confinement(root) }
    var examples: [Example] = []
    // By bytes: to the system, an accent composed and one decomposed make two names.
    var earlier: [[UInt8]: (line: Int, index: Int)] = [:]
    for row in rows {
      let example = try example(row, folder: folder)
      try check(example.path, confinement, line: row.line)
      let bytes = Array(example.path.utf8)
      if let (line, index) = earlier[bytes] {
        func contradiction(_ found: String, _ earlier: String) -> DatasetError {
          .contradiction(
            path: path, line: row.line, earlierLine: line, file: example.path, found: found, earlier: earlier)
        }
        let first = examples[index]
        if first.label != example.label { throw contradiction("'\(example.label)'", "'\(first.label)'") }
        let (split, firstSplit) = (example.split?.rawValue ?? "no split", first.split?.rawValue ?? "no split")
        if split != firstSplit { throw contradiction("for \(split)", "for \(firstSplit)") }
      } else {
        earlier[bytes] = (row.line, examples.count)
        examples.append(example)
      }
    }
    return Dataset(examples: examples, source: "manifest (\(format.rawValue))")
  }

  /// The files alone, each with the name the manifest gives it, or else its path as it is written there.
  func files() throws(DatasetError) -> [(path: String, name: String, isPath: Bool)] {
    let folder = folderPrefix(of: path)
    let confinement = try root.map { root throws(DatasetError) in try Confinement(root) }
    var files: [(path: String, name: String, isPath: Bool)] = []
    for row in try rows(of: try readText(path), wanted: [Self.pathColumns]) {
      var row = row
      guard var file = row.take(Self.pathColumns) else {
        throw .missingColumn(path: path, line: row.line, wanted: Self.pathColumns, found: row.names)
      }
      while file.hasPrefix("./") { file.removeFirst(2) }
      guard !file.isEmpty else { throw .malformedLine(path: path, line: row.line, reason: "the path is empty") }
      try check(join(folder, file), confinement, line: row.line)
      let name = row.take(Self.nameColumns)
      files.append((join(folder, file), name ?? file, name == nil))
    }
    return files
  }

  private func check(_ file: String, _ confinement: Confinement?, line: Int) throws(DatasetError) {
    guard let confinement, !confinement.contains(file) else { return }
    throw .outside(root: confinement.root, path: path, line: line, file: file)
  }

  private func rows(of text: String, wanted: [[String]]) throws(DatasetError) -> [Row] {
    let rows = format == .jsonLines ? try jsonRows(text) : try delimitedRows(text, wanted: wanted)
    // To the system, it would end a path early.
    for row in rows where row.values.values.contains(where: { $0.utf8.contains(0) }) {
      throw .malformedLine(path: path, line: row.line, reason: "a NUL character in it")
    }
    return rows
  }

  private func example(_ row: Row, folder: String) throws(DatasetError) -> Example {
    func malformed(_ reason: String) -> DatasetError { .malformedLine(path: path, line: row.line, reason: reason) }
    func missing(_ columns: [String]) -> DatasetError {
      .missingColumn(path: path, line: row.line, wanted: columns, found: row.names)
    }
    var row = row
    guard var file = row.take(Self.pathColumns) else { throw missing(Self.pathColumns) }
    while file.hasPrefix("./") { file.removeFirst(2) }
    guard !file.isEmpty else { throw malformed("the path is empty") }

    var fields: [String: String] = [:]
    if let pattern {
      guard let captures = pattern.fields(of: file) else {
        throw malformed("'\(file)' does not match the label pattern '\(pattern.text)'")
      }
      fields = captures
    }
    let captured = fields.removeValue(forKey: "label")
    guard let label = row.take(Self.labelColumns) ?? captured else { throw missing(Self.labelColumns) }
    guard !label.isEmpty else { throw malformed("the label of '\(file)' is empty") }

    var split: Split?
    if let text = row.take(["split"]), !text.isEmpty {
      split = Split(text)
      guard split != nil else { throw malformed("split '\(text)': wanted training, validation or testing") }
    }
    fields.merge(row.values) { $1 }
    return Example(path: join(folder, file), label: label, split: split, fields: fields)
  }

  private func delimitedRows(_ text: String, wanted: [[String]]) throws(DatasetError) -> [Row] {
    let rows: [DelimitedText.Row]
    do throws(DelimitedText.Malformed) {
      rows = try DelimitedText.rows(of: text, separator: format == .tsv ? "\t" : ",")
    } catch {
      throw .malformedLine(path: path, line: error.line, reason: error.reason)
    }
    guard let header = rows.first else { throw .noExamples(path: path) }
    let names = header.cells
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw .malformedLine(path: path, line: header.line, reason: "the column '\(name)' stands in the header twice")
    }
    // Told here, so that a manifest without header or without rows hears of its header.
    let lowercased = Set(names.map { $0.lowercased() })
    for columns in wanted where lowercased.isDisjoint(with: columns) {
      throw .missingColumn(path: path, line: header.line, wanted: columns, found: names)
    }

    var result: [Row] = []
    for row in rows.dropFirst() {
      guard row.cells.count == names.count else {
        let reason = "\(row.cells.count) cells, but the header has \(names.count)"
        throw .malformedLine(path: path, line: row.line, reason: reason)
      }
      let values = Dictionary(zip(names, row.cells)) { first, _ in first }
      result.append(Row(line: row.line, names: names, values: values))
    }
    return result
  }

  private func jsonRows(_ text: String) throws(DatasetError) -> [Row] {
    let decoder = JSONDecoder()
    var rows: [Row] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      guard line.contains(where: { !$0.isWhitespace }) else { continue }
      guard let object = try? decoder.decode([String: Scalar?].self, from: Data(line.utf8)) else {
        throw .malformedLine(path: path, line: index + 1, reason: "not a JSON object")
      }
      let values = object.compactMapValues { $0?.text }
      rows.append(Row(line: index + 1, names: values.keys.sorted(by: bytesPrecede), values: values))
    }
    return rows
  }
}

/// A JSON value as text; nil for null, an array or an object.
private struct Scalar: Decodable {
  let text: String?

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let string = try? container.decode(String.self) {
      text = trimmed(string)
    } else if let integer = try? container.decode(Int.self) {
      text = String(integer)
    } else if let number = try? container.decode(Double.self) {
      text = String(number)
    } else {
      text = (try? container.decode(Bool.self)).map { String($0) }
    }
  }
}
