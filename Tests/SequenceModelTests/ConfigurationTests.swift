import AudioFeatures
import AuricleBase
import RealModule
import TestSupport
import Testing

@testable import SequenceModel

@Suite("A network's configuration")
struct ConfigurationTests {
  /// As 0.1 wrote it.
  private let classic = """
    {"inputSize": 40, "classCount": 10, "cell": "lstm", "hiddenSize": 64, "layers": 1, "bidirectional": false,
     "pooling": "mean", "dropout": 0.2, "recurrentDropout": 0.1,
     "inputNormalization": {"kind": "batch", "momentum": 0.9, "epsilon": 1e-5},
     "convolutions": [{"filters": 32, "frames": 5, "frameStride": 2, "bins": 3, "binStride": 2},
                      {"filters": 48, "frames": 3}]}
    """

  /// Every kind of layer, every field.
  private let everything = """
    {"input": 40, "layers": [
      {"type": "layer-normalization", "epsilon": 1e-4},
      {"type": "convolution", "filters": 32, "frames": 3, "frameStride": 2, "frameDilation": 2, "bins": 3, "binStride": 2,
       "binDilation": 2, "causal": true},
      {"type": "batch-normalization", "momentum": 0.9, "epsilon": 1e-5},
      {"type": "activation", "function": "silu"},
      {"type": "window-pooling", "kind": "mean", "frames": 2, "bins": 3},
      {"type": "dropout", "rate": 0.1, "channels": true},
      {"type": "convolution", "filters": 24, "frames": 1, "activation": "tanh"},
      {"type": "residual", "layers": [
        {"type": "depthwise-convolution", "frames": 5, "frameDilation": 2, "causal": true},
        {"type": "convolution", "filters": 24, "frames": 1}, {"type": "batch-normalization"}]},
      {"type": "recurrent", "cell": "lstm", "units": 16, "directions": 2, "recurrentDropout": 0.2},
      {"type": "pooling", "kind": "attention", "heads": 4},
      {"type": "dense", "units": 20, "activation": "relu"},
      {"type": "dense", "units": 10}]}
    """

  @Test("every field can be given in JSON")
  func json() throws {
    let found = try NetworkConfiguration(json: everything)
    let wanted = try NetworkConfiguration(
      input: 40,
      [
        .layerNormalization(epsilon: 1e-4),
        .convolution(
          filters: 32, frames: 3, frameStride: 2, frameDilation: 2, bins: 3, binStride: 2, binDilation: 2, causal: true),
        .batchNormalization(momentum: 0.9, epsilon: 1e-5), .activation(.silu), .meanPooling(frames: 2, bins: 3),
        .dropout(0.1, channels: true), .convolution(filters: 24, frames: 1, activation: .tanh),
        .residual([
          .depthwiseConvolution(frames: 5, frameDilation: 2, causal: true), .convolution(filters: 24, frames: 1),
          .batchNormalization(),
        ]), .recurrent(.lstm, units: 16, directions: 2, recurrentDropout: 0.2), .pooling(.attention(heads: 4)),
        .dense(20, .relu), .dense(10),
      ])
    #expect(found == wanted)
    #expect(try NetworkConfiguration(json: found.json) == found)
    #expect(try NetworkTemplate(json: found.json).network(input: 40, classCount: 10) == found)
  }

  @Test("a template takes its input and its classes from the data, and may be only the list")
  func template() throws {
    let list = #"[{"type": "pooling", "kind": "mean"}, {"type": "dense", "units": 5}]"#
    let wanted = try NetworkConfiguration(input: 13, [.pooling(.mean), .dense(3)])
    for text in [list, #"{"layers": \#(list)}"#, #"{"input": 99, "layers": \#(list)}"#] {
      #expect(try NetworkTemplate(json: text).network(input: 13, classCount: 3) == wanted, "\(text)")
    }
  }

