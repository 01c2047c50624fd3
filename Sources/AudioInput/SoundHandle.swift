import AuricleBase
import CSndfile

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sole owner of one open libsndfile handle, and of what it reads from: a file descriptor, or bytes in memory.
struct SoundHandle: ~Copyable {
  let sound: OpaquePointer
  let info: SF_INFO
  /// Size of the encoded file.
  let byteCount: Int
  private let descriptor: Int32?
  private let memory: MemoryFile?

  /// What is not a regular file is held in memory; this is the most it may be.
  static let memoryLimit = 1 << 30

  init(path: String) throws(AudioError) {
    var status = stat()
    if path == "-" {
      try self.init(bytesOf: path)
    } else if stat(path, &status) != 0 {
      throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: systemReason())
    } else if status.st_mode & S_IFMT == S_IFDIR {
      throw .isDirectory(path: path)
    } else if status.st_mode & S_IFMT != S_IFREG {
      try self.init(bytesOf: path)
    } else if status.st_size == 0 {
      throw .emptyFile(path: path)
    } else {
      try self.init(regularFile: path, byteCount: Int(status.st_size))
    }
  }

  // By descriptor rather than by name: for a name ending in .au, .snd, .vox or .gsm sf_open takes a file without a
  // header for raw samples, so that a text file called one.au would be "decoded".
  private init(regularFile path: String, byteCount: Int) throws(AudioError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
    var info = SF_INFO()
    guard let sound = sf_open_fd(descriptor, Int32(SFM_READ), &info, 0) else {
      var start = [UInt8](repeating: 0, count: FileSignature.length)
      let count = start.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
      close(descriptor)
      throw .refused(path, start: Array(start.prefix(max(0, count))))
    }
    self.sound = sound
    self.info = info
    self.byteCount = byteCount
    self.descriptor = descriptor
    memory = nil
  }

  private init(bytesOf path: String) throws(AudioError) {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try FileAccess.read(path, limit: Self.memoryLimit)
    } catch {
      switch error {
      case .tooLarge: throw .tooLarge(path: path, limit: Self.memoryLimit)
      case .unreadable(_, let reason), .unwritable(_, let reason): throw .unreadable(path: path, reason: reason)
      }
    }
    guard !bytes.isEmpty else { throw .emptyFile(path: path) }
    let memory = MemoryFile(bytes)
    var info = SF_INFO()
    var calls = MemoryFile.calls
    let user = Unmanaged.passUnretained(memory).toOpaque()
    guard let sound = sf_open_virtual(&calls, Int32(SFM_READ), &info, user) else {
      throw .refused(path, start: Array(bytes.prefix(FileSignature.length)))
    }
    self.sound = sound
    self.info = info
    byteCount = bytes.count
    descriptor = nil
    self.memory = memory
  }

  /// What libsndfile says of the last failed call on this handle: "Error : flac decoder lost sync." without its frills.
  var errorSentence: String {
    var sentence = sf_strerror(sound).map { String(cString: $0) }?[...] ?? "unknown error"
    if sentence.hasPrefix("Error : ") { sentence = sentence.dropFirst(8) }
    while let last = sentence.last, last == "." || last.isWhitespace { sentence.removeLast() }
    return String(sentence)
  }

  deinit {
    sf_close(sound)
    if let descriptor { close(descriptor) }
  }
}

extension AudioError {
  fileprivate static func refused(_ path: String, start: [UInt8]) -> AudioError {
    switch FileSignature(start) {
    case .audio(let container): .damaged(path: path, container: container)
    case .other(let resemblance): .notAudio(path: path, resemblance: resemblance)
    case .unknown: .notAudio(path: path, resemblance: nil)
    }
  }
}

/// Bytes that libsndfile reads as if they were a file.
private final class MemoryFile {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The functions libsndfile calls; their last argument is an unretained `MemoryFile`.
  static var calls: SF_VIRTUAL_IO {
    SF_VIRTUAL_IO(
      get_filelen: { user in sf_count_t(MemoryFile.file(user)?.bytes.count ?? 0) },
      seek: { offset, whence, user in MemoryFile.file(user)?.seek(offset, whence) ?? -1 },
      read: { target, count, user in MemoryFile.file(user)?.read(target, count) ?? 0 },
      write: { _, _, _ in 0 },
      tell: { user in sf_count_t(MemoryFile.file(user)?.position ?? 0) })
  }

  private static func file(_ user: UnsafeMutableRawPointer?) -> MemoryFile? {
    user.map { Unmanaged<MemoryFile>.fromOpaque($0).takeUnretainedValue() }
  }

  private func seek(_ offset: sf_count_t, _ whence: Int32) -> sf_count_t {
    let origin = whence == SEEK_CUR ? position : whence == SEEK_END ? bytes.count : 0
    let (target, overflow) = origin.addingReportingOverflow(Int(offset))
    guard !overflow && target >= 0 else { return -1 }
    position = target
    return sf_count_t(target)
  }

  private func read(_ target: UnsafeMutableRawPointer?, _ count: sf_count_t) -> sf_count_t {
    let length = min(Int(count), bytes.count - position)
    guard let target, length > 0 else { return 0 }
    bytes.withUnsafeBytes { target.copyMemory(from: $0.baseAddress! + position, byteCount: length) }
    position += length
    return sf_count_t(length)
  }
}
