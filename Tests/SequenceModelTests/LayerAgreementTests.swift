import AudioFeatures
import AuricleBase
import Foundation
import Testing

@testable import SequenceModel

/// Networks of every kind of layer, as `Goldens/layers.json` describes them, in training and in use.
struct LayerCase: Decodable, CustomTestStringConvertible, Sendable {
  var name: String
  var layers: [Layer]

  var testDescription: String { name }

  var configuration: NetworkConfiguration {
    get throws { try NetworkConfiguration(input: 6, layers) }
  }

  static let all: [LayerCase] = {
    let path = #filePath.replacing("LayerAgreementTests.swift", with: "Goldens/layers.json")
    let bytes = (try? FileAccess.read(path)) ?? []
    return (try? JSONDecoder().decode([LayerCase].self, from: Data(bytes))) ?? []
  }()

  var hasBatchNormalization: Bool {
    (try? ParameterLayout(configuration).tensors.contains { !$0.isTrainable }) ?? false
  }
}

@Suite("Layers agree with PyTorch")
struct LayerAgreementTests {
  @Test("every kind of layer is in a case, but for dropout, which draws at random")
  func cases() {
    func kinds(_ layers: [Layer]) -> [String] {
      layers.flatMap { layer in
        if case .residual(let block) = layer { return [Residual.type] + kinds(block.layers) }
        return [type(of: layer.definition).type]
      }
    }
    #expect(Set(LayerCase.all.flatMap { kinds($0.layers) }) == Set(Layer.kinds.keys).subtracting([Dropout.type]))
  }

  @Test("in double precision, to 1e-11", arguments: LayerCase.all)
  func double(_ test: LayerCase) throws { try check(test, Double.self, relative: 1e-11) }

  @Test("in single precision, to 3e-6", arguments: LayerCase.all)
  func single(_ test: LayerCase) throws { try check(test, Float.self, relative: 3e-6) }

  private func check<Scalar: NetworkScalar>(_ test: LayerCase, _ type: Scalar.Type, relative: Double) throws {
    let golden = try Golden("layers", prefix: "\(test.name).")
    let configuration = try test.configuration
    let layout = ParameterLayout(configuration)
    let parameters = try golden("parameters").map { Scalar($0) }
    #expect(parameters.count == layout.count)
    let inputs = try golden.inputs(columns: 6).map { $0.map { Scalar($0) } }
    func logits(_ tape: NetworkTape<Scalar>, training: Bool) -> (NetworkWeights<Scalar>, [Scalar]) {
      let weights = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: training)
      let logits = tape.forward(weights, lengths: Golden.lengths, PassOptions(training: training)) {
        sequence, frame, row in
        for i in 0..<6 { row[i] = inputs[sequence][frame * 6 + i] }
      }
      return (weights, logits)
    }
    expectAgreement(
      logits(NetworkTape(configuration), training: false).1, try golden("inference"), relative: relative, "inference")

