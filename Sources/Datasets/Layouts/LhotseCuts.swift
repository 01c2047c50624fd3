/// Cuts of Lhotse (P. Żelasko et al., 2021, arXiv:2110.12561), `.jsonl` or `.jsonl.gz`: an example for a cut of one
/// supervision, or one for each supervision of a cut of several.
///
/// The cut's `channel`, the first being 0, is the one that counts where the recording has several; a `MultiCut` of several
/// is their mean.
///
/// What a supervision says (`text`, `speaker`, `language`, `gender`, what is in `custom`) becomes a column.
enum LhotseCuts: Layout {
  static func convention(of table: Table) -> TableConvention? {
    guard table.format == format else { return nil }
    var convention = TableConvention(name: "Lhotse cuts", pathColumns: ["source"])
    convention.channelColumn = channelColumn
    return convention
  }

  private static let format = "Lhotse cuts"
  private static let channelColumn = "channel"

  /// The segments that a table of cuts names; nil when it is none.
  static func segments(_ table: Table) throws(DatasetError) -> Table? {
    guard
      table.columns.contains("supervisions") || table.columns.contains("recording_id")
        || table.columns.contains("tracks"),
      !table.columns.contains(where: { TableConvention.usualPathColumns.contains($0) })
    else { return nil }
    var (rows, problems) = ([Table.Row](), LineProblems(path: table.path))
    var columns = ["source", "start", "end", channelColumn, "id"]
    for row in table.rows {
      do throws(DatasetError) {
        for segment in try segments(row, of: table) {
          for name in segment.cells.keys.sorted() where !columns.contains(name) { columns.append(name) }
          rows.append(segment)
        }
      } catch {
        problems.add(error)
      }
    }
    try problems.check()
    return Table(path: table.path, format: format, columns: columns, rows: rows)
  }

  /// The number, from 1, of the one channel that counts of a file's several; nil where all do.
  private static func channel(
    of cut: Table.Cell?, in source: Table.Cell?, _ malformed: (String) -> DatasetError
  ) throws(DatasetError) -> Int? {
    func numbers(_ cell: Table.Cell?) -> [Int]? {
      guard case .list(let cells)? = cell else { return cell?.text.flatMap { Int($0) }.map { [$0] } }
      let numbers = cells.compactMap { $0.text.flatMap { Int($0) } }
      return numbers.count == cells.count ? numbers : nil
    }
    guard let cut, let wanted = numbers(cut), let there = numbers(source), there.count > 1 else { return nil }
    guard wanted.count == 1 else {
      guard Set(wanted) == Set(there) else {
        throw malformed("\(wanted.count) of the \(there.count) channels; give one, or all")
      }
      return nil
    }
    guard let place = there.firstIndex(of: wanted[0]) else {
      throw malformed("the channel \(wanted[0]); the recording has \(there.map { "\($0)" }.joined(separator: ", "))")
    }
    return place + 1
  }

  private static func segments(_ cut: Table.Row, of table: Table) throws(DatasetError) -> [Table.Row] {
    func malformed(_ reason: String) -> DatasetError {
      .malformedLine(path: table.path, line: cut.line, reason: reason)
    }
    let kind = cut.cells["type"]?.text ?? "MonoCut"
    guard kind == "MonoCut" || kind == "MultiCut" else {
      throw malformed("a cut of the type \(kind); only those of one recording are read (MonoCut)")
    }
    guard let recording = cut.cells["recording"] else {
      throw malformed("no recording in it; make cuts of recordings and supervisions ('lhotse cut simple')")
    }
    guard case .list(let sources)? = recording["sources"], let source = sources.first, sources.count == 1 else {
      throw malformed("a recording of several sources, or of none, where one file is wanted")
    }
    guard source["type"]?.text == "file", let path = source["source"]?.text else {
      throw malformed("a source of the type '\(source["type"]?.text ?? "")'; only files are read")
    }
    let channel = try channel(of: cut.cells["channel"], in: source["channels"], malformed)
    func number(_ cell: Table.Cell?, _ name: String) throws(DatasetError) -> Double {
      guard let value = cell?.text.flatMap({ Double($0) }), value.isFinite else {
        throw malformed("'\(name)' is not a number of seconds")
      }
      return value
    }
    let (start, duration) = (try number(cut.cells["start"], "start"), try number(cut.cells["duration"], "duration"))
    guard case .list(let supervisions)? = cut.cells["supervisions"], !supervisions.isEmpty else {
      throw malformed("the cut has no supervisions, which hold the label")
    }
    var rows: [Table.Row] = []
    for supervision in supervisions {
      var (from, to) = (start, start + duration)
      if supervisions.count > 1 {
        // Relative to the cut; what hangs over its ends is cut off, as Lhotse's `trim_to_supervisions` does.
        let offset = try number(supervision["start"], "start")
        let length = try number(supervision["duration"], "duration")
        (from, to) = (max(start, start + offset), min(start + duration, start + offset + length))
      }
      var cells: [String: Table.Cell] = ["source": .text(path), "start": .text("\(from)"), "end": .text("\(to)")]
      cells[channelColumn] = channel.map { .text("\($0)") }
      cells["id"] = supervisions.count > 1 ? supervision["id"] : cut.cells["id"]
      for name in ["text", "speaker", "language", "gender", "label"] {
        if let cell = supervision[name] { cells[name] = cell }
      }
      if case .object(let custom)? = supervision["custom"] {
        for (name, cell) in custom where cells[name] == nil { cells[name] = cell }
      }
      rows.append(Table.Row(line: cut.line, cells: cells))
    }
    return rows
  }
}
