/// Matrices in NumPy's `.npy` format, version 1.0 (NumPy enhancement proposal 1): float32, little-endian, C order.
public enum NumpyFile {
  /// The file's bytes for `features`, of shape `(frames, coefficients)`.
  public static func bytes(_ features: FeatureMatrix) -> [UInt8] {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(features.frames), \(features.coefficients)), }"
    // Magic, version and length take 10 bytes; the whole header is padded to 64 and ends in a new line.
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { Array($0) }
    bytes += header.utf8
    bytes += features.values.withUnsafeBytes { Array($0) }
    return bytes
  }
}

extension FeatureMatrix {
  /// Comma-separated values: a header `c0,c1,...`, then one line per frame, each number in the fewest digits that give
  /// it back exactly.
  public var csv: String {
    var text = (0..<coefficients).map { "c\($0)" }.joined(separator: ",") + "\n"
    for frame in 0..<frames { text += self[frame].map(\.description).joined(separator: ",") + "\n" }
    return text
  }
}
