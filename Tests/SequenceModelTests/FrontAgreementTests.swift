import AudioFeatures
import TestSupport
import Testing

@testable import SequenceModel

@Suite("Input normalisation and convolutions agree with PyTorch")
struct FrontAgreementTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var normalization: ClassicNetwork.InputNormalization?
    var convolutions: [Convolution] = []

    var testDescription: String { name }

    func configuration(epsilon: Double = 1e-3) throws -> NetworkConfiguration {
      try classicNetwork(
        inputSize: 6, inputNormalization: normalization, epsilon: epsilon, convolutions: convolutions, cell: .simpleRNN,
        hiddenSize: 2, layers: 1, classCount: 2)
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
    let shape = BatchShape(lengths: Golden.lengths)
    let inputs = Axis(configuration.input)
    let x = Buffer<Scalar>()
    shape.gather(sequences: try golden.inputs(columns: 6).map { $0.map { Scalar($0) } }, inputs, into: x)

    let passes = try frontPasses(
      configuration, parameters: front + [Scalar](repeating: 0, count: layout.count - front.count))
    let tape = passes.makeTape()
    let options = PassOptions<Scalar>(training: true)
    let y = passes.forward(Frames(shape, inputs, x), tape, options)
    let lengths = Golden.lengths.map { configuration.outputFrames($0) }
    #expect(y.shape.order == shape.order)
    #expect(y.shape.lengths == shape.order.map { lengths[$0] })
    expectAgreement(
      y.shape.sequences(y.base, y.axis).flatMap { $0 }, try golden("output"), relative: relative, "output")

    let upstream = try golden("upstream").map { Scalar($0) }
    let dy = Buffer<Scalar>()
    y.shape.gather(sequences: cut(upstream, width: y.axis.count, lengths: lengths), y.axis, into: dy)
    var gradient = [Scalar](repeating: 0, count: layout.count)
    let dx = try gradient.withUnsafeMutableBufferPointer {
      passes.backward(
        Frames(y.shape, y.axis, dy), tape, options, wanted: true, gradient: try #require($0.baseAddress))
    }
    // Moving averages have no gradient: their places hold the statistics of the batch.
    var found = Array(gradient.prefix(front.count))
    for tensor in layout.tensors where !tensor.isTrainable {
      for i in tensor.range { found[i] = 0 }
    }
    expectAgreement(found, try golden("gradient"), relative: relative, "gradient of parameters")
    expectAgreement(
      shape.sequences(try #require(dx).base, inputs).flatMap { $0 }, try golden("gradient.input"), relative: relative,
      "gradient of the input")
  }

  /// The layers before the recurrent one.
  private func frontPasses<Scalar: NetworkScalar>(
    _ configuration: NetworkConfiguration, parameters: [Scalar], forTraining: Bool = true
  ) throws -> LayerPasses<Scalar> {
    let layout = ParameterLayout(configuration)
    let count = configuration.poolingIndex - 1
    return try parameters.withUnsafeBufferPointer {
      LayerPasses(
        Array(configuration.layers[..<count]), Array(configuration.shapes[...count]),
        LayerPasses.Source(
          tensors: layout.tensors[...], parameters: try #require($0.baseAddress), earlier: [], firstState: 0,
          forTraining: forTraining))
    }
  }

  @Test("epsilon is what is added to the variance", arguments: [ClassicNetwork.InputNormalization.batch, .layer])
  func epsilon(_ kind: ClassicNetwork.InputNormalization) throws {
    // Frames 1, -1: mean 0, variance 1.
    let frames: [[Float]] = [[1, -1, 1, -1, 1, -1] + [-1, 1, -1, 1, -1, 1]]
    let configuration = try Case(name: "", normalization: kind).configuration(epsilon: 3)
    let passes = try frontPasses(
      configuration, parameters: ParameterLayout(configuration).initialParameters(seed: 1))
    let (x, shape) = (Buffer<Float>(), BatchShape(lengths: [2]))
    shape.gather(sequences: frames, Axis(6), into: x)
    let y = passes.forward(Frames(shape, Axis(6), x), passes.makeTape(), PassOptions(training: true))
    #expect(shape.sequences(y.base, y.axis)[0] == frames[0].map { $0 / 2 })
  }

  @Test("moving averages move by one less momentum towards the mean of the shards' means and variances")
  func movingAverages() throws {
    let configuration = try NetworkConfiguration(
      input: 6, [.batchNormalization(momentum: 0.75), .pooling(.mean), .dense(2)])
    let layout = ParameterLayout(configuration)
    let golden = try Golden("front")
    let sequences = try golden.inputs(columns: 6).map {
      FeatureMatrix(coefficients: 6, values: $0.map { Float($0) })
    }
    var parameters = layout.initialParameters(seed: 1)
    let network = try TrainableNetwork(configuration, layout: layout, parameters: parameters)
    let worker = NetworkWorker(configuration)
    var gradient = [Float](repeating: 0, count: layout.count)
    let shards = [Array(sequences[..<2]), Array(sequences[2...])]
    for shard in shards {
      let logits = try worker.logits(
        network, of: shard, normalizer: nil, dropoutSeed: nil, share: Double(shard.count) / Double(sequences.count))
      try worker.addGradient(network, ofLogits: logits, to: &gradient)
    }
    let statistics = layout.takeStatistics(from: &gradient)
    #expect(gradient[12..<24].allSatisfy { $0 == 0 })
    layout.updateMovingAverages(in: &parameters, statistics: statistics)

    for i in 0..<6 {
      var (mean, variance) = (0.0, 0.0)
      for shard in shards {
        let column = shard.flatMap { sequence in (0..<sequence.frames).map { Double(Array(sequence[$0])[i]) } }
        let shardMean = column.reduce(0, +) / Double(column.count)
        let share = Double(shard.count) / Double(sequences.count)
        mean += share * shardMean
        variance += share * column.reduce(0) { $0 + ($1 - shardMean) * ($1 - shardMean) } / Double(column.count)
      }
      #expect(abs(Double(parameters[12 + i]) - 0.25 * mean) < 1e-6)
      #expect(abs(Double(parameters[18 + i]) - (0.75 + 0.25 * variance)) < 1e-6)
    }
    #expect(
      parameters.enumerated().allSatisfy { (12..<24).contains($0) || $1 == layout.initialParameters(seed: 1)[$0] })
    #expect(
      layout.tensors.filter { !$0.isTrainable }.map(\.name) == ["layers.0.moving_mean", "layers.0.moving_variance"])
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
    let passes = try frontPasses(configuration, parameters: parameters, forTraining: false)
    let (x, shape) = (Buffer<Double>(), BatchShape(lengths: [1]))
    shape.gather(sequences: [[0, 1, 2, 3, 4, 6]], Axis(6), into: x)
    let y = passes.forward(Frames(shape, Axis(6), x), passes.makeTape(), PassOptions())
    expectAgreement(
      shape.sequences(y.base, y.axis)[0], [0.5, 0.5, 0.5, 0.5, 0.5, 1.5], relative: 1e-14, "output")
  }
}

