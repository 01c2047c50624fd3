import AudioInput
import AuricleBase

/// A table that lists sounds, with their labels or without.
struct Manifest {
  let table: Table
  let convention: TableConvention
  let request: Request
  /// The part that all of the table is for.
  var split: Split?

  /// Of these, the first that a row has.
  private let pathColumns: [String]
  private let labelColumns: [String]?
  private let spanColumns: SpanColumns?
  private let splitColumn: String?
  private let folder: String
  private let confinement: Confinement?

  private static let nameColumns = ["id", "utterance", "utterance_id", "utt_id", "utt", "key"]

  /// Throws where the path or, if wanted, the label has no column.
  init(
    _ table: Table, _ convention: TableConvention = TableConvention(), _ request: Request, split: Split? = nil,
    needsLabels: Bool = true
  ) throws(DatasetError) {
    self.table = table
    self.convention = convention
    self.request = request
    self.split = split
    let wantedPaths = request.options.pathColumn.map { [$0] } ?? convention.pathColumns
    pathColumns = table.columns(named: wantedPaths)
    let path = pathColumns.first
    let isCaptured = request.pattern?.names.contains("label") == true
    var missing: [[String]] = path == nil ? [Array(wantedPaths.prefix(TableConvention.shownPathColumns))] : []
    labelColumns =
      needsLabels
      ? try LabelColumn.choose(in: table, convention, request.options, path: path, isCaptured: isCaptured) : nil
    if needsLabels && labelColumns == nil && (!isCaptured || request.options.labelColumn != nil) {
      missing.append(request.options.labelColumn.map { [$0] } ?? LabelColumn.shown)
    }
    guard let path, missing.isEmpty else {
      throw .missingColumn(path: table.path, line: table.firstLine, wanted: missing, found: table.columns)
    }
    spanColumns = convention.hasSpans ? SpanColumns(table) : nil
    splitColumn = table.column(named: ["split"])
    confinement = try request.root.map { root throws(DatasetError) in try Confinement(root) }
    folder = Self.folder(table, convention, request, pathColumn: path)
  }

  private static func folder(
    _ table: Table, _ convention: TableConvention, _ request: Request, pathColumn: String
  ) -> String {
    if let root = request.options.audioRoot { return root }
    let own = folderPrefix(of: table.path)
    let folders = convention.folders.map { join(own, $0) }
    guard folders.count > 1, let row = table.rows.first, let written = row.cells[pathColumn]?.text else {
      return folders.first ?? own
    }
    return folders.first { FileKind(join($0, convention.place(written, row))) != nil } ?? folders.first ?? own
  }

  /// What was found, for people.
  private var source: String {
    var text = convention.name.map { "\($0) (\(fileName(of: table.path)))" } ?? "manifest (\(table.format))"
    if let labelColumns, let first = labelColumns.first { text += ", labels from '\(first)'" }
    if let spanColumns { text += ", segments by \(spanColumns.description)" }
    return text
  }

  /// All examples of one table.
  func dataset() throws(DatasetError) -> Dataset { try Manifest.dataset([self]) }

  /// All examples of several tables of one data set.
  static func dataset(_ manifests: [Manifest]) throws(DatasetError) -> Dataset {
    var collected = Collected()
    for manifest in manifests { try manifest.collect(into: &collected) }
    var source = manifests.first?.source ?? ""
    if manifests.count > 1 {
      let names = manifests.map { String(fileName(of: $0.table.path)) }
      let folders = manifests.map { String(fileName(of: String(folderPrefix(of: $0.table.path).dropLast()))) }
      source =
        "\(manifests[0].convention.name ?? "manifests") ("
        + (Set(names).count == 1 ? folders : names).joined(separator: ", ") + ")"
      if let column = manifests[0].labelColumns?.first { source += ", labels from '\(column)'" }
    }
    if collected.withoutEvents > 0 { source += ", \(collected.withoutEvents) files without events left out" }
    var dataset = Dataset(examples: collected.examples, source: source)
    dataset.origins = collected.origins
    return dataset
  }

  private struct Collected {
    var examples: [Example] = []
    var origins: [String: Dataset.Origin] = [:]
    // By bytes: to the system, an accent composed and one decomposed make two names.
    var places: [[UInt8]: Int] = [:]
    var withoutEvents = 0
  }

