import AudioFeatures
import AuricleBase
import SequenceModel
import Testing

@testable import ModelExchange

/// What ONNX Runtime makes of these files is checked by `Tests/Interoperability/onnx_check.py`.
@Suite("Models as ONNX files")
struct ONNXTests {
  private func export(
    _ members: [SequenceClassifier], _ input: ONNXExporter.Input = .features
  ) throws -> ONNXReading {
    try ONNXReading(ONNXExporter(ClassifierEnsemble(members: members)).bytes(input: input))
  }

  @Test("every network has a graph whose nodes only use what stands before them", arguments: Networks.all.keys.sorted())
  func graphs(_ name: String) throws {
    let layers = try #require(Networks.all[name])
    let file = try export([Networks.classifier(layers)])
    #expect(file.opset == 9 && file.version == 4)
    #expect(file.inputs == ["features", "lengths"] && file.outputs == ["probabilities", "logits"])
    file.expectOrder()
  }

  @Test("all networks are there")
  func all() { #expect(Networks.all.count == 17 + NetworkName.allCases.count) }

  @Test("the same model gives the same bytes, with samples in too")
  func bytes() throws {
    let model = ClassifierEnsemble(try Networks.classifier(NetworkName.gruSmall.template.layers))
    for input in ONNXExporter.Input.allCases {
      #expect(try ONNXExporter(model).bytes(input: input) == ONNXExporter(model).bytes(input: input))
    }
  }

  @Test("each number of the network stands in the file as often as in the model")
  func parameters() throws {
    let member = try Networks.classifier([.recurrent(.lstm, units: 5, directions: 2), .pooling(.mean)])
    let file = try export([member])
    let stored = file.tensors.filter { $0.key.hasPrefix("layers.") }.flatMap(\.value)
    // ONNX has a second bias, for the state, which Keras has not: zeros.
    #expect(stored.filter { $0 != 0 }.sorted() == member.parameters.filter { $0 != 0 }.sorted())
  }

  @Test("metadata has the labels, the features and what the logits mean")
  func metadata() throws {
    let file = try export([Networks.classifier([.pooling(.mean)], output: .sigmoid)])
    #expect(file.metadata["auricle.labels"] == #"["a","b","c"]"#)
    #expect(file.metadata["auricle.output"] == "sigmoid")
    let json = try #require(file.metadata["auricle.features"])
    #expect(try FeatureConfiguration(json: json).mel.count == 6)
    let other = try export([Networks.classifier([.pooling(.mean)], .sequence(width: 4))])
    #expect(other.metadata["auricle.sequence"] == "4" && other.metadata["auricle.features"] == nil)
  }

  @Test("an ensemble answers with probabilities only, its members named apart")
  func ensembles() throws {
    let member = try Networks.classifier([.recurrent(.gru, units: 4), .pooling(.last)])
    let file = try export([member, member])
    #expect(file.outputs == ["probabilities"])
    #expect(file.tensors.keys.contains("member.1/layers.0/W"))
    file.expectOrder()
  }

  @Test("with samples in, every framing, kind and energy has a graph", arguments: FeatureConfiguration.Framing.allCases)
  func samples(_ framing: FeatureConfiguration.Framing) throws {
    for kind in FeatureConfiguration.Kind.allCases {
      for energy in FeatureConfiguration.Cepstrum.Energy.allCases {
        var features = FeatureConfiguration.kaldi(sampleRate: 8_000, kind: kind)
        (features.framing, features.cepstrum.energy, features.deltas.order) = (framing, energy, 1)
        let file = try export([Networks.classifier([.pooling(.mean)], .audio(features))], .samples)
        #expect(file.inputs == ["samples", "lengths"])
        file.expectOrder()
      }
    }
  }

  @Test("a graph for streams has a state for all that must be kept, and no lengths")
  func streams() throws {
    let layers: [Layer] = [
      .convolution(filters: 4, frames: 3, causal: true), .recurrent(.lstm, units: 5), .pooling(.attention(heads: 2)),
    ]
    let model = ClassifierEnsemble(try Networks.classifier(layers))
    let file = try ONNXReading(ONNXExporter(model).streamBytes())
    // Frames, hidden and cell state; of attention the greatest, whether it has begun, weights and sums.
    #expect(file.inputs == ["features"] + (0..<7).map { "state.\($0)" })
    #expect(file.outputs == ["probabilities", "logits"] + (0..<7).map { "next_state.\($0)" })
    for layers: [Layer] in [
      [.recurrent(.gru, units: 4, directions: 2), .pooling(.last)],
      [.convolution(filters: 4, frames: 3), .pooling(.last)],
      [.convolution(filters: 4, frames: 3, frameStride: 2, causal: true), .pooling(.last)],
      [.maxPooling(frames: 2), .pooling(.last)],
    ] {
      let model = ClassifierEnsemble(try Networks.classifier(layers))
      #expect(throws: ModelExchangeError.self) { _ = try ONNXExporter(model).streamBytes() }
    }
  }

  @Test("with sound in, a graph for streams has states for samples and deltas, and says how long pieces are")
  func soundStreams() throws {
    func stream(_ change: (inout FeatureConfiguration) -> Void) throws -> ONNXReading {
      var features = FeatureConfiguration.speech(sampleRate: 8_000, kind: .logMel)
      features.normalization = .none
      change(&features)
      let model = try Networks.classifier([.recurrent(.gru, units: 4), .pooling(.last)], .audio(features))
      return try ONNXReading(ONNXExporter(ClassifierEnsemble(model)).streamBytes(input: .samples))
    }
    let file = try stream { _ in }
    file.expectOrder()
    // Whether it has begun, the sample before, samples, context and wait of two deltas, the GRU's.
    #expect(file.inputs == ["samples", "end"] + (0..<8).map { "state.\($0)" })
    // Frame 0 needs 100 samples after its centre, two hops; its deltas need four frames after it.
    #expect(file.metadata["auricle.stream"] == #"{"first":480,"hop":80}"#)
    let plain = try stream { ($0.deltas.order, $0.framing, $0.preEmphasis.coefficient) = (0, .snipEdges, 0) }
    plain.expectOrder()
    #expect(plain.inputs == ["samples", "end"] + (0..<3).map { "state.\($0)" })
    let error = #expect(throws: ModelExchangeError.self) { _ = try stream { $0.logarithm.range = 80 } }
    #expect(error?.description.contains("range") == true)
  }

  @Test("features that no graph computes are refused with the reason")
  func refusals() throws {
    func expectRefusal(_ word: String, _ change: (inout FeatureConfiguration) -> Void) throws {
      var features = FeatureConfiguration.kaldi(sampleRate: 8_000)
      change(&features)
      let model = try Networks.classifier([.pooling(.mean)], .audio(features))
      let error = #expect(throws: ModelExchangeError.self) { _ = try export([model], .samples) }
      #expect(error?.description.contains(word) == true)
      _ = try export([model])
    }
    try expectRefusal("dither") { $0.dither.amount = 1 }
    try expectRefusal("Savitzky") { $0.deltas = .init(order: 1, method: .savitzkyGolay) }
    try expectRefusal("extendsEnd") { $0.deltas = .init(order: 2, extendsEnd: true) }
    try expectRefusal("matrix") { ($0.frameLength, $0.fftLength) = (4096, 4096) }
    let other = try Networks.classifier([.pooling(.mean)], .sequence(width: 4))
    #expect(throws: ModelExchangeError.notForSound) { _ = try export([other], .samples) }
  }
}

/// What of an ONNX file these tests look at, read by the rules of Protocol Buffers.
struct ONNXReading {
  private(set) var version = 0
  private(set) var opset = 0
  private(set) var inputs: [String] = []
  private(set) var outputs: [String] = []
  private(set) var nodes: [(inputs: [String], outputs: [String])] = []
  /// Those of float32.
  private(set) var tensors: [String: [Float]] = [:]
  private(set) var metadata: [String: String] = [:]
  private var constants: [String] = []

