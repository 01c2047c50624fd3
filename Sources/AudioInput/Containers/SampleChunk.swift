/// Where the header of an AU, AIFF, CAF, W64 or RF64 file says that its samples are, and what is right where it is wrong.
struct SampleChunk {
  private let source: ByteSource
  private let range: Range<Int>
  private let path: String
  private let container: String
  private let layout: Layout
  private let samples: Range<Int>
  private let size: Int
  /// Where the size is written, and how.
  private let sizeField: Field

  private struct Field {
    var offset: Int
    var width: Int
    var isBigEndian: Bool
    /// What the size counts beside the samples.
    var extra = 0
  }

  /// How chunks follow each other.
  private struct Layout {
    let nameBytes: Int
    let sizeBytes: Int
    let isBigEndian: Bool
    let alignment: Int
    var countsHeader = false
    let dataName: [UInt8]
  }

  private static let layouts: [(magic: String, container: String, header: Int, layout: Layout)] = [
    (
      "FORM", "AIFF", 12,
      Layout(nameBytes: 4, sizeBytes: 4, isBigEndian: true, alignment: 2, dataName: Array("SSND".utf8))
    ),
    (
      "caff", "CAF", 8,
      Layout(nameBytes: 4, sizeBytes: 8, isBigEndian: true, alignment: 1, dataName: Array("data".utf8))
    ),
    (
      "RF64", "RF64", 12,
      Layout(nameBytes: 4, sizeBytes: 4, isBigEndian: false, alignment: 2, dataName: Array("data".utf8))
    ),
    (
      "riff", "W64", 40,
      Layout(
        nameBytes: 16, sizeBytes: 8, isBigEndian: false, alignment: 8, countsHeader: true,
        dataName: Array("data".utf8) + [0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A])
    ),
  ]

  /// Nil for another container, and for one whose samples are not found or go on to the end.
  init?(_ source: ByteSource, _ range: Range<Int>, path: String) {
    self.source = source
    self.range = range
    self.path = path
    let start = source.bytes(range.prefix(12))
    func number(_ offset: Int, _ count: Int, _ isBigEndian: Bool) -> Int {
      let bytes = source.bytes(offset..<offset + count)
      let value = (isBigEndian ? bytes : bytes.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return Int(clamping: value)
    }
    if start.starts(with: ".snd".utf8) || start.starts(with: "dns.".utf8) {
      let isBigEndian = start[0] == UInt8(ascii: ".")
      container = "AU"
      layout = Layout(nameBytes: 4, sizeBytes: 4, isBigEndian: isBigEndian, alignment: 1, dataName: [])
      size = number(range.lowerBound + 8, 4, isBigEndian)
      sizeField = Field(offset: range.lowerBound + 8, width: 4, isBigEndian: isBigEndian)
      let first = range.lowerBound + number(range.lowerBound + 4, 4, isBigEndian)
      guard first < range.upperBound else { return nil }
      samples = first..<min(first + size, range.upperBound)
      return
    }
    guard let known = Self.layouts.first(where: { start.starts(with: $0.magic.utf8) }) else { return nil }
    container = known.container
    layout = known.layout
    let header = layout.nameBytes + layout.sizeBytes
    var position = range.lowerBound + known.header
    var largeSize: (size: Int, offset: Int)?
    while position + header <= range.upperBound {
      let name = source.bytes(position..<position + layout.nameBytes)
      let field = Field(
        offset: position + layout.nameBytes, width: layout.sizeBytes, isBigEndian: layout.isBigEndian,
        extra: layout.countsHeader ? header : 0)
      let size = number(field.offset, field.width, field.isBigEndian) - field.extra
      guard size >= 0 else { return nil }
      let contents = position + header
      if name == layout.dataName {
        let isLarge = container == "RF64" && size == Int(UInt32.max)
        sizeField = isLarge ? Field(offset: largeSize?.offset ?? 0, width: 8, isBigEndian: false) : field
        self.size = isLarge ? largeSize?.size ?? size : size
        guard !isLarge || largeSize != nil else { return nil }
        let (end, overflows) = contents.addingReportingOverflow(self.size)
        samples = contents..<(overflows ? range.upperBound : min(end, range.upperBound))
        return
      }
      if name.elementsEqual("ds64".utf8) { largeSize = (number(contents + 8, 8, false), contents + 8) }
      guard size < range.upperBound - contents else { return nil }
      let next = contents + size
      position = next + (layout.alignment - (next - range.lowerBound) % layout.alignment) % layout.alignment
    }
    return nil
  }

  func sections() throws(AudioError) -> SoundSections {
    let end = samples.upperBound
    switch try rest() {
    // libsndfile refuses a CAF file that was cut.
    case .nothing where container == "CAF" && size > samples.count:
      return SoundSections([SoundSection(view: toTheEnd)])
    case .nothing:
      return SoundSections(source, range.lowerBound..<end)
    case .chunks:
      return SoundSections(source, range)
    case .samples:
      // Of a size of 0, which was to be filled in when the recording ended, there is nothing to say.
      let warning = AudioWarning.bytesAfterSamples(path: path, count: range.upperBound - end)
      return SoundSections([SoundSection(view: toTheEnd)], warnings: size == 0 ? [] : [warning])
    }
  }

  /// The file with a size that makes all bytes up to its end samples.
  private var toTheEnd: ByteView {
    var header = source.bytes(range.lowerBound..<samples.lowerBound)
    let value = UInt64(range.upperBound - samples.lowerBound + sizeField.extra)
    for index in 0..<sizeField.width {
      let shift = 8 * (sizeField.isBigEndian ? sizeField.width - 1 - index : index)
      let place = sizeField.offset - range.lowerBound + index
      if header.indices.contains(place) { header[place] = UInt8(truncatingIfNeeded: value >> UInt64(shift)) }
    }
    return ByteView(source, [.bytes(header), .file(samples.lowerBound..<range.upperBound)])
  }

  private enum Rest { case nothing, chunks, samples }

  /// What follows the samples.
  private func rest() throws(AudioError) -> Rest {
    let end = samples.upperBound
    if source.isZero(end..<range.upperBound) { return .nothing }
    let magic = source.bytes(range.prefix(4))
    let aligned = end + (layout.alignment - (end - range.lowerBound) % layout.alignment) % layout.alignment
    for start in [end, aligned] where source.bytes(start..<start + 4) == magic {
      throw .severalSounds(path: path, container: container)
    }
    guard !layout.dataName.isEmpty else { return .samples }
    let name = source.bytes(aligned..<aligned + layout.nameBytes)
    let isName = name.prefix(4).allSatisfy { (0x20...0x7E).contains($0) }
    return isName && name.count == layout.nameBytes ? .chunks : .samples
  }
}
