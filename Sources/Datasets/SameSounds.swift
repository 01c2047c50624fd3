import AudioInput
import AuricleBase

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What is looked at to find files of the same content: no more of each than needed.
public struct FileContents: Sendable {
  /// Bytes of the file; nil for what is no regular file.
  public var size: @Sendable (_ path: String) -> Int?
  /// Of some bytes in the middle, read only where two files have the same size.
  public var sample: @Sendable (_ path: String) -> UInt32?
  /// Of all bytes, read only where two files have the same size and sample.
  public var checksum: @Sendable (_ path: String) -> UInt32?

  public init(
    size: @escaping @Sendable (_ path: String) -> Int?, sample: @escaping @Sendable (_ path: String) -> UInt32?,
    checksum: @escaping @Sendable (_ path: String) -> UInt32?
  ) {
    self.size = size
    self.sample = sample
    self.checksum = checksum
  }

  /// By the files themselves: 4 KiB from the middle, then CRC-32 of all.
  public static let onDisk = FileContents(
    size: { FileAccess.size(of: $0) },
    sample: { path in
      let descriptor = path.withSystemPath { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
      guard descriptor >= 0, let size = FileAccess.size(of: path) else { return nil }
      defer { close(descriptor) }
      var block = [UInt8](repeating: 0, count: 4096)
      let count = pread(descriptor, &block, block.count, off_t(max(0, size / 2 - 2048)))
      guard count >= 0 else { return nil }
      var checksum = Checksum()
      checksum.update(block[..<count])
      return checksum.value
    },
    checksum: { path in
      var checksum = Checksum()
      do { try FileAccess.readBlocks(path) { checksum.update($0) } } catch { return nil }
      return checksum.value
    })
}

extension Dataset {
  /// Groups of two or more examples with the same content (the same seconds of it, where only some count), whatever their
  /// files are called, in the order of the examples.
  ///
  /// Only files of equal size are opened, and only those of equal size whose middle is the same are read. A file that
  /// cannot be read is in no group.
  public func sameSounds(_ contents: FileContents = .onDisk) -> [[Example]] {
    let paths = Set(examples.map(\.path))
    func grouped<Key: Hashable>(_ groups: [[String]], by key: (String) -> Key?) -> [[String]] {
      groups.flatMap { group in
        Dictionary(grouping: group) { key($0) }.compactMap { $0.key == nil ? nil : $0.value }.filter { $0.count > 1 }
      }
    }
    // An empty file has no content to share.
    let sized = grouped([Array(paths)]) { contents.size($0).flatMap { $0 > 0 ? $0 : nil } }
    let alike = grouped(grouped(sized, by: contents.sample), by: contents.checksum)
    var places: [String: Int] = [:]
    for (place, group) in alike.enumerated() { for path in group { places[path] = place } }
    var found: [String: [Example]] = [:]
    var order: [String] = []
    for example in examples {
      guard let place = places[example.path] else { continue }
      var span = example.sound
      span.path = "\(place)"
      if found[span.identity] == nil { order.append(span.identity) }
      found[span.identity, default: []].append(example)
    }
    return order.compactMap { found[$0] }.filter { $0.count > 1 }
  }
}
