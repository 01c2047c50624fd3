#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
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
  private let descriptor: Int32
  private let folder: String

  /// Makes an empty file in the folder that the environment variable `TMPDIR` names, `/tmp` otherwise.
  public init() throws(FileError) {
    folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var name = Array("\(folder)/auricle-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw .unwritable(path: folder, reason: systemReason()) }
    unlink(name)
  }

  deinit { close(descriptor) }

  /// Writes all of `bytes` at `offset`.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .unwritable(path: "temporary file in \(folder)", reason: systemReason()) }
      done += count
    }
  }

  /// Fills `bytes` from `offset` on.
  public func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let reason = count == 0 ? "it is cut short" : systemReason()
        throw .unreadable(path: "temporary file in \(folder)", reason: reason)
      }
      done += count
    }
  }
}
