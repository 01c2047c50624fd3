/// A file's bytes for a scan from front to back, a large part in memory at a time.
struct ByteWindow {
  private let source: ByteSource
  private let end: Int
  private var bytes: [UInt8] = []
  private var start = 0
  private static let size = 1 << 18

  /// The bytes before `end`.
  init(_ source: ByteSource, end: Int) {
    self.source = source
    self.end = end
  }

  /// The `count` bytes from `position`, or as many as there are.
  mutating func bytes(at position: Int, _ count: Int) -> ArraySlice<UInt8> {
    let last = min(position + count, end)
    guard position < last else { return [] }
    if position < start || last > start + bytes.count {
      start = position
      bytes = source.bytes(position..<min(end, position + max(count, ByteWindow.size)))
    }
    return bytes[min(position - start, bytes.count)..<min(last - start, bytes.count)]
  }

  /// The first place from `position` on, before `limit`, where the byte `value` stands.
  mutating func firstIndex(of value: UInt8, from position: Int, limit: Int) -> Int? {
    var position = position
    while position < limit {
      let part = bytes(at: position, min(4096, limit - position))
      if part.isEmpty { return nil }
      if let index = part.firstIndex(of: value) { return position + index - part.startIndex }
      position += part.count
    }
    return nil
  }
}
