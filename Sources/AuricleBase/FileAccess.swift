import SystemPackage

// What swift-system has not got: poll, fsync, rename, unlink, mkdir.
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
    let file = try openToRead(path)
    defer { if file != .standardInput { try? file.close() } }
    let status: Stat
    do { status = try Stat(file) } catch { throw .unreadable(path: path, reason: error.description) }
    let size = Int(status.size)
    let limit = status.type == .regular ? limit : min(limit, streamLimit)
    guard size <= limit else { throw .tooLarge(path: path, bytes: size, limit: limit) }

    var bytes: [UInt8] = []
    var length = 0
    while true {
      let block = min(max(65_536, length == 0 ? size : length), limit - length) + 1
      if bytes.count < length + block {
        bytes += [UInt8](repeating: 0, count: length + block - bytes.count)
      }
      let outcome = bytes.withUnsafeMutableBytes { bytes in
        readSome(file, UnsafeMutableRawBufferPointer(rebasing: bytes[length...]), path: path)
      }
      let count = try outcome.get()
      if count == 0 { break }
      length += count
      guard length <= limit else { throw .tooLarge(path: path, bytes: length, limit: limit) }
    }
    bytes.removeLast(bytes.count - length)
    return bytes
  }

  private static func openToRead(_ path: String) throws(FileError) -> FileDescriptor {
    if path == "-" { return .standardInput }
    // Opened without waiting for whoever is to write to a named pipe; `readSome` waits.
    return try unreadable(path) { try .open(path.filePath, .readOnly, options: [.closeOnExec, .nonBlocking]) }
  }

  /// Reads what is there, and waits when there is nothing; returns the number of bytes, 0 at the end.
  private static func readSome(
    _ file: FileDescriptor, _ target: UnsafeMutableRawBufferPointer, path: String
  ) -> Result<Int, FileError> {
    while true {
      var waiting = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
      if path != "-" && poll(&waiting, 1, Int32(1000 * patience)) == 0 {
        return .failure(.unreadable(path: path, reason: "nothing came for \(patience) seconds"))
      }
      do {
        return .success(try file.read(into: target))
      } catch Errno.resourceTemporarilyUnavailable {
        continue
      } catch {
        return .failure(.unreadable(path: path, reason: reason(error)))
      }
    }
  }

  /// Hands the bytes of the file at `path`, or of standard input for `-`, to `each` in blocks, from front to back.
  public static func readBlocks(_ path: String, each: (ArraySlice<UInt8>) throws -> Void) throws {
    let file = try openToRead(path)
    defer { if file != .standardInput { try? file.close() } }
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = try block.withUnsafeMutableBytes { readSome(file, $0, path: path) }.get()
      if count == 0 { return }
      try each(block[..<count])
    }
  }

  /// Whether anything stands at `path`.
  public static func exists(_ path: String) -> Bool { (try? Stat(path.filePath)) != nil }

  /// Whether the file at `path` can be read and holds `bytes` at `offset`.
  public static func hasPrefix(_ path: String, at offset: Int = 0, _ bytes: [UInt8]) -> Bool {
    guard let file = try? FileDescriptor.open(path.filePath, .readOnly, options: [.closeOnExec, .nonBlocking]) else {
      return false
    }
    defer { try? file.close() }
    var found = [UInt8](repeating: 0, count: bytes.count)
    let count = try? found.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
    return count == bytes.count && found == bytes
  }

  /// Bytes in the regular file at `path`, links followed; nil when there is none, or something else.
  public static func size(of path: String) -> Int? {
    guard let status = try? Stat(path.filePath), status.type == .regular else { return nil }
    return Int(status.size)
  }

  /// Whether a folder stands at `path`, links followed.
  public static func isFolder(_ path: String) -> Bool { (try? Stat(path.filePath))?.type == .directory }

  /// Writes `bytes` to `path` so that a reader sees the old file or the new one, whole: into a temporary file in the
  /// same folder, flushed to disk, then renamed. Writes straight to standard output for `-`, and straight through to
  /// anything that is not a regular file (a pipe, `/dev/null`).
  public static func writeAtomically(_ bytes: some Collection<UInt8>, to path: String) throws(FileError) {
    if path == "-" { return try write(bytes, to: .standardOutput, path: path) }
    if let status = try? Stat(path.filePath), status.type != .regular {
      let file = try unwritable(path) { try FileDescriptor.open(path.filePath, .writeOnly, options: .closeOnExec) }
      defer { try? file.close() }
      return try write(bytes, to: file, path: path)
    }

    let (temporary, file) = try openTemporary(for: path)
    do throws(FileError) {
      defer { try? file.close() }
      try write(bytes, to: file, path: path)
      guard fsync(file.rawValue) == 0 else { throw FileError.unwritable(path: path, reason: systemReason()) }
      guard rename(temporary, to: path) else { throw FileError.unwritable(path: path, reason: systemReason()) }
    } catch {
      remove(temporary)
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
    if let status = try? Stat(path.filePath) {
      guard status.type != .directory else { throw .unwritable(path: path, reason: "it is a folder") }
      if status.type != .regular { return }
    }
    // What a later write does first: a new file in the same folder.
    let (trial, file) = try openTemporary(for: path)
    try? file.close()
    remove(trial)
  }

  private static func openTemporary(for path: String) throws(FileError) -> (String, FileDescriptor) {
    let temporary = path + ".\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
    let file = try unwritable(path) {
      try FileDescriptor.open(
        temporary.filePath, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .everybody)
    }
    return (temporary, file)
  }

  /// Makes the folder at `path`, and those above it, unless they exist.
  public static func makeFolder(_ path: String) throws(FileError) {
    if isFolder(path) { return }
    let above = FilePath(path).removingLastComponent()
    if !above.isEmpty { try makeFolder(above.string) }
    guard path.withSystemPath({ mkdir($0, 0o777) }) == 0 || isFolder(path) else {
      throw .unwritable(path: path, reason: "the folder cannot be made: \(systemReason())")
    }
  }

  /// False where the system refuses; see `systemReason`.
  package static func rename(_ path: String, to name: String) -> Bool {
    path.withSystemPath { path in name.withSystemPath { name in renameat(AT_FDCWD, path, AT_FDCWD, name) } } == 0
  }

  /// Removes the file at `path`, if it is there.
  package static func remove(_ path: String) {
    _ = path.withSystemPath(unlink)
  }

  static func write(
    _ bytes: some Collection<UInt8>, to file: FileDescriptor, path: String
  ) throws(FileError) {
    do {
      _ = try file.writeAll(bytes)
    } catch Errno.brokenPipe {
      throw .closedPipe(path: path)
    } catch {
      throw .unwritable(path: path, reason: reason(error))
    }
  }
}

extension FilePermissions {
  /// To be read and written by everybody, less what the process's mask takes away.
  static let everybody: FilePermissions = [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
}

/// Makes a `FileError` of what swift-system throws.
func unreadable<Result>(_ path: String, _ body: () throws -> Result) throws(FileError) -> Result {
  do { return try body() } catch { throw .unreadable(path: path, reason: reason(error)) }
}

func unwritable<Result>(_ path: String, _ body: () throws -> Result) throws(FileError) -> Result {
  do { return try body() } catch { throw .unwritable(path: path, reason: reason(error)) }
}

private func reason(_ error: any Error) -> String {
  (error as? Errno)?.description ?? "\(error)"
}

/// The sentence the system has for the last failed call ("No such file or directory").
public func systemReason() -> String {
  String(cString: strerror(errno))
}
