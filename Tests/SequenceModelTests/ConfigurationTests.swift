import AudioFeatures
import AuricleBase
import Testing

@testable import SequenceModel

@Suite("A model's configuration")
struct ConfigurationTests {
  private let everything = """
    {"inputSize": 40, "classCount": 10, "cell": "lstm", "hiddenSize": 64, "layers": 1, "bidirectional": false,
     "pooling": "mean", "dropout": 0.2, "recurrentDropout": 0.1,
     "inputNormalization": {"kind": "batch", "momentum": 0.9, "epsilon": 1e-5},
     "convolutions": [{"filters": 32, "frames": 5, "frameStride": 2, "bins": 3, "binStride": 2},
                      {"filters": 48, "frames": 3}]}
    """

  @Test("every field can be given in JSON")
  func json() throws {
    let found = try ModelConfiguration(json: everything)
    let wanted = try ModelConfiguration(
      inputSize: 40, inputNormalization: InputNormalization(.batch, momentum: 0.9, epsilon: 1e-5),
      convolutions: [
        Convolution(filters: 32, frames: 5, frameStride: 2, bins: 3, binStride: 2), Convolution(filters: 48, frames: 3),
      ],
      cell: .lstm, hiddenSize: 64, layers: 1, bidirectional: false, pooling: .mean, dropout: 0.2, recurrentDropout: 0.1,
      classCount: 10)
    #expect(found == wanted)
    #expect(try ModelConfiguration(json: found.json) == found)
  }

