import AuricleBase
import CSndfile

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sole owner of one open libsndfile handle and of the bytes it reads.
///
/// libsndfile gets its bytes by callback, and never a file's name or descriptor: given a name that ends in .au, .snd,
/// .vox or .gsm it takes a file without a header for raw samples, so that a text file called one.au would be "decoded";
/// and a descriptor it refuses it may close, though told not to.
struct SoundHandle: ~Copyable {
  let sound: OpaquePointer
  let info: SF_INFO
  private let source: ByteSource

  init(path: String) throws(AudioError) {
    let source = try ByteSource(path: path)
    var info = SF_INFO()
    var calls = ByteSource.calls
    guard let sound = sf_open_virtual(&calls, Int32(SFM_READ), &info, Unmanaged.passUnretained(source).toOpaque())
    else {
      if let reason = source.failure { throw .unreadable(path: path, reason: reason) }
      switch FileSignature(source.start(FileSignature.length)) {
      case .audio(let container): throw .damaged(path: path, container: container)
      case .other(let resemblance): throw .notAudio(path: path, resemblance: resemblance)
      case .unknown: throw .notAudio(path: path, resemblance: nil)
      }
    }
    self.source = source
    self.sound = sound
    self.info = info
  }

  /// Size of the encoded file.
  var byteCount: Int { source.byteCount }

  /// The sentence for what went wrong in the last call, if anything did.
  var failure: String? {
    if let reason = source.failure { return reason }
    guard sf_error(sound) != 0, let text = sf_strerror(sound) else { return nil }
    // "Error : flac decoder lost sync." without its frills.
    var sentence = String(cString: text)[...]
    if sentence.hasPrefix("Error : ") { sentence = sentence.dropFirst(8) }
    while let last = sentence.last, last == "." || last.isWhitespace { sentence.removeLast() }
    return String(sentence)
  }

  deinit {
    sf_close(sound)
  }
}

/// The bytes of a file, from the disk or from memory, behind the calls libsndfile makes.
private final class ByteSource {
  private enum Storage {
    case regularFile(descriptor: Int32)
    case memory([UInt8])
  }

  let byteCount: Int
  /// The system's sentence for the first failed read.
  private(set) var failure: String?
  private let storage: Storage
  private var position = 0

  /// A regular file up to this size is read at once: libsndfile asks for a header a few bytes at a time.
  private static let smallFile = 1 << 18

  init(path: String) throws(AudioError) {
    var status = stat()
    if path != "-" && stat(path, &status) != 0 {
      throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: systemReason())
    }
    let kind = path == "-" ? S_IFIFO : status.st_mode & S_IFMT
    guard kind != S_IFDIR else { throw .isDirectory(path: path) }
    if kind == S_IFREG && status.st_size > Self.smallFile {
      byteCount = Int(status.st_size)
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
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

  deinit {
    if case .regularFile(let descriptor) = storage { close(descriptor) }
  }

  /// The first `count` bytes, or as many as there are.
  func start(_ count: Int) -> [UInt8] {
    position = 0
    return Array(unsafeUninitializedCapacity: count) { buffer, length in
      length = Int(read(buffer.baseAddress, sf_count_t(count)))
    }
  }

  /// The functions for libsndfile; their last argument is an unretained `ByteSource`.
  static var calls: SF_VIRTUAL_IO {
    SF_VIRTUAL_IO(
      get_filelen: { user in sf_count_t(ByteSource.from(user)?.byteCount ?? 0) },
      seek: { offset, whence, user in ByteSource.from(user)?.seek(offset, whence) ?? -1 },
      read: { target, count, user in ByteSource.from(user)?.read(target, count) ?? 0 },
      write: { _, _, _ in 0 },
      tell: { user in sf_count_t(ByteSource.from(user)?.position ?? 0) })
  }

  private static func from(_ user: UnsafeMutableRawPointer?) -> ByteSource? {
    user.map { Unmanaged<ByteSource>.fromOpaque($0).takeUnretainedValue() }
  }

  private func seek(_ offset: sf_count_t, _ whence: Int32) -> sf_count_t {
    let origin = whence == SEEK_CUR ? position : whence == SEEK_END ? byteCount : 0
    let (target, overflow) = origin.addingReportingOverflow(Int(offset))
    guard !overflow && target >= 0 else { return -1 }
    position = target
    return sf_count_t(target)
  }

  private func read(_ target: UnsafeMutableRawPointer?, _ count: sf_count_t) -> sf_count_t {
    guard let target, count > 0 else { return 0 }
    let length =
      switch storage {
      case .regularFile(let descriptor): readFile(descriptor, target, Int(count))
      case .memory(let bytes): copy(bytes, target, Int(count))
      }
    position += length
    return sf_count_t(length)
  }

  private func readFile(_ descriptor: Int32, _ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
    var length = 0
    while length < count {
      let part = pread(descriptor, target + length, count - length, off_t(position + length))
      if part < 0 && errno == EINTR { continue }
      if part < 0 { failure = failure ?? systemReason() }
      guard part > 0 else { break }
      length += part
    }
    return length
  }

  private func copy(_ bytes: [UInt8], _ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
    let length = min(count, bytes.count - position)
    guard length > 0 else { return 0 }
    UnsafeMutableRawBufferPointer(start: target, count: length).copyBytes(from: bytes[position..<position + length])
    return length
  }
}
