import AudioInput
import AuricleBase

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Finds audio files by the extensions of their names.
///
///     try AudioFiles.expand(paths: ["one.wav", "recordings", "-"])
///     // ["one.wav", "recordings/a.flac", "recordings/more/b.wav", "-"]
public enum AudioFiles {
  /// The extensions looked for in folders, in lower case; files in any case are found.
  public static let extensions = AudioFormats.extensions

  /// Replaces each folder by the audio files in it, however deep, sorted by the bytes of their paths.
  ///
  /// A file stays as it is, whatever its name and even if it is missing (who reads it will say so); so does `-`. Hidden
  /// files and folders are passed over, links followed. A file's name that is not UTF-8 has U+FFFD for what is wrong in
  /// it: nothing is there by that name, and who reads it will say so. Throws `DatasetError.noAudio` for a folder without
  /// audio, and `DatasetError.nameNotUTF8` for a folder whose name is no text.
  public static func expand(
    paths: [String], extensions: Set<String> = AudioFiles.extensions
  ) throws(DatasetError) -> [String] {
    var files: [String] = []
    for path in paths {
      if path != "-", case .folder(let identity) = FileKind(path) {
        let walk = FolderWalk(extensions: extensions, skipsUnderscored: false)
        let found = try walk.audioFiles(under: path, except: [identity])
        guard !found.isEmpty else { throw .noAudio(folder: path, extensions: extensions) }
        for file in found { files.append(join(path, file)) }
      } else {
        files.append(path)
      }
    }
    return files
  }
}

/// What stands at a path, links followed; nil when nothing does.
enum FileKind {
  case folder(FileIdentity)
  case file
  /// A pipe, a device, a socket.
  case other

  init?(_ path: String) {
    var status = stat()
    // A link to nothing counts as a file: reading it will say what is wrong, passing over it would hide that.
    guard stat(path, &status) == 0 || lstat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFDIR:
      self = .folder(
        FileIdentity(device: .init(truncatingIfNeeded: status.st_dev), inode: .init(truncatingIfNeeded: status.st_ino)))
    case S_IFREG, S_IFLNK: self = .file
    default: self = .other
    }
  }
}

/// The same for two paths exactly when they lead to one folder.
struct FileIdentity: Hashable {
  let device: UInt64
  let inode: UInt64
}

/// Lists folders, sorted by the bytes of the names.
struct FolderWalk {
  let extensions: Set<String>
  let skipsUnderscored: Bool

  /// The visible folders and audio files directly in `folder`.
  func contents(
    of folder: String
  ) throws(DatasetError) -> (folders: [(name: String, identity: FileIdentity)], files: [String]) {
    var folders: [(name: String, identity: FileIdentity)] = []
    var files: [String] = []
    for name in try names(in: folder).sorted(by: bytesPrecede) {
      switch FileKind(join(folder, name)) {
      case .folder(let identity) where !(skipsUnderscored && name.hasPrefix("_")): folders.append((name, identity))
      case .file where extensions.contains(fileExtension(of: name)): files.append(name)
      case nil where extensions.contains(fileExtension(of: name)): files.append(name)  // not UTF-8, or just gone
      default: break
      }
    }
    return (folders, files)
  }

  /// The visible names in `folder`, in no order. Read as bytes: `FileManager` passes over those that are not UTF-8.
  private func names(in folder: String) throws(DatasetError) -> [String] {
    guard let stream = opendir(folder) else { throw .file(.unreadable(path: folder, reason: systemReason())) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let bytes = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
          Array(UnsafeRawBufferPointer(start: $0, count: strlen($0)))
        }
      }
      if bytes.first != UInt8(ascii: ".") {
        let name = String(validating: bytes, as: UTF8.self)
        if name == nil && isFolder(bytes, in: dirfd(stream)) { throw .nameNotUTF8(bytes, folder: folder) }
        names.append(name ?? String(decoding: bytes, as: UTF8.self))
      }
      errno = 0
    }
    guard errno == 0 else { throw .file(.unreadable(path: folder, reason: systemReason())) }
    return names
  }

  private func isFolder(_ name: [UInt8], in folder: Int32) -> Bool {
    var status = stat()
    let path = name.map { CChar(bitPattern: $0) } + [0]
    return fstatat(folder, path, &status, 0) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The audio files under `folder`, relative to it. Each folder is entered once, those in `visited` never, so that
  /// links in a circle come to an end.
  func audioFiles(under folder: String, except visited: Set<FileIdentity>) throws(DatasetError) -> [String] {
    var visited = visited
    var found: [String] = []
    try collect(folder, prefix: "", visited: &visited, into: &found)
    return found.sorted(by: bytesPrecede)
  }

  private func collect(
    _ folder: String, prefix: String, visited: inout Set<FileIdentity>, into found: inout [String]
  ) throws(DatasetError) {
    let (folders, files) = try contents(of: folder)
    for file in files { found.append(prefix + file) }
    for (name, identity) in folders where visited.insert(identity).inserted {
      try collect(join(folder, name), prefix: prefix + name + "/", visited: &visited, into: &found)
    }
  }
}

// Paths are bytes to the system: a combining mark behind a slash makes another `Character` of it, but separates all the same.

/// `name` below `folder`; `name` itself when it is absolute.
func join(_ folder: String, _ name: String) -> String {
  if isAbsolute(name) || folder.isEmpty { return name }
  return folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// What follows the last dot of the last component, in lower case; empty when there is none.
func fileExtension(of path: String) -> String {
  let name = fileName(of: path)
  guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
  return name[name.index(after: dot)...].lowercased()
}

func isAbsolute(_ path: String) -> Bool {
  path.unicodeScalars.first == "/"
}

/// The last component of a path.
func fileName(of path: String) -> Substring {
  let scalars = path.unicodeScalars
  return scalars.lastIndex(of: "/").map { path[scalars.index(after: $0)...] } ?? path[...]
}

/// What stands before the last component, with the slash.
func folderPrefix(of path: String) -> String {
  String(path[..<fileName(of: path).startIndex])
}