  init(_ bytes: [UInt8]) throws {
    let model = try Message(bytes[...])
    version = try model.integer(1)
    opset = try Message(model.data(8)[0]).integer(2)
    for entry in model.data(14) {
      let entry = try Message(entry)
      metadata[entry.texts(1)[0]] = entry.texts(2)[0]
    }
    let graph = try Message(model.data(7)[0])
    inputs = try graph.data(11).map { try Message($0).texts(1)[0] }
    outputs = try graph.data(12).map { try Message($0).texts(1)[0] }
    nodes = try graph.data(1).map {
      let node = try Message($0)
      return (node.texts(1), node.texts(2))
    }
    for tensor in graph.data(5) {
      let tensor = try Message(tensor)
      constants.append(tensor.texts(8)[0])
      guard try tensor.integer(2) == 1 else { continue }
      let data = Array(tensor.data(9)[0])
      tensors[tensor.texts(8)[0]] = stride(from: 0, to: data.count, by: 4).map { place in
        Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[place + $1]) << (8 * $1) })
      }
    }
  }

  /// Expects names to be given once, before they are used, and all constants to be used.
  func expectOrder() {
    var known = Set(inputs + constants)
    #expect(known.count == inputs.count + constants.count)
    for node in nodes {
      for input in node.inputs where !input.isEmpty { #expect(known.contains(input), "\(input)") }
      for output in node.outputs { #expect(known.insert(output).inserted, "\(output)") }
    }
    let used = Set(nodes.flatMap(\.inputs))
    for constant in constants { #expect(used.contains(constant), "\(constant)") }
    for output in outputs { #expect(known.contains(output)) }
  }

  private struct Message {
    private var integers: [Int: Int] = [:]
    private var parts: [Int: [ArraySlice<UInt8>]] = [:]

    init(_ bytes: ArraySlice<UInt8>) throws {
      var rest = bytes
      func variable() throws -> Int {
        var (value, shift) = (0, 0)
        while true {
          let next = rest.popFirst()
          let byte = try #require(next)
          value |= Int(byte & 0x7f) << shift
          shift += 7
          if byte < 0x80 { return value }
        }
      }
      while !rest.isEmpty {
        let key = try variable()
        switch key & 7 {
        case 0: integers[key >> 3] = try variable()
        case 2:
          let count = try variable()
          try #require(rest.count >= count)
          parts[key >> 3, default: []].append(rest.prefix(count))
          rest = rest.dropFirst(count)
        default:
          try #require(key & 7 == 5 && rest.count >= 4)
          rest = rest.dropFirst(4)
        }
      }
    }

    func integer(_ field: Int) throws -> Int { try #require(integers[field]) }
    func data(_ field: Int) -> [ArraySlice<UInt8>] { parts[field] ?? [] }
    func texts(_ field: Int) -> [String] { data(field).map { String(decoding: $0, as: UTF8.self) } }
  }
}
