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

/// What can go wrong between Auricle and a file system; `reason` is the system's own sentence.
public enum FileError: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  case tooLarge(path: String, bytes: Int, limit: Int)
  /// Whoever read the pipe at `path` has gone.
  case closedPipe(path: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .tooLarge(let path, let bytes, let limit): "\(path): \(bytes) bytes is more than the \(limit) allowed here"
    case .closedPipe(let path): "\(path): cannot be written: nobody reads the pipe any more"
    }
  }
}

/// Reads and writes whole files; `-` means standard input and standard output.
///
/// Nothing waits for ever: a named pipe or a device that gives nothing for `patience` seconds is an error. Only standard
/// input may take its time.
public enum FileAccess {
  /// The most that is read from a pipe or a device, which may have no end, in bytes.
  public static let streamLimit = 1 << 30
  /// Seconds.
  static let patience = 10

  /// All bytes of the file at `path`, or of standard input for `-`.
  ///
  /// Throws `FileError.tooLarge` as soon as more than `limit` bytes have arrived, whatever the file's size said; of a pipe
  /// or a device, more than `streamLimit`.
  public static func read(_ path: String, limit: Int = .max) throws(FileError) -> [UInt8] {
    let descriptor = try openToRead(path)
    defer { if descriptor != 0 { close(descriptor) } }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
    let size = Int(status.st_size)
    let limit = status.st_mode & S_IFMT == S_IFREG ? limit : min(limit, streamLimit)
    guard size <= limit else { throw .tooLarge(path: path, bytes: size, limit: limit) }

    var bytes: [UInt8] = []
    var length = 0
    while true {
      let block = min(max(65_536, length == 0 ? size : length), limit - length) + 1
      if bytes.count < length + block {
        bytes.append(contentsOf: repeatElement(0, count: length + block - bytes.count))
      }
      let outcome = bytes.withUnsafeMutableBytes { bytes in
        readSome(descriptor, UnsafeMutableRawBufferPointer(rebasing: bytes[length...]), path: path)
      }
      let count = try outcome.get()
      if count == 0 { break }
      length += count
      guard length <= limit else { throw .tooLarge(path: path, bytes: length, limit: limit) }
    }
    bytes.removeLast(bytes.count - length)
    return bytes
  }

  private static func openToRead(_ path: String) throws(FileError) -> Int32 {
    // Opened without waiting for whoever is to write to a named pipe; `readSome` waits.
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
    return descriptor
  }

  /// Reads what is there, and waits when there is nothing; returns the number of bytes, 0 at the end.
  private static func readSome(
    _ descriptor: Int32, _ target: UnsafeMutableRawBufferPointer, path: String
  ) -> Result<Int, FileError> {
    while true {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if path != "-" && poll(&waiting, 1, Int32(1000 * patience)) == 0 {
        return .failure(.unreadable(path: path, reason: "nothing came for \(patience) seconds"))
      }
      let count = systemRead(descriptor, target.baseAddress, target.count)
      if count >= 0 { return .success(count) }
      guard errno == EINTR || errno == EAGAIN else {
        return .failure(.unreadable(path: path, reason: systemReason()))
      }
    }
  }

  /// Hands the bytes of the file at `path`, or of standard input for `-`, to `each` in blocks, from front to back.
  public static func readBlocks(_ path: String, each: (ArraySlice<UInt8>) throws -> Void) throws {
    let descriptor = try openToRead(path)
    defer { if descriptor != 0 { close(descriptor) } }
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = try block.withUnsafeMutableBytes { readSome(descriptor, $0, path: path) }.get()
      if count == 0 { return }
      try each(block[..<count])
    }
  }

  /// Whether anything stands at `path`.
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether the file at `path` can be read and holds `bytes` at `offset`.
  public static func hasPrefix(_ path: String, at offset: Int = 0, _ bytes: [UInt8]) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var found = [UInt8](repeating: 0, count: bytes.count)
    return pread(descriptor, &found, found.count, off_t(offset)) == bytes.count && found == bytes
  }

  /// Bytes in the regular file at `path`, links followed; nil when there is none, or something else.
  public static func size(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// Whether a folder stands at `path`, links followed.
  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Writes `bytes` to `path` so that a reader sees the old file or the new one, whole: into a temporary file in the
  /// same folder, flushed to disk, then renamed. Writes straight to standard output for `-`, and straight through to
  /// anything that is not a regular file (a pipe, `/dev/null`).
  public static func writeAtomically(_ bytes: some Collection<UInt8>, to path: String) throws(FileError) {
    if path == "-" { return try write(bytes, to: 1, path: path) }
    var status = stat()
    if stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG {
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
      defer { close(descriptor) }
      return try write(bytes, to: descriptor, path: path)
    }

    let temporary = temporaryName(for: path)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
    do throws(FileError) {
      defer { close(descriptor) }
      try write(bytes, to: descriptor, path: path)
      guard fsync(descriptor) == 0 else { throw FileError.unwritable(path: path, reason: systemReason()) }
      guard rename(temporary, path) == 0 else { throw FileError.unwritable(path: path, reason: systemReason()) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Writes `text` as UTF-8; see `writeAtomically(_:to:)`.
  public static func writeAtomically(_ text: String, to path: String) throws(FileError) {
    try writeAtomically(Array(text.utf8), to: path)
  }

  /// Throws unless a file can be written at `path`, so that a long run can refuse its output before it begins.
  public static func checkWritable(_ path: String) throws(FileError) {
    if path == "-" { return }
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else { throw .unwritable(path: path, reason: "it is a folder") }
      if status.st_mode & S_IFMT != S_IFREG { return }
    }
    // What a later write does first: a new file in the same folder.
    let trial = temporaryName(for: path)
    let descriptor = open(trial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
    close(descriptor)
    unlink(trial)
  }

  private static func temporaryName(for path: String) -> String {
    path + ".\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
  }

  /// Makes the folder at `path`, and those above it, unless they exist.
  public static func makeFolder(_ path: String) throws(FileError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(path: path, reason: "the folder cannot be made")
    }
  }

  static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32, path: String) throws(FileError) {
    func writeAll(_ buffer: UnsafeRawBufferPointer) throws(FileError) {
      var rest = buffer
      while !rest.isEmpty {
        let count = systemWrite(descriptor, rest.baseAddress!, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count < 0 && errno == EPIPE { throw .closedPipe(path: path) }
        guard count > 0 else { throw .unwritable(path: path, reason: systemReason()) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
    let outcome: Result<Void, FileError> =
      bytes.withContiguousStorageIfAvailable { buffer in
        Result { () throws(FileError) in try writeAll(UnsafeRawBufferPointer(buffer)) }
      } ?? Array(bytes).withUnsafeBytes { buffer in Result { () throws(FileError) in try writeAll(buffer) } }
    try outcome.get()
  }
}

/// The sentence the system has for the last failed call ("No such file or directory").
public func systemReason() -> String {
  String(cString: strerror(errno))
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, buffer, count)
}
