import AudioFeatures
import AuricleBase
import Foundation
import SequenceModel

/// Networks of every kind of layer and all named ones, and models of them.
enum Networks {
  /// Of 6 coefficients.
  static let all: [String: [Layer]] = {
    struct Case: Decodable {
      var name: String
      var layers: [Layer]
    }
    let path = #filePath.replacing("ModelExchangeTests/Networks.swift", with: "SequenceModelTests/Goldens/layers.json")
    let cases = (try? JSONDecoder().decode([Case].self, from: Data(FileAccess.read(path)))) ?? []
    return Dictionary(uniqueKeysWithValues: cases.map { ("\($0.name), layers.json", $0.layers) })
      .merging(NetworkName.allCases.map { ($0.rawValue, $0.template.layers) }) { $1 }
  }()

  static func classifier(
    _ layers: [Layer], _ input: ModelInput? = nil, output: ModelOutput = .softmax
  ) throws -> SequenceClassifier {
    var features = FeatureConfiguration.speech(sampleRate: 8_000, kind: .logMel)
    (features.mel.count, features.deltas.order, features.normalization) = (6, 0, .none)
    let input = input ?? .audio(features)
    let network = try NetworkTemplate(layers).network(input: input.width, classCount: 3)
    return try SequenceClassifier(
      configuration: network, input: input, output: output, labels: ["a", "b", "c"],
      parameters: ParameterLayout(network).initialParameters(seed: 1))
  }
}
