import AuricleBase

/// The files that `AudioFiles.expand` gives, in its order, one after the other: no more than the entries of the folders on
/// the way are held, so that there may be millions of files.
package struct AudioFileWalk {
  /// The files of the folders so far that were passed over.
  package private(set) var leftOut = LeftOut()

  private enum Entry {
    case file(String)
    case folder(String, FileIdentity)
  }

  private var rest: ArraySlice<String>
  /// Of each folder on the way what is still to come, the last first.
  private var stack: [[Entry]] = []
  private var visited: Set<FileIdentity> = []
  private var root = ""
  private var found = 0
  private let walk: FolderWalk

  package init(_ paths: [String], extensions: Set<String> = AudioFiles.extensions) {
    rest = paths[...]
    walk = FolderWalk(extensions: extensions, skipsUnderscored: false)
  }

  /// Throws as `AudioFiles.expand` does.
  package mutating func next() throws(DatasetError) -> String? {
    while true {
      guard !stack.isEmpty else {
        if !root.isEmpty && found == 0 {
          throw .noAudio(folder: root, extensions: walk.extensions, leftOut: leftOut)
        }
        root = ""
        guard let path = rest.popFirst() else { return nil }
        guard path != "-", case .folder(let identity) = FileKind(path) else { return path }
        (root, found, visited) = (path, 0, [identity])
        try enter(path)
        continue
      }
      switch stack[stack.count - 1].popLast() {
      case .file(let path):
        found += 1
        return path
      case .folder(let path, let identity):
        if visited.insert(identity).inserted { try enter(path) }
      case nil: stack.removeLast()
      }
    }
  }

  /// What is in a folder, in the order of the bytes of whole paths: a folder's name counts with the slash after it.
  private mutating func enter(_ folder: String) throws(DatasetError) {
    let contents = try walk.contents(of: folder)
    leftOut.add(contents.leftOut)
    var entries = contents.files.map { (name: $0, entry: Entry.file(join(folder, $0))) }
    entries += contents.folders.map { ($0.name + "/", .folder(join(folder, $0.name), $0.identity)) }
    stack.append(entries.sorted { bytesPrecede($1.name, $0.name) }.map(\.entry))
  }
}
