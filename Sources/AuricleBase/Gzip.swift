/// Reads gzip files (P. Deutsch, RFC 1952) of any number of members; what is in them is decompressed as RFC 1951 says.
///
///     try Gzip.inflated(FileAccess.read("cuts.jsonl.gz"), limit: 1 << 30)
public enum Gzip {
  /// Why bytes are not a gzip file that can be read.
  public struct Malformed: Error, Hashable, Sendable {
    public let reason: String
  }

  /// What `bytes` hold. Throws when they are damaged or hold more than `limit` bytes.
  public static func inflated(_ bytes: [UInt8], limit: Int) throws(Malformed) -> [UInt8] {
    var output: [UInt8] = []
    var rest = bytes[...]
    repeat {
      rest = try dropHeader(rest)
      let start = output.count
      var inflater = Inflater(input: BitInput(bytes: bytes, position: rest.startIndex), output: output, limit: limit)
      output = []
      try inflater.run()
      output = inflater.output
      rest = bytes[inflater.input.nextByte...]
      guard rest.count >= 8 else { throw Malformed(reason: "it is cut off") }
      var checksum = Checksum()
      checksum.update(output[start...])
      guard littleEndian(rest.prefix(4)) == checksum.value,
        littleEndian(rest.dropFirst(4).prefix(4)) == UInt32(truncatingIfNeeded: output.count - start)
      else { throw Malformed(reason: "its checksum does not fit what is in it; it is damaged") }
      rest = rest.dropFirst(8)
    } while rest.contains { $0 != 0 }  // zeros may fill a last block of a tape
    return output
  }

