import AudioFeatures
import AuricleBase

/// The bytes of a feature matrix in a format: a header of a length that does not depend on the number of frames, then the
/// frames, one after the other, so that any length can be written block by block.
///
///     let encoding = FeatureEncoding(.htk, of: configuration)
///     var bytes = encoding.header(frames: features.frames)
///     encoding.encode(features, into: &bytes)
public struct FeatureEncoding: Hashable, Sendable {
  public let format: FeatureFileFormat
  public let coefficients: Int
  private let parameterKind: HTKParameterKind
  private let framePeriod: Int32

  /// For features that an extractor with `configuration` computes.
  public init(_ format: FeatureFileFormat, of configuration: FeatureConfiguration) {
    self.format = format
    coefficients = max(1, configuration.coefficientCount)
    parameterKind = HTKParameterKind(configuration)
    let period = 1e7 * Double(configuration.hopLength) / Double(max(1, configuration.sampleRate))
    framePeriod = Int32(max(1, min(period.rounded(), Double(Int32.max))))
  }

  /// For frames of so many coefficients in an archive; nil for a format that says more of them.
  init?(archive format: FeatureFileFormat, coefficients: Int) {
    guard format.isArchive else { return nil }
    (self.format, self.coefficients) = (format, max(1, coefficients))
    (parameterKind, framePeriod) = (HTKParameterKind(FeatureConfiguration.speech(sampleRate: 16_000)), 1)
  }

  /// What stands before the frames.
  public func header(frames: Int) -> [UInt8] {
    switch format {
    case .npy, .npz: numpyHeader(frames)
    case .csv: Array(((0..<coefficients).map { "c\($0)" }.joined(separator: ",") + "\n").utf8)
    case .htk: htkHeader(frames)
    case .ark: kaldiHeader(frames)
    }
  }

  /// Appends frames, which are of `coefficients` each.
  public func encode(_ block: FeatureMatrix, into bytes: inout [UInt8]) {
    switch format {
    case .npy, .npz, .ark:
      block.values.withUnsafeBytes { bytes.append(contentsOf: $0) }
    case .htk:
      bytes.reserveCapacity(bytes.count + 4 * block.values.count)
      for value in block.values { withUnsafeBytes(of: value.bitPattern.bigEndian) { bytes.append(contentsOf: $0) } }
    case .csv:
      for frame in 0..<block.frames {
        bytes += block[frame].map(\.description).joined(separator: ",").utf8
        bytes.append(UInt8(ascii: "\n"))
      }
    }
  }

  /// Throws `FeatureFileError.otherWidth` for frames that would make rows of other lengths in the file at `path`.
  func check(_ block: FeatureMatrix, path: String) throws(FeatureFileError) {
    guard block.coefficients == coefficients else {
      throw .otherWidth(path: path, found: block.coefficients, wanted: coefficients)
    }
  }

  /// How many frames a matrix of `size` bytes, header included, must hold; nil for a size none has.
  func frames(inSize size: Int) -> Int? {
    let (count, rest) = (size - header(frames: 0).count).quotientAndRemainder(dividingBy: 4 * coefficients)
    return count >= 0 && rest == 0 ? count : nil
  }

  /// Beyond these no matrix is believed; the bytes of one within them can be counted.
  private static let (mostFrames, mostCoefficients) = (1 << 38, 1 << 22)

  /// The shape of the matrix that begins with `start`, in an archive of this format, and the length of its header; nil
  /// when none does.
  static func shape(_ format: FeatureFileFormat, startingWith start: [UInt8]) -> (FeatureShape, headerLength: Int)? {
    var reader = ByteReader(start)
    guard format == .npz else {
      guard reader.take(5)?.elementsEqual([0] + Array("BFM ".utf8)) == true, reader.number(1) == 4,
        let rows = reader.number(4), reader.number(1) == 4, let columns = reader.number(4),
        rows <= Int32.max, columns <= mostCoefficients
      else { return nil }
      return (FeatureShape(frames: rows, coefficients: columns), 15)
    }
    guard reader.take(8)?.elementsEqual([0x93] + Array("NUMPY".utf8) + [1, 0]) == true,
      let length = reader.number(2), let header = reader.take(length)
    else { return nil }
    let before = "{'descr': '<f4', 'fortran_order': False, 'shape': ("
    let text = String(decoding: header, as: UTF8.self)
    guard text.hasPrefix(before) else { return nil }
    let sizes = text.dropFirst(before.count).prefix { $0 != ")" }.split(separator: ", ").map { Int($0) }
    guard sizes.count == 2, let frames = sizes[0], let coefficients = sizes[1], (0...mostFrames).contains(frames),
      (1...mostCoefficients).contains(coefficients)
    else { return nil }
    return (FeatureShape(frames: frames, coefficients: coefficients), 10 + length)
  }

  // MARK: Headers

  /// NumPy's format, version 1.0 (NumPy Enhancement Proposal 1): little-endian float32 in C order.
  private func numpyHeader(_ frames: Int) -> [UInt8] {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(frames), \(coefficients)), }"
    // Magic, version and length take 10 bytes; all is padded to 128, a multiple of 64 that holds every shape.
    let padded = text + String(repeating: " ", count: max(0, 117 - text.utf8.count)) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + bytes(UInt16(padded.utf8.count).littleEndian) + padded.utf8
  }

  /// The HTK Book, section 5.10.1: frames, their distance in units of 100 ns, bytes in a frame, kind; big-endian.
  private func htkHeader(_ frames: Int) -> [UInt8] {
    bytes(Int32(clamping: frames).bigEndian) + bytes(framePeriod.bigEndian)
      + bytes(Int16(clamping: 4 * coefficients).bigEndian) + bytes(parameterKind.code.bigEndian)
  }

  /// Kaldi's binary float matrix: the mark of binary data, "FM ", rows and columns, each after its size in bytes.
  private func kaldiHeader(_ frames: Int) -> [UInt8] {
    [0] + Array("BFM ".utf8) + [4] + bytes(Int32(clamping: frames).littleEndian) + [4]
      + bytes(Int32(clamping: coefficients).littleEndian)
  }
}

/// The size of a feature matrix.
public struct FeatureShape: Hashable, Sendable {
  public var frames: Int
  public var coefficients: Int

  public init(frames: Int, coefficients: Int) {
    self.frames = frames
    self.coefficients = coefficients
  }
}

/// The bytes of a number as they stand in memory.
func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value) { Array($0) }
}
