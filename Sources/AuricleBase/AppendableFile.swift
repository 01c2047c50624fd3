import SystemPackage

// What swift-system has not got: flock, fsync, rename.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is written from its end on, a piece at a time.
///
/// Each piece is handed to the system at once: it is in the file even if the program is killed right after. Closed when
/// the value is let go. Not `Sendable`.
public final class AppendableFile {
  private let path: String
  private let file: FileDescriptor

  /// Opens the file at `path`, making it unless it exists, and cuts it to its first `keeping` bytes. For `-` it is
  /// standard output; a pipe or a device cannot be cut, and is written to as it is.
  ///
  /// With `exclusively`, no other process that asks for the same can have it open; it throws while one has.
  public init(path: String, keeping byteCount: Int, exclusively: Bool = false) throws(FileError) {
    self.path = path
    guard path != "-" else {
      file = .standardOutput
      return
    }
    let file = try unwritable(path) {
      try FileDescriptor.open(
        path.filePath, .writeOnly, options: [.create, .append, .closeOnExec], permissions: .everybody)
    }
    self.file = file
    guard !exclusively || flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
      throw .unwritable(path: path, reason: "another run is writing it")
    }
    if let status = try? Stat(file), status.type == .regular {
      guard status.size >= byteCount else { throw .unwritable(path: path, reason: "another run has changed it") }
      try unwritable(path) { try file.resize(to: Int64(byteCount)) }
    }
  }

  deinit {
    if path != "-" { try? file.close() }
  }

  public func append(_ bytes: some Collection<UInt8>) throws(FileError) {
    try FileAccess.write(bytes, to: file, path: path)
  }

  /// Gives the file another name, once all of it is on the disk.
  public func rename(to name: String) throws(FileError) {
    guard fsync(file.rawValue) == 0, FileAccess.rename(path, to: name) else {
      throw .unwritable(path: name, reason: systemReason())
    }
  }
}
