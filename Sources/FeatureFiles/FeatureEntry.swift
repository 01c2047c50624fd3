import AudioFeatures
import AuricleBase

/// One sound's features on their way into an archive: in memory, or in a temporary file when they are long.
///
/// Begin one with `FeatureArchive.entry()`.
public final class FeatureEntry {
  public private(set) var frames = 0
  private let encoding: FeatureEncoding
  private let path: String
  private var memory: [UInt8] = []
  private var file: OutputFile?

  /// The most that is held in memory, in bytes.
  private static let memoryLimit = 1 << 22

  /// `path` is the archive's; a temporary file is made beside it.
  init(encoding: FeatureEncoding, path: String) {
    self.encoding = encoding
    self.path = path
  }

  /// Adds frames. Throws `FileError`, and `FeatureFileError.otherWidth` for frames that are not of the archive's width.
  public func append(_ block: FeatureMatrix) throws {
    try encoding.check(block, path: path)
    encoding.encode(block, into: &memory)
    frames += block.frames
    if memory.count > FeatureEntry.memoryLimit {
      if file == nil { file = try OutputFile(path: path) }
      try file?.append(memory)
      memory.removeAll(keepingCapacity: true)
    }
  }

  /// Bytes, header included.
  var size: Int { encoding.header(frames: frames).count + (file?.size ?? 0) + memory.count }

  /// Hands out all bytes, header first, in pieces.
  func forEachPiece(_ body: ([UInt8]) throws -> Void) throws {
    try body(encoding.header(frames: frames))
    if let file {
      try file.flush()
      for offset in stride(from: 0, to: file.size, by: 1 << 20) { try body(try file.read(1 << 20, at: offset)) }
    }
    try body(memory)
  }
}
