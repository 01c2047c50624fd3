import AudioFeatures
import Testing

@testable import SequenceModel

@Suite("Input normalisation and convolutions agree with PyTorch")
struct FrontAgreementTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var normalization: InputNormalization.Kind?
    var convolutions: [Convolution] = []

    var testDescription: String { name }

    func configuration(epsilon: Double = 1e-3) throws -> ModelConfiguration {
      try ModelConfiguration(
        inputSize: 6, inputNormalization: normalization.map { InputNormalization($0, epsilon: epsilon) },
        convolutions: convolutions, cell: .simpleRNN, hiddenSize: 2, layers: 1, classCount: 2)
    }
  }

  static let cases = [
    Case(name: "batch", normalization: .batch),
    Case(name: "layer", normalization: .layer),
    Case(name: "1d", convolutions: [Convolution(filters: 17, frames: 3, frameStride: 2)]),
    Case(
      name: "1d-even",
      convolutions: [Convolution(filters: 5, frames: 4, frameStride: 3), Convolution(filters: 4, frames: 2)]),
    Case(name: "2d", convolutions: [Convolution(filters: 5, frames: 3, frameStride: 2, bins: 3, binStride: 2)]),
    Case(
      name: "2d-even",
      convolutions: [
        Convolution(filters: 3, frames: 2, bins: 4, binStride: 3),
        Convolution(filters: 4, frames: 3, frameStride: 2, bins: 2),
      ]),
    Case(
      name: "batch-2d-1d", normalization: .batch,
      convolutions: [
        Convolution(filters: 4, frames: 3, bins: 3, binStride: 2), Convolution(filters: 5, frames: 3, frameStride: 2),
      ]),
    Case(
      name: "layer-2d-2d", normalization: .layer,
      convolutions: [
        Convolution(filters: 3, frames: 5, frameStride: 2, bins: 3),
        Convolution(filters: 17, frames: 3, bins: 3, binStride: 2),
      ]),
  ]

  @Test("in double precision, to 1e-12", arguments: cases)
  func double(_ test: Case) throws {
    try check(test, Double.self, relative: 1e-12)
  }

  @Test("in single precision, to 1e-6", arguments: cases)
  func single(_ test: Case) throws {
    try check(test, Float.self, relative: 1e-6)
  }

  private func check<Scalar: NetworkScalar>(_ test: Case, _ type: Scalar.Type, relative: Double) throws {
    let golden = try Golden("front", prefix: "\(test.name).")
    let configuration = try test.configuration()
    let layout = ParameterLayout(configuration)
    let front = try golden("parameters").map { Scalar($0) }
    let weights = NetworkWeights(
      configuration, layout: layout, parameters: front + [Scalar](repeating: 0, count: layout.count - front.count),
      forTraining: true)
    let shape = BatchShape(lengths: Golden.lengths)
    let (inputs, outputs) = (configuration.featureAxis, configuration.inputAxis(layer: 0))
    let (x, dx) = (Buffer<Scalar>(), Buffer<Scalar>())
    shape.gather(sequences: try golden.inputs(columns: 6).map { $0.map { Scalar($0) } }, inputs, into: x)

    let tape = FrontTape<Scalar>(configuration)
    let (y, output) = tape.forward(
      weights.front, shape, x, statistics: BatchStatistics(rows: shape.rows, inputs, x.base))
    let lengths = Golden.lengths.map { configuration.outputFrames($0) }
    #expect(output.order == shape.order)
    #expect(output.lengths == shape.order.map { lengths[$0] })
    expectAgreement(
      output.sequences(y.base, outputs).flatMap { $0 }, try golden("output"), relative: relative, "output")

    let upstream = try golden("upstream").map { Scalar($0) }
    output.gather(
      sequences: cut(upstream, width: outputs.count, lengths: lengths), outputs, into: tape.outputGradient)
    var gradient = [Scalar](repeating: 0, count: layout.count)
    dx.reserve(shape.rows * inputs.paddedCount)
    gradient.withUnsafeMutableBufferPointer {
      guard let gradient = $0.baseAddress else { return }
      tape.backward(weights.front, shape, x, dx: dx, gradient: gradient)
    }
    expectAgreement(
      Array(gradient.prefix(front.count)), try golden("gradient"), relative: relative, "gradient of parameters")
    expectAgreement(
      shape.sequences(dx.base, inputs).flatMap { $0 }, try golden("gradient.input"), relative: relative,
      "gradient of the input")
  }

  @Test("epsilon is what is added to the variance", arguments: [InputNormalization.Kind.batch, .layer])
  func epsilon(_ kind: InputNormalization.Kind) throws {
    // Frames 1, -1: mean 0, variance 1.
    let frames = FeatureMatrix(coefficients: 6, values: [1, -1, 1, -1, 1, -1] + [-1, 1, -1, 1, -1, 1])
    let configuration = try Case(name: "", normalization: kind).configuration(epsilon: 3)
    let layout = ParameterLayout(configuration)
    let x = Buffer<Float>()
    let shape = BatchShape(lengths: [2])
    shape.gather(sequences: [frames.values], configuration.featureAxis, into: x)
    let weights = NetworkWeights(
      configuration, layout: layout, parameters: layout.initialParameters(seed: 1), forTraining: false)
    let (y, _) = FrontTape<Float>(configuration).forward(
      weights.front, shape, x, statistics: BatchStatistics(rows: 2, configuration.featureAxis, x.base))
    #expect(shape.sequences(y.base, configuration.featureAxis)[0] == frames.values.map { $0 / 2 })
  }

  @Test("moving averages move by one less momentum towards the batch's mean and variance")
  func movingAverages() throws {
    let configuration = try Case(name: "", normalization: .batch).configuration()
    let layout = ParameterLayout(configuration)
    let golden = try Golden("front")
    let sequences = try golden.inputs(columns: 6).map {
      FeatureMatrix(coefficients: 6, values: $0.map { Float($0) })
    }
    let statistics = try #require(BatchStatistics(configuration, of: sequences, normalizer: nil))
    var parameters = layout.initialParameters(seed: 1)
    statistics.updateMovingAverages(in: &parameters, layout, momentum: 0.75)

    let frames = sequences.flatMap { sequence in (0..<sequence.frames).map { Array(sequence[$0]) } }
    for i in 0..<6 {
      let column = frames.map { Double($0[i]) }
      let mean = column.reduce(0, +) / Double(column.count)
      let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(column.count)
      #expect(abs(Double(parameters[12 + i]) - 0.25 * mean) < 1e-7)
      #expect(abs(Double(parameters[18 + i]) - (0.75 + 0.25 * variance)) < 1e-7)
    }
    #expect(
      parameters.enumerated().allSatisfy { (12..<24).contains($0) || $1 == layout.initialParameters(seed: 1)[$0] })
    #expect(
      layout.tensors.filter { !$0.isTrainable }.map(\.name).map { $0.suffix(15) } == [
        "ion.moving_mean", "moving_variance",
      ])
  }

  @Test("without training, batch normalisation uses the moving averages")
  func inference() throws {
    let configuration = try Case(name: "", normalization: .batch).configuration()
    let layout = ParameterLayout(configuration)
    var parameters = layout.initialParameters(seed: 1).map { Double($0) }
    for i in 0..<6 {
      parameters[i] = 2
      parameters[6 + i] = 0.5
      parameters[12 + i] = Double(i)
      parameters[18 + i] = 4 - 1e-3
    }
    let front = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: false).front
    let (x, shape) = (Buffer<Double>(), BatchShape(lengths: [1]))
    shape.gather(sequences: [[0, 1, 2, 3, 4, 6]], configuration.featureAxis, into: x)
    let (y, _) = FrontTape<Double>(configuration).forward(front, shape, x, statistics: nil)
    let found = shape.sequences(y.base, configuration.featureAxis)[0]
    expectAgreement(found, [0.5, 0.5, 0.5, 0.5, 0.5, 1.5], relative: 1e-15, "output")
  }
}

