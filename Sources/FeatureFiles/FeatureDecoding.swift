import AudioFeatures
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension FeatureMatrix {
  /// The matrix in the file at `path`, of the format that the ending of its name says: `.npy`, `.htk` or `.csv`.
  ///
  /// Throws `FileError`, and `FeatureFileError.unusable` for what is not one matrix of real numbers.
  public init(contentsOf path: String) throws {
    let bytes = try FileAccess.read(path)
    do {
      switch FeatureFileFormat(endingOf: path) {
      case .npy: self = try FeatureMatrix(NumpyArray(bytes))
      case .htk: self = try FeatureMatrix(htk: bytes)
      case .csv: self = try FeatureMatrix(csv: bytes)
      default: throw NumpyArray.Unusable(reason: "its name must end in .npy, .htk or .csv")
      }
    } catch let error as NumpyArray.Unusable {
      throw FeatureFileError.unusable(path: path, reason: error.reason)
    }
  }

  /// An array of frames x coefficients.
  init(_ array: NumpyArray) throws {
    guard array.shape.count == 2, let values = array.floats else {
      throw NumpyArray.Unusable(
        reason: "its shape is \(array.shape.isEmpty ? "that of one number" : NumpyArray.text(array.shape)); "
          + "wanted numbers, frames x coefficients")
    }
    try self.init(checking: array.shape[0], array.shape[1], values)
  }

  init(checking frames: Int, _ coefficients: Int, _ values: [Float]) throws(NumpyArray.Unusable) {
    do throws(FeatureError) {
      try self.init(frames: frames, coefficients: coefficients, values: values)
    } catch {
      throw NumpyArray.Unusable(reason: error.description)
    }
  }

  /// A parameter file of HTK (the HTK Book, section 5.10.1), of floats, big-endian.
  init(htk bytes: [UInt8]) throws {
    guard bytes.count >= 12 else { throw NumpyArray.Unusable(reason: "it is too short for HTK's header") }
    func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 << 8 | Int($1) } }
    let (frames, size, kind) = (number(0..<4), number(8..<10), number(10..<12))
    guard kind & 0o2000 == 0 else {
      throw NumpyArray.Unusable(reason: "it is compressed (_C); write it with HTK's SAVECOMPRESSED = F")
    }
    // Samples, integer coefficients and codebook indices are of 16 bits.
    guard ![0, 5, 10].contains(kind & 0o77) else { throw NumpyArray.Unusable(reason: "it does not hold floats") }
    // _K: a checksum of two bytes follows.
    guard size > 0, size % 4 == 0, bytes.count - 12 - (kind & 0o10000 == 0 ? 0 : 2) == frames * size else {
      throw NumpyArray.Unusable(reason: "it is not HTK's format, big-endian, or cut off")
    }
    let values = (0..<frames * size / 4).map { index in
      Float(bitPattern: UInt32(truncatingIfNeeded: number(12 + 4 * index..<16 + 4 * index)))
    }
    try self.init(checking: frames, size / 4, values)
  }

  /// Lines of numbers with commas between them; the first line may hold names.
  init(csv bytes: [UInt8]) throws {
    var values: [Float] = []
    var (frames, width) = (0, 0)
    let lines = bytes.split(omittingEmptySubsequences: false) { $0 == 10 || $0 == 13 }
    for (index, line) in lines.enumerated() where !line.isEmpty {
      let cells = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { cell in
        let text = String(decoding: cell, as: UTF8.self)
        return Float(text) ?? Float(text.filter { $0 != " " && $0 != "\t" && $0 != "\u{FEFF}" })
      }
      let row = cells.compactMap { $0 }
      if width == 0, row.isEmpty {
        width = cells.count  // names
        continue
      }
      if width == 0 { width = cells.count }
      guard row.count == cells.count, row.count == width else {
        throw NumpyArray.Unusable(
          reason: row.count < cells.count
            ? "line \(index + 1) holds something that is not a number"
            : "line \(index + 1) has \(row.count) numbers, the first has \(width)")
      }
      values += row
      frames += 1
    }
    guard width > 0 else { throw NumpyArray.Unusable(reason: "it is empty") }
    try self.init(checking: frames, width, values)
  }
}

extension FeatureFileFormat {
  /// Of the file at `path`, by the ending of its name.
  public init?(endingOf path: String) {
    guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return nil }
    self.init(rawValue: path[path.index(after: dot)...].lowercased())
  }
}
