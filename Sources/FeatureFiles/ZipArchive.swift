import AuricleBase

/// A zip archive of files that are stored as they are (PKWARE, APPNOTE.TXT 6.3.10), with the 64-bit extensions where
/// sizes, offsets or numbers need them. Entries are named `NAME.npy`, as in NumPy's `.npz`.
struct ZipArchive: ArchiveLayout {
  private struct Record {
    /// With its ending.
    var name: String
    var checksum: UInt32
    var size: Int
    /// Of the local header.
    var offset: Int
  }

  private var records: [Record] = []
  /// Numbers from which on the 64-bit fields are used: what the 32-bit and 16-bit fields cannot hold.
  private let limit: Int
  private let countLimit: Int

  private static let ending = ".npy"
  private static let localHeader = 0x0403_4B50
  private static let centralHeader = 0x0201_4B50
  private static let centralEnd = 0x0605_4B50
  private static let centralEnd64 = 0x0606_4B50
  private static let centralLocator64 = 0x0706_4B50

  /// Lower limits are for tests.
  init(limit: Int = 0xFFFF_FFFF, countLimit: Int = 0xFFFF) {
    self.limit = limit
    self.countLimit = countLimit
  }

  // MARK: Reading

  mutating func next(in file: OutputFile, at offset: Int) throws -> ArchiveEntry? {
    var reader = ByteReader(try file.read(8192, at: offset))
    guard reader.number(4) == ZipArchive.localHeader, reader.number(2) != nil,
      let flags = reader.number(2), flags & ~0x800 == 0, reader.number(2) == 0, reader.take(4) != nil,
      let checksum = reader.number(4), let stored = reader.number(4), let plain = reader.number(4), stored == plain,
      let nameLength = reader.number(2), let extraLength = reader.number(2), let name = reader.take(nameLength),
      let extra = reader.take(extraLength)
    else { return nil }
    var size = plain
    if extraLength > 0 {
      var fields = ByteReader(Array(extra))
      guard fields.number(2) == 1, fields.number(2) == 16, let large = fields.number(8), fields.number(8) == large
      else { return nil }
      size = large
    }
    let record = Record(
      name: String(decoding: name, as: UTF8.self), checksum: UInt32(checksum), size: size, offset: offset)
    let start = offset + 30 + nameLength + extraLength
    let bytes = Array(reader.take(min(reader.count, 256)) ?? [])
    guard record.name.hasSuffix(ZipArchive.ending), size <= file.size, start + size <= file.size,
      let (shape, headerLength) = FeatureEncoding.shape(.npz, startingWith: bytes),
      size == headerLength + 4 * shape.frames * shape.coefficients
    else { return nil }
    records.append(record)
    return ArchiveEntry(
      name: String(record.name.dropLast(ZipArchive.ending.count)), shape: shape, end: start + size)
  }

  func isEnding(in file: OutputFile, at offset: Int) throws -> Bool {
    var reader = ByteReader(try file.read(4, at: offset))
    return reader.number(4).map { [ZipArchive.centralHeader, ZipArchive.centralEnd].contains($0) } ?? false
  }

  // MARK: Writing

  mutating func append(_ entry: FeatureEntry, named name: String, to file: OutputFile) throws {
    var checksum = Checksum()
    try entry.forEachPiece { checksum.update($0) }
    let record = Record(
      name: name + ZipArchive.ending, checksum: checksum.value, size: entry.size, offset: file.size)
    let isLarge = record.size >= limit
    let extra = isLarge ? little(1, 2) + little(16, 2) + little(record.size, 8) + little(record.size, 8) : []
    try file.append(
      little(ZipArchive.localHeader, 4) + common(record, size: isLarge ? 0xFFFF_FFFF : record.size, extra)
        + record.name.utf8 + extra)
    try entry.forEachPiece { try file.append($0) }
    records.append(record)
  }

  func finish(_ file: OutputFile, isWhole: Bool) throws {
    guard !isWhole, !records.isEmpty else { return }
    let start = file.size
    for record in records {
      var extra: [UInt8] = []
      let (sizeIsLarge, offsetIsLarge) = (record.size >= limit, record.offset >= limit)
      if sizeIsLarge { extra += little(record.size, 8) + little(record.size, 8) }
      if offsetIsLarge { extra += little(record.offset, 8) }
      if !extra.isEmpty { extra = little(1, 2) + little(extra.count, 2) + extra }
      // Made by Unix, version 4.5; no comment, first disk, no attributes but those of a plain file (0644).
      try file.append(
        little(ZipArchive.centralHeader, 4) + [45, 3]
          + common(record, size: sizeIsLarge ? 0xFFFF_FFFF : record.size, extra)
          + little(0, 6) + little(0o100_644 << 16, 4) + little(offsetIsLarge ? 0xFFFF_FFFF : record.offset, 4)
          + record.name.utf8 + extra)
    }
    let end = file.size
    let (count, length) = (records.count, end - start)
    if count >= countLimit || start >= limit || length >= limit {
      try file.append(
        little(ZipArchive.centralEnd64, 4) + little(44, 8) + [45, 3, 45, 0] + little(0, 8) + little(count, 8)
          + little(count, 8) + little(length, 8) + little(start, 8))
      try file.append(little(ZipArchive.centralLocator64, 4) + little(0, 4) + little(end, 8) + little(1, 4))
    }
    let shortCount = count >= countLimit ? 0xFFFF : count
    try file.append(
      little(ZipArchive.centralEnd, 4) + little(0, 4) + little(shortCount, 2) + little(shortCount, 2)
        + little(length >= limit ? 0xFFFF_FFFF : length, 4) + little(start >= limit ? 0xFFFF_FFFF : start, 4)
        + little(0, 2))
  }

  /// What local and central headers share: version 4.5 to read, names in UTF-8, stored, 1 January 1980.
  private func common(_ record: Record, size: Int, _ extra: [UInt8]) -> [UInt8] {
    [45, 0] + little(0x800, 2) + little(0, 4) + little(0x21, 2) + little(Int(record.checksum), 4) + little(size, 4)
      + little(size, 4) + little(record.name.utf8.count, 2) + little(extra.count, 2)
  }

  private func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
