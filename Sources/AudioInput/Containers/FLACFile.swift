/// The FLAC streams of a file, a section each (RFC 9639).
///
/// The decoder stops after the samples that the header promises, and at the next stream's header. It is told of no number,
/// so that it reads to the end.
struct FLACFile {
  private let source: ByteSource
  private let range: Range<Int>
  private var window: ByteWindow

  init(_ source: ByteSource, _ range: Range<Int>) {
    self.source = source
    self.range = range
    window = ByteWindow(source, end: range.upperBound)
  }

  /// The marker, and the header of the first block of metadata: 34 bytes of STREAMINFO, which may be the only one.
  private static let starts: [[UInt8]] = [0x00, 0x80].map { Array("fLaC".utf8) + [$0, 0, 0, 34] }
  /// Where the 36-bit number of samples begins, in its first byte's lower half.
  private static let count = 8 + 13

  mutating func sections() -> SoundSections {
    var starts = [range.lowerBound]
    var position = range.lowerBound + 4
    while let found = window.firstIndex(of: UInt8(ascii: "f"), from: position, limit: range.upperBound) {
      if FLACFile.starts.contains(where: window.bytes(at: found, 8).elementsEqual) { starts.append(found) }
      position = found + 1
    }
    let ends = starts.dropFirst() + [range.upperBound]
    return SoundSections(zip(starts, ends).map { section($0..<$1) })
  }

  /// The end of a stream without tags, and without zeros but those that may be its last frame's checksum.
  private func end(_ range: Range<Int>) -> (end: Int, isPadded: Bool) {
    let end = Tags.withoutTags(source, range)
    var zeros = end
    while zeros > max(range.lowerBound, end - (1 << 20)), source.bytes(zeros - 1..<zeros) == [0] { zeros -= 1 }
    return zeros + 2 < end ? (zeros + 2, true) : (end, false)
  }

  private func section(_ range: Range<Int>) -> SoundSection {
    let (end, isPadded) = end(range)
    let range = range.lowerBound..<end
    let place = FLACFile.count
    var header = source.bytes(range.prefix(place + 5))
    guard header.count == place + 5, FLACFile.starts.contains(where: header.starts) else {
      return SoundSection(view: ByteView(source, [.file(range)]))
    }
    let promised = header[(place + 1)...].reduce(Int(header[place] & 0x0F)) { $0 << 8 | Int($1) }
    header[place] &= 0xF0
    header.replaceSubrange((place + 1)..., with: [0, 0, 0, 0])
    let view = ByteView(source, [.bytes(header), .file(range.dropFirst(header.count))])
    return SoundSection(view: view, promisedFrames: promised, isPadded: isPadded)
  }
}
