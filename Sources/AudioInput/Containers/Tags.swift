/// Tags that programs put before and after sound of any format, and decoders take for sound, or refuse.
enum Tags {
  /// The bytes of a file without the tags at its two ends: ID3v2 before; ID3v1, ID3v2.4's footer form, APE, Lyrics3 after.
  static func contents(of source: ByteSource) -> Range<Int> {
    var start = 0
    while let length = id3v2(source.bytes(start..<start + 10)), start + length < source.byteCount {
      start += length
    }
    return start..<withoutTags(source, start..<source.byteCount)
  }

  /// The end of a range without the tags at its end.
  static func withoutTags(_ source: ByteSource, _ range: Range<Int>) -> Int {
    var end = range.upperBound
    while let length = trailing(source, range.lowerBound..<end) { end -= length }
    return end
  }

  /// The length of an ID3v2 tag that begins with these ten bytes, header and footer included (id3.org, ID3v2.4.0, 3.1).
  static func id3v2(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 10, bytes.starts(with: "ID3".utf8), bytes[3] < 0xFF, bytes[4] < 0xFF,
      bytes[6..<10].allSatisfy({ $0 < 0x80 })
    else { return nil }
    let size = bytes[6..<10].reduce(0) { $0 << 7 | Int($1) }
    return 10 + size + (bytes[5] & 0x10 != 0 ? 10 : 0)
  }

  /// The length of an APE tag whose header is the 32 bytes given (wiki.hydrogenaud.io, APE Tags Header).
  static func ape(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 32, bytes.starts(with: "APETAGEX".utf8) else { return nil }
    return 32 + little(bytes[12..<16])
  }

  /// The length of a tag at the end of the range.
  private static func trailing(_ source: ByteSource, _ range: Range<Int>) -> Int? {
    let end = range.upperBound
    let last = source.bytes(Swift.max(range.lowerBound, end - 128)..<end)
    if last.count == 128, last.starts(with: "TAG".utf8) { return 128 }
    if last.count >= 32 {
      let footer = Array(last.suffix(32))
      if footer.starts(with: "APETAGEX".utf8) {
        // The size counts the footer, and a header where a flag says that there is one.
        let length = little(footer[12..<16]) + (footer[23] & 0x80 != 0 ? 32 : 0)
        if length >= 32 && length < range.count { return length }
      }
      if footer.suffix(9).elementsEqual("LYRICS200".utf8),
        let size = Int(String(decoding: footer.dropLast(9).suffix(6), as: UTF8.self)), size >= 0,
        size + 15 < range.count
      {
        return size + 15
      }
    }
    return nil
  }

  private static func little(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
