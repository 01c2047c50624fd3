/// The frames of an MPEG audio file (MP3, and layers I and II), found by their headers, one after the other, to its end.
///
/// Neither a Xing or VBRI header nor the bytes of the first frame say reliably how many there are. A decoder gets the
/// frames alone: no tags, and nothing that is not sound. Several files in one are a section each. The encoder's delay and
/// padding are cut as the LAME tag says (gabriel.mp3-tech.org/mp3infotag.html), where it is true.
struct MPEGStream {
  private let source: ByteSource
  private let path: String
  private let range: Range<Int>
  private var window: ByteWindow
  private var position: Int

  private var sections: [SoundSection] = []
  private var warnings: [AudioWarning] = []
  private var current: Section?
  /// Frames of sound before the current section.
  private var seconds = 0.0

  /// Frames that one decoder reads.
  private struct Section {
    let first: MPEGFrame
    var tag: InformationTag?
    var pieces: [ByteView.Piece] = []
    var frameCount = 0
    /// Of layer III.
    var granules: [MPEGGranule] = []
    var checksum = MusicChecksum()
    /// Bytes of main data that a next frame may reach back to.
    var reservoir = 0
    /// Of them, those at their end that no frame has used.
    var unused = 0
  }

  init(_ source: ByteSource, _ range: Range<Int>, path: String) {
    self.source = source
    self.path = path
    self.range = range
    position = range.lowerBound
    window = ByteWindow(source, end: range.upperBound)
  }

  /// What decoders of this layer add to the encoder's delay, in samples.
  private static let decoderDelay = 529

  /// Nil when there are no frames.
  static func sections(_ source: ByteSource, _ range: Range<Int>, path: String) throws(AudioError) -> SoundSections? {
    var stream = MPEGStream(source, range, path: path)
    try stream.scan()
    return stream.sections.isEmpty ? nil : SoundSections(stream.sections, warnings: stream.warnings)
  }

  /// How much that is no sound may stand before the first frame.
  private static let longestLead = 1 << 20

  private mutating func scan() throws(AudioError) {
    while position < range.upperBound {
      if sections.isEmpty && current == nil && position - range.lowerBound > MPEGStream.longestLead { return }
      if let frame = MPEGFrame(window.bytes(at: position, 4)), let current, frame.isLike(current.first),
        position + frame.byteCount <= range.upperBound
      {
        try take(frame)
      } else if let frame = confirmed(at: position) {
        finishSection()
        current = Section(first: frame)
        try take(frame)
      } else {
        skip()
      }
    }
    finishSection()
  }

  /// A header at `position` that others like it follow, up to three or the end.
  private mutating func confirmed(at position: Int) -> MPEGFrame? {
    guard let frame = MPEGFrame(window.bytes(at: position, 4)) else { return nil }
    var next = position + frame.byteCount
    for _ in 0..<3 where next < range.upperBound {
      let bytes = window.bytes(at: next, 32)
      guard let other = MPEGFrame(bytes), other.isLike(frame) else {
        // One or two frames may be all there is before a tag.
        return tagLength(bytes) == nil ? nil : frame
      }
      next += other.byteCount
    }
    return next <= range.upperBound ? frame : nil
  }

