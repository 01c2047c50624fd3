import AudioInput
import AuricleBase
import RealModule

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The path of a file in Fixtures/audio.
func fixture(_ name: String) -> String {
  let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  return "/\(root)/Fixtures/audio/\(name)"
}

/// The path of a file in Fixtures/containers.
func container(_ name: String) -> String { fixture("../containers/\(name)") }

/// A folder of its own for one test, removed with all that is in it.
struct TemporaryFolder: ~Copyable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)"
    try FileAccess.makeFolder(path)
  }

  /// Writes a file and returns its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try FileAccess.writeAtomically(bytes, to: "\(path)/\(name)")
    return "\(path)/\(name)"
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// A WAV file of interleaved samples: 16-bit integers (format 1), or 32-bit floats (format 3).
func wav<Sample: BitwiseCopyable>(_ samples: [Sample], format: Int, rate: Int = 8000, channels: Int = 1) -> [UInt8] {
  func word(_ value: Int) -> [UInt8] { (0..<2).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  func long(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  let width = MemoryLayout<Sample>.size
  let data = samples.withUnsafeBytes { Array($0) }
  var bytes = Array("RIFF".utf8) + long(36 + data.count) + Array("WAVEfmt ".utf8) + long(16) + word(format)
  bytes += word(channels) + long(rate) + long(rate * channels * width) + word(channels * width) + word(8 * width)
  return bytes + Array("data".utf8) + long(data.count) + data
}

/// 10 log10 of the power of `expected` over that of the difference, in dB.
func signalToNoise(_ samples: some Collection<Float>, _ expected: some Collection<Double>) -> Double {
  let signal = expected.reduce(0) { $0 + $1 * $1 }
  let noise = zip(samples, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
  return 10 * Double.log10(signal / noise)
}
