/// UrbanSound8K (J. Salamon, C. Jacoby, J. P. Bello, "A Dataset and Taxonomy for Urban Sound Research", 2014,
/// doi:10.1145/2647868.2655045): `metadata/UrbanSound8K.csv`, and ten folds in `audio/fold1` to `audio/fold10`.
///
/// Its `start` and `end` say where a slice was in the recording it was cut from; the files are the slices.
enum UrbanSound8K: Layout {
  private static let table = "metadata/UrbanSound8K.csv"

  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset? {
    guard folder.hasFile(table) else { return nil }
    let table = try Table(path: join(folder.path, table), format: .csv, options: folder.options)
    guard let convention = convention(of: table) else { return nil }
    return try Manifest(table, convention, folder).dataset()
  }

  static func convention(of table: Table) -> TableConvention? {
    guard let fold = table.column(named: ["fold"]), table.column(named: ["slice_file_name"]) != nil,
      table.column(named: ["classID"]) != nil
    else { return nil }
    var convention = TableConvention(
      name: "UrbanSound8K", pathColumns: ["slice_file_name"], labelColumns: ["class", "classID"])
    convention.hasSpans = false
    convention.folders = ["../audio/", "audio/", ""]
    convention.place = { written, row in "fold\(row.cells[fold]?.text ?? "")/\(written)" }
    return convention
  }
}
