/// Tables of sound events as DESED and the DCASE tasks have them: `filename`, `onset`, `offset` (seconds), `event_label`;
/// a row with a file name alone is a file in which nothing happens. In DESED the files are in `audio/.../NAME` for a table
/// `metadata/.../NAME.tsv` (N. Turpault et al., 2019, https://hal.science/hal-02160855).
enum SoundEvents: Layout {
  static func convention(of table: Table) -> TableConvention? {
    let isStrong = ["onset", "offset", "event_label"].allSatisfy { table.column(named: [$0]) != nil }
    guard isStrong || table.column(named: ["event_labels"]) != nil, table.column(named: ["filename"]) != nil else {
      return nil
    }
    var convention = TableConvention(
      name: "sound events", pathColumns: ["filename"], labelColumns: ["event_label", "event_labels"])
    convention.mayLackEvents = isStrong
    let name = fileName(of: table.path)
    let stem = String(name.dropLast(fileExtension(of: table.path).count + 1))
    convention.folders = ["", stem + "/"]
    let folder = folderPrefix(of: table.path)
    var parts = folder.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
    if let place = parts.lastIndex(of: "metadata") {
      // From metadata/train/ up to where metadata is, and down again.
      let up = String(repeating: "../", count: parts.count - 1 - place)
      parts.removeFirst(place + 1)
      convention.folders.append("\(up)audio/\(parts.joined(separator: "/"))\(stem)/")
      convention.folders.append("\(up)audio/\(parts.joined(separator: "/"))")
    }
    return convention
  }
}
