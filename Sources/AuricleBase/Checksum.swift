/// CRC-32 as in PNG, zip and gzip (ISO 3309; polynomial 0xEDB88320, reflected), over bytes that come in pieces.
///
///     var checksum = Checksum()
///     checksum.update(Array("123456789".utf8))
///     checksum.value                              // 0xCBF43926
public struct Checksum: Sendable {
  private var state: UInt32 = .max

  public init() {}

  /// Of all bytes so far.
  public var value: UInt32 { ~state }

  public mutating func update(_ bytes: some Collection<UInt8>) {
    if bytes.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
      Array(bytes).withUnsafeBytes { update($0) }
    }
  }

  /// Eight bytes at a time (M. E. Kounavis and F. L. Berry, "Novel table lookup-based algorithms for high-performance
  /// CRC generation", IEEE Transactions on Computers 57, 2008, doi:10.1109/TC.2008.85).
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var crc = state
    var index = 0
    Checksum.tables.withUnsafeBufferPointer { tables in
      func entry(_ table: Int, _ word: UInt64, _ byte: Int) -> UInt32 {
        tables[256 * table + Int(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte)))]
      }
      while bytes.count - index >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
        crc = entry(7, word, 0) ^ entry(6, word, 1) ^ entry(5, word, 2) ^ entry(4, word, 3)
        crc ^= entry(3, word, 4) ^ entry(2, word, 5) ^ entry(1, word, 6) ^ entry(0, word, 7)
        index += 8
      }
      for byte in bytes[index...] { crc = crc >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    }
    state = crc
  }

  /// Table `k` takes a byte through the polynomial and `k` zero bytes more.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = []
    for byte in UInt32(0)..<256 {
      var crc = byte
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
      tables.append(crc)
    }
    for index in 256..<2048 {
      let earlier = tables[index - 256]
      tables.append(earlier >> 8 ^ tables[Int(earlier & 255)])
    }
    return tables
  }()
}
