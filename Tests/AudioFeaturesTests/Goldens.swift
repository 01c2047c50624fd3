import AudioFeatures
import AudioInput
import Foundation
import Testing

/// Tensors of `Goldens/tools.safetensors`, which `make_goldens.py` wrote.
enum Goldens {
  struct Tensor {
    var shape: [Int]
    var values: [Float]
  }

  static let tensors: [String: Tensor] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/tools.safetensors")
    guard let data = try? Data(contentsOf: path) else { return [:] }
    let bytes = [UInt8](data)
    let length = bytes[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    let header = try? JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]]
    var tensors: [String: Tensor] = [:]
    for (name, entry) in header ?? [:] {
      guard let shape = entry["shape"] as? [Int], let range = entry["data_offsets"] as? [Int] else { continue }
      let slice = Array(bytes[8 + length + range[0]..<8 + length + range[1]])
      tensors[name] = Tensor(
        shape: shape,
        values: slice.withUnsafeBytes { raw in
          entry["dtype"] as? String == "I16"
            ? (0..<raw.count / 2).map { Float(raw.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self)) }
            : (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        })
    }
    return tensors
  }()

  /// The sound of that name, such as "word.8000".
  static func waveform(_ signal: String) throws -> Waveform {
    let samples = try #require(tensors["samples.\(signal)"])
    let rate = try #require(signal.split(separator: ".").last.flatMap { Int($0) })
    return Waveform(samples: samples.values.map { $0 / 32_768 }, sampleRate: rate)
  }

  static var signals: [String] {
    tensors.keys.filter { $0.hasPrefix("samples.") }.map { String($0.dropFirst(8)) }.sorted()
  }
}

/// The greatest difference, relative to the greatest value wanted.
func relativeDifference(_ found: FeatureMatrix, _ wanted: Goldens.Tensor) -> Float {
  guard [found.frames, found.coefficients] == wanted.shape else { return .infinity }
  let scale = wanted.values.map(\.magnitude).max() ?? 0
  let worst = zip(found.values, wanted.values).map { ($0 - $1).magnitude }.max() ?? 0
  return scale > 1e-12 ? worst / scale : worst  // python_speech_features has 2e-16 for the energy of silence
}

func noise(_ count: Int, rate: Int = 16_000, seed: UInt64 = 1) -> Waveform {
  var state = seed
  return Waveform(
    samples: (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-33
    }, sampleRate: rate)
}
