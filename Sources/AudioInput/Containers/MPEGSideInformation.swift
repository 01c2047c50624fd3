/// What a granule holds in any channel. Encoders leave the pairs of zeros at the end out of big_values, and a region coded
/// by table 0 is zeros; where neither is so, a line is other than 0.
enum MPEGGranule: Int, Comparable {
  case silent
  /// The last of three short blocks may be the only one that holds sound; it is heard in the next granule.
  case short
  case long

  static func < (first: MPEGGranule, second: MPEGGranule) -> Bool { first.rawValue < second.rawValue }
}

/// The side information of a frame of layer III: where its main data lies in the reservoir of bits, and how much it is
/// (ISO/IEC 11172-3, 2.4.1.7).
struct MPEGSideInformation {
  /// How many bytes before the frame's own its main data begins.
  let mainDataBegin: Int
  /// Bits of main data that the granules take.
  let mainDataBits: Int
  /// Whether all fields are as the standard allows.
  let isValid: Bool
  let granules: [MPEGGranule]

  /// `bytes` are those of `frame.sideInformation`.
  init(_ bytes: ArraySlice<UInt8>, of frame: MPEGFrame) {
    var bits = BitReader(bytes)
    let isOne = frame.version == .one
    mainDataBegin = bits.read(isOne ? 9 : 8)
    _ = bits.read(isOne ? (frame.channels == 1 ? 5 : 3) : frame.channels)
    if isOne { _ = bits.read(4 * frame.channels) }
    var (sum, isValid) = (0, true)
    var granules = Array(repeating: MPEGGranule.silent, count: isOne ? 2 : 1)
    for part in 0..<granules.count * frame.channels {
      let length = bits.read(12)
      sum += length
      // In pairs, of 576 lines.
      let bigValues = bits.read(9)
      if bigValues > 288 { isValid = false }
      // global_gain, scalefac_compress
      _ = bits.read(8 + (isOne ? 4 : 9))
      let tables: Int
      var isLong = true
      if bits.read(1) == 1 {
        let type = bits.read(2)
        // A window that is switched has a type other than the normal one.
        if type == 0 { isValid = false }
        isLong = type != 2
        // mixed_block_flag, table_select twice, subblock_gain three times
        _ = bits.read(1)
        tables = bits.read(10)
        _ = bits.read(9)
      } else {
        // table_select three times, region0_count, region1_count
        tables = bits.read(15)
        _ = bits.read(4 + 3)
      }
      if length > 0 && bigValues > 0 && tables != 0 {
        let granule = part / frame.channels
        granules[granule] = max(granules[granule], isLong ? .long : .short)
      }
      // preflag (version 1), scalefac_scale, count1table_select
      _ = bits.read(isOne ? 3 : 2)
    }
    mainDataBits = sum
    self.isValid = isValid
    self.granules = granules
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
