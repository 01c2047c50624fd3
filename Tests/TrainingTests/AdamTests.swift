import AudioFeatures
import SequenceModel
import Testing
import Training

@Suite("Adam")
struct AdamTests {
  @Test("ten steps of a whole network agree with PyTorch: losses, norms, parameters", arguments: 0..<2)
  func tenSteps(run: Int) throws {
    let golden = try Golden.load()
    let wanted = golden.runs[run]
    let configuration = try ModelConfiguration(
      inputSize: 4, hiddenSize: 6, layers: 1, bidirectional: true, pooling: .mean, dropout: 0, classCount: 3)
    let layout = ParameterLayout(configuration)
    var parameters = golden.parameters.map { Float($0) }
    #expect(parameters.count == layout.count)
    let sequences = golden.sequences.map { FeatureMatrix(coefficients: 4, values: $0.map { Float($0) }) }
    var optimizer = Adam(parameterCount: layout.count)
    optimizer.epsilon = 1e-3
    let worker = NetworkWorker(configuration)

    for step in 0..<10 {
      let network = TrainableNetwork(configuration, layout: layout, parameters: parameters)
      let logits = worker.logits(network, of: sequences, normalizer: nil, dropoutSeed: nil)
      let loss = CrossEntropy(logits: logits, labels: golden.labels, scale: 1 / 3)
      #expect(abs(loss.loss / 3 - wanted.losses[step]) < 1e-5, "loss of step \(step)")
      var gradient = [Float](repeating: 0, count: layout.count)
      worker.addGradient(network, ofLogits: loss.logitGradient, to: &gradient)
      let norm = optimizer.update(&parameters, gradient: gradient, learningRate: 0.01, clipNorm: wanted.clip)
      #expect(abs(norm - wanted.norms[step]) < 1e-5, "norm of step \(step)")
    }
    let worst = zip(parameters, wanted.parameters).map { abs(Double($0) - $1) }.max() ?? .infinity
    #expect(worst < 2e-5)
  }

  @Test("a gradient that is not finite leaves the parameters alone")
  func notFinite() {
    var optimizer = Adam(parameterCount: 2)
    var parameters: [Float] = [1, 2]
    optimizer.update(&parameters, gradient: [.nan, 1], learningRate: 0.1)
    #expect(parameters == [1, 2])
  }
}
