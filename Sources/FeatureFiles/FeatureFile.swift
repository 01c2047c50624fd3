import AudioFeatures
import AuricleBase

/// Writes one sound's features to a file of their own, block by block; a reader sees the file whole or not at all.
///
///     let file = try FeatureFile(path: "seven.npy", encoding: FeatureEncoding(.npy, of: extractor.configuration))
///     _ = try extractor.features(ofFile: "seven.wav") { try file.append($0) }
///     try file.finish()
///     print(file.frames)      // 51
///
/// The file is written under a temporary name beside it, flushed to the disk, and given its own name by `finish`;
/// abandoned, it is removed.
public final class FeatureFile {
  public private(set) var frames = 0
  private let path: String
  private let encoding: FeatureEncoding
  private let output: OutputFile
  private var scratch: [UInt8] = []

  /// Begins the file. Throws `FileError`, and `FeatureFileError.tooManyCoefficients` for frames HTK cannot hold.
  public init(path: String, encoding: FeatureEncoding) throws {
    let limit = Int(Int16.max) / 4
    if encoding.format == .htk && encoding.coefficients > limit {
      throw FeatureFileError.tooManyCoefficients(path: path, coefficients: encoding.coefficients, limit: limit)
    }
    self.path = path
    self.encoding = encoding
    output = try OutputFile(path: path)
    try output.append(encoding.header(frames: 0))
  }

  /// Adds frames. Throws `FileError`, and `FeatureFileError.otherWidth` for frames that are not of the encoding's width.
  public func append(_ block: FeatureMatrix) throws {
    try encoding.check(block, path: path)
    encoding.encode(block, into: &scratch)
    try output.append(scratch)
    scratch.removeAll(keepingCapacity: true)
    frames += block.frames
  }

  /// Completes the header, and gives the file its name. Its way to the disk is left to the system: one flush for each of
  /// thousands of small files takes most of the time, and a file cut short by a power failure is not taken for whole.
  public func finish() throws(FileError) {
    try output.replaceStart(with: encoding.header(frames: frames))
    try output.publish(durably: false)
  }

  /// The number of frames in the file at `path`; nil unless it is whole and of this very encoding: the header is the one
  /// that this encoding gives, and the size is what it says. (CSV says no size: its names and its last line count.)
  public static func frames(at path: String, encoding: FeatureEncoding) -> Int? {
    guard let size = FileAccess.size(of: path) else { return nil }
    let header = encoding.header(frames: 0)
    guard size >= header.count else { return nil }
    if encoding.format == .csv {
      guard let bytes = try? FileAccess.read(path), bytes.starts(with: header), bytes.last == UInt8(ascii: "\n")
      else { return nil }
      return bytes.count { $0 == UInt8(ascii: "\n") } - 1
    }
    guard let frames = encoding.frames(inSize: size), FileAccess.hasPrefix(path, encoding.header(frames: frames))
    else { return nil }
    return frames
  }
}