    let tape = NetworkTape<Scalar>(configuration)
    tape.computesInputGradient = true
    let (weights, found) = logits(tape, training: true)
    expectAgreement(found, try golden("logits"), relative: relative, "logits")
    var gradient = [Scalar](repeating: 0, count: layout.count)
    tape.backward(weights, logitGradient: try golden("upstream").map { Scalar($0) }, to: &gradient)
    for tensor in layout.tensors where !tensor.isTrainable {
      for i in tensor.range { gradient[i] = 0 }
    }
    expectAgreement(gradient, try golden("gradient"), relative: 10 * relative, "gradient")
    let dx = try #require(tape.inputGradient)
    expectAgreement(
      dx.shape.sequences(dx.base, dx.axis).flatMap { $0 }, try golden("gradient.input"), relative: 10 * relative,
      "gradient of the input")
  }

  @Test("and their gradients with finite differences", arguments: LayerCase.all)
  func finiteDifferences(_ test: LayerCase) throws {
    let network = TestNetwork(try test.configuration, lengths: [4, 1, 6])
    let (gradient, inputGradient) = network.gradients()
    let layout = ParameterLayout(network.configuration)
    // A step that no ReLU or maximum of these inputs is near enough to notice.
    let step = 1e-6
    for tensor in layout.tensors where tensor.isTrainable {
      // Of large tensors, every seventh.
      for index in tensor.range where tensor.count < 200 || index.isMultiple(of: 7) {
        let numeric = network.slope(step) { $0.parameters[index] += $1 }
        #expect(abs(numeric - gradient[index]) < 1e-6 + 1e-5 * abs(numeric), "\(tensor.name) \(index)")
      }
    }
    for sequence in inputGradient.indices {
      for index in inputGradient[sequence].indices {
        let numeric = network.slope(step) { $0.inputs[sequence][index] += $1 }
        #expect(
          abs(numeric - inputGradient[sequence][index]) < 1e-6 + 1e-5 * abs(numeric), "input \(sequence), \(index)")
      }
    }
  }

  @Test(
    "a sequence gives the same bits alone and in a batch, and nothing leaks from one to another",
    arguments: LayerCase.all)
  func ragged(_ test: LayerCase) throws {
    let configuration = try test.configuration
    let classifier = try configuration.classifier()
    let sequences = [3, 24, 1, 11, 24, 8, 2, 19].enumerated().map { configuration.features($1, seed: UInt64($0)) }
    let together = try classifier.probabilities(of: sequences)
    for (sequence, found) in zip(sequences, together) {
      #expect(try classifier.probabilities(of: [sequence])[0] == found, "\(sequence.frames) frames")
    }
    let network = try TrainableNetwork(
      configuration, layout: ParameterLayout(configuration), parameters: classifier.parameters)
    let spoiled = FeatureMatrix(coefficients: 6, values: sequences[1].values.map { _ in .nan })
    var others = sequences
    others[1] = spoiled
    let (clean, with) = (
      try network.logits(of: sequences, normalizer: nil), try network.logits(of: others, normalizer: nil)
    )
    for index in sequences.indices where index != 1 {
      #expect(clean[3 * index..<3 * index + 3] == with[3 * index..<3 * index + 3])
    }
  }

  @Test("a stream gives what one piece gives, after every piece", arguments: LayerCase.all)
  func stream(_ test: LayerCase) throws {
    let configuration = try test.configuration
    let classifier = try configuration.classifier()
    guard configuration.waitsForEnd == nil else {
      #expect(throws: ModelError.self) { try ClassifierStream(classifier) }
      return
    }
    let features = configuration.features(60, seed: 3)
    var generator = SeededGenerator(seed: 4)
    var stream = try ClassifierStream(classifier)
    while stream.frames < features.frames {
      let next = min(features.frames, stream.frames + Int(generator.next() % 9))
      try stream.append(features.frames(stream.frames..<next))
      guard next > 0 else { continue }
      let whole = try classifier.probabilities(of: [features.frames(0..<next)])[0]
      expectAgreement(
        try stream.probabilities(), whole.map { Double($0) }, relative: 1e-6, "probabilities after \(next) frames")
    }
  }

  @Test("dropout of channels drops a channel of a sequence in all its frames and bins, and keeps the mean")
  func channelDropout() throws {
    let configuration = try NetworkConfiguration(
      input: 6,
      [
        .convolution(filters: 64, frames: 1, bins: 1), .dropout(0.25, channels: true), .pooling(.mean), .dense(2),
      ])
    let layout = ParameterLayout(configuration)
    var parameters = [Double](repeating: 0, count: layout.count)
    for i in 64..<128 { parameters[i] = 1 }  // all outputs are the bias, 1
    let weights = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: true)
    let tape = NetworkTape<Double>(configuration)
    func outputs(_ seed: UInt64?) -> [[Double]] {
      tape.outputs(weights, lengths: [5, 3, 4], PassOptions(training: true, dropoutSeed: seed)) { _, _, row in
        for i in 0..<6 { row[i] = 1 }
      }.outputs
    }
    let dropped = outputs(7)
    var masks: [[Double]] = []
    for sequence in dropped {
      let mask = Array(sequence[..<64])
      masks.append(mask)
      #expect(Set(mask) == [0, 1 / 0.75])
      for start in stride(from: 0, to: sequence.count, by: 64) { #expect(Array(sequence[start..<start + 64]) == mask) }
    }
    #expect(Set(masks).count == 3)
    #expect(outputs(7) == dropped && outputs(8) != dropped)
    #expect(outputs(nil).allSatisfy { $0.allSatisfy { $0 == 1 } })
  }
}