  @Test("the description of 0.1 is the list of layers that it stands for")
  func older() throws {
    let found = try NetworkConfiguration(json: classic)
    let wanted = try NetworkConfiguration(
      input: 40,
      [
        .batchNormalization(momentum: 0.9, epsilon: 1e-5),
        .convolution(filters: 32, frames: 5, frameStride: 2, bins: 3, binStride: 2, activation: .relu),
        .convolution(filters: 48, frames: 3, activation: .relu), .recurrent(.lstm, units: 64, recurrentDropout: 0.1),
        .pooling(.mean), .dropout(0.2), .dense(10),
      ])
    #expect(found == wanted)
    let plain = try NetworkConfiguration(json: #"{"inputSize": 13, "classCount": 2}"#)
    let layer = Layer.recurrent(.gru, units: 128, directions: 2)
    #expect(
      try plain
        == NetworkConfiguration(
          input: 13, [layer, .dropout(0.3), layer, .pooling(.attention()), .dropout(0.3), .dense(2)]))
  }

  @Test(
    "what is wrong in a description of 0.1 is said",
    arguments: [
      (
        #"{"inputSize": 13, "classCount": 2, "cell": "transformer"}"#, "unknown cell 'transformer'; known are gru, gru-"
      ),
      (#"{"inputSize": 13, "classCount": 2, "pooling": "median"}"#, "unknown pooling 'median'; known are last, mean"),
      (#"{"inputSize": 13, "classCount": 2, "hidden": 4}"#, "unknown field 'hidden' in a model; known are inputSize"),
      (#"{"inputSize": "13", "classCount": 2}"#, "'inputSize' is not the kind of value it must be"),
      (#"{"inputSize": 13, "classCount": 2, "layers": 1.5}"#, "not a whole one"),
      (#"{"inputSize": 13, "classCount": 2, "layers": 1e30}"#, "too large"),
      (#"{"inputSize": 13, "classCount": 1}"#, "number of classes is 1; it must be in 2...1000000"),
      (
        #"{"inputSize": 13, "classCount": 2, "recurrentDropout": 1}"#, "recurrent dropout is 1.0; it must be at least 0"
      ),
      (
        #"{"inputSize": 13, "classCount": 2, "inputNormalization": {}}"#, "'kind' of the input normalisation is missing"
      ),
      (
        #"{"inputSize": 13, "classCount": 2, "inputNormalization": {"kind": "group"}}"#,
        "unknown input normalisation 'group'; known are batch, layer"
      ),
      (
        #"{"inputSize": 13, "classCount": 2, "inputNormalization": {"kind": "batch", "axis": 1}}"#,
        "unknown field 'axis' in the input normalisation"
      ),
      (#"{"inputSize": 13, "classCount": 2, "convolutions": [{"filters": 3}]}"#, "'frames' is missing"),
      (
        #"{"inputSize": 13, "classCount": 2, "convolutions": [{"filters": 3, "frames": 3, "padding": 2}]}"#,
        "unknown field 'padding' in a convolution"
      ),
      ("[]", "not a JSON object"), ("{", "not JSON"), ("", "not JSON"),
    ])
  func refusedClassic(_ json: String, _ reason: String) { expectRefusal(json, reason) }

  @Test(
    "what is wrong in a list of layers is said, with the layer",
    arguments: [
      (#"{"layers": []}"#, "'input' is missing"), (#"{"input": 3}"#, "'layers' is missing"),
      (#"{"input": 3, "layers": [], "output": 3}"#, "unknown field 'output' in a network"),
      (#"{"input": 3, "layers": []}"#, "number of layers is 0"),
      (#"{"input": 3, "layers": [{"units": 3}]}"#, "a layer without a 'type'"),
      (
        #"{"input": 3, "layers": [{"type": "transformer"}]}"#, "unknown layer type 'transformer'; known are activation,"
      ),
      (#"{"input": 3, "layers": [{"type": "dense"}]}"#, "'units' is missing in layer 0"),
      (
        #"{"input": 3, "layers": [{"type": "dense", "units": "x"}]}"#,
        "'units' is not the kind of value it must be in layer 0"
      ),
      (
        #"{"input": 3, "layers": [{"type": "dense", "units": 3, "bias": true}]}"#,
        "unknown field 'bias' in a dense layer"
      ),
      (
        #"{"input": 3, "layers": [{"type": "activation", "function": "gelu"}]}"#,
        "unknown activation 'gelu'; known are relu"
      ),
      (
        #"{"input": 3, "layers": [{"type": "pooling", "kind": "mean"}, {"type": "recurrent", "units": 4}]}"#,
        "layer 1 (recurrent): a recurrent layer after the frames were pooled"
      ),
      (#"{"input": 3, "layers": [{"type": "recurrent", "units": 4, "directions": 3}]}"#, "directions is 3"),
      (
        #"{"input": 3, "layers": [{"type": "recurrent", "units": 4}, {"type": "dense", "units": 2}]}"#,
        "never become one vector"
      ),
      (#"{"input": 3, "layers": [{"type": "pooling", "kind": "mean"}]}"#, "its last layer is not dense"),
      (#"{"input": 3, "layers": [{"type": "pooling", "kind": "attention", "heads": 0}]}"#, "number of heads is 0"),
      (#"{"input": 3, "layers": [{"type": "dropout", "rate": 1}]}"#, "dropout is 1.0"),
      (#"{"input": 3, "layers": [{"type": "window-pooling", "bins": 0}]}"#, "bins of a pooling window is 0"),
      (
        #"{"input": 3, "layers": [{"type": "recurrent", "units": 4}, {"type": "window-pooling", "bins": 2}]}"#,
        "layer 1 (window-pooling): pooling over bins after"
      ),
      (
        #"{"input": 3, "layers": [{"type": "residual", "layers": [{"type": "recurrent", "units": 4}]}]}"#,
        "makes frames x 4 of frames x 3; it must leave the shape"
      ),
    ])
  func refused(_ json: String, _ reason: String) { expectRefusal(json, reason) }

  private func expectRefusal(_ json: String, _ reason: String) {
    #expect {
      try NetworkConfiguration(json: json)
    } throws: {
      "\($0)".hasPrefix("impossible model: ") && "\($0)".contains(reason)
    }
  }

  @Test("blocks within blocks without end are refused")
  func nested() {
    let deep = String(repeating: #"{"type": "residual", "layers": ["#, count: 5000)
    let text = #"{"input": 3, "layers": [\#(deep)\#(String(repeating: "]}", count: 5000))]}"#
    #expect(throws: ModelError.self) { try NetworkConfiguration(json: text) }
  }

  @Test(
    "convolutions and normalisations that cannot be are refused",
    arguments: [
      ([Convolution(filters: 0, frames: 3)], "filters is 0"),
      ([Convolution(filters: 3, frames: 0)], "frames of a convolution is 0"),
      ([Convolution(filters: 3, frames: 3, frameStride: 0)], "frame stride"),
      ([Convolution(filters: 3, frames: 3, bins: 0)], "bins of a convolution is 0"),
      ([Convolution(filters: 3, frames: 3, bins: 3, binStride: 0)], "bin stride of a convolution is 0"),
      ([Convolution(filters: 3, frames: 3, binStride: 2)], "bin stride of 2"),
      ([Convolution(filters: 3, frames: 3), Convolution(filters: 3, frames: 3, bins: 3)], "put it before"),
      ([Convolution(filters: 16_384, frames: 1, bins: 1)], nil),
      (
        [Convolution(filters: 16_384, frames: 1, bins: 1), Convolution(filters: 16_384, frames: 1, bins: 1)], nil
      ),
    ] as [([Convolution], String?)])
  func impossible(_ convolutions: [Convolution], _ reason: String?) throws {
    func configuration(_ inputSize: Int) throws -> NetworkConfiguration {
      try classicNetwork(
        inputSize: inputSize, convolutions: convolutions, classCount: 2)
    }
    guard let reason else {
      // As many filters, but more bins than can be.
      _ = try configuration(64)
      #expect(throws: ModelError.self) { try configuration(65) }
      return
    }
    #expect {
      try configuration(13)
    } throws: {
      "\($0)".contains(reason)
    }
  }

  @Test("normalisations that cannot be are refused")
  func impossibleNormalization() {
    for (layer, reason) in [
      (Layer.batchNormalization(momentum: 1.5), "momentum"), (.batchNormalization(epsilon: 0), "epsilon"),
      (.layerNormalization(epsilon: 0), "epsilon"),
    ] {
      #expect {
        try NetworkConfiguration(input: 3, [layer, .pooling(.mean), .dense(2)])
      } throws: {
        "\($0)".contains(reason)
      }
    }
  }

  @Test("a sequence of n frames leaves ceil(n / stride) at every convolution")
  func outputFrames() throws {
    let configuration = try classicNetwork(
      inputSize: 8,
      convolutions: [
        Convolution(filters: 2, frames: 5, frameStride: 3, bins: 2), Convolution(filters: 2, frames: 2, frameStride: 2),
      ],
      classCount: 2)
    #expect((0...13).map { configuration.outputFrames($0) } == [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3])
  }

  @Test("the summary names every layer, its output and its parameters")
  func summary() throws {
    let summary = ModelSummary(try NetworkConfiguration(json: everything))
    #expect(
      summary.layers.map { "\($0.name) | \($0.output) | \($0.parameters)" } == [
        "Input | frames x 40 | 0",
        "Layer normalization | frames x 40 | 80",
        "Conv2D 32 (3 x 3), stride 2 x 2, dilation 2 x 2, causal | frames/2 x 20 x 32 | 320",
        "Batch normalization | frames/2 x 20 x 32 | 128",
        "SiLU | frames/2 x 20 x 32 | 0",
        "Mean pooling (2 x 3) | frames/4 x 7 x 32 | 0",
        "Dropout 0.1 of channels | frames/4 x 7 x 32 | 0",
        "Conv1D 24 (1), stride 1, tanh | frames/4 x 24 | 5400",
        "Residual [Depthwise Conv1D (5), stride 1, dilation 2, causal; Conv1D 24 (1), stride 1; Batch normalization] "
          + "| frames/4 x 24 | 840",
        "Bidirectional LSTM 16, recurrent dropout 0.2 | frames/4 x 32 | 5248",
        "Pooling (attention, 4 heads) | 128 | 128",
        "Dense 20, ReLU | 20 | 2580",
        "Dense 10 | 10 | 210",
      ])
    #expect(summary.nonTrainableParameters == 64 + 48)
    #expect(try summary.parameters == NetworkConfiguration(json: everything).parameterCount)
  }
}

extension ParameterLayout {
  /// A tensor by its name, which only tests need.
  subscript(name: String) -> Tensor? { tensors.first { $0.name == name } }
}

@Suite("Initial parameters")
struct InitializerTests {
  @Test("input weights are Glorot uniform, with the fans of Keras")
  func glorot() throws {
    let configuration = try classicNetwork(
      inputSize: 12,
      convolutions: [Convolution(filters: 30, frames: 5, bins: 4), Convolution(filters: 40, frames: 3)], cell: .lstm,
      hiddenSize: 50, layers: 1, classCount: 20)
    let layout = ParameterLayout(configuration)
    let parameters = layout.initialParameters(seed: 3)
    for (name, fans) in [
      ("layers.0.kernel", 5 * 4 * (1 + 30)), ("layers.1.kernel", 3 * (12 * 30 + 40)),
      ("layers.2.forward.kernel", 40 + 200), ("layers.3.query", 101), ("layers.5.kernel", 120),
    ] {
      let values = parameters[try #require(layout[name]).range].map { Double($0) }
      let limit = Double.sqrt(6 / Double(fans))
      #expect(values.allSatisfy { abs($0) <= limit }, "\(name)")
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      // A uniform distribution has the variance limit^2 / 3.
      #expect(abs(mean) < 4 * limit / Double.sqrt(3 * Double(values.count)), "\(name)")
      #expect(abs(variance / (limit * limit / 3) - 1) < 4 / Double.sqrt(Double(values.count)), "\(name)")
      #expect(values.map(abs).max().map { $0 > 0.9 * limit } == true, "\(name)")
    }
  }

  @Test("recurrent weights have orthonormal rows", arguments: Recurrent.Cell.allCases)
  func orthogonal(_ cell: Recurrent.Cell) throws {
    let configuration = try classicNetwork(inputSize: 3, cell: cell, hiddenSize: 17, layers: 1, classCount: 2)
    let layout = ParameterLayout(configuration)
    let tensor = try #require(layout["layers.0.backward.recurrent_kernel"])
    let values = layout.initialParameters(seed: 3)[tensor.range].map { Double($0) }
    let columns = tensor.shape[1]
    for (i, j) in (0..<17).flatMap({ i in (0..<17).map { (i, $0) } }) {
      let dot = (0..<columns).reduce(0) { $0 + values[i * columns + $1] * values[j * columns + $1] }
      #expect(abs(dot - (i == j ? 1 : 0)) < 1e-6)
    }
  }

  @Test("biases are zero, but one for the LSTM's forget gate; scales and variances begin at one")
  func constants() throws {
    let configuration = try classicNetwork(
      inputSize: 3, inputNormalization: .batch, convolutions: [Convolution(filters: 4, frames: 3)],
      cell: .lstm, hiddenSize: 5, layers: 1, bidirectional: false, classCount: 2)
    let layout = ParameterLayout(configuration)
    let parameters = layout.initialParameters(seed: 3)
    func values(_ name: String) throws -> [Float] { Array(parameters[try #require(layout[name]).range]) }
    let forget = (0..<20).map { Float((5..<10).contains($0) ? 1 : 0) }
    #expect(try values("layers.2.forward.bias") == forget)
    for name in ["layers.0.beta", "layers.0.moving_mean", "layers.1.bias", "layers.5.bias"] {
      #expect(try values(name).allSatisfy { $0 == 0 })
    }
    for name in ["layers.0.gamma", "layers.0.moving_variance"] {
      #expect(try values(name).allSatisfy { $0 == 1 })
    }
  }

  @Test("the same seed gives the same, another another")
  func seeds() throws {
    let layout = ParameterLayout(try Front.everything.configuration())
    #expect(layout.initialParameters(seed: 3) == layout.initialParameters(seed: 3))
    #expect(layout.initialParameters(seed: 3) != layout.initialParameters(seed: 4))
  }
}

@Suite("Features that a model cannot take")
struct BadFeatureTests {
  @Test(
    "NaN and infinity are an error that says where, in every network",
    arguments: Front.allCases, [Float.nan, .infinity, -.infinity])
  func notFinite(_ front: Front, _ value: Float) throws {
    let configuration = try front.configuration()
    let classifier = try configuration.classifier()
    var features = configuration.features(9, seed: 1)
    features.values[7 * 4 + 5] = value
    #expect(throws: ModelError.notFinite(frame: 4, coefficient: 5)) { try classifier.probabilities(of: [features]) }
    #expect(throws: ModelError.notFinite(frame: 4, coefficient: 5)) { try classifier.outputs(of: [features]) }
    #expect("\(ModelError.notFinite(frame: 4, coefficient: 5))" == "coefficient 5 of frame 4 is not a finite number")
  }

  @Test("features near the end of the number range give probabilities or an error", arguments: Front.allCases)
  func enormous(_ front: Front) throws {
    for pooling in ClassicNetwork.Pooling.allCases {
      let configuration = try front.configuration(cell: .simpleRNNReLU, pooling: pooling)
      let classifier = try configuration.classifier()
      var features = configuration.features(9, seed: 1)
      features.values = features.values.map { $0 * 1e38 }.map { max(-3e38, min(3e38, $0)) }
      var stream = try ClassifierStream(classifier)
      try stream.append(features)
      let results = [
        Result { try classifier.probabilities(of: [features])[0] }, Result { try stream.probabilities() },
      ]
      for result in results {
        switch result {
        case .success(let probabilities): #expect(abs(probabilities.reduce(0, +) - 1) < 1e-5)
        case .failure(let error): #expect(error as? ModelError == .overflow)
        }
      }
    }
  }

  @Test("no frame, and another width, are errors; in training, no frame is a sequence of nothing")
  func shapes() throws {
    for pooling in ClassicNetwork.Pooling.allCases {
      for front in Front.allCases {
        let configuration = try front.configuration(bidirectional: true, pooling: pooling)
        let classifier = try configuration.classifier()
        let nothing = FeatureMatrix(coefficients: 7, values: [])
        let some = configuration.features(12, seed: 1)
        #expect(throws: ModelError.noFrames) { try classifier.probabilities(of: [some, nothing]) }
        #expect(throws: ModelError.inputSize(found: 3, wanted: 7)) {
          try classifier.probabilities(of: [FeatureMatrix(coefficients: 3, values: [1, 2, 3])])
        }
        #expect(try classifier.probabilities(of: []).isEmpty)

        let network = try TrainableNetwork(
          configuration, layout: ParameterLayout(configuration), parameters: classifier.parameters)
        let worker = NetworkWorker(configuration)
        for sequences in [[nothing], [some, nothing], [nothing, some, nothing]] {
          let logits = try worker.logits(network, of: sequences, normalizer: nil, dropoutSeed: 1)
          #expect(logits.count == 3 * sequences.count && logits.allSatisfy { $0.isFinite })
          var gradient = [Float](repeating: 0, count: network.parameterCount)
          try worker.addGradient(network, ofLogits: logits, to: &gradient)
          #expect(gradient.allSatisfy { $0.isFinite })
        }
      }
    }
  }

  @Test("a state of another shape is refused")
  func state() throws {
    let classifier = try Front.none.configuration(cell: .lstm).classifier()
    let features = classifier.configuration.features(3, seed: 1)
    let right = RecurrentState<Float>(classifier.configuration, sequences: 1)
    var cut = right
    cut.layers[1].cell = []
    for state in [RecurrentState(classifier.configuration, sequences: 2), RecurrentState(layers: []), cut] {
      #expect(throws: ModelError.state) { try classifier.outputs(of: [features], from: state) }
    }
    #expect(throws: Never.self) { try classifier.outputs(of: [features], from: right) }
  }

  @Test("a model with a variance below zero is refused")
  func variance() throws {
    let classifier = try Front.batch.configuration().classifier()
    var parameters = classifier.parameters
    parameters[7 * 3] = -1
    #expect(throws: ModelError.configuration("a negative variance")) {
      try SequenceClassifier(
        configuration: classifier.configuration, input: classifier.input, labels: classifier.labels,
        parameters: parameters)
    }
  }

  @Test("a model survives its file, whatever stands before its recurrent layers", arguments: Front.allCases)
  func file(_ front: Front) throws {
    let classifier = try front.configuration().classifier(normalization: .global)
    let bytes = try ClassifierEnsemble(classifier).fileBytes()
    let read = try ClassifierEnsemble(bytes: bytes, path: "model")
    #expect(read.members.map(\.configuration) == [classifier.configuration])
    #expect(read.members[0].parameters == classifier.parameters)
    #expect(try read.fileBytes() == bytes)
  }
}
