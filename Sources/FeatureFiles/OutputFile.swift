import AuricleBase

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is written from front to back under a temporary name, and gets its own when it is whole.
///
/// A file that is abandoned is removed, unless it was opened to be continued another time.
final class OutputFile {
  private let path: String
  private var temporary: String
  private let descriptor: Int32
  private let isKept: Bool
  private var buffer: [UInt8] = []
  /// Bytes in the file before the buffer.
  private var written: Int
  private var isPublished = false

  private static let bufferSize = 1 << 16

  /// Bytes so far.
  var size: Int { written + buffer.count }

  init(path: String) throws(FileError) {
    self.path = path
    temporary = path + ".\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
    written = 0
    isKept = false
    descriptor = temporary.withSystemPath { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
  }

  /// Continues the file at `temporary`, or begins it; `path` is its name when it is whole.
  ///
  /// Throws `FeatureFileError.inUse` while another process has it open in this way.
  init(path: String, continuing temporary: String) throws {
    self.path = path
    self.temporary = temporary
    isKept = true
    descriptor = temporary.withSystemPath { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
    written = 0
    guard descriptor >= 0 else { throw FileError.unwritable(path: temporary, reason: systemReason()) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw FeatureFileError.inUse(path: path) }
    written = max(0, Int(lseek(descriptor, 0, SEEK_END)))
  }

  deinit {
    // An archive that is to be continued keeps all that was finished.
    if isKept && !isPublished { try? flush() }
    close(descriptor)
    if !isPublished && !isKept { FileAccess.remove(temporary) }
  }

  func append(_ bytes: some Collection<UInt8>) throws(FileError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= OutputFile.bufferSize { try flush() }
  }

  /// Writes over what stands at the beginning.
  func replaceStart(with bytes: [UInt8]) throws(FileError) {
    if written == 0 && buffer.count >= bytes.count {
      buffer.replaceSubrange(..<bytes.count, with: bytes)
    } else {
      try flush()
      try write(bytes, at: 0)
    }
  }

  /// Up to `count` bytes from `offset` of what was flushed; fewer at the end.
  func read(_ count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, min(count, written - offset)))
    var length = 0
    while length < bytes.count {
      let part = bytes.withUnsafeMutableBytes { buffer in
        buffer.baseAddress.map { pread(descriptor, $0 + length, buffer.count - length, off_t(offset + length)) } ?? 0
      }
      if part < 0 && errno == EINTR { continue }
      guard part >= 0 else { throw .unreadable(path: temporary, reason: systemReason()) }
      if part == 0 { break }
      length += part
    }
    bytes.removeLast(bytes.count - length)
    return bytes
  }

  func starts(with bytes: [UInt8], at offset: Int) throws(FileError) -> Bool {
    try read(bytes.count, at: offset) == bytes
  }

  /// Cuts everything after `size` bytes.
  func truncate(to size: Int) throws(FileError) {
    try flush()
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw .unwritable(path: path, reason: systemReason()) }
    written = size
  }

  func flush() throws(FileError) {
    try write(buffer, at: written)
    written += buffer.count
    buffer.removeAll(keepingCapacity: true)
  }

  /// Gives a whole file that is to be continued a temporary name again.
  func withdraw(to temporary: String) throws(FileError) {
    guard FileAccess.rename(self.temporary, to: temporary) else {
      throw .unwritable(path: path, reason: systemReason())
    }
    self.temporary = temporary
  }

  /// Lets other processes write the file.
  func unlock() {
    flock(descriptor, LOCK_UN)
  }

  /// Gives the file its own name; `durably`, once all of it is on the disk.
  func publish(durably: Bool = true) throws(FileError) {
    try flush()
    guard !durably || fsync(descriptor) == 0, FileAccess.rename(temporary, to: path) else {
      throw .unwritable(path: path, reason: systemReason())
    }
    isPublished = true
  }

  private func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var length = 0
    while length < bytes.count {
      let part = bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.map { pwrite(descriptor, $0 + length, buffer.count - length, off_t(offset + length)) } ?? 0
      }
      if part < 0 && errno == EINTR { continue }
      guard part > 0 else { throw .unwritable(path: path, reason: systemReason()) }
      length += part
    }
  }
}
