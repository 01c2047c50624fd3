/// A file of scalars that TensorBoard shows.
///
///     var events = EventFile()
///     events.append(step: 1, [("loss/training", 2.3), ("accuracy/training", 0.1)])
///
/// Records are framed as in TensorFlow's TFRecord: length, masked CRC-32C of the length, data, masked CRC-32C of the data
/// (https://www.tensorflow.org/tutorials/load_data/tfrecord). Data are `Event` messages of Protocol Buffers, of which
/// `wall_time` (field 1, left out, so zero), `step` (2), `file_version` (3) and `summary` (5) are used; a `Summary` is
/// values (1) of a `tag` (1) and a `simple_value` (2).
struct EventFile {
  private(set) var bytes: [UInt8] = []

  init() {
    appendRecord(field(3, Array("brain.Event:2".utf8)))
  }

  mutating func append(step: Int, _ scalars: [(tag: String, value: Double)]) {
    var summary: [UInt8] = []
    for (tag, value) in scalars {
      let bits = Float(value).bitPattern
      summary += field(1, field(1, Array(tag.utf8)) + [2 << 3 | 5] + littleEndian(bits))
    }
    appendRecord([2 << 3] + variableLength(UInt64(max(0, step))) + field(5, summary))
  }

  private mutating func appendRecord(_ data: [UInt8]) {
    let length = littleEndian(UInt64(data.count))
    bytes += length + littleEndian(maskedChecksum(length)) + data + littleEndian(maskedChecksum(data))
  }

  /// A length-delimited field: text, bytes or a message.
  private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2] + variableLength(UInt64(content.count)) + content
  }

  /// Seven bits to a byte, the lowest first; the eighth says that more follow.
  private func variableLength(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
  }

  private func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let checksum = castagnoli(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}

/// CRC-32C (RFC 3720, appendix B.4; polynomial 0x82F63B78, reflected), bit by bit: records are short.
func castagnoli(_ bytes: [UInt8]) -> UInt32 {
  var crc = UInt32.max
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
  }
  return ~crc
}