  private func collect(into all: inout Collected) throws(DatasetError) {
    var problems = LineProblems(path: table.path)
    let separator = listSeparator()
    let alone = labelsAlone()
    for row in table.rows {
      do throws(DatasetError) {
        guard let example = try example(row, separator: separator, alone: alone) else {
          all.withoutEvents += 1
          continue
        }
        try add(example, line: row.line, to: &all)
      } catch {
        problems.add(error)
      }
    }
    try problems.check()
  }

  private func add(_ example: Example, line: Int, to all: inout Collected) throws(DatasetError) {
    let identity = example.identity
    let bytes = Array(identity.utf8)
    guard let index = all.places[bytes] else {
      all.places[bytes] = all.examples.count
      all.examples.append(example)
      all.origins[identity] = Dataset.Origin(path: table.path, line: line)
      return
    }
    let first = all.examples[index]
    let earlier = all.origins[identity] ?? Dataset.Origin(path: table.path, line: 0)
    func contradiction(_ found: String, _ before: String) -> DatasetError {
      .contradiction(path: table.path, line: line, earlier: earlier, file: identity, found: found, before: before)
    }
    if request.options.labelCells == .list {
      all.examples[index].labels += example.labels.filter { !first.labels.contains($0) }
    } else if first.label != example.label {
      throw contradiction("'\(example.label)'", "'\(first.label)'")
    }
    let (split, firstSplit) = (example.split?.rawValue ?? "no split", first.split?.rawValue ?? "no split")
    if split != firstSplit { throw contradiction("for \(split)", "for \(firstSplit)") }
  }

  /// The files alone, each with the name the manifest gives it, or else its path as it is written there.
  func files() throws(DatasetError) -> [(sound: SoundSpan, name: String, isPath: Bool)] {
    var files: [(sound: SoundSpan, name: String, isPath: Bool)] = []
    var problems = LineProblems(path: table.path)
    let nameColumn = table.column(named: Self.nameColumns)
    for row in table.rows {
      var row = row
      do throws(DatasetError) {
        guard let (written, sound) = try sound(&row) else { throw missingPath(row) }
        let name = nameColumn.flatMap { row.cells[$0]?.text }
        files.append((sound, name ?? written, name == nil))
      } catch {
        problems.add(error)
      }
    }
    try problems.check()
    return files
  }

  private func malformed(_ row: Table.Row, _ reason: String) -> DatasetError {
    .malformedLine(path: table.path, line: row.line, reason: reason)
  }

  private func missingPath(_ row: Table.Row) -> DatasetError {
    .missingColumn(
      path: table.path, line: row.line, wanted: [pathColumns], found: row.cells.keys.sorted(by: bytesPrecede))
  }

  /// Takes path, times and channel out of a row; nil when it has no path.
  private func sound(_ row: inout Table.Row) throws(DatasetError) -> (written: String, sound: SoundSpan)? {
    // To the system, it would end a path early.
    for cell in row.cells.values where cell.text?.utf8.contains(0) == true {
      throw malformed(row, "a NUL character in it")
    }
    guard let column = pathColumns.first(where: { row.cells[$0] != nil }),
      let cell = row.cells.removeValue(forKey: column)
    else { return nil }
    guard let text = cell.text else { throw malformed(row, "the path is a list or an object") }
    let written = try plainPath(text, row)
    let path = join(folder, convention.place(written, row))
    if let confinement, !confinement.contains(path) {
      throw .outside(root: confinement.root, path: table.path, line: row.line, file: path)
    }
    var sound = SoundSpan(path)
    if let column = convention.channelColumn, let cell = row.cells.removeValue(forKey: column) {
      guard let number = cell.text.flatMap({ Int($0) }), number >= 1 else { throw malformed(row, "no channel") }
      sound.channel = .channel(number)
    }
    do throws(SpanProblem) {
      sound.seconds = try spanColumns?.take(from: &row)
    } catch {
      throw malformed(row, error.reason)
    }
    return (written, sound)
  }

  /// A path as the system has it, whatever system wrote it.
  private func plainPath(_ text: String, _ row: Table.Row) throws(DatasetError) -> String {
    var file = text
    if file.contains("://") { throw malformed(row, "'\(file)' is an address on the net, not a file") }
    if file.utf8.contains(UInt8(ascii: "\\")), FileKind(join(folder, convention.place(file, row))) == nil {
      let letters = Array(file.utf8.prefix(2))
      if letters.count == 2, letters[1] == UInt8(ascii: ":") {
        throw malformed(row, "'\(file)' is a path of another computer, which ran Windows; make paths relative")
      }
      file = file.replacingScalars { $0 == "\\" ? "/" : nil }
    }
    while file.hasPrefix("./") { file.removeFirst(2) }
    guard !file.isEmpty else { throw malformed(row, "the path is empty") }
    return file
  }

