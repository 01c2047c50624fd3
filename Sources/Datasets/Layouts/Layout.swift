import AuricleBase

/// The convention of a data set, or of a family of them.
protocol Layout: Sendable {
  /// The data set in a folder that is laid out so; nil for one that is not.
  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset?
  /// How a table of this convention is read; nil for one that is not.
  static func convention(of table: Table) -> TableConvention?
}

extension Layout {
  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset? { nil }
  static func convention(of table: Table) -> TableConvention? { nil }
}

/// Every layout there is. The first that knows a folder or a table reads it.
enum Layouts {
  static let all: [any Layout.Type] = [
    UrbanSound8K.self, ESC50.self, AudioFolder.self, KaldiDirectory.self, CommonVoice.self, LhotseCuts.self,
    SoundEvents.self, NeMo.self, SpeechCommands.self, ClassFolders.self,
  ]

  static func dataset(_ request: Request) throws(DatasetError) -> Dataset {
    guard let kind = FileKind(request.path) else {
      throw .file(.unreadable(path: request.path, reason: systemReason()))
    }
    if case .folder = kind { return try folder(request) }
    if fileName(of: request.path) == KaldiDirectory.scriptName { return try folder(request.at(folderOf(request.path))) }
    guard let format = Table.Format(path: request.path) else { throw .notADataset(path: request.path) }
    return try manifest(request, format).dataset()
  }

  /// The table that `request` leads to, as its convention reads it.
  static func manifest(
    _ request: Request, _ format: Table.Format, needsLabels: Bool = true
  ) throws(DatasetError) -> Manifest {
    var table = try Table(path: request.path, format: format, options: request.options)
    if let cuts = try LhotseCuts.segments(table) { table = cuts }
    return try Manifest(table, convention(of: table) ?? TableConvention(), request, needsLabels: needsLabels)
  }

  static func convention(of table: Table) -> TableConvention? {
    for layout in all {
      if let convention = layout.convention(of: table) { return convention }
    }
    return nil
  }

  private static func folder(_ request: Request, depth: Int = 0) throws(DatasetError) -> Dataset {
    guard request.pattern?.names.contains("label") != true else {
      if let dataset = try SpeechCommands.dataset(inFolder: request) { return dataset }
      return try ClassFolders(request).dataset()
    }
    for layout in all {
      if let dataset = try layout.dataset(inFolder: request) { return dataset }
    }
    let walk = FolderWalk(extensions: request.extensions)
    let contents = try walk.contents(of: request.path)
    // An archive was unpacked into a folder of its own.
    if contents.files.isEmpty, contents.folders.count == 1, let name = contents.folders.first?.name, depth < 4,
      Split(name) == nil
    {
      let deeper = join(request.path, name)
      let inside = try walk.contents(of: deeper)
      if inside.files.isEmpty && !inside.folders.isEmpty {
        let dataset = try folder(request.at(deeper), depth: depth + 1)
        return dataset.with(source: dataset.source + " in '\(name)'")
      }
    }
    return try ClassFolders(request).dataset()
  }

  private static func folderOf(_ path: String) -> String {
    let folder = folderPrefix(of: path)
    return folder.isEmpty ? "." : folder
  }
}
