import AudioFeatures
import AuricleBase
import SequenceModel
import Testing

@testable import ModelExchange

/// What PyTorch and Keras answer with the same weights is checked by `Tests/Interoperability/import_check.py`.
@Suite("Weights of other libraries")
struct ImportTests {
  private func tensor(_ shape: Int..., from first: Int = 0) -> TensorFile.Tensor {
    TensorFile.Tensor((0..<shape.reduce(1, *)).map { Float($0 + first) / 64 }, shape: shape)
  }

  private func importer(_ tensors: [String: TensorFile.Tensor]) throws -> WeightsImporter {
    try WeightsImporter(bytes: TensorFile(tensors: tensors).bytes(), path: "weights")
  }

  private func complaint(
    _ tensors: [String: TensorFile.Tensor], _ options: WeightsImporter.Options
  ) throws -> String {
    let error = #expect(throws: (any Error).self) { _ = try importer(tensors).model(options) }
    return "\(try #require(error))"
  }

  private var gru: [String: TensorFile.Tensor] {
    [
      "rnn.weight_ih_l0": tensor(6, 3), "rnn.weight_hh_l0": tensor(6, 2, from: 100), "rnn.bias_ih_l0": tensor(6),
      "rnn.bias_hh_l0": tensor(6, from: 50), "fc.weight": tensor(2, 2), "fc.bias": tensor(2),
    ]
  }

  @Test("a GRU of PyTorch has its gates in Keras's order, its biases apart")
  func gates() throws {
    let model = try importer(gru).model(.init(pooling: .last, labels: ["a", "b"]))
    #expect(model.configuration.layers == [.recurrent(.gru, units: 2), .pooling(.last), .dense(2)])
    #expect(model.input == .sequence(width: 3))
    // PyTorch's rows r0 r1 z0 z1 n0 n1 are Keras's columns z0 z1 r0 r1 h0 h1.
    let first = (0..<6).map { Float([2, 3, 0, 1, 4, 5][$0] * 3) / 64 }
    #expect(Array(model.parameters[0..<6]) == first)
    let bias = [2, 3, 0, 1, 4, 5]
    #expect(Array(model.parameters[30..<42]) == (bias + bias.map { $0 + 50 }).map { Float($0) / 64 })
  }

  @Test("a file without a place for all of its weights is refused, with the names")
  func refusals() throws {
    let options = WeightsImporter.Options(pooling: .last, labels: ["a", "b"])
    #expect(try complaint(gru, .init(labels: ["a", "b"])).contains("choose a pooling"))
    #expect(
      try complaint(gru, .init(pooling: .last, labels: ["a", "b", "c"])).contains("2 x 2; the network wants 3 x 2"))
    #expect(try complaint(gru.merging(["x.gamma": tensor(2)]) { $1 }, options).contains("x.gamma"))
    #expect(try complaint(gru.merging(["x.weight": tensor(2, 2)]) { $1 }, options).contains("recognised"))
    #expect(try complaint(["rnn.weight_hr_l0": tensor(2, 2)], options).contains("proj_size"))
    #expect(try complaint([:], options).contains("no tensor"))
    var infinite = gru
    infinite["fc.bias"] = TensorFile.Tensor([0, .infinity], shape: [2])
    #expect(try complaint(infinite, options).contains("not finite"))
  }

  @Test("modules that fit in several orders are not guessed at; names of a Sequential say it")
  func orders() throws {
    let network =
      #"[{"type": "pooling", "kind": "mean"}, {"type": "dense", "units": 2, "activation": "relu"}, {"type": "dense", "units": 2}]"#
    var options = WeightsImporter.Options(network: network, labels: ["a", "b"], input: .sequence(width: 2))
    let named = ["x.weight": tensor(2, 2), "y.weight": tensor(2, 2, from: 9)]
    #expect(try complaint(named, options).contains("several orders"))
    options.modules = ["y", "x"]
    #expect(try importer(named).model(options).parameters[0] == 9.0 / 64)
    options.modules = ["y", "z"]
    #expect(try complaint(named, options).contains("x, y"))
    options.modules = nil
    let numbered = ["2.weight": tensor(2, 2), "0.weight": tensor(2, 2, from: 9)]
    #expect(try importer(numbered).model(options).parameters[0] == 9.0 / 64)
  }

  @Test("what is not said of an epsilon is PyTorch's own")
  func epsilons() throws {
    let network =
      #"[{"type": "batch-normalization"}, {"type": "batch-normalization", "epsilon": 0.5}, {"type": "pooling", "kind": "mean"}, {"type": "dense", "units": 2}]"#
    var tensors = ["2.weight": tensor(2, 3)]
    for module in ["0", "1"] {
      tensors["\(module).running_mean"] = tensor(3)
      tensors["\(module).running_var"] = tensor(3, from: 1)
    }
    let model = try importer(tensors).model(.init(network: network, labels: ["a", "b"], input: .sequence(width: 3)))
    #expect(model.configuration.layers[0] == .batchNormalization(epsilon: 1e-5))
    #expect(model.configuration.layers[1] == .batchNormalization(epsilon: 0.5))
  }

  @Test("pickles, archives and files of Keras are told apart from safetensors, and none is opened")
  func others() throws {
    for (bytes, word): ([UInt8], String) in [
      ([0x80, 2] + [UInt8](repeating: 0, count: 20), "pickle"), (Array("PK".utf8) + [3, 4], "pickle"),
      ([0x89] + Array("HDF\r\n".utf8), "Keras"), ([], "too short"),
    ] {
      let error = #expect(throws: ModelExchangeError.self) { _ = try WeightsImporter(bytes: bytes, path: "weights") }
      #expect(error?.description.contains(word) == true)
    }
  }

  @Test("a GRU of Keras without biases does not say where it resets")
  func keras() throws {
    let tensors = ["000.GRU.0": tensor(3, 6), "000.GRU.1": tensor(2, 6), "001.Dense.0": tensor(2, 2)]
    #expect(try complaint(tensors, .init(pooling: .last, labels: ["a", "b"])).contains("recognised"))
    let network =
      #"[{"type": "recurrent", "cell": "gru", "units": 2}, {"type": "pooling", "kind": "last"}, {"type": "dense", "units": 2}]"#
    let model = try importer(tensors).model(.init(network: network, labels: ["a", "b"]))
    #expect(Array(model.parameters.prefix(18)) == (0..<18).map { Float($0) / 64 })
    #expect(try importer(tensors).source == .keras)
  }
}
