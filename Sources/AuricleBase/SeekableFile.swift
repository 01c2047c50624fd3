import SystemPackage

/// A file that is read here and there, by any number of threads.
public final class SeekableFile: Sendable {
  public let path: String
  /// Bytes in it when it was opened.
  public let size: Int
  private let file: FileDescriptor

  /// Throws `FileError` where there is no regular file.
  public init(_ path: String) throws(FileError) {
    guard let size = FileAccess.size(of: path) else {
      throw .unreadable(
        path: path,
        reason: FileAccess.isFolder(path)
          ? "it is a folder" : FileAccess.exists(path) ? "it is not a regular file" : "No such file or directory")
    }
    self.path = path
    self.size = size
    file = try unreadable(path) { try .open(path.filePath, .readOnly, options: .closeOnExec) }
  }

  deinit { try? file.close() }

  /// `count` bytes from `offset` on; fewer at the end of the file.
  public func read(_ count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, min(count, size - offset)))
    var length = 0
    while length < bytes.count, offset >= 0 {
      let part = try unreadable(path) {
        try bytes.withUnsafeMutableBytes {
          try file.read(
            fromAbsoluteOffset: Int64(offset + length), into: UnsafeMutableRawBufferPointer(rebasing: $0[length...]))
        }
      }
      if part == 0 { break }
      length += part
    }
    bytes.removeLast(bytes.count - length)
    return bytes
  }
}
