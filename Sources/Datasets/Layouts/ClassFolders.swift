import AuricleBase

/// A folder as a data set: a folder per class (anything deeper belongs to the class), per split and class, or file names by
/// a pattern.
struct ClassFolders: Layout {
  private let root: String
  private let pattern: LabelPattern?
  private let extensions: Set<String>
  private var walk: FolderWalk { FolderWalk(extensions: extensions) }

  init(_ request: Request) {
    root = request.path
    pattern = request.pattern
    extensions = request.extensions
  }

  /// A file before its split is known; `path` is relative to the root.
  private struct Found {
    let path: String
    let label: String
    var split: Split?
    var fields: [String: String] = [:]
  }

  /// Splits the files that lists in the root name, if any lists are named here.
  func dataset(splitBy lists: [(name: String, split: Split)] = []) throws(DatasetError) -> Dataset {
    var (found, source, leftOut) = try files()
    let lists = try readLists(lists)
    for (list, split) in lists {
      var matches = 0
      for index in found.indices where list.entries.contains(found[index].path) {
        if found[index].split != nil { throw .listedTwice(file: found[index].path, folder: root) }
        found[index].split = split
        matches += 1
      }
      guard matches > 0 || list.entries.isEmpty else { throw .uselessList(path: list.path) }
    }
    if !lists.isEmpty {
      for index in found.indices where found[index].split == nil { found[index].split = .training }
      source += ", split by " + lists.map { String(fileName(of: $0.list.path)) }.joined(separator: " and ")
    }
    let examples = found.sorted { bytesPrecede($0.path, $1.path) }.map {
      Example(path: join(root, $0.path), label: $0.label, split: $0.split, fields: $0.fields)
    }
    var dataset = Dataset(examples: examples, source: source)
    dataset.leftOut = leftOut
    return dataset
  }

  private func files() throws(DatasetError) -> (found: [Found], source: String, leftOut: LeftOut) {
    if let pattern, pattern.names.contains("label") {
      let (found, leftOut) = try files(by: pattern)
      return (found, "file names by the pattern '\(pattern.text)'", leftOut)
    }
    let contents = try walk.contents(of: root)
    var (folders, leftOut) = (contents.folders.map(\.name), contents.leftOut)
    if let file = contents.files.first {
      let suggestion = FileNaming.suggestion(for: contents.files)
      guard let folder = folders.first else {
        throw .labelPatternNeeded(folder: root, file: file, suggestion: suggestion)
      }
      throw .mixedLayout(folder: root, file: file, subfolder: folder, suggestion: suggestion)
    }
    folders.removeAll { $0 == SpeechCommands.noiseFolder }

    let splits = try splitFolders(among: folders)
    var classes: [(label: String, folder: String, split: Split?)] = []
    for name in folders {
      if let split = splits[name] {
        let inside = try walk.contents(of: join(root, name))
        leftOut.add(inside.leftOut)
        classes += inside.folders.map(\.name).filter { $0 != SpeechCommands.noiseFolder }
          .map { ($0, name + "/" + $0, split) }
      } else {
        classes.append((name, name, nil))
      }
    }
    var found: [Found] = []
    var empty: [(label: String, folder: String)] = []
    for (label, folder, split) in classes {
      let files = try files(inClass: folder, &leftOut)
      if files.isEmpty {
        if try isOwnOutput(join(root, folder)) {
          leftOut.add(.ownFolder(label))
        } else {
          empty.append((label, folder))
        }
      }
      found += files.map { Found(path: $0.path, label: label, split: split, fields: $0.fields) }
    }
    if found.isEmpty {
      let tables = try FolderWalk(extensions: ["csv", "tsv", "json", "jsonl", "ndjson", "gz"]).contents(of: root).files
        .filter { Table.Format(path: $0) != nil }
      guard tables.isEmpty else { throw .tablesInFolder(folder: root, tables: tables) }
      throw .noAudio(folder: root, extensions: extensions, leftOut: leftOut)
    }
    if empty.count > 1 { throw .emptyClasses(labels: empty.map(\.label), folder: root, extensions: extensions) }
    if let (label, folder) = empty.first {
      throw .emptyClass(label: label, folder: join(root, folder), extensions: extensions)
    }
    return (found, splits.isEmpty ? "folder per class" : "folder per split and class", leftOut)
  }

