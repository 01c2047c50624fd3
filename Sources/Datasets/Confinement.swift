import AuricleBase

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder that paths must not lead out of, by `..` or through symbolic links.
struct Confinement {
  let root: String
  private let realRoot: String

  /// Throws `DatasetError.file` where there is no such folder.
  init(_ root: String) throws(DatasetError) {
    guard let real = realPath(root) else { throw .file(.unreadable(path: root, reason: systemReason())) }
    self.root = root
    realRoot = real == "/" ? real : real + "/"
  }

  /// Whether `path` lies below the folder, once all links are followed. Of a path that leads to nothing, the part that is
  /// there counts, and the rest must not go up.
  func contains(_ path: String, links: Int = 40) -> Bool {
    var existing = path
    while true {
      if let real = realPath(existing.isEmpty ? "." : existing) { return (real + "/").hasPrefix(realRoot) }
      let last = fileName(of: existing)
      let folder = folderPrefix(of: existing)
      if let target = linkTarget(existing) {
        // Links in a circle lead nowhere at all.
        return links == 0 || contains(join(folder, target), links: links - 1)
      }
      guard last != "..", !existing.isEmpty else { return false }
      existing = folder
      while existing.count > 1 && existing.hasSuffix("/") { existing.removeLast() }
    }
  }
}

/// Absolute, without links; nil when nothing is there.
private func realPath(_ path: String) -> String? {
  guard let resolved = path.withSystemPath({ realpath($0, nil) }) else { return nil }
  defer { free(resolved) }
  return String(systemPath: resolved)
}

/// What a symbolic link says; nil for anything else.
private func linkTarget(_ path: String) -> String? {
  var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
  let count = path.withSystemPath { readlink($0, &target, target.count - 1) }
  return count > 0 ? String(systemPath: target) : nil
}
