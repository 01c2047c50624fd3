import AudioFeatures
import AuricleBase
import Foundation
import SequenceModel
import Training

/// What PyTorch computed; see `Goldens/make_goldens.py`.
struct Golden: Decodable {
  struct Loss: Decodable {
    let logits: [Double]
    let labels: [Int]
    let smoothing: Double
    let loss: Double
    let gradient: [Double]
  }

  struct Run: Decodable {
    let clip: Double?
    let losses: [Double]
    let norms: [Double]
    let parameters: [Double]
  }

  let crossEntropy: [Loss]
  let sequences: [[Double]]
  let labels: [Int]
  let parameters: [Double]
  let runs: [Run]

  static func load() throws -> Golden {
    let path = #filePath.replacing("Golden.swift", with: "Goldens/training.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Golden.self, from: Data(FileAccess.read(path)))
  }
}

private let twoClasses = [0, 1].compactMap { try? Target($0, of: 2) }

/// Sequences of two classes that differ in the order of a rise and a fall, so that only their course tells them apart.
func risesAndFalls(_ count: Int, seed: UInt64) -> [LabeledFeatures] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { index in
    let frames = 6 + Int(generator.next() % 9)
    let values = (0..<frames).flatMap { frame -> [Float] in
      let course = Double(frame) / Double(frames - 1) * 2 - 1
      return [Float((index % 2 == 0 ? course : -course) + 0.3 * generator.normal()), Float(generator.normal())]
    }
    return LabeledFeatures(features: FeatureMatrix(coefficients: 2, values: values), target: twoClasses[index % 2])
  }
}
