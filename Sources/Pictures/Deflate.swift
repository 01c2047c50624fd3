/// Compression of bytes as zlib does it (P. Deutsch, RFC 1950 and 1951): Lempel-Ziv matches within 32 KiB, fixed
/// Huffman codes.
enum Deflate {
  /// A whole zlib stream: header, one block, Adler-32.
  static func zlibStream(_ bytes: [UInt8]) -> [UInt8] {
    var output = BitOutput()
    output.put(0x9C78, count: 16)  // 32 KiB window; the header is a multiple of 31
    output.put(0b011, count: 3)  // the last block, fixed codes
    bytes.withUnsafeBufferPointer { bytes in
      var matcher = Matcher(bytes)
      var index = 0
      while index < bytes.count {
        let (length, distance) = matcher.match(at: index)
        if length >= Matcher.shortest {
          output.put(symbol: Codes.lengths[length - Matcher.shortest])
          output.put(distance: distance)
          for skipped in index..<index + length { matcher.enter(skipped) }
          index += length
        } else {
          output.put(symbol: (Int(bytes[index]), 0, 0))
          matcher.enter(index)
          index += 1
        }
      }
    }
    output.put(symbol: (256, 0, 0))
    return output.finished() + withUnsafeBytes(of: adler32(bytes).bigEndian) { Array($0) }
  }

  static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for start in stride(from: 0, to: bytes.count, by: 5552) {  // the most before 32 bits overflow
      for byte in bytes[start..<min(start + 5552, bytes.count)] {
        a &+= UInt32(byte)
        b &+= a
      }
      a %= 65_521
      b %= 65_521
    }
    return b << 16 | a
  }
}

/// Finds earlier occurrences of what comes next, by a table of three-byte hashes with chains.
private struct Matcher {
  static let shortest = 3
  private static let longest = 258
  private static let window = 32_768
  private static let chainLength = 32

  private let bytes: UnsafeBufferPointer<UInt8>
  private var latest = [Int](repeating: -1, count: 1 << 15)
  private var earlier = [Int](repeating: -1, count: window)

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
  }

  /// The longest match found, and how far back it is; a length below `shortest` is none.
  func match(at index: Int) -> (length: Int, distance: Int) {
    let limit = min(Matcher.longest, bytes.count - index)
    guard limit >= Matcher.shortest else { return (0, 0) }
    var best = (length: 0, distance: 0)
    var candidate = latest[hash(index)]
    for _ in 0..<Matcher.chainLength {
      guard candidate >= 0, index - candidate <= Matcher.window else { break }
      if best.length < limit && bytes[candidate + best.length] == bytes[index + best.length] {
        var length = 0
        while length < limit && bytes[candidate + length] == bytes[index + length] { length += 1 }
        if length > best.length { best = (length, index - candidate) }
      }
      if best.length == limit { break }
      let next = earlier[candidate % Matcher.window]
      guard next < candidate else { break }
      candidate = next
    }
    return best
  }

  mutating func enter(_ index: Int) {
    guard index + Matcher.shortest <= bytes.count else { return }
    let key = hash(index)
    earlier[index % Matcher.window] = latest[key]
    latest[key] = index
  }

  private func hash(_ index: Int) -> Int {
    let word = UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
    return Int((word &* 0x9E37_79B1) >> 17)
  }
}

/// Bits from the lowest up, as RFC 1951 has them.
private struct BitOutput {
  private var bytes: [UInt8] = []
  private var buffer: UInt64 = 0
  private var bits = 0

  mutating func put(_ value: Int, count: Int) {
    buffer |= UInt64(value) << UInt64(bits)
    bits += count
    while bits >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: buffer))
      buffer >>= 8
      bits -= 8
    }
  }

  /// A literal, an end, or a length with its extra bits.
  mutating func put(symbol: (code: Int, extra: Int, extraBits: Int)) {
    let (code, count) = Codes.fixed[symbol.code]
    put(code, count: count)
    put(symbol.extra, count: symbol.extraBits)
  }

  mutating func put(distance: Int) {
    let index = Codes.distanceStarts.lastIndex { $0 <= distance } ?? 0
    put(Codes.reversed(index, count: 5), count: 5)
    put(distance - Codes.distanceStarts[index], count: max(0, index / 2 - 1))
  }

  consuming func finished() -> [UInt8] {
    if bits > 0 { put(0, count: 8 - bits) }
    return bytes
  }
}

/// The tables of RFC 1951, section 3.2.5 and 3.2.6.
private enum Codes {
  /// Literals and lengths: bits in the order they are written, and how many.
  static let fixed: [(code: Int, count: Int)] = (0..<288).map { symbol in
    switch symbol {
    case ..<144: (reversed(0x30 + symbol, count: 8), 8)
    case ..<256: (reversed(0x190 + symbol - 144, count: 9), 9)
    case ..<280: (reversed(symbol - 256, count: 7), 7)
    default: (reversed(0xC0 + symbol - 280, count: 8), 8)
    }
  }

  /// For lengths from 3 to 258.
  static let lengths: [(code: Int, extra: Int, extraBits: Int)] = (3...258).map { length in
    if length == 258 { return (285, 0, 0) }
    let index = lengthStarts.lastIndex { $0 <= length } ?? 0
    return (257 + index, length - lengthStarts[index], index < 8 ? 0 : index / 4 - 1)
  }

  private static let lengthStarts = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
  ]

  static let distanceStarts = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12_289, 16_385, 24_577,
  ]

  static func reversed(_ code: Int, count: Int) -> Int {
    (0..<count).reduce(0) { $0 | (code >> $1 & 1) << (count - 1 - $1) }
  }
}