/// From features to logits and from their gradient to that of every parameter, in one piece.
@Suite("Whole classifiers agree with PyTorch")
struct ClassifierAgreementTests {
  private let lengths = [9, 6, 2]

  @Test("for every pooling, in any order of the sequences", arguments: ClassicNetwork.Pooling.allCases)
  func classifier(_ pooling: ClassicNetwork.Pooling) throws {
    let golden = try Golden("classifier")
    let configuration = try classicNetwork(
      inputSize: 5, hiddenSize: 7, layers: 2, pooling: pooling, dropout: 0, classCount: 4)
    let all = try golden("parameters").map { Float($0) }
    let query = (all.count - 14 * 4 - 4 - 14)..<(all.count - 14 * 4 - 4)
    /// Only attention has a query.
    func parameters<Scalar>(_ values: [Scalar]) -> [Scalar] {
      pooling == .attention ? values : Array(values[..<query.lowerBound] + values[query.upperBound...])
    }
    let network = try TrainableNetwork(
      configuration, layout: ParameterLayout(configuration), parameters: parameters(all))
    let order = [1, 2, 0]
    let inputs = try golden.inputs(columns: 5, lengths: lengths).map {
      FeatureMatrix(coefficients: 5, values: $0.map { Float($0) })
    }
    let worker = NetworkWorker(configuration)
    let logits = try worker.logits(network, of: order.map { inputs[$0] }, normalizer: nil, dropoutSeed: nil)
    let wanted = cut(try golden("\(pooling.rawValue).logits"), width: 4, lengths: [1, 1, 1])
    expectAgreement(logits, order.flatMap { wanted[$0] }, relative: 1e-6, "logits")
    #expect(try network.logits(of: order.map { inputs[$0] }, normalizer: nil) == logits)

    // The gradient of the mean cross-entropy, with labels as they are and with smoothed ones.
    let labels = [2, 0, 3]
    for (name, smoothing) in [("", Float(0)), ("smoothed.", 0.1)].prefix(pooling == .attention ? 2 : 1) {
      let logitGradient = order.enumerated().flatMap { row, sequence in
        softmax(logits[row * 4..<(row + 1) * 4]).enumerated().map { label, probability in
          (probability - (label == labels[sequence] ? 1 - smoothing : 0) - smoothing / 4) / 3
        }
      }
      var gradient = [Float](repeating: 0, count: network.parameterCount)
      _ = try worker.logits(network, of: order.map { inputs[$0] }, normalizer: nil, dropoutSeed: nil)
      try worker.addGradient(network, ofLogits: logitGradient, to: &gradient)
      expectAgreement(
        gradient, parameters(try golden("\(pooling.rawValue).\(name)gradient")), relative: 1e-6, "gradient")
    }
  }
}
