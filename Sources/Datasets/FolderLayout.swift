import AuricleBase

/// A folder as a data set: a folder per class, per split and class, or file names by a pattern.
struct FolderLayout {
  let root: String
  let pattern: LabelPattern?
  let extensions: Set<String>

  private var walk: FolderWalk { FolderWalk(extensions: extensions, skipsUnderscored: true) }

  /// A file before its split is known; `path` is relative to the root.
  private struct Found {
    let path: String
    let label: String
    var split: Split?
    var fields: [String: String] = [:]
  }

  func dataset() throws(DatasetError) -> Dataset {
    var (found, source) = try files()
    let lists = try splitLists()
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
    return Dataset(examples: examples, source: source)
  }

  private func files() throws(DatasetError) -> (found: [Found], source: String) {
    if let pattern, pattern.names.contains("label") {
      return (try files(by: pattern), "file names by the pattern '\(pattern.text)'")
    }
    let (folders, strays) = try walk.contents(of: root)
    if let file = strays.first {
      let suggestion = LabelPattern.suggestion(for: file)
      guard let folder = folders.first?.name else {
        throw .labelPatternNeeded(folder: root, file: file, suggestion: suggestion)
      }
      throw .mixedLayout(folder: root, file: file, subfolder: folder, suggestion: suggestion)
    }

    let splits = try splitFolders(among: folders.map(\.name))
    var classes: [(label: String, folder: String, split: Split?)] = []
    for (name, _) in folders {
      if let split = splits[name] {
        let labels = try walk.contents(of: join(root, name)).folders.map(\.name)
        classes += labels.map { ($0, name + "/" + $0, split) }
      } else {
        classes.append((name, name, nil))
      }
    }
    var found: [Found] = []
    var empty: DatasetError?
    for (label, folder, split) in classes {
      let files = try files(inClass: folder)
      if files.isEmpty && empty == nil {
        empty = .emptyClass(label: label, folder: join(root, folder), extensions: extensions)
      }
      found += files.map { Found(path: $0.path, label: label, split: split, fields: $0.fields) }
    }
    guard !found.isEmpty else { throw .noAudio(folder: root, extensions: extensions) }
    if let empty { throw empty }
    return (found, splits.isEmpty ? "folder per class" : "folder per split and class")
  }

  /// The folders' splits when all of them are named for one and hold folders only; otherwise nothing.
  private func splitFolders(among names: [String]) throws(DatasetError) -> [String: Split] {
    var splits: [String: Split] = [:]
    for name in names {
      guard let split = Split(name) else { return [:] }
      let (folders, files) = try walk.contents(of: join(root, name))
      guard files.isEmpty && !folders.isEmpty else { return [:] }
      splits[name] = split
    }
    return splits
  }

  private func files(inClass folder: String) throws(DatasetError) -> [(path: String, fields: [String: String])] {
    // A link back to the root or to the class itself must not pull other classes in.
    let files = try walk.audioFiles(under: join(root, folder), except: identities(of: [root, join(root, folder)]))
    let paths = files.map { folder + "/" + $0 }
    return if let pattern { try matches(of: pattern, in: paths) } else { paths.map { ($0, [:]) } }
  }

  private func files(by pattern: LabelPattern) throws(DatasetError) -> [Found] {
    let files = try walk.audioFiles(under: root, except: identities(of: [root]))
    guard !files.isEmpty else { throw .noAudio(folder: root, extensions: extensions) }
    return try matches(of: pattern, in: files).map { path, captures in
      var fields = captures
      let label = fields.removeValue(forKey: "label") ?? ""
      return Found(path: path, label: label, fields: fields)
    }
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

  /// The lists of Speech Commands that stand in the root: one "label/file.wav" per line. Entries whose file is not
  /// there are passed over, because people train on a part of the classes.
  private func splitLists() throws(DatasetError) -> [(list: (path: String, entries: Set<String>), split: Split)] {
    var lists: [(list: (path: String, entries: Set<String>), split: Split)] = []
    for (name, split) in [("validation_list.txt", Split.validation), ("testing_list.txt", .testing)] {
      let path = join(root, name)
      guard case .file = FileKind(path) else { continue }
      let text = try readText(path)
      let entries = text.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
      lists.append(((path, Set(entries.map { $0.hasPrefix("./") ? String($0.dropFirst(2)) : $0 })), split))
    }
    return lists
  }
}

/// The file's text, without a byte-order mark. Throws `DatasetError.notUTF8` for anything that is not UTF-8.
func readText(_ path: String) throws(DatasetError) -> String {
  let bytes: [UInt8]
  do throws(FileError) {
    bytes = try FileAccess.read(path, limit: 1 << 30)
  } catch {
    throw .file(error)
  }
  let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
  guard let text = String(validating: content, as: UTF8.self) else {
    let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    throw .notUTF8(path: path, line: line + 1)
  }
  return text
}

/// Without white space at either end.
func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text)
  while rest.first?.isWhitespace == true { rest.removeFirst() }
  while rest.last?.isWhitespace == true { rest.removeLast() }
  return String(rest)
}
