import SystemPackage

/// A file that is written from its end on, a piece at a time.
///
/// Each piece is handed to the system at once: it is in the file even if the program is killed right after. Closed when
/// the value is let go. Not `Sendable`.
public final class AppendableFile {
  private let path: String
  private let file: FileDescriptor

  /// Opens the file at `path`, making it unless it exists, and cuts it to its first `keeping` bytes. For `-` it is
  /// standard output; a pipe or a device cannot be cut, and is written to as it is.
  public init(path: String, keeping byteCount: Int) throws(FileError) {
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
    if (try? Stat(file))?.type == .regular {
      try unwritable(path) { try file.resize(to: Int64(byteCount)) }
    }
  }

  deinit {
    if path != "-" { try? file.close() }
  }

  public func append(_ bytes: some Collection<UInt8>) throws(FileError) {
    try FileAccess.write(bytes, to: file, path: path)
  }
}
