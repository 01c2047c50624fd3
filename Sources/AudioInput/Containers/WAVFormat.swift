/// A WAV file's format chunk.
struct WAVFormat {
  private var bytes: [UInt8]
  private let isBigEndian: Bool

  /// At least 16 bytes.
  init(_ bytes: [UInt8], isBigEndian: Bool) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
  }

  static func number(_ bytes: some BidirectionalCollection<UInt8>, isBigEndian: Bool) -> Int {
    isBigEndian ? bytes.reduce(0) { $0 << 8 | Int($1) } : bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private func word(_ offset: Int) -> Int {
    WAVFormat.number(bytes[offset..<offset + 2], isBigEndian: isBigEndian)
  }

  /// The tag, or what an extensible format says it is.
  private var tag: Int { word(0) == 0xFFFE && bytes.count >= 26 ? word(24) : word(0) }
  private var channels: Int { word(2) }
  private var frameBytes: Int { word(12) }
  private var bits: Int { word(14) }

  /// What samples are to be multiplied by, once sizes that contradict each other are settled. `start` gives the first
  /// bytes of the sound.
  ///
  /// Throws `contradiction` for those that are not, and `unsupportedCodec` for a known encoding that is not read.
  mutating func gain(path: String, start: (Int) -> [UInt8]) throws(AudioError) -> Float {
    if let name = WAVFormat.unreadable[tag] { throw .unsupportedCodec(path: path, container: "WAV", codec: name) }
    guard [1, 3, 6, 7].contains(tag), channels > 0, bits > 0 else { return 1 }
    let expected = channels * ((bits + 7) / 8)
    if frameBytes == 0 { set(12, expected) }
    guard frameBytes != expected, word(0) != 0xFFFE else { return 1 }
    // 24 bits in four bytes: at their upper end, as is usual, or at their lower, as ALSA's S24_LE has them.
    if tag == 1 && bits == 24 && frameBytes == 4 * channels && !isBigEndian {
      let bytes = start(1 << 20)
      let samples = stride(from: 0, to: bytes.count - 3, by: 4)
      let isLow = samples.allSatisfy { bytes[$0 + 3] == (bytes[$0 + 2] < 0x80 ? 0 : 0xFF) }
      let isHigh = samples.allSatisfy { bytes[$0] == 0 }
      if isLow || isHigh {
        set(14, 32)
        return isLow ? 256 : 1
      }
    }
    throw .contradiction(
      path: path, reason: "its header says \(channels) x \(bits) bits, and \(frameBytes) bytes for them")
  }

  private mutating func set(_ offset: Int, _ value: Int) {
    let low = UInt8(truncatingIfNeeded: value)
    let high = UInt8(truncatingIfNeeded: value >> 8)
    bytes.replaceSubrange(offset..<offset + 2, with: isBigEndian ? [high, low] : [low, high])
  }

  /// A file's beginning up to its samples, of which there are `count` bytes.
  func header(data count: Int) -> [UInt8] {
    func size(_ count: Int) -> [UInt8] {
      let value = UInt32(clamping: count)
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isBigEndian ? bytes.reversed() : bytes
    }
    let padded = bytes + (bytes.count.isMultiple(of: 2) ? [] : [0])
    return Array((isBigEndian ? "RIFX" : "RIFF").utf8) + size(20 + padded.count + count) + Array("WAVEfmt ".utf8)
      + size(bytes.count) + padded + Array("data".utf8) + size(count)
  }

  /// Microsoft's mmreg.h.
  private static let unreadable = [
    0x45: "G.726", 0x64: "G.726", 0x14: "G.723", 0x22: "TrueSpeech", 0x28: "G.729", 0x42: "G.723.1",
    0x70: "Lernout & Hauspie",
    0x83: "G.729", 0x92: "Dolby AC-3 over S/PDIF", 0xFF: "AAC", 0x130: "ACELP", 0x160: "Windows Media Audio",
    0x161: "Windows Media Audio", 0x162: "Windows Media Audio", 0x163: "Windows Media Audio", 0x2000: "Dolby AC-3",
    0x2001: "DTS", 0xA106: "AAC", 0xA109: "Speex", 0x566F: "Vorbis", 0x674F: "Vorbis", 0xF1AC: "FLAC", 0x1600: "AAC",
    0x1602: "AAC", 0x1610: "AAC",
  ]
}
