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
      let member: [UInt8]
      let end: Int
      do {
        (member, end) = try Inflater.inflated(bytes, from: rest.startIndex, limit: limit, used: output.count)
      } catch {
        throw Malformed(reason: error.reason)
      }
      output += member
      rest = bytes[end...]
      guard rest.count >= 8 else { throw Malformed(reason: "it is cut off") }
      var checksum = Checksum()
      checksum.update(member)
      guard littleEndian(rest.prefix(4)) == checksum.value,
        littleEndian(rest.dropFirst(4).prefix(4)) == UInt32(truncatingIfNeeded: member.count)
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