/// From features to logits and from their gradient to that of every parameter, in one piece.
@Suite("Whole classifiers agree with PyTorch")
struct ClassifierAgreementTests {
  private let lengths = [9, 6, 2]

  @Test("for every pooling, in any order of the sequences", arguments: ModelConfiguration.Pooling.allCases)
  func classifier(_ pooling: ModelConfiguration.Pooling) throws {
    let golden = try Golden("classifier")
    let configuration = try ModelConfiguration(
      inputSize: 5, hiddenSize: 7, layers: 2, pooling: pooling, dropout: 0, classCount: 4)
    let all = try golden("parameters").map { Float($0) }
    let query = (all.count - 14 * 4 - 4 - 14)..<(all.count - 14 * 4 - 4)
    /// Only attention has a query.
    func parameters<Scalar>(_ values: [Scalar]) -> [Scalar] {
      pooling == .attention ? values : Array(values[..<query.lowerBound] + values[query.upperBound...])
    }
    let network = TrainableNetwork(
      configuration, layout: ParameterLayout(configuration), parameters: parameters(all))
    let order = [1, 2, 0]
    let inputs = try golden.inputs(columns: 5, lengths: lengths).map {
      FeatureMatrix(coefficients: 5, values: $0.map { Float($0) })
    }
    let worker = NetworkWorker(configuration)
    let logits = worker.logits(network, of: order.map { inputs[$0] }, normalizer: nil, dropoutSeed: nil)
    let wanted = cut(try golden("\(pooling.rawValue).logits"), width: 4, lengths: [1, 1, 1])
    expectAgreement(logits, order.flatMap { wanted[$0] }, relative: 1e-6, "logits")
    #expect(network.logits(of: order.map { inputs[$0] }, normalizer: nil) == logits)

    // The gradient of the mean cross-entropy, with labels as they are and with smoothed ones.
    let labels = [2, 0, 3]
    for (name, smoothing) in [("", Float(0)), ("smoothed.", 0.1)].prefix(pooling == .attention ? 2 : 1) {
      let logitGradient = order.enumerated().flatMap { row, sequence in
        softmax(logits[row * 4..<(row + 1) * 4]).enumerated().map { label, probability in
          (probability - (label == labels[sequence] ? 1 - smoothing : 0) - smoothing / 4) / 3
        }
      }
      var gradient = [Float](repeating: 0, count: network.parameterCount)
      _ = worker.logits(network, of: order.map { inputs[$0] }, normalizer: nil, dropoutSeed: nil)
      worker.addGradient(network, ofLogits: logitGradient, to: &gradient)
      expectAgreement(
        gradient, parameters(try golden("\(pooling.rawValue).\(name)gradient")), relative: 1e-6, "gradient")
    }
  }
}
