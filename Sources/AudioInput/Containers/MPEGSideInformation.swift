/// The side information of a frame of layer III: where its main data lies in the reservoir of bits, and how much it is
/// (ISO/IEC 11172-3, 2.4.1.7).
struct MPEGSideInformation {
  /// How many bytes before the frame's own its main data begins.
  let mainDataBegin: Int
  /// Bits of main data that the granules take.
  let mainDataBits: Int
  /// Whether all fields are as the standard allows.
  let isValid: Bool

  /// `bytes` are those of `frame.sideInformation`.
  init(_ bytes: ArraySlice<UInt8>, of frame: MPEGFrame) {
    var bits = BitReader(bytes)
    let isOne = frame.version == .one
    mainDataBegin = bits.read(isOne ? 9 : 8)
    _ = bits.read(isOne ? (frame.channels == 1 ? 5 : 3) : frame.channels)
    if isOne { _ = bits.read(4 * frame.channels) }
    var (sum, isValid) = (0, true)
    for _ in 0..<(isOne ? 2 : 1) * frame.channels {
      sum += bits.read(12)
      // big_values come in pairs, of 576 lines.
      if bits.read(9) > 288 { isValid = false }
      // global_gain, scalefac_compress
      _ = bits.read(8 + (isOne ? 4 : 9))
      if bits.read(1) == 1 {
        // A window that is switched has a type other than the normal one.
        if bits.read(2) == 0 { isValid = false }
        // mixed_block_flag, table_select twice, subblock_gain three times
        _ = bits.read(1 + 10 + 9)
      } else {
        // table_select three times, region0_count, region1_count
        _ = bits.read(15 + 4 + 3)
      }
      // preflag (version 1), scalefac_scale, count1table_select
      _ = bits.read(isOne ? 3 : 2)
    }
    mainDataBits = sum
    self.isValid = isValid
  }
}

private struct BitReader {
  private let bytes: ArraySlice<UInt8>
  private var position = 0

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// Bits past the end are 0.
  mutating func read(_ count: Int) -> Int {
    var value = 0
    for bit in position..<position + count {
      let index = bytes.startIndex + bit / 8
      value = value << 1 | (index < bytes.endIndex ? Int(bytes[index] >> (7 - bit % 8)) & 1 : 0)
    }
    position += count
    return value
  }
}
