import AudioFeatures
import AuricleBase
import Testing

@testable import SequenceModel

@Suite("Models with weights of 8 bits")
struct QuantizationTests {
  static let cells = Recurrent.Cell.allCases.flatMap { cell in [(cell, 1), (cell, 2)] }

  private func classifier(_ layers: [Layer], width: Int = 10) throws -> SequenceClassifier {
    let network = try NetworkConfiguration(input: width, layers + [.dense(3)])
    return try SequenceClassifier(
      configuration: network, input: .sequence(width: width), labels: ["a", "b", "c"],
      parameters: ParameterLayout(network).initialParameters(seed: 3))
  }

  private func sequences(width: Int = 10) -> [FeatureMatrix] {
    [1, 40, 7, 100, 7].enumerated().map { number, frames in
      FeatureMatrix(
        coefficients: width,
        values: (0..<frames * width).map { Float(($0 * 37 + number * 11) % 101) / 40 - 1.25 })
    }
  }

  @Test("answers are near those of single precision, and a sequence's do not depend on others", arguments: cells)
  func answers(_ cell: Recurrent.Cell, _ directions: Int) throws {
    let model = try classifier([
      .recurrent(cell, units: 20, directions: directions), .recurrent(cell, units: 13, directions: directions),
      .pooling(.mean),
    ])
    let quantized = try ClassifierEnsemble(model).quantized()
    #expect(quantized.members[0].precision == .int8)
    let sequences = sequences()
    let together = try quantized.probabilities(of: sequences)
    for (a, b) in zip(together, try model.probabilities(of: sequences)) {
      for (a, b) in zip(a, b) { #expect(abs(a - b) < 0.03) }
    }
    for (index, sequence) in sequences.enumerated() {
      #expect(try quantized.probabilities(of: [sequence])[0] == together[index])
    }
  }

  @Test("a file gives the same answers again, and is about a quarter as large")
  func files() throws {
    let model = ClassifierEnsemble(
      try classifier([.convolution(filters: 24, frames: 3), .recurrent(.gru, units: 96), .pooling(.attention())]))
    let quantized = try model.quantized()
    let bytes = try quantized.fileBytes()
    #expect(bytes.count * 10 < (try model.fileBytes().count) * 3)
    let read = try ClassifierEnsemble(bytes: bytes, path: "-")
    #expect(read.members[0].precision == .int8)
    #expect(try read.probabilities(of: sequences()) == quantized.probabilities(of: sequences()))
    #expect(try read.fileBytes() == bytes)
    #expect(throws: ModelError.self) { _ = try quantized.quantized() }
  }

  @Test("streams give what whole sequences do", arguments: Recurrent.Cell.allCases)
  func streams(_ cell: Recurrent.Cell) throws {
    let model = try ClassifierEnsemble(
      classifier([.convolution(filters: 12, frames: 3), .recurrent(cell, units: 18), .pooling(.last)])
    ).quantized()
    let sequence = sequences()[3]
    var stream = try ClassifierStream(model)
    for start in stride(from: 0, to: 100, by: 9) {
      let end = min(100, start + 9)
      try stream.append(FeatureMatrix(coefficients: 10, values: Array(sequence.values[start * 10..<end * 10])))
    }
    #expect(try stream.probabilities() == model.probabilities(of: [sequence])[0])
  }

  @Test("a file of 8 bits without its scales, or with other shapes, is refused")
  func damage() throws {
    let quantized = try ClassifierEnsemble(classifier([.recurrent(.gru, units: 8), .pooling(.last)])).quantized()
    func complaint(_ change: (inout TensorFile) -> Void) throws -> String {
      var file = try TensorFile(bytes: quantized.fileBytes(), path: "-")
      change(&file)
      let bytes = try file.bytes()
      return "\(try #require(#expect(throws: ModelError.self) { _ = try ClassifierEnsemble(bytes: bytes, path: "-") }))"
    }
    let name = "layers.0.forward.kernel"
    #expect(try complaint { $0.tensors[name + ".scale"] = nil }.contains(name + ".scale"))
    #expect(
      try complaint { $0.tensors[name] = .init([Float](repeating: 0, count: 240), shape: [10, 24]) }.contains(name))
    #expect(try complaint { $0.tensors[name] = .init([Int8](repeating: 0, count: 24), shape: [1, 24]) }.contains(name))
    #expect(try complaint { $0.metadata["auricle.precision"] = "int4" }.contains("auricle.precision"))
  }
}
