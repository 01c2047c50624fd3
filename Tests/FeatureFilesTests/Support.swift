import AudioFeatures
import AuricleBase
import Foundation

@testable import FeatureFiles

/// The matrix of the golden files: signs, fractions, numbers that are barely numbers, the largest and the smallest.
let golden = FeatureMatrix(
  coefficients: 3,
  values: [
    0.0, -0.0, 1.0, -1.5, 3.14159274, Float(bitPattern: 71_362), 16_777_216.0, -3.4028235e38, 1.1754944e-38, 0.1, -0.2,
    0.3, 1e10, -1e-10,
    12345.678,
  ])

func goldenBytes(_ name: String) throws -> [UInt8] {
  try FileAccess.read(#filePath.replacing("Support.swift", with: "Goldens/\(name)"))
}

/// One coefficient and its two deltas, as HTK has them: MFCC_0_D_A, every 10 ms.
var threeCoefficients: FeatureConfiguration {
  var configuration = FeatureConfiguration.htk(sampleRate: 16_000)
  configuration.cepstrum.count = 1
  return configuration
}

/// `frames` rows of numbers that differ.
func matrix(_ frames: Int, seed: Float = 0) -> FeatureMatrix {
  FeatureMatrix(coefficients: 3, values: (0..<3 * frames).map { Float($0) / 7 + seed })
}

extension FeatureMatrix {
  func frames(_ range: Range<Int>) -> FeatureMatrix {
    FeatureMatrix(
      coefficients: coefficients,
      values: Array(values[range.lowerBound * coefficients..<range.upperBound * coefficients]))
  }
}

/// Writes without waiting for the disk, as `FileAccess` would.
func put(_ path: String, with bytes: some Sequence<UInt8>) throws {
  try Data(bytes).write(to: URL(filePath: path))
}

/// A folder of its own for one test, removed with all that is in it.
struct TemporaryFolder: ~Copyable {
  let path = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)"

  init() throws { try FileAccess.makeFolder(path) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
