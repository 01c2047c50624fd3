import AuricleBase
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Made with Python's zlib (1.3): `zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)`, with a gzip header before and
/// CRC-32 and length after it.
@Suite struct GzipTests {
  private static let squares = (0..<60).map { "{\"id\":\($0),\"square\":\($0 * $0)}\n" }.joined()
  private static let dynamic =
    "H4sIAAAAAAAA/1WUOW7EQAwEcz9DsYPhNYd/Y8AOHHoXjhb+uw9A06VMaFBUF9nU4/h4O17a83H//Hq9vf8+fj89/jWTZqfm0vLU"
    + "Qto6tcS7/RRLotcpdomxKwc+s3tOiX1/fEmc26UBx5qASOSqBpTl7mxBhu3CiLa2YyOc6KyTWdUA9KneQAyXk8UZaRegTFE6KDNV"
    + "zdXN3dtBWb6dOChrbN8Oyi5KB2VHNSgHeoNywAlXKd8ByiXKAOXSTIK7bBphcJlNEw9u07SgKEZFpNGpa/0BVAulJeYlW/IDWCtl"
    + "MZncLtxkdLuSnuQdOosk79QN5SW9OrhkfJt4k/k1nXIywN7UH7weTX7A69m2/2q8D/EWeL2jHrw+1L+CByU/BV5f+BWBN8Bb/B2Z"
    + "5lPjcpnqz4sNzb94svm3rx+LM9ADaAUAAA=="

  private func bytes(_ base64: String) throws -> [UInt8] { [UInt8](try #require(Data(base64Encoded: base64))) }

  @Test(
    "stored, fixed and dynamic blocks, a name in the header, and two members in a row",
    arguments: [
      ("H4sIAAAAAAAA/wEMAPP/c3RvcmVkIGJ5dGVzeHemDwwAAAA=", "stored bytes"),
      ("H4sICAAAAAAA/25hbWUudHh0AEvLrEhNUUjDIJPzU1KLASMwoo0dAAAA", "fixed fixed fixed fixed codes"),
      (dynamic, squares),
      ("H4sIAAAAAAAA/8vPS1UAAElhrCMEAAAAH4sIAAAAAAAA/wEDAPz/dHdvZorKEQMAAAA=", "one two"),
    ])
  func inflates(base64: String, text: String) throws {
    let bytes = try bytes(base64)
    #expect(try String(decoding: Gzip.inflated(bytes, limit: 1 << 20), as: UTF8.self) == text)
    #expect(try Gzip.inflated(bytes + [0, 0], limit: text.utf8.count).count == text.utf8.count)
    let error = #expect(throws: Gzip.Malformed.self) { try Gzip.inflated(bytes, limit: text.utf8.count - 1) }
    #expect(error?.reason == "it holds more than \(text.utf8.count - 1) bytes")
  }

  @Test("a file cut anywhere, or with any bit flipped, is refused or gives the same")
  func damaged() throws {
    let whole = try bytes(Self.dynamic)
    // No more, for a flipped bit can make a length anything.
    let limit = Self.squares.utf8.count
    for length in 0..<whole.count {
      #expect(throws: Gzip.Malformed.self) { try Gzip.inflated(Array(whole[..<length]), limit: limit) }
    }
    for bit in 0..<8 * whole.count {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      do throws(Gzip.Malformed) {
        // The time, the flags that say nothing and the system are not covered by the checksum.
        #expect(try Gzip.inflated(bytes, limit: limit) == Array(Self.squares.utf8), "bit \(bit)")
      } catch {
        continue
      }
    }
  }
}