  /// The folders' splits when all of them are named for one and hold folders only; otherwise nothing.
  private func splitFolders(among names: [String]) throws(DatasetError) -> [String: Split] {
    var splits: [String: Split] = [:]
    for name in names {
      guard let split = Split(name) else { return [:] }
      let contents = try walk.contents(of: join(root, name))
      guard contents.files.isEmpty && !contents.folders.isEmpty else { return [:] }
      splits[name] = split
    }
    return splits
  }

  private func files(
    inClass folder: String, _ leftOut: inout LeftOut
  ) throws(DatasetError) -> [(path: String, fields: [String: String])] {
    // A link back to the root or to the class itself must not pull other classes in.
    let found = try walk.audioFiles(under: join(root, folder), except: identities(of: [root, join(root, folder)]))
    leftOut.add(found.leftOut)
    let paths = found.files.map { folder + "/" + $0 }
    return if let pattern { try matches(of: pattern, in: paths) } else { paths.map { ($0, [:]) } }
  }

  /// Whether a folder holds what `train` or `features` wrote: logs, checkpoints, features.
  private func isOwnOutput(_ folder: String) throws(DatasetError) -> Bool {
    if case .file = FileKind(join(folder, ".features.json")) { return true }
    let walk = FolderWalk(extensions: ["csv", "safetensors"], skipsUnderscored: false)
    return try walk.audioFiles(under: folder, except: []).files.contains {
      ["training.csv", "checkpoint.safetensors"].contains(fileName(of: $0))
    }
  }

  private func files(by pattern: LabelPattern) throws(DatasetError) -> (found: [Found], leftOut: LeftOut) {
    let noise = SpeechCommands.noiseFolder
    let (files, leftOut) = try walk.audioFiles(under: root, except: identities(of: [root, join(root, noise)]))
    guard !files.isEmpty else { throw .noAudio(folder: root, extensions: extensions, leftOut: leftOut) }
    let found = try matches(of: pattern, in: files).map { path, captures in
      var fields = captures
      let label = fields.removeValue(forKey: "label") ?? ""
      let split = fields["split"].flatMap { Split($0) }
      if split != nil { fields["split"] = nil }
      return Found(path: path, label: label, split: split, fields: fields)
    }
    return (found, leftOut)
  }

  private func identities(of folders: [String]) -> Set<FileIdentity> {
    Set(folders.compactMap { if case .folder(let identity) = FileKind($0) { identity } else { nil } })
  }

  private func matches(
    of pattern: LabelPattern, in files: [String]
  ) throws(DatasetError) -> [(path: String, fields: [String: String])] {
    let matched = files.map { ($0, pattern.fields(of: $0)) }
    let strangers = matched.filter { $0.1 == nil }
    if let first = strangers.first {
      throw .patternMismatch(
        pattern: pattern.text, file: join(root, first.0), count: strangers.count, total: files.count)
    }
    return matched.map { ($0.0, $0.1 ?? [:]) }
  }

  /// The lists that stand in the root: one "label/file.wav" per line. Entries whose file is not there are passed over,
  /// because people train on a part of the classes.
  private func readLists(
    _ wanted: [(name: String, split: Split)]
  ) throws(DatasetError) -> [(list: (path: String, entries: Set<String>), split: Split)] {
    var lists: [(list: (path: String, entries: Set<String>), split: Split)] = []
    for (name, split) in wanted {
      let path = join(root, name)
      guard case .file = FileKind(path) else { continue }
      let text = try readText(path)
      let entries = text.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
      lists.append(((path, Set(entries.map { $0.hasPrefix("./") ? String($0.dropFirst(2)) : $0 })), split))
    }
    return lists
  }
}