  @Test("what JSON leaves out has the default")
  func defaults() throws {
    let found = try ModelConfiguration(json: #"{"inputSize": 13, "classCount": 2}"#)
    #expect(try found == ModelConfiguration(inputSize: 13, classCount: 2))
    #expect(try ModelConfiguration(json: found.json) == found)
    let normalized = try ModelConfiguration(
      json: #"{"inputSize": 13, "classCount": 2, "inputNormalization": {"kind": "layer"}}"#)
    #expect(normalized.inputNormalization == InputNormalization(.layer, momentum: 0.99, epsilon: 1e-3))
  }

  @Test("the description in files written before there were convolutions still reads, and is written alike")
  func older() throws {
    let older = """
      {"bidirectional":true,"cell":"gru","classCount":10,"dropout":0.3,"hiddenSize":128,"inputSize":39,"layers":2,\
      "pooling":"attention"}
      """
    let configuration = try ModelConfiguration(json: older)
    #expect(try configuration == ModelConfiguration(inputSize: 39, classCount: 10))
    #expect(configuration.json.filter { !$0.isWhitespace } == older.filter { !$0.isWhitespace })
  }

  @Test(
    "what is wrong in JSON is said",
    arguments: [
      (
        #"{"inputSize": 13, "classCount": 2, "cell": "transformer"}"#, "unknown cell 'transformer'; known are gru, gru-"
      ),
      (#"{"inputSize": 13, "classCount": 2, "pooling": "median"}"#, "unknown pooling 'median'; known are last, mean"),
      (#"{"inputSize": 13, "classCount": 2, "hidden": 4}"#, "unknown field 'hidden' in a model; known are inputSize"),
      (#"{"classCount": 2}"#, "'inputSize' is missing"),
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
        #"{"inputSize": 13, "classCount": 2, "convolutions": [{"filters": 3, "frames": 3, "dilation": 2}]}"#,
        "unknown field 'dilation' in a convolution"
      ),
      ("[]", "not a JSON object"), ("{", "not JSON"), ("", "not JSON"),
    ])
  func refused(_ json: String, _ reason: String) {
    #expect {
      try ModelConfiguration(json: json)
    } throws: {
      "\($0)".hasPrefix("impossible model: ") && "\($0)".contains(reason)
    }
  }

  @Test(
    "convolutions and normalisations that cannot be are refused",
    arguments: [
      (InputNormalization(.batch, momentum: 1.5), [], "momentum"),
      (InputNormalization(.layer, epsilon: 0), [], "epsilon"),
      (nil, [Convolution(filters: 0, frames: 3)], "filters is 0"),
      (nil, [Convolution(filters: 3, frames: 0)], "frames of a convolution is 0"),
      (nil, [Convolution(filters: 3, frames: 3, frameStride: 0)], "frame stride"),
      (nil, [Convolution(filters: 3, frames: 3, bins: 0)], "bins of a convolution is 0"),
      (nil, [Convolution(filters: 3, frames: 3, bins: 3, binStride: 0)], "bin stride of a convolution is 0"),
      (nil, [Convolution(filters: 3, frames: 3, binStride: 2)], "bin stride of 2"),
      (nil, [Convolution(filters: 3, frames: 3), Convolution(filters: 3, frames: 3, bins: 3)], "put it before"),
      (nil, [Convolution(filters: 16_384, frames: 1, bins: 1)], nil),
      (
        nil, [Convolution(filters: 16_384, frames: 1, bins: 1), Convolution(filters: 16_384, frames: 1, bins: 1)], nil
      ),
    ] as [(InputNormalization?, [Convolution], String?)])
  func impossible(_ normalization: InputNormalization?, _ convolutions: [Convolution], _ reason: String?) throws {
    func configuration(_ inputSize: Int) throws -> ModelConfiguration {
      try ModelConfiguration(
        inputSize: inputSize, inputNormalization: normalization, convolutions: convolutions, classCount: 2)
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

  @Test("a sequence of n frames leaves ceil(n / stride) at every convolution")
  func outputFrames() throws {
    let configuration = try ModelConfiguration(
      inputSize: 8,
      convolutions: [
        Convolution(filters: 2, frames: 5, frameStride: 3, bins: 2), Convolution(filters: 2, frames: 2, frameStride: 2),
      ],
      classCount: 2)
    #expect((0...13).map { configuration.outputFrames($0) } == [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3])
  }

  @Test("the summary names every layer, its output and its parameters")
  func summary() throws {
    let summary = ModelSummary(try ModelConfiguration(json: everything))
    #expect(
      summary.layers.map { "\($0.name) | \($0.output) | \($0.parameters)" } == [
        "Input | frames x 40 | 0",
        "Batch normalization | frames x 40 | 160",
        "Conv2D 32 (5 x 3), stride 2 x 2, ReLU | frames/2 x 20 x 32 | 512",
        "Conv1D 48 (3), stride 1, ReLU | frames/2 x 48 | 92208",
        "LSTM 64, recurrent dropout 0.1 | frames/2 x 64 | 28928",
        "Pooling (mean) | 64 | 0",
        "Dropout 0.2 | 64 | 0",
        "Dense, softmax | 10 | 650",
      ])
    #expect(summary.nonTrainableParameters == 80)
    #expect(try summary.parameters == ModelConfiguration(json: everything).parameterCount)
    let plain = ModelSummary(
      try ModelConfiguration(inputSize: 39, inputNormalization: InputNormalization(.layer), classCount: 10))
    #expect(plain.layers[1].name == "Layer normalization")
    #expect(plain.layers[2].name == "Bidirectional GRU 128")
    #expect(plain.nonTrainableParameters == 0)
  }
}

@Suite("Initial parameters")
struct InitializerTests {
  @Test("input weights are Glorot uniform, with the fans of Keras")
  func glorot() throws {
    let configuration = try ModelConfiguration(
      inputSize: 12,
      convolutions: [Convolution(filters: 30, frames: 5, bins: 4), Convolution(filters: 40, frames: 3)], cell: .lstm,
      hiddenSize: 50, layers: 1, classCount: 20)
    let layout = ParameterLayout(configuration)
    let parameters = layout.initialParameters(seed: 3)
    for (name, fans) in [
      ("convolution.0.kernel", 5 * 4 * (1 + 30)), ("convolution.1.kernel", 3 * (12 * 30 + 40)),
      ("recurrent.0.forward.kernel", 40 + 200), ("attention.query", 101), ("dense.kernel", 120),
    ] {
      let values = parameters[try #require(layout[name]).range].map { Double($0) }
      let limit = squareRoot(6 / Double(fans))
      #expect(values.allSatisfy { abs($0) <= limit }, "\(name)")
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      // A uniform distribution has the variance limit^2 / 3.
      #expect(abs(mean) < 4 * limit / squareRoot(3 * Double(values.count)), "\(name)")
      #expect(abs(variance / (limit * limit / 3) - 1) < 4 / squareRoot(Double(values.count)), "\(name)")
      #expect(values.map(abs).max().map { $0 > 0.9 * limit } == true, "\(name)")
    }
  }

  @Test("recurrent weights have orthonormal rows", arguments: ModelConfiguration.Cell.allCases)
  func orthogonal(_ cell: ModelConfiguration.Cell) throws {
    let configuration = try ModelConfiguration(inputSize: 3, cell: cell, hiddenSize: 17, layers: 1, classCount: 2)
    let layout = ParameterLayout(configuration)
    let tensor = try #require(layout["recurrent.0.backward.recurrent_kernel"])
    let values = layout.initialParameters(seed: 3)[tensor.range].map { Double($0) }
    let columns = tensor.shape[1]
    for (i, j) in (0..<17).flatMap({ i in (0..<17).map { (i, $0) } }) {
      let dot = (0..<columns).reduce(0) { $0 + values[i * columns + $1] * values[j * columns + $1] }
      #expect(abs(dot - (i == j ? 1 : 0)) < 1e-6)
    }
  }

  @Test("biases are zero, but one for the LSTM's forget gate; scales and variances begin at one")
  func constants() throws {
    let configuration = try ModelConfiguration(
      inputSize: 3, inputNormalization: InputNormalization(.batch), convolutions: [Convolution(filters: 4, frames: 3)],
      cell: .lstm, hiddenSize: 5, layers: 1, bidirectional: false, classCount: 2)
    let layout = ParameterLayout(configuration)
    let parameters = layout.initialParameters(seed: 3)
    func values(_ name: String) throws -> [Float] { Array(parameters[try #require(layout[name]).range]) }
    let forget = (0..<20).map { Float((5..<10).contains($0) ? 1 : 0) }
    #expect(try values("recurrent.0.forward.bias") == forget)
    for name in ["input_normalization.beta", "input_normalization.moving_mean", "convolution.0.bias", "dense.bias"] {
      #expect(try values(name).allSatisfy { $0 == 0 })
    }
    for name in ["input_normalization.gamma", "input_normalization.moving_variance"] {
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
    for pooling in ModelConfiguration.Pooling.allCases {
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
    for pooling in ModelConfiguration.Pooling.allCases {
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

        let network = TrainableNetwork(
          configuration, layout: ParameterLayout(configuration), parameters: classifier.parameters)
        let worker = NetworkWorker(configuration)
        for sequences in [[nothing], [some, nothing], [nothing, some, nothing]] {
          let logits = worker.logits(network, of: sequences, normalizer: nil, dropoutSeed: 1)
          #expect(logits.count == 3 * sequences.count && logits.allSatisfy { $0.isFinite })
          var gradient = [Float](repeating: 0, count: network.parameterCount)
          worker.addGradient(network, ofLogits: logits, to: &gradient)
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
        configuration: classifier.configuration, features: classifier.features, labels: classifier.labels,
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
