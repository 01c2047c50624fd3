import AudioFeatures
import AuricleBase
import Foundation
import SequenceModel
import TestSupport
import Testing
import Training

@Suite("Optimisers")
struct OptimizerTests {
  @Test("ten steps of a whole network agree with PyTorch: losses, norms, parameters", arguments: 0..<2)
  func tenSteps(run: Int) throws {
    let golden = try Golden.load()
    let wanted = golden.runs[run]
    let configuration = try classicNetwork(
      inputSize: 4, hiddenSize: 6, layers: 1, bidirectional: true, pooling: .mean, dropout: 0, classCount: 3)
    let layout = ParameterLayout(configuration)
    var parameters = golden.parameters.map { Float($0) }
    #expect(parameters.count == layout.count)
    let sequences = golden.sequences.map { FeatureMatrix(coefficients: 4, values: $0.map { Float($0) }) }
    var optimizer = Optimizer(.adam, layout: layout)
    optimizer.epsilon = 1e-3
    let worker = NetworkWorker(configuration)

    for step in 0..<10 {
      let network = try TrainableNetwork(configuration, layout: layout, parameters: parameters)
      let logits = try worker.logits(network, of: sequences, normalizer: nil, dropoutSeed: nil)
      let loss = try BatchLoss(
        .softmaxCrossEntropy(labelSmoothing: 0), logits: logits, targets: golden.labels.map { try Target($0, of: 3) },
        scale: 1 / 3)
      #expect(abs(loss.loss / 3 - wanted.losses[step]) < 1e-5, "loss of step \(step)")
      var gradient = [Float](repeating: 0, count: layout.count)
      try worker.addGradient(network, ofLogits: loss.logitGradient, to: &gradient)
      let norm = try optimizer.update(&parameters, gradient: gradient, learningRate: 0.01, clipNorm: wanted.clip)
      #expect(abs(norm - wanted.norms[step]) < 1e-5, "norm of step \(step)")
    }
    let worst = zip(parameters, wanted.parameters).map { abs(Double($0) - $1) }.max() ?? .infinity
    #expect(worst < 2e-5)
  }

  @Test("a gradient that is not finite leaves the parameters alone", arguments: Optimizer.Kind.allCases)
  func notFinite(kind: Optimizer.Kind) throws {
    let layout = ParameterLayout(try classicNetwork(inputSize: 1, hiddenSize: 1, layers: 1, classCount: 2))
    var optimizer = Optimizer(kind, layout: layout)
    let start = layout.initialParameters(seed: 1)
    var parameters = start
    try optimizer.update(
      &parameters, gradient: [.nan] + [Float](repeating: 1, count: layout.count - 1), learningRate: 0.1)
    #expect(parameters == start && optimizer.step == 0)
  }

  // Keras adds epsilon to the root of the second moment before the correction, which is the last bits here.
  @Test("ten steps agree with Keras", arguments: 0..<4)
  func keras(run: Int) throws {
    let golden = try KerasGolden.load()
    let wanted = golden.runs[run]
    let layout = ParameterLayout(
      try classicNetwork(
        inputSize: 1, hiddenSize: 1, layers: 1, bidirectional: false, pooling: .mean, classCount: 2))
    var optimizer = Optimizer(
      try #require(Optimizer.Kind(rawValue: wanted.kind)), layout: layout, weightDecay: wanted.decay)
    var parameters = golden.start
    for gradient in golden.gradients {
      try optimizer.update(&parameters, gradient: gradient, learningRate: golden.rate)
    }
    let worst = zip(parameters, wanted.parameters).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-5, "\(wanted.kind)")
  }

  @Test("decay that is not decoupled is that weight times the decay in the gradient, for weights only")
  func coupledDecay() throws {
    let golden = try KerasGolden.load()
    let layout = ParameterLayout(
      try classicNetwork(
        inputSize: 1, hiddenSize: 1, layers: 1, bidirectional: false, pooling: .mean, classCount: 2))
    var (plain, decaying) = (golden.start, golden.start)
    let gradient = golden.gradients[0]
    var optimizer = Optimizer(.sgd, layout: layout, momentum: 0, weightDecay: 0)
    try optimizer.update(&plain, gradient: gradient, learningRate: 0.1)
    optimizer = Optimizer(.sgd, layout: layout, momentum: 0, weightDecay: 0.5)
    try optimizer.update(&decaying, gradient: gradient, learningRate: 0.1)
    for index in plain.indices {
      let isBias = (6..<12).contains(index) || index >= 14
      #expect(abs(plain[index] - decaying[index] - (isBias ? 0 : 0.05 * golden.start[index])) < 1e-6)
    }
  }
}

/// What Keras computed; see `Goldens/make_optimizers.py`.
private struct KerasGolden: Decodable {
  struct Run: Decodable {
    let kind: String
    let decay: Double
    let parameters: [Float]
  }

  let start: [Float]
  let gradients: [[Float]]
  let rate: Double
  let runs: [Run]

  static func load() throws -> KerasGolden {
    let path = #filePath.replacing("OptimizerTests.swift", with: "Goldens/optimizers.json")
    return try JSONDecoder().decode(KerasGolden.self, from: Data(FileAccess.read(path)))
  }
}
