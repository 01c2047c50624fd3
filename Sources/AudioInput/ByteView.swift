import CSndfile

/// What a decoder sees of a file: pieces of it one after the other, headers mended and foreign bytes left out.
final class ByteView {
  enum Piece {
    case bytes([UInt8])
    case file(Range<Int>)

    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .file(let range): range.count
      }
    }
  }

  let source: ByteSource
  let byteCount: Int
  private let pieces: [Piece]
  /// Where each piece begins.
  private let starts: [Int]
  private var position = 0

  /// What the decoder is told of the number of bytes.
  private let reportedCount: Int

  /// A decoder that estimates a length from the number of bytes, and stops there, is told of `times` as many.
  init(_ source: ByteSource, _ pieces: [Piece], times: Int = 1) {
    self.source = source
    self.pieces = pieces
    var starts: [Int] = []
    var count = 0
    for piece in pieces {
      starts.append(count)
      count += piece.count
    }
    self.starts = starts
    byteCount = count
    reportedCount = count * times
  }

  /// The first `count` bytes, or as many as there are.
  func start(_ count: Int) -> [UInt8] {
    Array(unsafeUninitializedCapacity: count) { buffer, length in
      length = read(at: 0, into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// Fills `target` from `offset`, and returns how many bytes there were.
  func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) -> Int {
    guard offset >= 0, offset < byteCount, !target.isEmpty else { return 0 }
    var index = piece(at: offset)
    var length = 0
    while index < pieces.count && length < target.count {
      let skipped = offset + length - starts[index]
      let count = min(pieces[index].count - skipped, target.count - length)
      let part = UnsafeMutableRawBufferPointer(rebasing: target[length..<length + count])
      switch pieces[index] {
      case .bytes(let bytes): part.copyBytes(from: bytes[skipped..<skipped + count])
      case .file(let range):
        let found = source.read(at: range.lowerBound + skipped, into: part)
        if found < count { return length + found }
      }
      length += count
      index += 1
    }
    return length
  }

  /// The last piece that begins at or before `offset`.
  private func piece(at offset: Int) -> Int {
    var (low, high) = (0, pieces.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Before a decoder is opened.
  func rewind() { position = 0 }

  /// The functions for libsndfile; their last argument is an unretained `ByteView`.
  static var calls: SF_VIRTUAL_IO {
    SF_VIRTUAL_IO(
      get_filelen: { user in sf_count_t(ByteView.from(user)?.reportedCount ?? 0) },
      seek: { offset, whence, user in ByteView.from(user)?.seek(offset, whence) ?? -1 },
      read: { target, count, user in ByteView.from(user)?.read(target, count) ?? 0 },
      write: { _, _, _ in 0 },
      tell: { user in sf_count_t(ByteView.from(user)?.position ?? 0) })
  }

  private static func from(_ user: UnsafeMutableRawPointer?) -> ByteView? {
    user.map { Unmanaged<ByteView>.fromOpaque($0).takeUnretainedValue() }
  }

  private func seek(_ offset: sf_count_t, _ whence: Int32) -> sf_count_t {
    let origin = whence == SEEK_CUR ? position : whence == SEEK_END ? reportedCount : 0
    let (target, overflow) = origin.addingReportingOverflow(Int(offset))
    guard !overflow && target >= 0 else { return -1 }
    position = target
    return sf_count_t(target)
  }

  private func read(_ start: UnsafeMutableRawPointer?, _ count: sf_count_t) -> sf_count_t {
    guard let start, count > 0 else { return 0 }
    let target = UnsafeMutableRawBufferPointer(start: start, count: Int(count))
    var length = read(at: position, into: target)
    // libmpg123 looks for a tag at the end that it was told of, and gives up where there is nothing.
    if reportedCount > byteCount && position >= reportedCount - 128 {
      length = min(target.count, max(0, reportedCount - position))
      target.initializeMemory(as: UInt8.self, repeating: 0)
    }
    position += length
    return sf_count_t(length)
  }
}
