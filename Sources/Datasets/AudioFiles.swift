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
  /// files and folders are passed over, links followed. Bytes of a name that are not UTF-8 are written `\xE9`; see
  /// `FilePath.escaped`. Throws `DatasetError.noAudio` for a folder without audio.
  public static func expand(
    paths: [String], extensions: Set<String> = AudioFiles.extensions
  ) throws(DatasetError) -> [String] {
    try find(paths: paths, extensions: extensions).files
  }

  /// The same, with the files of the folders that were passed over.
  public static func find(
    paths: [String], extensions: Set<String> = AudioFiles.extensions
  ) throws(DatasetError) -> (files: [String], leftOut: LeftOut) {
    var files: [String] = []
    var leftOut = LeftOut()
    for path in paths {
      if path != "-", case .folder(let identity) = FileKind(path) {
        let walk = FolderWalk(extensions: extensions, skipsUnderscored: false)
        let found = try walk.audioFiles(under: path, except: [identity])
        guard !found.files.isEmpty else {
          throw .noAudio(folder: path, extensions: extensions, leftOut: found.leftOut)
        }
        for file in found.files { files.append(join(path, file)) }
        leftOut.add(found.leftOut)
      } else {
        files.append(path)
      }
    }
    return (files, leftOut)
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
    guard path.withSystemPath({ stat($0, &status) == 0 || lstat($0, &status) == 0 }) else { return nil }
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
  /// Whether folders are passed over whose name begins with "_" and does not end with it.
  var skipsUnderscored = true

  struct Contents {
    var folders: [(name: String, identity: FileIdentity)] = []
    var files: [String] = []
    var leftOut = LeftOut()
  }

  /// The visible folders and audio files directly in `folder`.
  func contents(of folder: String) throws(DatasetError) -> Contents {
    var contents = Contents()
    for name in try names(in: folder).sorted(by: bytesPrecede) {
      let isAudio = !name.hasPrefix(".") && extensions.contains(fileExtension(of: name))
      switch FileKind(join(folder, name)) {
      case .folder(let identity) where !name.hasPrefix("."):
        if skipsUnderscored && name.hasPrefix("_") && !name.hasSuffix("_") {
          let inside = try FolderWalk(extensions: extensions, skipsUnderscored: false)
            .audioFiles(under: join(folder, name), except: [identity])
          if !inside.files.isEmpty { contents.leftOut.add(.underscoredFolder, count: inside.files.count) }
        } else {
          contents.folders.append((name, identity))
        }
      case .file where isAudio: contents.files.append(name)
      case nil where isAudio: contents.files.append(name)  // just gone
      case .file: contents.leftOut.add(name: name, extensions: extensions)
      default: break
      }
    }
    return contents
  }

  /// The names in `folder`, hidden ones too, in no order; as text that leads back to them.
  private func names(in folder: String) throws(DatasetError) -> [String] {
    do {
      return try FileAccess.names(in: folder.filePath).map(\.escaped)
    } catch { throw .file(error) }
  }

  /// The audio files under `folder`, relative to it. Each folder is entered once, those in `visited` never, so that
  /// links in a circle come to an end.
  func audioFiles(
    under folder: String, except visited: Set<FileIdentity>
  ) throws(DatasetError) -> (files: [String], leftOut: LeftOut) {
    var visited = visited
    var found: [String] = []
    var leftOut = LeftOut()
    try collect(folder, prefix: "", visited: &visited, into: &found, &leftOut)
    return (found.sorted(by: bytesPrecede), leftOut)
  }

  private func collect(
    _ folder: String, prefix: String, visited: inout Set<FileIdentity>, into found: inout [String],
    _ leftOut: inout LeftOut
  ) throws(DatasetError) {
    let contents = try contents(of: folder)
    leftOut.add(contents.leftOut)
    for file in contents.files { found.append(prefix + file) }
    for (name, identity) in contents.folders where visited.insert(identity).inserted {
      try collect(join(folder, name), prefix: prefix + name + "/", visited: &visited, into: &found, &leftOut)
    }
  }
}

// Paths are bytes to the system: a combining mark after a slash makes another `Character` of it, but separates all the same.

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
