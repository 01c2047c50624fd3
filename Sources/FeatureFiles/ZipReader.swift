import AuricleBase

/// Takes files out of a zip archive (PKWARE, APPNOTE.TXT 6.3.10), stored or deflated, with the 64-bit extensions: what
/// NumPy's `savez` and `savez_compressed` write.
struct ZipReader: Sendable {
  struct Entry: Sendable {
    var name: String
    fileprivate var isDeflated: Bool
    fileprivate var checksum: UInt32
    fileprivate var storedSize: Int
    /// Of what is in it.
    fileprivate(set) var size: Int
    /// Of its local header.
    fileprivate var offset: Int
  }

  let file: SeekableFile
  /// In the order of the archive's directory.
  private(set) var entries: [Entry] = []

  /// DEFLATE makes nothing smaller than this share (RFC 1951: 258 bytes of two bits).
  private static let mostDeflation = 1032

  init(path: String) throws {
    file = try SeekableFile(path)
    let (start, size, count) = try directory()
    var reader = ByteReader(try file.read(size, at: start))
    guard size >= 46 * count, reader.count == size else { throw refuse("its directory is damaged") }
    var names: Set<String> = []
    for _ in 0..<count {
      let entry = try entry(&reader)
      guard names.insert(entry.name).inserted else { throw refuse("'\(entry.name)' is in it twice") }
      entries.append(entry)
    }
  }

  private func refuse(_ reason: String) -> FeatureFileError { .unusable(path: file.path, reason: reason) }

  /// Where the central directory begins, its bytes, and how many files it lists.
  private func directory() throws -> (start: Int, size: Int, count: Int) {
    // At the very end, but for a comment of up to 65,535 bytes.
    let tail = try file.read(65_557, at: max(0, file.size - 65_557))
    let signature: [UInt8] = [0x50, 0x4B, 5, 6]
    guard tail.count >= 22,
      let place = (0...tail.count - 22).reversed().first(where: { tail[$0..<$0 + 4].elementsEqual(signature) })
    else { throw refuse("it is not a zip archive, or cut off") }
    var reader = ByteReader(Array(tail[(place + 8)...]))
    guard reader.number(2) != nil, var count = reader.number(2), var size = reader.number(4),
      var start = reader.number(4)
    else { throw refuse("its end is damaged") }
    if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
      var locator = ByteReader(try file.read(20, at: file.size - tail.count + place - 20))
      if locator.number(4) == 0x0706_4B50, locator.take(4) != nil, let offset = locator.number(8), offset < file.size {
        var end = ByteReader(try file.read(56, at: offset))
        guard end.number(4) == 0x0606_4B50, end.take(28) != nil, let count64 = end.number(8),
          let size64 = end.number(8), let start64 = end.number(8)
        else { throw refuse("its end is damaged") }
        (count, size, start) = (count64, size64, start64)
      }
    }
    guard start <= file.size, size <= file.size - start, count <= size / 46 else {
      throw refuse("its directory is damaged")
    }
    return (start, size, count)
  }

  private func entry(_ reader: inout ByteReader) throws -> Entry {
    guard reader.number(4) == 0x0201_4B50, reader.take(4) != nil, let flags = reader.number(2),
      let method = reader.number(2), reader.take(4) != nil, let checksum = reader.number(4),
      var storedSize = reader.number(4), var size = reader.number(4), let nameLength = reader.number(2),
      let extraLength = reader.number(2), let commentLength = reader.number(2), reader.take(8) != nil,
      var offset = reader.number(4), let nameBytes = reader.take(nameLength), let extra = reader.take(extraLength),
      reader.take(commentLength) != nil
    else { throw refuse("its directory is damaged") }
    guard let name = String(validating: nameBytes, as: UTF8.self) else {
      throw refuse("a name in it is not UTF-8")
    }
    var fields = ByteReader(Array(extra))
    while let kind = fields.number(2), let length = fields.number(2), let field = fields.take(length) {
      guard kind == 1 else { continue }
      // Those of the numbers that are all ones, in this order.
      var numbers = ByteReader(Array(field))
      if size == 0xFFFF_FFFF { size = numbers.number(8) ?? -1 }
      if storedSize == 0xFFFF_FFFF { storedSize = numbers.number(8) ?? -1 }
      if offset == 0xFFFF_FFFF { offset = numbers.number(8) ?? -1 }
    }
    guard flags & 1 == 0 else { throw refuse("'\(name)' in it is encrypted") }
    guard method == 0 || method == 8 else {
      throw refuse("'\(name)' in it is compressed in a way that NumPy does not use (method \(method))")
    }
    guard size >= 0, offset >= 0, storedSize >= 0, offset <= file.size, storedSize <= file.size - offset,
      method == 8 || size == storedSize, size / ZipReader.mostDeflation <= storedSize
    else { throw refuse("'\(name)' in it is cut off") }
    return Entry(
      name: name, isDeflated: method == 8, checksum: UInt32(checksum), storedSize: storedSize, size: size,
      offset: offset)
  }

  /// All bytes of an entry, checked against its checksum.
  func bytes(of entry: Entry) throws -> [UInt8] {
    func damaged(_ reason: String) -> FeatureFileError { refuse("'\(entry.name)' in it is damaged: \(reason)") }
    var header = ByteReader(try file.read(30, at: entry.offset))
    guard header.number(4) == 0x0403_4B50, header.take(22) != nil, let nameLength = header.number(2),
      let extraLength = header.number(2)
    else { throw damaged("its header is missing") }
    let stored = try file.read(entry.storedSize, at: entry.offset + 30 + nameLength + extraLength)
    guard stored.count == entry.storedSize else { throw damaged("it is cut off") }
    let bytes: [UInt8]
    do throws(Inflater.Malformed) {
      bytes = entry.isDeflated ? try Inflater.inflated(stored, limit: entry.size) : stored
    } catch {
      throw damaged(error.reason)
    }
    var checksum = Checksum()
    checksum.update(bytes)
    guard bytes.count == entry.size, checksum.value == entry.checksum else {
      throw damaged("its checksum does not fit what is in it")
    }
    return bytes
  }
}
