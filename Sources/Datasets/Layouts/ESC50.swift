/// ESC-50 and ESC-10 (K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", 2015,
/// doi:10.1145/2733373.2806390): a table in `meta`, five folds, the files in `audio`.
enum ESC50: Layout {
  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset? {
    guard folder.hasFolder("meta"), folder.hasFolder("audio") else { return nil }
    for name in try FolderWalk(extensions: ["csv"]).contents(of: join(folder.path, "meta")).files {
      let table = try Table(path: join(folder.path, "meta/" + name), format: .csv, options: folder.options)
      if let convention = convention(of: table) { return try Manifest(table, convention, folder).dataset() }
    }
    return nil
  }

  static func convention(of table: Table) -> TableConvention? {
    guard ["filename", "fold", "target", "category"].allSatisfy({ table.column(named: [$0]) != nil }) else {
      return nil
    }
    var convention = TableConvention(name: "ESC", pathColumns: ["filename"], labelColumns: ["category"])
    convention.hasSpans = false
    convention.folders = ["../audio/", "audio/", ""]
    return convention
  }
}
