/// Decompresses DEFLATE data (P. Deutsch, RFC 1951), as zip and gzip files hold it.
///
///     try Inflater.inflated(compressed, limit: 1 << 20)
public struct Inflater {
  /// Why bytes are not DEFLATE data that can be read.
  public struct Malformed: Error, Hashable, Sendable {
    public let reason: String
  }

  /// What `bytes` hold. Throws when they are damaged, cut off, or hold more than `limit` bytes.
  public static func inflated(_ bytes: [UInt8], limit: Int) throws(Malformed) -> [UInt8] {
    try inflated(bytes, from: 0, limit: limit).output
  }

  /// The same for data that begin at `start`, and the place of the first byte after them; `used` bytes of the limit are
  /// taken.
  static func inflated(
    _ bytes: [UInt8], from start: Int, limit: Int, used: Int = 0
  ) throws(Malformed) -> (output: [UInt8], end: Int) {
    var inflater = Inflater(bytes: bytes, from: start, limit: limit, used: used)
    try inflater.run()
    return (inflater.output, inflater.position - inflater.bits / 8)
  }

  private let bytes: [UInt8]
  private let limit: Int
  private let used: Int
  private var output: [UInt8] = []
  private var position = 0
  private var buffer: UInt64 = 0
  private var bits = 0

  private init(bytes: [UInt8], from start: Int, limit: Int, used: Int) {
    (self.bytes, self.limit, self.used, position) = (bytes, limit, used, start)
  }

  // MARK: Bits, from the lowest up

  /// Has as many bits in the buffer as there are, 32 at least unless the end is near.
  private mutating func fill() {
    while bits <= 48, position < bytes.count {
      buffer |= UInt64(bytes[position]) << UInt64(bits)
      position += 1
      bits += 8
    }
  }

  private mutating func take(_ count: Int) throws(Malformed) -> Int {
    fill()
    guard bits >= count else { throw Malformed(reason: "it is cut off") }
    let value = Int(buffer & (1 << UInt64(count) - 1))
    buffer >>= UInt64(count)
    bits -= count
    return value
  }

  private mutating func symbol(_ code: HuffmanCode) throws(Malformed) -> Int {
    fill()
    let entry = Int(code.table[Int(buffer & 0x7FFF)])
    let length = entry & 15
    guard length > 0 else { throw Malformed(reason: "a code in it is impossible") }
    guard bits >= length else { throw Malformed(reason: "it is cut off") }
    buffer >>= UInt64(length)
    bits -= length
    return entry >> 4
  }

  // MARK: Blocks

  private mutating func run() throws(Malformed) {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try copyStored()
      case 1: try inflateBlock(HuffmanCode(Self.fixedLengths), HuffmanCode(Self.fixedDistanceLengths))
      case 2:
        let (literals, distances) = try dynamicCodes()
        try inflateBlock(literals, distances)
      default: throw Malformed(reason: "a block in it is of no known kind")
      }
    }
  }

  private func checkRoom(_ count: Int) throws(Malformed) {
    guard limit - used - output.count >= count else { throw Malformed(reason: "it holds more than \(limit) bytes") }
  }

  private mutating func copyStored() throws(Malformed) {
    _ = try take(bits % 8)
    let count = try take(16)
    guard try take(16) == 0xFFFF - count else { throw Malformed(reason: "the length of a block is wrong") }
    try checkRoom(count)
    for _ in 0..<count { output.append(UInt8(try take(8))) }
  }

  private mutating func inflateBlock(_ literals: HuffmanCode, _ distances: HuffmanCode) throws(Malformed) {
    while true {
      let symbol = try symbol(literals)
      if symbol < 256 {
        try checkRoom(1)
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol <= 285 else { throw Malformed(reason: "a length in it is impossible") }
      let length = Self.lengths[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
      let code = try self.symbol(distances)
      guard code < 30 else { throw Malformed(reason: "a distance in it is impossible") }
      let distance = Self.distances[code] + (try take(max(0, code / 2 - 1)))
      guard distance <= output.count else {
        throw Malformed(reason: "a distance in it leads before its beginning")
      }
      try checkRoom(length)
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private mutating func dynamicCodes() throws(Malformed) -> (literals: HuffmanCode, distances: HuffmanCode) {
    let literalCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let codeCount = try take(4) + 4
    var codeLengths = [Int](repeating: 0, count: 19)
    for place in Self.codeLengthOrder.prefix(codeCount) { codeLengths[place] = try take(3) }
    let code = try HuffmanCode(codeLengths)
    var lengths: [Int] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try symbol(code)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw Malformed(reason: "its codes are impossible") }
        lengths += Array(repeating: last, count: 3 + (try take(2)))
      case 17: lengths += Array(repeating: 0, count: 3 + (try take(3)))
      case 18: lengths += Array(repeating: 0, count: 11 + (try take(7)))
      default: lengths.append(symbol)
      }
    }
    guard lengths.count == literalCount + distanceCount else { throw Malformed(reason: "its codes are impossible") }
    return (
      try HuffmanCode(Array(lengths.prefix(literalCount))), try HuffmanCode(Array(lengths.dropFirst(literalCount)))
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

/// A canonical Huffman code, looked up by the next 15 bits.
private struct HuffmanCode {
  /// Symbol and, in the lowest four bits, the length of its code; 0 where there is none.
  private(set) var table = [UInt16](repeating: 0, count: 1 << 15)

  /// `lengths`: of each symbol's code, at most 15; 0 for none.
  init(_ lengths: [Int]) throws(Inflater.Malformed) {
    var code = 0
    for length in 1...15 {
      for (symbol, _) in lengths.enumerated().lazy.filter({ $0.element == length }) {
        guard code < 1 << length else { throw Inflater.Malformed(reason: "its codes are impossible") }
        let reversed = (0..<length).reduce(0) { $0 << 1 | code >> $1 & 1 }
        for entry in stride(from: reversed, to: 1 << 15, by: 1 << length) {
          table[entry] = UInt16(symbol << 4 | length)
        }
        code += 1
      }
      code <<= 1
    }
  }
}
