import AuricleBase
import TestSupport
import Testing

@testable import SequenceModel

/// Networks small enough to check every one of their parameters by finite differences, in double precision.
@Suite("Gradients agree with finite differences")
struct GradientTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var cell = Recurrent.Cell.simpleRNN
    var bidirectional = false
    var layers = 1
    var pooling = ClassicNetwork.Pooling.mean
    var dropout = 0.0
    var recurrentDropout = 0.0
    var normalization: ClassicNetwork.InputNormalization?
    var convolutions: [Convolution] = []

    var testDescription: String {
      """
      \(cell.rawValue), \(layers) layer(s), \(bidirectional ? "both directions" : "forward"), \(pooling.rawValue), \
      dropout \(dropout), \(recurrentDropout), \(normalization?.rawValue ?? "no") normalisation, \
      \(convolutions.map { $0.bins == nil ? "1-D" : "2-D" })
      """
    }

    var configuration: NetworkConfiguration {
      get throws {
        try classicNetwork(
          inputSize: 4, inputNormalization: normalization, convolutions: convolutions,
          cell: cell, hiddenSize: 5, layers: layers, bidirectional: bidirectional, pooling: pooling, dropout: dropout,
          recurrentDropout: recurrentDropout, classCount: 3)
      }
    }
  }

  private static let oneDimensional = Convolution(filters: 3, frames: 3, frameStride: 2)
  private static let twoDimensional = Convolution(filters: 2, frames: 2, bins: 3, binStride: 2)

  static let cases: [Case] =
    Recurrent.Cell.allCases.flatMap { cell in
      [
        Case(cell: cell), Case(cell: cell, bidirectional: true, layers: 2, pooling: .last),
        Case(cell: cell, bidirectional: true, layers: 2, recurrentDropout: 0.4),
      ]
    }
    + ClassicNetwork.Pooling.allCases.map { Case(cell: .gru, bidirectional: true, pooling: $0) }
    + [
      Case(cell: .gru, bidirectional: true, layers: 2, pooling: .attention, dropout: 0.4),
      Case(normalization: .batch), Case(normalization: .layer),
      Case(convolutions: [oneDimensional]), Case(convolutions: [twoDimensional]),
      Case(normalization: .layer, convolutions: [twoDimensional, oneDimensional]),
      Case(
        cell: .lstm, bidirectional: true, layers: 2, pooling: .attention, dropout: 0.3, recurrentDropout: 0.3,
        normalization: .batch, convolutions: [twoDimensional, oneDimensional]),
    ]

  @Test("of every parameter and of the input", arguments: cases)
  func everyParameter(_ test: Case) throws {
    let network = TestNetwork(try test.configuration, lengths: [4, 1, 6])
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

  @Test("recurrent dropout drops in training, and only there")
  func recurrentDropoutActs() throws {
    func logits(_ rate: Double, _ seed: UInt64?) throws -> [Double] {
      TestNetwork(try Case(cell: .gru, recurrentDropout: rate).configuration, lengths: [4, 6]).logits(seed: seed)
    }
    #expect(try logits(0.4, 9) != logits(0, 9))
    #expect(try logits(0.4, 9) == logits(0.4, 9))
    #expect(try logits(0.4, 9) != logits(0.4, 10))
    #expect(try logits(0.4, nil) == logits(0, nil))
  }
}

/// Masks are drawn once for a sequence, layer and direction.
@Suite("Recurrent dropout")
struct RecurrentDropoutTests {
  @Test("masks keep the mean, are 0 or 1 / (1 - rate), and differ by sequence, layer, direction and seed")
  func masks() throws {
    let masks = [(0, UInt64(3)), (1, 3), (2, 3), (3, 3)].map { place, seed in
      RecurrentMask.make(0.25, sequences: 20, hidden: Axis(256), seed: seed, place: place) as Buffer<Float>
    }
    let rows = masks.flatMap { buffer in
      (0..<20).map { row in (0..<256).map { buffer.base[row * 256 + $0] } }
    }
    #expect(Set(rows).count == 80)
    let values = rows.flatMap { $0 }
    #expect(Set(values) == [0, Float(1 / 0.75)])
    let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
    #expect(abs(mean - 1) < 0.02)
    let other: Buffer<Float> = RecurrentMask.make(0.25, sequences: 20, hidden: Axis(256), seed: 4, place: 0)
    #expect((0..<256).contains { other.base[$0] != masks[0].base[$0] })
  }
}

/// A network with random parameters and inputs; its loss is the sum of its logits times fixed random numbers.
struct TestNetwork {
  let configuration: NetworkConfiguration
  var parameters: [Double]
  var inputs: [[Double]]
  let weights: [Double]

  init(_ configuration: NetworkConfiguration, lengths: [Int]) {
    var generator = SeededGenerator(seed: 5)
    self.configuration = configuration
    parameters = (0..<configuration.parameterCount).map { _ in 0.5 * generator.normal() }
    inputs = lengths.map { length in (0..<length * configuration.input).map { _ in generator.normal() } }
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
    tape.computesInputGradient = true
    _ = logits(tape)
    var gradient = [Double](repeating: 0, count: parameters.count)
    tape.backward(packed, logitGradient: weights, to: &gradient)
    let layout = ParameterLayout(configuration)
    // What stands in the places of moving averages is no gradient.
    for tensor in layout.tensors where !tensor.isTrainable {
      for i in tensor.range { gradient[i] = 0 }
    }
    return (gradient, tape.inputGradient.map { $0.shape.sequences($0.base, $0.axis) } ?? [])
  }

  func logits(seed: UInt64?) -> [Double] {
    logits(NetworkTape(configuration), seed: seed)
  }

  private var packed: NetworkWeights<Double> {
    NetworkWeights(
      configuration, layout: ParameterLayout(configuration), parameters: parameters, forTraining: true)
  }

  private func logits(_ tape: NetworkTape<Double>, seed: UInt64? = 9) -> [Double] {
    tape.forward(
      packed, lengths: inputs.map { $0.count / configuration.input }, .init(training: true, dropoutSeed: seed)
    ) { sequence, frame, row in
      for i in 0..<configuration.input { row[i] = inputs[sequence][frame * configuration.input + i] }
    }
  }
}
