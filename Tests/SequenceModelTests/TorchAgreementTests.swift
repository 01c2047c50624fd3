import AuricleBase
import Testing

@testable import SequenceModel

/// The same weights and sequences (9, 6 and 2 frames) in PyTorch and here: outputs and gradients of recurrent layers.
@Suite("Recurrent layers agree with PyTorch")
struct TorchAgreementTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var golden: String
    var prefix = ""
    var cell: ModelConfiguration.Cell
    var layers = 1
    var bidirectional = false

    var testDescription: String { "\(golden) \(prefix)" }

    var configuration: ModelConfiguration {
      get throws {
        try ModelConfiguration(
          inputSize: 5, cell: cell, hiddenSize: 7, layers: layers, bidirectional: bidirectional, pooling: .mean,
          dropout: 0, classCount: 2)
      }
    }

    /// All recurrent parameters (or their gradients) in our layout.
    func parameters(_ golden: Golden, areGradients: Bool = false) throws -> [Double] {
      let prefix = prefix + (areGradients ? "gradient." : "")
      let configuration = try configuration
      return try (0..<layers).flatMap { layer in
        try (0..<configuration.directions).flatMap { direction in
          if cell == .gruResetBefore {
            let name = bidirectional ? ["forward.", "backward."][direction] : ""
            return try ["kernel", "recurrent_kernel", "bias"].flatMap { try golden(prefix + name + $0) }
          }
          return try TorchLayer(
            cell: cell, inputs: configuration.inputAxis(layer: layer).count, hidden: 7, prefix: prefix,
            suffix: "_l\(layer)\(direction == 1 ? "_reverse" : "")"
          ).parameters(golden, areGradients: areGradients)
        }
      }
    }
  }

  static let cases = [
    Case(golden: "single-layer", prefix: "gru.", cell: .gru),
    Case(golden: "single-layer", prefix: "lstm.", cell: .lstm),
    Case(golden: "single-layer", prefix: "tanh.", cell: .simpleRNN),
    Case(golden: "single-layer", prefix: "relu.", cell: .simpleRNNReLU),
    Case(golden: "gru-stacked", cell: .gru, layers: 2, bidirectional: true),
    Case(golden: "lstm-stacked", cell: .lstm, layers: 2, bidirectional: true),
    Case(golden: "gru-reset-before", prefix: "unidirectional.", cell: .gruResetBefore),
    Case(golden: "gru-reset-before", prefix: "bidirectional.", cell: .gruResetBefore, bidirectional: true),
  ]

  @Test("in double precision, to 1e-10", arguments: cases)
  func double(_ test: Case) throws {
    try check(test, Double.self, relative: 1e-10, absolute: 1e-12)
  }

  @Test("in single precision, to 1e-5", arguments: cases)
  func single(_ test: Case) throws {
    try check(test, Float.self, relative: 1e-5, absolute: 2e-6)
  }

  private func check<Scalar: NetworkScalar>(
    _ test: Case, _ type: Scalar.Type, relative: Double, absolute: Double
  ) throws {
    let golden = try Golden(test.golden)
    let configuration = try test.configuration
    let layout = ParameterLayout(configuration)
    let recurrent = try test.parameters(golden)
    let parameters = (recurrent + [Double](repeating: 0, count: layout.count - recurrent.count)).map { Scalar($0) }
    let weights = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: true)

    // The caller's order is not the sorted one.
    let order = [1, 2, 0]
    func shuffled(_ name: String) throws -> [[Scalar]] {
      let sequences = try golden.sequences(name)
      return order.map { sequences[$0].map { Scalar($0) } }
    }
    let shape = BatchShape(lengths: order.map { [9, 6, 2][$0] })
    let (inputs, outputs) = (configuration.inputAxis(layer: 0), configuration.outputAxis)
    let (x, dx) = (Buffer<Scalar>(), Buffer<Scalar>())
    shape.gather(try shuffled("input"), inputs, into: x)
    let tape = RecurrentStackTape<Scalar>(configuration)
    let y = tape.forward(weights.layers, shape, x: x, training: true, dropoutSeed: nil)
    for (sequence, found) in zip(order, shape.scatter(y, outputs)) {
      expectAgreement(
        found.map { Double($0) }, try golden("\(test.prefix)output.\(sequence)"), relative: relative,
        absolute: absolute, "output of sequence \(sequence)")
    }

    shape.gather(try shuffled("\(test.prefix)upstream"), outputs, into: tape.outputGradient(shape))
    var gradient = [Scalar](repeating: 0, count: layout.count)
    gradient.withUnsafeMutableBufferPointer {
      guard let gradient = $0.baseAddress else { return }
      tape.backward(weights.layers, shape, x: x, dx: dx, dropoutSeed: nil, gradient: gradient)
    }
    let scale = 10.0  // gradients are sums over frames, some of them near zero
    expectAgreement(
      gradient.prefix(recurrent.count).map { Double($0) }, try test.parameters(golden, areGradients: true),
      relative: relative, absolute: scale * absolute, "gradient of the parameters")
    for (sequence, found) in zip(order, shape.scatter(dx, inputs)) {
      expectAgreement(
        found.map { Double($0) }, try golden("\(test.prefix)gradient.input.\(sequence)"), relative: relative,
        absolute: scale * absolute, "gradient of input \(sequence)")
    }
  }
}
