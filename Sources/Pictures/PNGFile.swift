import AuricleBase

/// Portable Network Graphics (ISO/IEC 15948): signature, header, one compressed stream of rows, end.
enum PNGFile {
  static func bytes(_ bitmap: Bitmap) -> [UInt8] {
    var header = bigEndian(UInt32(bitmap.width)) + bigEndian(UInt32(bitmap.height))
    header += [8, 2, 0, 0, 0]  // bits per sample, RGB, deflate, adaptive filters, not interlaced
    // Every row begins with its filter, 0 for none: equal rows are found as they are by the compressor.
    var rows: [UInt8] = []
    rows.reserveCapacity(bitmap.pixels.count + bitmap.height)
    for row in 0..<bitmap.height {
      rows.append(0)
      rows += bitmap.pixels[3 * bitmap.width * row..<3 * bitmap.width * (row + 1)]
    }
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", header) + chunk("IDAT", Deflate.zlibStream(rows)) + chunk("IEND", [])
  }

  private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    var checksum = Checksum()
    checksum.update(body)
    return bigEndian(UInt32(data.count)) + body + bigEndian(checksum.value)
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}
