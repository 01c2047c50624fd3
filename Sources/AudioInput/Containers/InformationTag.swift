/// What an encoder says of an MP3 file in a first frame without sound: a Xing or Info tag, or Fraunhofer's VBRI.
struct InformationTag {
  /// Frames of sound, where it says so.
  let frames: Int?
  /// Samples that the encoder has put before the sound, where it says so.
  let delay: Int?
  /// Samples that it has put after the sound.
  let padding: Int
  /// A checksum of all frames of sound, where there is one.
  let checksum: Int?

  /// Nil for a frame of sound.
  init?(_ frame: [UInt8], of header: MPEGFrame) {
    guard header.layer == 3 else { return nil }
    // An encoder's own position is not moved by a checksum.
    let places = [header.sideInformation.upperBound, header.sideInformation.upperBound - (header.hasChecksum ? 2 : 0)]
    func has(_ name: String, at offset: Int) -> Bool { frame.dropFirst(offset).starts(with: name.utf8) }
    func number(_ offset: Int, _ count: Int) -> Int {
      frame.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | Int($1) }
    }
    if has("VBRI", at: 36) {
      frames = frame.count >= 54 ? number(50, 4) : nil
      delay = nil
      padding = 0
      checksum = nil
      return
    }
    guard let start = places.first(where: { has("Xing", at: $0) || has("Info", at: $0) }) else { return nil }
    let flags = number(start + 4, 4)
    var offset = start + 8
    frames = flags & 1 != 0 && frame.count >= offset + 4 ? number(offset, 4) : nil
    for (flag, size) in [(1, 4), (2, 4), (4, 100), (8, 4)] where flags & flag != 0 { offset += size }
    // The encoder's name (9 bytes), 12 bytes, then 12 bits of delay and 12 of padding.
    if frame.count >= offset + 24, frame[offset] != 0 {
      delay = number(offset + 21, 3) >> 12
      padding = number(offset + 21, 3) & 0xFFF
      let sum = number(offset + 32, 2)
      checksum = frame.count >= offset + 36 && sum != 0 ? sum : nil
    } else {
      delay = nil
      padding = 0
      checksum = nil
    }
  }
}

/// The checksum of an information tag: CRC-16 with the polynomial 0x8005, reflected.
struct MusicChecksum {
  private(set) var value: UInt16 = 0

  mutating func add(_ bytes: ArraySlice<UInt8>) {
    var sum = value
    MusicChecksum.table.withUnsafeBufferPointer { table in
      for byte in bytes { sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
    }
    value = sum
  }

  private static let table: [UInt16] = (0..<256).map { byte in
    (0..<8).reduce(UInt16(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0xA001 : 0) }
  }
}
