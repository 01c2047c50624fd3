import AuricleBase
import Testing

@testable import SequenceModel

/// Networks small enough to check every one of their parameters by finite differences, in double precision.
@Suite("Gradients agree with finite differences")
struct GradientTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var cell: ModelConfiguration.Cell
    var bidirectional = false
    var layers = 1
    var pooling = ModelConfiguration.Pooling.mean
    var dropout = 0.0

    var testDescription: String {
      "\(cell.rawValue), \(layers) layer(s), \(bidirectional ? "both directions" : "forward"), \(pooling.rawValue), dropout \(dropout)"
    }
  }

  static let cases: [Case] =
    ModelConfiguration.Cell.allCases.flatMap { cell in
      [Case(cell: cell), Case(cell: cell, bidirectional: true, layers: 2, pooling: .last)]
    }
    + ModelConfiguration.Pooling.allCases.map { Case(cell: .gru, bidirectional: true, pooling: $0) }
    + [Case(cell: .gru, bidirectional: true, layers: 2, pooling: .attention, dropout: 0.4)]

  @Test("of every parameter and of the input", arguments: cases)
  func everyParameter(_ test: Case) throws {
    let configuration = try ModelConfiguration(
      inputSize: 3, cell: test.cell, hiddenSize: 5, layers: test.layers, bidirectional: test.bidirectional,
      pooling: test.pooling, dropout: test.dropout, classCount: 3)
    let network = TestNetwork(configuration, lengths: [4, 1, 6])
    let (gradient, inputGradient) = network.gradients()

    let step = 1e-5
    for index in gradient.indices {
      let numeric = network.slope(step) { $0.parameters[index] += $1 }
      #expect(abs(numeric - gradient[index]) < 1e-8 + 1e-6 * abs(numeric), "parameter \(index)")
    }
    for sequence in inputGradient.indices {
      for index in inputGradient[sequence].indices {
        let numeric = network.slope(step) { $0.inputs[sequence][index] += $1 }
        #expect(
          abs(numeric - inputGradient[sequence][index]) < 1e-8 + 1e-6 * abs(numeric), "input \(sequence), \(index)")
      }
    }
  }
}

/// A network with random parameters and inputs; its loss is the sum of its logits times fixed random numbers.
struct TestNetwork {
  let configuration: ModelConfiguration
  var parameters: [Double]
  var inputs: [[Double]]
  let weights: [Double]

  init(_ configuration: ModelConfiguration, lengths: [Int]) {
    var generator = SeededGenerator(seed: 5)
    self.configuration = configuration
    parameters = (0..<configuration.parameterCount).map { _ in 0.5 * generator.normal() }
    inputs = lengths.map { length in (0..<length * configuration.inputSize).map { _ in generator.normal() } }
    weights = (0..<lengths.count * configuration.classCount).map { _ in generator.normal() }
  }

  var loss: Double { zip(logits(NetworkTape(configuration)), weights).reduce(0) { $0 + $1.0 * $1.1 } }

  /// The central difference of the loss under a change of `step`.
  func slope(_ step: Double, _ change: (inout TestNetwork, Double) -> Void) -> Double {
    var (ahead, behind) = (self, self)
    change(&ahead, step)
    change(&behind, -step)
    return (ahead.loss - behind.loss) / (2 * step)
  }

  func gradients() -> (parameters: [Double], inputs: [[Double]]) {
    let tape = NetworkTape<Double>(configuration)
    tape.inputGradient = Buffer()
    _ = logits(tape)
    var gradient = [Double](repeating: 0, count: parameters.count)
    tape.backward(packed, logitGradient: weights, to: &gradient)
    let shape = BatchShape(lengths: inputs.map { $0.count / configuration.inputSize })
    return (gradient, tape.inputGradient.map { shape.sequences($0.base, configuration.featureAxis) } ?? [])
  }

  private var packed: NetworkWeights<Double> {
    NetworkWeights(
      configuration, layout: ParameterLayout(configuration), parameters: parameters, forTraining: true)
  }

  private func logits(_ tape: NetworkTape<Double>) -> [Double] {
    tape.forward(
      packed, lengths: inputs.map { $0.count / configuration.inputSize }, .init(training: true, dropoutSeed: 9)
    ) { sequence, frame, row in
      for i in 0..<configuration.inputSize { row[i] = inputs[sequence][frame * configuration.inputSize + i] }
    }
  }
}