  private static func dropHeader(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> ArraySlice<UInt8> {
    guard bytes.count >= 10 else { throw Malformed(reason: "it is cut off") }
    let header = Array(bytes.prefix(10))
    guard header.starts(with: [0x1F, 0x8B, 8]) else { throw Malformed(reason: "it is no gzip file") }
    let flags = header[3]
    var rest = bytes.dropFirst(10)
    if flags & 4 != 0 {  // an extra field, its length before it
      rest = rest.dropFirst(2 + Int(littleEndian(rest.prefix(2))))
    }
    for flag in [UInt8(8), 16] where flags & flag != 0 {  // a name, a comment
      rest = rest.drop { $0 != 0 }.dropFirst()
    }
    return flags & 2 != 0 ? rest.dropFirst(2) : rest
  }

  private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// Bits from the lowest up, as RFC 1951 has them.
private struct BitInput {
  let bytes: [UInt8]
  private var position: Int
  private var buffer: UInt32 = 0
  private var bits = 0

  init(bytes: [UInt8], position: Int) {
    self.bytes = bytes
    self.position = position
  }

  /// The first byte of which no bit was taken.
  var nextByte: Int { position - bits / 8 }

  mutating func take(_ count: Int) throws(Gzip.Malformed) -> Int {
    while bits < count {
      guard position < bytes.count else { throw Gzip.Malformed(reason: "it is cut off") }
      buffer |= UInt32(bytes[position]) << UInt32(bits)
      position += 1
      bits += 8
    }
    let value = Int(buffer & (1 << UInt32(count) - 1))
    buffer >>= UInt32(count)
    bits -= count
    return value
  }

  mutating func skipToByte() {
    buffer >>= UInt32(bits % 8)
    bits -= bits % 8
  }
}

/// A canonical Huffman code: how many codes of each length there are, and the symbols in the order of their codes.
private struct HuffmanCode {
  private var counts = [Int](repeating: 0, count: 16)
  private var symbols: [Int]

  init(lengths: some Collection<Int>) throws(Gzip.Malformed) {
    for length in lengths { counts[length] += 1 }
    counts[0] = 0
    var room = 1
    for length in 1...15 {
      room = 2 * room - counts[length]
      guard room >= 0 else { throw Gzip.Malformed(reason: "its codes are impossible; it is damaged") }
    }
    symbols = lengths.enumerated().filter { $0.element > 0 }.sorted {
      ($0.element, $0.offset) < ($1.element, $1.offset)
    }.map(\.offset)
  }

  /// The symbol whose code comes next (M. Adler's "puff", in zlib's contrib folder, reads codes so).
  func symbol(_ input: inout BitInput) throws(Gzip.Malformed) -> Int {
    var (code, first, index) = (0, 0, 0)
    for length in 1...15 {
      code |= try input.take(1)
      if code - counts[length] < first { return symbols[index + code - first] }
      index += counts[length]
      first = (first + counts[length]) << 1
      code <<= 1
    }
    throw Gzip.Malformed(reason: "a code in it is impossible; it is damaged")
  }
}

private struct Inflater {
  var input: BitInput
  var output: [UInt8]
  let limit: Int

  mutating func run() throws(Gzip.Malformed) {
    let start = output.count
    while true {
      let isLast = try input.take(1) == 1
      switch try input.take(2) {
      case 0: try copyStored()
      case 1:
        let (literals, distances) = (Self.fixedLengths, Self.fixedDistanceLengths)
        try inflateBlock(HuffmanCode(lengths: literals), HuffmanCode(lengths: distances), start: start)
      case 2:
        let (literals, distances) = try dynamicCodes()
        try inflateBlock(literals, distances, start: start)
      default: throw Gzip.Malformed(reason: "a block in it is of no known kind; it is damaged")
      }
      if isLast { break }
    }
    input.skipToByte()
  }

  private func checkRoom(_ count: Int) throws(Gzip.Malformed) {
    guard limit - output.count >= count else { throw Gzip.Malformed(reason: "it holds more than \(limit) bytes") }
  }

  private mutating func copyStored() throws(Gzip.Malformed) {
    input.skipToByte()
    let count = try input.take(16)
    guard try input.take(16) == 0xFFFF - count else {
      throw Gzip.Malformed(reason: "the length of a block is wrong; it is damaged")
    }
    try checkRoom(count)
    for _ in 0..<count { output.append(UInt8(try input.take(8))) }
  }

  private mutating func inflateBlock(
    _ literals: HuffmanCode, _ distances: HuffmanCode, start: Int
  ) throws(Gzip.Malformed) {
    while true {
      let symbol = try literals.symbol(&input)
      if symbol < 256 {
        try checkRoom(1)
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol <= 285 else { throw Gzip.Malformed(reason: "a length in it is impossible; it is damaged") }
      let length = Self.lengths[symbol - 257] + (try input.take(Self.lengthBits[symbol - 257]))
      let code = try distances.symbol(&input)
      guard code < 30 else { throw Gzip.Malformed(reason: "a distance in it is impossible; it is damaged") }
      let distance = Self.distances[code] + (try input.take(max(0, code / 2 - 1)))
      guard distance <= output.count - start else {
        throw Gzip.Malformed(reason: "a distance in it leads before its beginning; it is damaged")
      }
      try checkRoom(length)
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private mutating func dynamicCodes() throws(Gzip.Malformed) -> (literals: HuffmanCode, distances: HuffmanCode) {
    let literalCount = try input.take(5) + 257
    let distanceCount = try input.take(5) + 1
    let codeCount = try input.take(4) + 4
    var codeLengths = [Int](repeating: 0, count: 19)
    for place in Self.codeLengthOrder.prefix(codeCount) { codeLengths[place] = try input.take(3) }
    let code = try HuffmanCode(lengths: codeLengths)
    var lengths: [Int] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try code.symbol(&input)
      switch symbol {
      case 16:
        guard let last = lengths.last else {
          throw Gzip.Malformed(reason: "its codes are impossible; it is damaged")
        }
        lengths += Array(repeating: last, count: 3 + (try input.take(2)))
      case 17: lengths += Array(repeating: 0, count: 3 + (try input.take(3)))
      case 18: lengths += Array(repeating: 0, count: 11 + (try input.take(7)))
      default: lengths.append(symbol)
      }
    }
    guard lengths.count == literalCount + distanceCount else {
      throw Gzip.Malformed(reason: "its codes are impossible; it is damaged")
    }
    return (
      try HuffmanCode(lengths: lengths.prefix(literalCount)), try HuffmanCode(lengths: lengths.dropFirst(literalCount))
    )
  }

  // The tables of RFC 1951, sections 3.2.5 to 3.2.7.
  private static let fixedLengths =
    Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112) + Array(repeating: 7, count: 24)
    + Array(repeating: 8, count: 8)
  private static let fixedDistanceLengths = Array(repeating: 5, count: 30)
  private static let codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  private static let lengths = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distances = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12_289, 16_385, 24_577,
  ]
}
