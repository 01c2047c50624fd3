import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file without a name for what does not fit into memory. The system removes it when it is no longer used, however the
/// program ends. Threads may read it at once.
public final class ScratchFile: Sendable {
  private let file: FileDescriptor
  private let name: String

  /// Makes an empty file in the folder that the environment variable `TMPDIR` names, `/tmp` otherwise.
  public init() throws(FileError) {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var path = Array("\(folder)/auricle-XXXXXX".utf8CString)
    file = FileDescriptor(rawValue: mkstemp(&path))
    guard file.rawValue >= 0 else { throw .unwritable(path: folder, reason: systemReason()) }
    unlink(path)
    _ = fcntl(file.rawValue, F_SETFD, FD_CLOEXEC)
    name = "temporary file in \(folder)"
  }

  deinit { try? file.close() }

  /// For a program that reads or writes the file itself; closed when the `ScratchFile` is no longer used.
  package var descriptor: Int32 { file.rawValue }

  package var byteCount: Int { (try? Stat(file)).map { Int($0.size) } ?? 0 }

  /// Writes all of `bytes` at `offset`.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    _ = try unwritable(name) { try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
  }

  /// Fills `bytes` from `offset` on.
  public func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = try unreadable(name) {
        try file.read(
          fromAbsoluteOffset: Int64(offset + done), into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]))
      }
      guard count > 0 else { throw .unreadable(path: name, reason: "it is cut short") }
      done += count
    }
  }
}
