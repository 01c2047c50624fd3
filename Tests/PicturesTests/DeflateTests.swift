import AuricleBase
import Testing

@testable import Pictures

@Suite struct DeflateTests {
  /// From Python 3.11: `zlib.crc32` and `zlib.adler32`.
  private static let known: [(bytes: [UInt8], crc: UInt32, adler: UInt32)] = [
    (Array("123456789".utf8), 0xCBF4_3926, 0x091E_01DE),
    ([], 0, 1),
    ((0..<100_000).map { UInt8(truncatingIfNeeded: ($0 * $0) >> 3) }, 0x1AFD_73E1, 0x1B3B_270A),
    ([UInt8](repeating: 255, count: 70_001), 0x1F55_1044, 0x99A8_6F80),
  ]

  @Test("Checksums are zlib's", arguments: known.indices)
  func checksums(index: Int) {
    let (bytes, crc, adler) = DeflateTests.known[index]
    var checksum = Checksum()
    checksum.update(bytes)
    #expect(checksum.value == crc)
    #expect(Deflate.adler32(bytes) == adler)
  }

  @Test("A checksum in pieces is that of the whole")
  func pieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var (whole, pieces) = (Checksum(), Checksum())
    whole.update(bytes)
    for start in stride(from: 0, to: 1000, by: 37) { pieces.update(bytes[start..<min(1000, start + 37)]) }
    #expect(pieces.value == whole.value)
  }

  private static let samples: [(name: String, bytes: [UInt8])] = {
    var generator = SeededGenerator(seed: 3)
    return [
      ("nothing", []),
      ("one byte", [200]),
      ("two bytes", [7, 7]),
      ("a run", [UInt8](repeating: 9, count: 100_000)),
      ("every byte", (0...255).map { UInt8($0) } + (0...255).map { UInt8($0) }),
      ("noise", (0..<50_000).map { _ in UInt8.random(in: 0...255, using: &generator) }),
      ("few values", (0..<50_000).map { _ in UInt8.random(in: 0...2, using: &generator) }),
      // Repeats at the window's edge, and one byte beyond it.
      ("far", [1, 2, 3, 4] + [UInt8](repeating: 0, count: 32_764) + [1, 2, 3, 4]),
      ("too far", [1, 2, 3, 4] + [UInt8](repeating: 0, count: 32_765) + [1, 2, 3, 4]),
      ("text", Array(String(repeating: "the quick brown fox; ", count: 500).utf8)),
    ]
  }()

  @Test("What is compressed comes back", arguments: samples.indices)
  func roundTrip(index: Int) {
    let bytes = DeflateTests.samples[index].bytes
    #expect(inflated(Deflate.zlibStream(bytes)) == bytes, "\(DeflateTests.samples[index].name)")
  }

  @Test("Repetition costs little")
  func size() {
    #expect(Deflate.zlibStream([UInt8](repeating: 9, count: 100_000)).count < 1000)
    let text = Array(String(repeating: "the quick brown fox; ", count: 500).utf8)
    #expect(Deflate.zlibStream(text).count < text.count / 50)
  }
}
