import AuricleBase
import Foundation
import Testing

@Suite("Seeds, checksums, orders")
struct NumberTests {
  @Test("the generator is SplitMix64: the numbers of Vigna's reference program for the seed 1234567")
  func splitMix() {
    var generator = SeededGenerator(seed: 1_234_567)
    let wanted: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
      16_408_922_859_458_223_821,
    ]
    #expect(wanted.map { _ in generator.next() } == wanted)
  }

  @Test("a generator goes on from what was encoded")
  func encoded() throws {
    var generator = SeededGenerator(seed: 5)
    _ = generator.next()
    var copy = try JSONDecoder().decode(SeededGenerator.self, from: JSONEncoder().encode(generator))
    #expect((0..<10).map { _ in copy.next() } == (0..<10).map { _ in generator.next() })
  }

  @Test("streams of one seed differ from each other and from the seed's own, and are the same again")
  func streams() {
    func numbers(_ generator: SeededGenerator) -> [UInt64] {
      var generator = generator
      return (0..<4).map { _ in generator.next() }
    }
    var all = (0..<100).map { numbers(SeededGenerator(seed: 3, stream: $0)) }
    all.append(numbers(SeededGenerator(seed: 3)))
    all.append(numbers(SeededGenerator(seed: 4, stream: 0)))
    #expect(Set(all.flatMap { $0 }).count == 4 * all.count)
    #expect(all[7] == numbers(SeededGenerator(seed: 3, stream: 7)))
  }

  @Test("uniform numbers fill [0, 1); normal ones have the moments and the tails of the normal distribution")
  func distributions() {
    var generator = SeededGenerator(seed: 1)
    let uniform = (0..<100_000).map { _ in generator.uniform() }
    #expect(uniform.allSatisfy { (0..<1).contains($0) })
    #expect(abs(uniform.reduce(0, +) / 1e5 - 0.5) < 0.005)
    #expect((0..<10).allSatisfy { tenth in abs(uniform.count { Int($0 * 10) == tenth } - 10_000) < 500 })

    let normal = (0..<100_000).map { _ in generator.normal() }
    let moments = (1...4).map { power in normal.reduce(0) { $0 + pow($1, Double(power)) } / 1e5 }
    #expect(zip(moments, [0, 1, 0, 3]).allSatisfy { abs($0 - $1) < 0.1 }, "\(moments)")
    // Of the normal distribution, 4.55% lie beyond two deviations.
    #expect(abs(Double(normal.count { abs($0) > 2 }) / 1e5 - 0.0455) < 0.004)
  }

  @Test("CRC-32 is that of ISO 3309, however the bytes are cut")
  func checksum() {
    func value(_ parts: [[UInt8]]) -> UInt32 {
      var checksum = Checksum()
      for part in parts { checksum.update(part) }
      return checksum.value
    }
    #expect(value([]) == 0)
    #expect(value([Array("123456789".utf8)]) == 0xCBF4_3926)
    #expect(value([Array("The quick brown fox jumps over the lazy dog".utf8)]) == 0x414F_A339)
    #expect(value([[UInt8](repeating: 0, count: 32)]) == 0x190A_55AD)

    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
    // The definition, a bit at a time.
    var slow = UInt32.max
    for byte in bytes {
      slow ^= UInt32(byte)
      for _ in 0..<8 { slow = slow & 1 == 1 ? slow >> 1 ^ 0xEDB8_8320 : slow >> 1 }
    }
    #expect(value([bytes]) == ~slow)
    for cut in [0, 1, 7, 8, 9, 500, 999, 1_000] {
      #expect(value([Array(bytes[..<cut]), Array(bytes[cut...])]) == ~slow, "cut at \(cut)")
    }
    var lazily = Checksum()
    lazily.update(bytes.lazy.map { $0 })
    #expect(lazily.value == ~slow)
  }

  @Test("names are in the order a person expects: numbers by their value, the rest by its bytes")
  func naturalOrder() {
    let sorted = [
      "", "02", "2", "10", "99999999999999999999", "100000000000000000000", "Take 1", "take", "take 1", "take 01b",
      "take 2", "take 2.wav", "take 10", "take 10a", "take a", "\u{E9}", "\u{FF11}",
    ]
    #expect(sorted.shuffled().sorted(by: naturallyPrecedes) == sorted)
    // A strict total order: of two different names exactly one comes first.
    for a in sorted {
      for b in sorted { #expect(naturallyPrecedes(a, b) != naturallyPrecedes(b, a) || a == b, "\(a), \(b)") }
    }
    // Alike to people, not to a file system: an accent of its own, and one in the letter.
    #expect(bytesPrecede("e\u{301}", "\u{E9}") && !bytesPrecede("\u{E9}", "e\u{301}"))
    #expect(naturallyPrecedes("e\u{301}", "\u{E9}") != naturallyPrecedes("\u{E9}", "e\u{301}"))
  }

  @Test("markup escapes what XML keeps for itself, and what it forbids")
  func markupText() {
    #expect(markup("R&B <live>") == "R&amp;B &lt;live&gt;")
    #expect(markup("a\u{0}\u{1F}\u{7F}\u{FFFE}é\"'") == "a\u{FFFD}\u{FFFD}\u{7F}\u{FFFD}é\"'")
    // A combining mark makes another character of the sign before it, which stays what it is to a parser.
    #expect(markup("<\u{338}b&\u{301}") == "&lt;\u{338}b&amp;\u{301}")
    #expect("a\"\u{301}b".replacingScalars { $0 == "\"" ? "'" : nil } == "a'\u{301}b")
  }
}
