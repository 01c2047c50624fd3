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

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .tooLarge(let path, let bytes, let limit): "\(path): \(bytes) bytes is more than the \(limit) allowed here"
    }
  }
}

/// Reads and writes whole files; `-` means standard input and standard output.
public enum FileAccess {
  /// All bytes of the file at `path`, or of standard input for `-`.
  ///
  /// Throws `FileError.tooLarge` as soon as more than `limit` bytes have arrived, whatever the file's size said.
  public static func read(_ path: String, limit: Int = .max) throws(FileError) -> [UInt8] {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
    defer { if descriptor != 0 { close(descriptor) } }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
    let size = Int(status.st_size)
    guard size <= limit else { throw .tooLarge(path: path, bytes: size, limit: limit) }

    var bytes: [UInt8] = []
    var length = 0
    while true {
      let block = max(65_536, length == 0 ? size + 1 : length)
      if bytes.count < length + block {
        bytes.append(contentsOf: repeatElement(0, count: length + block - bytes.count))
      }
      let count = bytes.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress! + length, $0.count - length) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
      if count == 0 { break }
      length += count
      guard length <= limit else { throw .tooLarge(path: path, bytes: length, limit: limit) }
    }
    bytes.removeLast(bytes.count - length)
    return bytes
  }

  /// Hands the bytes of the file at `path`, or of standard input for `-`, to `each` in blocks, from front to back.
  public static func readBlocks(_ path: String, each: (ArraySlice<UInt8>) throws -> Void) throws {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError.unreadable(path: path, reason: systemReason()) }
    defer { if descriptor != 0 { close(descriptor) } }
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = block.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress!, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError.unreadable(path: path, reason: systemReason()) }
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

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, buffer, count)
}
