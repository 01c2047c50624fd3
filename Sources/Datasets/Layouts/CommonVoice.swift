/// Mozilla Common Voice (R. Ardila et al., 2020, arXiv:1912.06670): `train.tsv`, `dev.tsv` and `test.tsv`, or
/// `validated.tsv` where there are none, beside a folder `clips`. The tables know no quoting.
enum CommonVoice: Layout {
  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset? {
    guard folder.hasFolder("clips") else { return nil }
    var manifests: [Manifest] = []
    let parts: [(name: String, split: Split?)] = [
      ("train.tsv", .training), ("dev.tsv", .validation), ("test.tsv", .testing), ("validated.tsv", nil),
    ]
    for (name, split) in parts where folder.hasFile(name) && (split != nil || manifests.isEmpty) {
      let table = try Table(path: join(folder.path, name), format: .tsv, options: folder.options)
      guard let convention = convention(of: table) else { return nil }
      manifests.append(try Manifest(table, convention, folder, split: split))
    }
    return manifests.isEmpty ? nil : try Manifest.dataset(manifests)
  }

  static func convention(of table: Table) -> TableConvention? {
    guard ["path", "sentence", "up_votes"].allSatisfy({ table.column(named: [$0]) != nil }) else { return nil }
    var convention = TableConvention(name: "Common Voice", pathColumns: ["path"])
    convention.hasSpans = false
    convention.folders = ["clips/", ""]
    return convention
  }
}
