/// The links of a chained Ogg file, a section each, once every page has been checked (RFC 3533).
///
/// Decoders stop at the end of the first link, and pass over pages whose checksum is wrong, or that are missing, without a
/// word.
struct OggStream {
  private let source: ByteSource
  private let path: String
  private let range: Range<Int>
  private var window: ByteWindow

  init(_ source: ByteSource, _ range: Range<Int>, path: String) {
    self.source = source
    self.path = path
    self.range = range
    window = ByteWindow(source, end: range.upperBound)
  }

  private struct Page {
    let isFirst: Bool
    let isLast: Bool
    let serial: Int
    let number: Int
    let headerCount: Int
    let byteCount: Int
  }

  mutating func sections() throws(AudioError) -> SoundSections {
    var links: [[ByteView.Piece]] = []
    var isFLAC = false
    var warnings: [AudioWarning] = []
    var isBeginning = false
    // The number of each stream's next page.
    var next: [Int: Int] = [:]
    var position = range.lowerBound
    while position < range.upperBound {
      guard let page = try page(at: position) else {
        let end = nextPage(after: position)
        if !source.isZero(position..<end) {
          warnings.append(.skippedBytes(path: path, count: end - position, seconds: 0))
        }
        position = end
        continue
      }
      var piece = position..<position + page.byteCount
      position = piece.upperBound
      if page.isFirst && !isBeginning {
        links.append([])
        next = [:]
        let start = window.bytes(at: piece.lowerBound + page.headerCount, 13)
        isFLAC = start.starts(with: [0x7F] + Array("FLAC".utf8)) && start.suffix(4).elementsEqual("fLaC".utf8)
        if start.starts(with: "Speex   ".utf8) {
          throw .unsupportedCodec(path: path, container: "Ogg", codec: "Speex")
        }
        // "FLAC", the mapping's version, the number of packets with metadata: then the stream as it is without Ogg.
        if isFLAC { piece = piece.dropFirst(9) }
      }
      if isFLAC { piece = piece.dropFirst(page.headerCount) }
      isBeginning = page.isFirst
      guard !links.isEmpty, page.isFirst || next[page.serial].map({ $0 == page.number }) ?? true else {
        throw .damagedPart(path: path, container: "Ogg", offset: position - page.byteCount)
      }
      next[page.serial] = page.number + 1
      if case .file(let last)? = links[links.count - 1].last, last.upperBound == piece.lowerBound {
        links[links.count - 1][links[links.count - 1].count - 1] = .file(last.lowerBound..<piece.upperBound)
      } else {
        links[links.count - 1].append(.file(piece))
      }
    }
    guard !links.isEmpty else { return SoundSections(source, range) }
    return SoundSections(links.map { SoundSection(view: ByteView(source, $0)) }, warnings: warnings)
  }

  /// The page that begins at `position` and is all there; nil for something else, or for one that the file's end cuts.
  private mutating func page(at position: Int) throws(AudioError) -> Page? {
    let header = Array(window.bytes(at: position, 27))
    guard header.count == 27, header.starts(with: "OggS".utf8), header[4] == 0 else { return nil }
    let segments = Array(window.bytes(at: position + 27, Int(header[26])))
    let count = 27 + segments.count + segments.reduce(0) { $0 + Int($1) }
    let bytes = window.bytes(at: position, count)
    guard segments.count == Int(header[26]), bytes.count == count else { return nil }
    guard OggChecksum.of(bytes) == OggChecksum.stored(header) else {
      throw .damagedPart(path: path, container: "Ogg", offset: position)
    }
    func number(_ offset: Int) -> Int { header[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) } }
    return Page(
      isFirst: header[5] & 2 != 0, isLast: header[5] & 4 != 0, serial: number(14), number: number(18),
      headerCount: 27 + segments.count, byteCount: count)
  }

  /// Where the next page may begin, or the end.
  private mutating func nextPage(after position: Int) -> Int {
    var position = position + 1
    while let found = window.firstIndex(of: UInt8(ascii: "O"), from: position, limit: range.upperBound) {
      if window.bytes(at: found, 4).elementsEqual("OggS".utf8) { return found }
      position = found + 1
    }
    return range.upperBound
  }
}

/// The checksum of an Ogg page: CRC-32 with the polynomial 0x04C11DB7, neither reflected nor inverted.
private enum OggChecksum {
  static func stored(_ header: [UInt8]) -> UInt32 {
    header[22..<26].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The four bytes of the checksum itself count as 0.
  static func of(_ page: ArraySlice<UInt8>) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      page.withUnsafeBufferPointer { page in
        var sum: UInt32 = 0
        for index in page.indices {
          let byte = (22..<26).contains(index) ? 0 : page[index]
          sum = sum << 8 ^ table[Int(sum >> 24) ^ Int(byte)]
        }
        return sum
      }
    }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte) << 24) { sum, _ in sum << 1 ^ (sum >> 31 == 1 ? 0x04C1_1DB7 : 0) }
  }
}