  private func tagLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    if bytes.starts(with: "TAG".utf8) { return 128 }
    return Tags.id3v2(Array(bytes)) ?? Tags.ape(Array(bytes))
  }

  /// Passes over a tag, or over what is neither that nor a frame.
  private mutating func skip() {
    if let length = tagLength(window.bytes(at: position, 32)) {
      position += length
      // Frames after a tag are another file's.
      finishSection()
      return
    }
    let start = position
    var isSilent = true
    repeat {
      let next = window.firstIndex(of: 0xFF, from: position + 1, limit: range.upperBound) ?? range.upperBound
      let tag = tagPosition(from: position + 1, to: next)
      if isSilent { isSilent = source.isZero(position..<(tag ?? next)) }
      position = tag ?? next
      if tag != nil { break }
      if sections.isEmpty && current == nil && position - range.lowerBound > MPEGStream.longestLead { return }
    } while position < range.upperBound && confirmed(at: position) == nil
    current?.reservoir = 0
    current?.unused = 0
    if !isSilent {
      warnings.append(.skippedBytes(path: path, count: position - start, seconds: secondsSoFar))
    }
  }

  private mutating func tagPosition(from start: Int, to end: Int) -> Int? {
    for letter in [UInt8(ascii: "T"), UInt8(ascii: "I"), UInt8(ascii: "A")] {
      var from = start
      while let found = window.firstIndex(of: letter, from: from, limit: end) {
        if tagLength(window.bytes(at: found, 32)) != nil { return found }
        from = found + 1
      }
    }
    return nil
  }

  private var secondsSoFar: Double {
    seconds + (current.map { Double($0.frameCount * $0.first.samples) / Double($0.first.sampleRate) } ?? 0)
  }

  private mutating func take(_ frame: MPEGFrame) throws(AudioError) {
    let bytes = window.bytes(at: position, frame.byteCount)
    guard bytes.count == frame.byteCount else {
      position = range.upperBound
      return
    }
    if let tag = InformationTag(Array(bytes), of: frame) {
      if current?.frameCount ?? 0 > 0 { finishSection() }
      current = Section(first: frame, tag: tag)
      position += frame.byteCount
      return
    }
    if frame.layer == 3 {
      try takeMainData(frame, bytes)
    } else {
      add(.file(position..<position + frame.byteCount))
    }
    if current?.tag?.checksum != nil { current?.checksum.add(bytes) }
    current?.frameCount += 1
    position += frame.byteCount
  }

  /// Keeps account of the reservoir. A frame whose main data has gone, as at the beginning of a stream that was cut out of
  /// another, is made a silent one.
  private mutating func takeMainData(_ frame: MPEGFrame, _ bytes: ArraySlice<UInt8>) throws(AudioError) {
    guard let section = current else { return }
    let side = frame.sideInformation
    let place = bytes.startIndex + side.lowerBound..<min(bytes.endIndex, bytes.startIndex + side.upperBound)
    let information = MPEGSideInformation(bytes[place], of: frame)
    let own = max(0, frame.byteCount - side.upperBound)
    let used = (information.mainDataBits + 7) / 8
    let isWhole = information.mainDataBegin <= section.reservoir
    let overlaps = isWhole && information.mainDataBegin > section.unused
    guard information.isValid, used <= information.mainDataBegin + own, !overlaps else {
      throw .undecodable(path: path, seconds: secondsSoFar, reason: "the MP3 frame there is damaged")
    }
    if isWhole {
      add(.file(position..<position + frame.byteCount))
    } else {
      add(.file(position..<position + side.lowerBound))
      add(.bytes(Array(repeating: 0, count: side.count)))
      add(.file(position + side.upperBound..<position + frame.byteCount))
    }
    current?.granules += information.granules.map { isWhole ? $0 : .silent }
    current?.reservoir = min(511, section.reservoir + own)
    current?.unused = isWhole ? information.mainDataBegin + own - used : own
  }

  private mutating func add(_ piece: ByteView.Piece) {
    guard var pieces = current?.pieces else { return }
    current?.pieces = []
    if case .file(let range) = piece, case .file(let last)? = pieces.last, last.upperBound == range.lowerBound {
      pieces[pieces.count - 1] = .file(last.lowerBound..<range.upperBound)
    } else {
      pieces.append(piece)
    }
    current?.pieces = pieces
  }

  private mutating func finishSection() {
    defer { current = nil }
    guard let section = current, section.frameCount > 0 else { return }
    let total = section.frameCount * section.first.samples
    var delay = 0
    var padding = 0
    if let tag = section.tag, let encoderDelay = tag.delay {
      delay = min(encoderDelay + MPEGStream.decoderDelay, total)
      // The padding is at the end of a file that has all of its frames.
      if tag.frames == section.frameCount {
        padding = min(max(0, tag.padding - MPEGStream.decoderDelay), total - delay)
      }
    }
    if let tag = section.tag, let sum = tag.checksum, tag.frames == section.frameCount, sum != section.checksum.value {
      warnings.append(.wrongChecksum(path: path))
    }
    let frames = total - delay - padding
    // The decoder estimates its length from the first frame's size, and stops there.
    let view = ByteView(source, section.pieces, times: 64)
    sections.append(
      SoundSection(
        view: view, delay: delay, frames: frames, granules: section.first.layer == 3 ? section.granules : nil))
    seconds += Double(frames) / Double(section.first.sampleRate)
  }
}
