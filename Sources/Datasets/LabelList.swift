import AuricleBase

extension Dataset {
  /// The labels of sequences that are known by names, not by files: `path` of each example is a name.
  ///
  /// What is understood:
  /// - CSV or TSV with a header (`name,label[,split][,group]`; `id`, `utterance`, `utterance_id`, `utt_id`, `utt` and
  ///   `key` are names, too);
  /// - lines of a name, white space and a label, in a file of any other ending, as Kaldi's `utt2spk`;
  /// - whatever `Dataset(at:)` understands: the files, by the names that `Corpus` gives them.
  ///
  /// Throws as those do.
  public init(
    labelsAt path: String, labelPattern: LabelPattern? = nil, root: String? = nil
  ) throws(DatasetError) {
    var list: LabelList
    switch FileKind(path) {
    case nil: throw .file(.unreadable(path: path, reason: systemReason()))
    case .folder?: list = LabelList(path: path)
    default:
      switch fileExtension(of: path) {
      case "csv": list = try LabelList(table: path, separator: ",")
      case "tsv": list = try LabelList(table: path, separator: "\t")
      case "jsonl", "ndjson", "json": list = LabelList(path: path)
      default: list = try LabelList(lines: path)
      }
    }
    if list.isOfFiles {
      let files = try Corpus(paths: [path], root: root).files
      let names = Dictionary(files.map { ($0.path, $0.name) }) { first, _ in first }
      let dataset = try Dataset(at: path, labelPattern: labelPattern, root: root)
      self.init(
        examples: dataset.examples.map { example in
          var example = example
          example.path = names[example.path] ?? example.path
          return example
        }, source: dataset.source)
    } else {
      self.init(examples: list.examples, source: "labels")
    }
    guard !examples.isEmpty else { throw .noExamples(path: path) }
  }
}

/// Labels by name, as they stand in a file.
private struct LabelList {
  let path: String
  /// Whether the file, or folder, names files instead.
  private(set) var isOfFiles = true
  private(set) var examples: [Example] = []
  private var lines: [String: (line: Int, index: Int)] = [:]

  private static let nameColumns = ["name", "id", "utterance", "utterance_id", "utt_id", "utt", "key"]

  init(path: String) { self.path = path }

  /// A table with a header; without a column of names it names files.
  init(table path: String, separator: Character) throws(DatasetError) {
    self.path = path
    let rows: [DelimitedText.Row]
    let text = try readText(path)
    do throws(DelimitedText.Malformed) {
      rows = try DelimitedText(separator: separator.asciiValue ?? UInt8(ascii: ","), isQuoted: separator != "\t")
        .rows(of: text)
    } catch {
      throw .malformedLine(path: path, line: error.line, reason: error.reason)
    }
    let header = rows.first?.cells ?? []
    let names = header.map { $0.lowercased() }
    guard let name = Self.nameColumns.lazy.compactMap({ names.firstIndex(of: $0) }).first else { return }
    isOfFiles = false
    guard let label = ["label", "command", "text"].lazy.compactMap({ names.firstIndex(of: $0) }).first else {
      throw .missingColumn(path: path, line: rows[0].line, wanted: [["label"]], found: header)
    }
    for row in rows.dropFirst() {
      guard row.cells.count == header.count else {
        throw .malformedLine(
          path: path, line: row.line, reason: "\(row.cells.count) cells, but the header has \(header.count)")
      }
      var example = Example(path: row.cells[name], label: row.cells[label])
      for (column, cell) in row.cells.enumerated() where column != name && column != label {
        if names[column] != "split" {
          example.fields[header[column]] = cell
        } else if !cell.isEmpty {
          example.split = Split(cell)
          guard example.split != nil else {
            throw .malformedLine(
              path: path, line: row.line, reason: "split '\(cell)': wanted training, validation or testing")
          }
        }
      }
      try add(example, line: row.line)
    }
  }

  /// Lines of a name and a label.
  init(lines path: String) throws(DatasetError) {
    self.path = path
    isOfFiles = false
    let lines = try readText(path).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let line = trimmed(line)
      guard !line.isEmpty else { continue }
      let name = line.prefix { !$0.isWhitespace }
      try add(Example(path: String(name), label: trimmed(line.dropFirst(name.count))), line: index + 1)
    }
  }

  private mutating func add(_ example: Example, line: Int) throws(DatasetError) {
    func malformed(_ reason: String) -> DatasetError { .malformedLine(path: path, line: line, reason: reason) }
    guard !example.path.isEmpty else { throw malformed("the name is empty") }
    guard !example.label.isEmpty else { throw malformed("the label of '\(example.path)' is empty") }
    guard let earlier = lines[example.path] else {
      lines[example.path] = (line, examples.count)
      examples.append(example)
      return
    }
    let first = examples[earlier.index]
    guard first.label == example.label, first.split == example.split else {
      throw .contradiction(
        path: path, line: line, earlier: Dataset.Origin(path: path, line: earlier.line), file: example.path,
        found: "'\(example.label)'\(example.split.map { " for \($0.rawValue)" } ?? "")",
        before: "'\(first.label)'\(first.split.map { " for \($0.rawValue)" } ?? "")")
    }
  }
}
