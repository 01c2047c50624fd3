/// The header of a frame of MPEG audio (ISO/IEC 11172-3, 2.4.1.3; ISO/IEC 13818-3).
struct MPEGFrame {
  enum Version { case one, two, twoAndAHalf }

  let version: Version
  /// 1 to 3.
  let layer: Int
  /// Hz.
  let sampleRate: Int
  let channels: Int
  let hasChecksum: Bool
  /// Of the whole frame, its header included.
  let byteCount: Int

  /// Nil when the four bytes are no header, or one of free format.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count >= 4 else { return nil }
    let (first, second) = (Int(bytes[bytes.startIndex + 1]), Int(bytes[bytes.startIndex + 2]))
    let mode = bytes[bytes.startIndex + 3] >> 6
    guard bytes[bytes.startIndex] == 0xFF, first & 0xE0 == 0xE0 else { return nil }
    switch first >> 3 & 3 {
    case 0: version = .twoAndAHalf
    case 2: version = .two
    case 3: version = .one
    default: return nil
    }
    layer = 4 - (first >> 1 & 3)
    let (bitRate, rate) = (second >> 4, second >> 2 & 3)
    guard layer < 4, rate < 3, (1...14).contains(bitRate) else { return nil }
    hasChecksum = first & 1 == 0
    channels = mode == 3 ? 1 : 2
    sampleRate = [44_100, 48_000, 32_000][rate] / (version == .one ? 1 : version == .two ? 2 : 4)
    let table = version == .one ? layer - 1 : layer == 1 ? 3 : 4
    let bitsPerSecond = 1000 * MPEGFrame.bitRates[table][bitRate - 1]
    let padding = second >> 1 & 1
    switch layer {
    case 1: byteCount = 4 * (12 * bitsPerSecond / sampleRate + padding)
    case 3 where version != .one: byteCount = 72 * bitsPerSecond / sampleRate + padding
    default: byteCount = 144 * bitsPerSecond / sampleRate + padding
    }
  }

  /// Per channel.
  var samples: Int { layer == 1 ? 384 : layer == 3 && version != .one ? 576 : 1152 }

  /// Where a frame of layer III has its side information, and what follows it.
  var sideInformation: Range<Int> {
    let start = hasChecksum ? 6 : 4
    let count = version == .one ? (channels == 1 ? 17 : 32) : (channels == 1 ? 9 : 17)
    return start..<start + count
  }

  /// Whether one decoder can go on from this frame with the other.
  func isLike(_ other: MPEGFrame) -> Bool {
    version == other.version && layer == other.layer && sampleRate == other.sampleRate && channels == other.channels
  }

  /// kbit/s: version 1, layers I to III; versions 2 and 2.5, layer I, layers II and III.
  private static let bitRates = [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ]
}
