/// Reads a PNG file of one IDAT chunk and one block with fixed codes, for tests: written from RFC 1950 and 1951 alone, by
/// trying codes bit by bit, as the compressor does not.
struct DecodedPNG {
  let width: Int
  let height: Int
  /// RGB.
  let pixels: [UInt8]
  let chunks: [(type: String, data: [UInt8], checksum: UInt32)]

  init?(_ file: [UInt8]) {
    guard file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else { return nil }
    var chunks: [(type: String, data: [UInt8], checksum: UInt32)] = []
    var index = 8
    while index + 12 <= file.count {
      let length = Int(bigEndian(file[index..<index + 4]))
      guard index + 12 + length <= file.count else { return nil }
      chunks.append(
        (
          String(decoding: file[index + 4..<index + 8], as: UTF8.self), Array(file[index + 8..<index + 8 + length]),
          bigEndian(file[index + 8 + length..<index + 12 + length])
        ))
      index += 12 + length
    }
    guard index == file.count, chunks.map(\.type) == ["IHDR", "IDAT", "IEND"] else { return nil }
    let header = chunks[0].data
    width = Int(bigEndian(header[0..<4]))
    height = Int(bigEndian(header[4..<8]))
    guard header[8...].elementsEqual([8, 2, 0, 0, 0]), let rows = inflated(chunks[1].data),
      rows.count == height * (1 + 3 * width)
    else { return nil }
    var pixels: [UInt8] = []
    for row in 0..<height {
      let start = row * (1 + 3 * width)
      guard rows[start] == 0 else { return nil }
      pixels += rows[start + 1...start + 3 * width]
    }
    self.pixels = pixels
    self.chunks = chunks
  }

  func pixel(_ x: Int, _ y: Int) -> [UInt8] {
    Array(pixels[3 * (y * width + x)..<3 * (y * width + x + 1)])
  }
}

func bigEndian(_ bytes: some Collection<UInt8>) -> UInt32 {
  bytes.reduce(0) { $0 << 8 | UInt32($1) }
}

/// What a zlib stream of one fixed block holds; nil when it is not one, or its checksum is wrong.
func inflated(_ stream: [UInt8]) -> [UInt8]? {
  guard stream.count > 6, stream[0] & 15 == 8, (Int(stream[0]) << 8 | Int(stream[1])) % 31 == 0 else { return nil }
  var position = 16
  func bit() -> Int? {
    guard position < 8 * (stream.count - 4) else { return nil }
    defer { position += 1 }
    return Int(stream[position / 8]) >> (position % 8) & 1
  }
  func number(_ bits: Int) -> Int? {
    var value = 0
    for place in 0..<bits {
      guard let bit = bit() else { return nil }
      value += bit << place
    }
    return value
  }
  func code(_ bits: Int, _ start: Int) -> Int? {
    var value = start
    for _ in 0..<bits {
      guard let bit = bit() else { return nil }
      value = 2 * value + bit
    }
    return value
  }
  func symbol() -> Int? {
    guard let seven = code(7, 0) else { return nil }
    if seven < 24 { return 256 + seven }
    guard let eight = code(1, seven) else { return nil }
    if (0x30..<0xC0).contains(eight) { return eight - 0x30 }
    if (0xC0..<0xC8).contains(eight) { return 280 + eight - 0xC0 }
    return code(1, eight).map { 144 + $0 - 0x190 }
  }
  guard number(1) == 1, number(2) == 1 else { return nil }
  var output: [UInt8] = []
  while let symbol = symbol() {
    if symbol == 256 {
      let (a, b) = output.reduce((1, 0)) { sums, byte in
        let a = (sums.0 + Int(byte)) % 65_521
        return (a, (sums.1 + a) % 65_521)
      }
      let isWhole = position > 8 * (stream.count - 5)
      return isWhole && bigEndian(stream.suffix(4)) == UInt32(b << 16 | a) ? output : nil
    }
    if symbol < 256 {
      output.append(UInt8(symbol))
      continue
    }
    var (length, lengthBits) = (3, 0)
    for code in 257..<symbol {
      length += 1 << lengthBits
      if code >= 264 && code % 4 == 0 { lengthBits += 1 }
    }
    if symbol == 285 { (length, lengthBits) = (258, 0) }
    guard let extra = number(lengthBits), let distanceCode = code(5, 0), distanceCode < 30 else { return nil }
    var (distance, distanceBits) = (1, 0)
    for code in 0..<distanceCode {
      distance += 1 << distanceBits
      if code >= 3 && code % 2 == 1 { distanceBits += 1 }
    }
    guard let more = number(distanceBits), distance + more <= output.count else { return nil }
    for _ in 0..<length + extra { output.append(output[output.count - distance - more]) }
  }
  return nil
}