  /// Nil for a file in which nothing happens.
  private func example(
    _ row: Table.Row, separator: Character, alone: Set<String>
  ) throws(DatasetError) -> Example? {
    var row = row
    if convention.mayLackEvents, let columns = labelColumns,
      columns.allSatisfy({ row.cells[$0]?.text?.isEmpty ?? true })
    {
      return nil
    }
    guard let (written, sound) = try sound(&row) else { throw missingPath(row) }
    var fields: [String: String] = [:]
    if let pattern = request.pattern {
      guard let captures = pattern.fields(of: written) else {
        throw malformed(row, "'\(written)' does not match the label pattern '\(pattern.text)'")
      }
      fields = captures
    }
    let captured = fields.removeValue(forKey: "label")
    var labels = captured.map { [$0] }
    if let column = labelColumns?.first(where: { row.cells[$0] != nil }),
      let cell = row.cells.removeValue(forKey: column)
    {
      labels = try self.labels(of: cell, row, written, separator: separator, alone: alone)
    }
    guard let labels else {
      throw .missingColumn(
        path: table.path, line: row.line, wanted: [labelColumns ?? LabelColumn.shown],
        found: row.cells.keys.sorted(by: bytesPrecede) + [pathColumns[0]])
    }
    var split = self.split ?? convention.split(written)
    if let text = splitColumn.flatMap({ row.cells.removeValue(forKey: $0) })?.text, !text.isEmpty {
      guard let given = Split(text) else {
        throw malformed(row, "split '\(text)': wanted training, validation or testing")
      }
      split = given
    }
    for (name, cell) in row.cells {
      if let text = cell.text { fields[name.lowercased() == "fold" ? "fold" : name] = text }
    }
    return Example(sound, labels: labels, split: split, fields: fields)
  }

  // MARK: Labels

  private func labels(
    of cell: Table.Cell, _ row: Table.Row, _ file: String, separator: Character, alone: Set<String>
  ) throws(DatasetError) -> [String] {
    let mode = request.options.labelCells
    switch cell {
    case .object: throw malformed(row, "the label of '\(file)' is an object, not a text")
    case .list(let cells):
      let labels = cells.compactMap(\.text).filter { !$0.isEmpty }
      guard labels.count == cells.count else { throw malformed(row, "a label of '\(file)' is empty or no text") }
      return try checked(labels, row, file)
    case .text(let text):
      if let listed = SeveralLabels.list(text) { return try checked(listed, row, file) }
      if mode == .list { return SeveralLabels.parts(of: text, separator) }
      guard !text.isEmpty else { throw malformed(row, "the label of '\(file)' is empty") }
      if mode == .single, let part = SeveralLabels.parts(of: text).first(where: { alone.contains($0) }) {
        throw malformed(
          row,
          "'\(text)' looks like several labels ('\(part)' is one elsewhere, too), and a sound has one here; keep one, or rename the class"
        )
      }
      return [text]
    }
  }

  private func checked(_ labels: [String], _ row: Table.Row, _ file: String) throws(DatasetError) -> [String] {
    guard request.options.labelCells != .list else { return labels }
    guard !labels.isEmpty else { throw malformed(row, "the label of '\(file)' is empty") }
    guard labels.count == 1 else {
      let list = labels.map { "'\($0)'" }.joined(separator: ", ")
      throw malformed(row, "\(list): \(labels.count) labels, and a sound has one here; keep one")
    }
    return labels
  }

  private func labelCells() -> [String] {
    table.rows.compactMap { row in
      labelColumns?.first { row.cells[$0] != nil }.flatMap { row.cells[$0]?.text }
    }
  }

  /// What is a label in one cell where it may be a part of another.
  private func labelsAlone() -> Set<String> {
    request.options.labelCells == .single ? SeveralLabels.labels(in: Set(labelCells())) : []
  }

  /// What stands between the labels of one cell, by the whole table.
  private func listSeparator() -> Character {
    guard request.options.labelCells == .list else { return "," }
    let cells = labelCells()
    return ["|", ";"].first { separator in cells.contains { $0.contains(separator) } } ?? ","
  }
}
