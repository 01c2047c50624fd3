import AudioFeatures
import AuricleBase
import Foundation
import SequenceModel
import Testing

@testable import ModelExchange

/// Files that PyTorch's and Keras's own exporters wrote (`Goldens/make_goldens.py`), with what these libraries and ONNX
/// Runtime answer; networks made anew are checked by `Tests/Interoperability/import_check.py`.
@Suite("Files of PyTorch and Keras")
struct OwnersFilesTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var file: String
    var answers: [[Float]]
    var network: String?
    var pooling: String?
    var testDescription: String { file }
  }

  private struct Goldens: Decodable {
    var sequences: [[Float]]
    var width: Int
    var cases: [Case]
  }

  private static let folder = #filePath.replacing("OwnersFilesTests.swift", with: "Goldens/")

  private static let goldens: [Goldens] = ["torch", "keras"].compactMap { name in
    try? JSONDecoder().decode(Goldens.self, from: Data(FileAccess.read("\(folder)\(name).json")))
  }

  private func options(_ some: Case? = nil) -> WeightsImporter.Options {
    var options = WeightsImporter.Options(
      network: some?.network, pooling: some?.pooling == "mean" ? .mean : some?.pooling == "last" ? .last : nil,
      labels: ["a", "b", "c"])
    if some?.network != nil { options.input = .sequence(width: Self.goldens[0].width) }
    return options
  }

  @Test("a model that is imported answers as the library does", arguments: goldens.flatMap(\.cases))
  func answers(_ some: Case) throws {
    let path = Self.folder + some.file
    let model = try WeightsImporter(bytes: FileAccess.read(path), path: path).model(options(some))
    let golden = Self.goldens[0]
    let found = try model.probabilities(
      of: golden.sequences.map { FeatureMatrix(coefficients: golden.width, values: $0) })
    #expect(found.count == some.answers.count)
    for (probabilities, wanted) in zip(found, some.answers) {
      #expect(probabilities.count == wanted.count)
      for (a, b) in zip(probabilities, wanted) { #expect(abs(a - b) < 1e-5) }
    }
  }

  @Test("all files are there")
  func all() { #expect(Self.goldens.flatMap(\.cases).count == 34) }

  @Test("an ONNX file that is cut anywhere, or has a byte changed, ends with one line or is read")
  func damage() throws {
    let bytes = try FileAccess.read(Self.folder + "gru-last-frame.onnx")
    func read(_ bytes: [UInt8]) -> String? {
      do {
        _ = try WeightsImporter(bytes: bytes, path: "x.onnx").model(options())
        return nil
      } catch {
        return "\(error)"
      }
    }
    for count in stride(from: 0, to: bytes.count, by: 13) {
      let text = read(Array(bytes[..<count]))
      #expect(text?.hasPrefix("x.onnx: ") == true && text?.contains("\n") == false)
    }
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        damaged[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if let text = read(damaged) { #expect(!text.isEmpty && !text.contains("\n")) }
    }
  }

  private func complaint(_ file: ONNXFile, _ options: WeightsImporter.Options) throws -> String {
    let error = #expect(throws: (any Error).self) {
      _ = try WeightsImporter(bytes: file.bytes, path: "x.onnx").model(options)
    }
    return "\(try #require(error))"
  }

  private func graph(_ nodes: [ONNXFile.Node], _ tensors: [ONNXFile.Tensor] = []) -> ONNXFile {
    ONNXFile(
      graphName: "test", opset: 17, nodes: nodes, initializers: tensors,
      inputs: [ONNXFile.Value(name: "x", element: .float, shape: [.named("b"), .named("t"), .fixed(4)])],
      outputs: [ONNXFile.Value(name: "y", element: .float, shape: [])])
  }

  private func node(
    _ operation: String, _ inputs: [String], _ output: String, _ attributes: [(String, ONNXFile.Attribute.Value)] = []
  ) -> ONNXFile.Node {
    ONNXFile.Node(
      operation: operation, name: "n-\(output)", inputs: inputs, outputs: [output],
      attributes: attributes.map { ONNXFile.Attribute(name: $0.0, value: $0.1) })
  }

  @Test("what does not fit is refused with the node, its operator and the reason")
  func refusals() throws {
    let options = options()
    let mean = node("ReduceMean", ["x"], "m", [("axes", .integers([1])), ("keepdims", .integer(0))])
    let weights = ONNXFile.Tensor("w", [Float](repeating: 1, count: 12), shape: [4, 3])
    let dense = node("MatMul", ["m", "w"], "y")
    _ = try WeightsImporter(bytes: graph([mean, dense], [weights]).bytes, path: "x.onnx").model(options)

    let erf = try complaint(
      graph([mean, node("Erf", ["m"], "e"), node("MatMul", ["e", "w"], "y")], [weights]), options)
    #expect(erf.contains("node 'n-e' (Erf) is no operator of a layer"))
    #expect(try complaint(graph([dense], [weights]), options).contains("'m', which nothing computes"))
    #expect(try complaint(graph([mean, dense], []), options).contains("'w', which nothing computes"))
    let flat = node("Flatten", ["x"], "m")
    #expect(try complaint(graph([flat, dense], [weights]), options).contains("all frames at once"))
    let wide = ONNXFile.Tensor("w", [Float](repeating: 1, count: 15), shape: [5, 3])
    #expect(try complaint(graph([mean, dense], [wide]), options).contains("5 rows of weights for frames of 4"))
    let infinite = ONNXFile.Tensor("w", [Float](repeating: .infinity, count: 12), shape: [4, 3])
    #expect(try complaint(graph([mean, dense], [infinite]), options).contains("not finite"))
    var more = options
    more.labels = ["a", "b"]
    #expect(try complaint(graph([mean, dense], [weights]), more).contains("3 classes; 2 labels"))
    more = options
    more.pooling = .last
    #expect(try complaint(graph([mean, dense], [weights]), more).contains("describes its network itself"))
    var two = graph([mean, dense], [weights])
    two.outputs.append(ONNXFile.Value(name: "m", element: .float, shape: []))
    #expect(try complaint(two, options).contains("one of each is wanted"))
    let own = try ONNXExporter(ClassifierEnsemble(Networks.classifier([.pooling(.mean)]))).bytes()
    let error = #expect(throws: ModelExchangeError.self) {
      _ = try WeightsImporter(bytes: own, path: "x.onnx").model(options)
    }
    #expect(error?.description.contains("exported by Auricle") == true)
  }

  @Test("weights beside an ONNX file are read from its own folder only")
  func external() throws {
    let name = Self.folder + "causal.new.onnx"
    let bytes = try FileAccess.read(name)
    let missing = #expect(throws: ModelExchangeError.self) {
      _ = try WeightsImporter(bytes: bytes, path: "elsewhere.onnx")
    }
    #expect(missing?.description.contains("causal.new.onnx.data") == true)
    for path in ["../secret", "/etc/passwd", "..", ""] {
      var short = bytes
      let place = try #require(short.firstRange(of: Array("causal.new.onnx.data".utf8)))
      // As long as before, so that lengths stay right.
      let text = path.isEmpty ? "" : path + String(repeating: "/", count: place.count - path.utf8.count)
      guard !text.isEmpty else { continue }
      short.replaceSubrange(place, with: Array(text.utf8))
      let error = #expect(throws: ModelExchangeError.self) { _ = try WeightsImporter(bytes: short, path: name) }
      #expect(error?.description.contains("no file beside it") == true)
    }
    #expect(throws: ImportProblem.self) {
      _ = try ONNXFile(reading: bytes) { _ in [1, 2, 3] }
    }
  }

  @Test("a Keras configuration that Auricle has no layers for is refused with the layer's name")
  func kerasConfigurations() throws {
    func complaint(_ layers: String) -> String {
      do {
        _ = try KerasConfiguration(json: #"{"config": {"build_input_shape": [null, null, 4], "layers": [\#(layers)]}}"#)
        return ""
      } catch {
        return error.reason
      }
    }
    let dense = #"{"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "softmax"}}"#
    #expect(complaint(dense) == "")
    #expect(complaint(#"{"class_name": "Attention", "config": {"name": "a"}}"#).contains("layer 'a' (Attention)"))
    let softmax = #"{"class_name": "Softmax", "config": {}}"#
    #expect(complaint(softmax + "," + dense).contains("after the probabilities"))
    for (kind, fields, word) in [
      ("Conv1D", #""filters": 2, "kernel_size": [3], "padding": "valid""#, "pads by 'valid'"),
      ("Conv1D", #""filters": 2, "kernel_size": [3], "padding": "same", "strides": [2]"#, "with a stride"),
      ("GRU", #""units": 2, "go_backwards": true"#, "backward"),
      ("LSTM", #""units": 2, "recurrent_activation": "hard_sigmoid""#, "other activations"),
      ("Dense", #""units": 2, "activation": "gelu""#, "'gelu'"),
      ("MaxPooling1D", #""pool_size": [2], "padding": "valid""#, "fill no window"),
      ("Reshape", #""target_shape": [2, 2]"#, "reshapes"),
      ("Dense", #""units": 0"#, "number of units is 0"),
    ] {
      #expect(complaint(#"{"class_name": "\#(kind)", "config": {\#(fields)}}"#).contains(word), "\(kind) \(fields)")
    }
    #expect(complaint("]").contains("none of a Keras model"))
  }
}
