/// An audiofolder of Hugging Face's `datasets` (https://huggingface.co/docs/datasets/audio_dataset): `metadata.csv` or
/// `metadata.jsonl` with a column `file_name`, in the folder itself, in `data`, or one in each folder of a split.
enum AudioFolder: Layout {
  private static let names = ["metadata.csv", "metadata.jsonl"]

  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset? {
    for base in ["", "data/"] {
      if let manifest = try manifest(in: base, of: folder, split: nil) { return try manifest.dataset() }
      guard base.isEmpty || folder.hasFolder(base) else { continue }
      var manifests: [Manifest] = []
      for name in try FolderWalk(extensions: folder.extensions).contents(of: join(folder.path, base)).folders.map(
        \.name)
      {
        guard let split = Split(name) else { continue }
        if let manifest = try manifest(in: base + name + "/", of: folder, split: split) { manifests.append(manifest) }
      }
      if !manifests.isEmpty { return try Manifest.dataset(manifests) }
    }
    return nil
  }

  private static func manifest(
    in base: String, of folder: Request, split: Split?
  ) throws(DatasetError) -> Manifest? {
    for name in names where folder.hasFile(base + name) {
      let path = join(folder.path, base + name)
      guard let format = Table.Format(path: path) else { continue }
      let table = try Table(path: path, format: format, options: folder.options)
      if let convention = convention(of: table) { return try Manifest(table, convention, folder, split: split) }
    }
    return nil
  }

  static func convention(of table: Table) -> TableConvention? {
    guard names.contains(String(fileName(of: table.path))), table.column(named: ["file_name"]) != nil else {
      return nil
    }
    var convention = TableConvention(name: "Hugging Face audiofolder", pathColumns: ["file_name"])
    convention.split = { written in
      written.split(separator: "/").dropLast().lazy.compactMap { Split($0) }.first
    }
    return convention
  }
}
