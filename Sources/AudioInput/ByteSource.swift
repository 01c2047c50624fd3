import AuricleBase

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The bytes of a file, on the disk or in memory.
///
/// A regular file is read as it is needed; standard input, a pipe or a device is first read whole, at most 1 GiB.
final class ByteSource {
  private enum Storage {
    case regularFile(descriptor: Int32)
    case scratch(ScratchFile)
    case memory([UInt8])
  }

  let byteCount: Int
  /// The system's sentence for the first failed read.
  private(set) var failure: String?
  private let storage: Storage

  /// A regular file up to this size is read at once: headers are read a few bytes at a time.
  private static let smallFile = 1 << 18

  init(path: String) throws(AudioError) {
    var status = stat()
    if path != "-" && path.withSystemPath({ stat($0, &status) }) != 0 {
      throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: systemReason())
    }
    let kind = path == "-" ? S_IFIFO : status.st_mode & S_IFMT
    guard kind != S_IFDIR else { throw .isDirectory(path: path) }
    if kind == S_IFREG && status.st_size > Self.smallFile {
      byteCount = Int(status.st_size)
      let descriptor = path.withSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
      guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
      storage = .regularFile(descriptor: descriptor)
    } else {
      let bytes: [UInt8]
      do throws(FileError) {
        bytes = try FileAccess.read(path)
      } catch {
        switch error {
        case .tooLarge(_, _, let limit): throw .tooLarge(path: path, limit: limit)
        case .unreadable(_, let reason), .unwritable(_, let reason): throw .unreadable(path: path, reason: reason)
        case .closedPipe: throw .unreadable(path: path, reason: error.description)
        }
      }
      byteCount = bytes.count
      guard byteCount > 0 else { throw .emptyFile(path: path) }
      storage = .memory(bytes)
    }
  }

  /// What another program wrote.
  init(_ file: ScratchFile) {
    byteCount = file.byteCount
    storage = .scratch(file)
  }

  deinit {
    if case .regularFile(let descriptor) = storage { close(descriptor) }
  }

  /// The bytes of `range`, or as many of them as there are.
  func bytes(_ range: Range<Int>) -> [UInt8] {
    let range = range.clamped(to: 0..<byteCount)
    return Array(unsafeUninitializedCapacity: range.count) { buffer, length in
      length = read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// Whether all bytes of `range` are 0.
  func isZero(_ range: Range<Int>) -> Bool {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16) {
      let block = bytes(start..<min(start + 1 << 16, range.upperBound))
      guard block.allSatisfy({ $0 == 0 }) else { return false }
    }
    return true
  }

  /// Fills `target` from `offset`, and returns how many bytes there were.
  func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) -> Int {
    guard offset >= 0, offset < byteCount, let base = target.baseAddress else { return 0 }
    let count = min(target.count, byteCount - offset)
    switch storage {
    case .memory(let bytes):
      target.copyBytes(from: bytes[offset..<offset + count])
      return count
    case .regularFile(let descriptor): return read(descriptor, at: offset, into: base, count)
    case .scratch(let file): return read(file.descriptor, at: offset, into: base, count)
    }
  }

  private func read(_ descriptor: Int32, at offset: Int, into base: UnsafeMutableRawPointer, _ count: Int) -> Int {
    var length = 0
    while length < count {
      let part = pread(descriptor, base + length, count - length, off_t(offset + length))
      if part < 0 && errno == EINTR { continue }
      if part < 0 { failure = failure ?? systemReason() }
      guard part > 0 else { break }
      length += part
    }
    return length
  }
}
