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
  private let descriptor: Int32

  /// Opens the file at `path`, making it unless it exists, and cuts it to its first `keeping` bytes. For `-` it is
  /// standard output; a pipe or a device cannot be cut, and is written to as it is.
  public init(path: String, keeping byteCount: Int) throws(FileError) {
    self.path = path
    descriptor = path == "-" ? 1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
    var status = stat()
    if path != "-", fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw .unwritable(path: path, reason: systemReason()) }
    }
  }

  deinit {
    if descriptor > 2 { close(descriptor) }
  }

  public func append(_ bytes: some Collection<UInt8>) throws(FileError) {
    try FileAccess.write(bytes, to: descriptor, path: path)
  }
}
