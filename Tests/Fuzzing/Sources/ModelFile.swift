import Auricle

/// A model file of any bytes is an error, or a model that answers and can be written and read again.
@Sendable func fuzzModel(_ bytes: [UInt8]) throws {
  let model: ClassifierEnsemble
  do throws(ModelError) {
    if let file = try? TensorFile(bytes: bytes, path: "model") {
      let again = try TensorFile(bytes: file.bytes(), path: "again")
      check(again.tensors == file.tensors && again.metadata == file.metadata, "a tensor file changes when written")
    }
    model = try ClassifierEnsemble(bytes: bytes, path: "model")
  } catch {
    check(error.description.hasPrefix("model: "), "the error does not name the file: \(error)")
    return
  }
  do throws(ModelError) {
    let again = try ClassifierEnsemble(bytes: model.fileBytes(), path: "again")
    check(
      again.members.map(\.parameters) == model.members.map(\.parameters) && again.labels == model.labels
        && again.input == model.input,
      "a model changes when written")
    for member in model.members {
      check(ModelSummary(member.configuration).parameters == member.parameters.count, "the summary miscounts")
    }
    let width = model.input.width
    let noise = (0..<3 * width).map { Float($0 * 7919 % 13) / 6 - 1 }
    guard let input = try? FeatureMatrix(frames: 3, coefficients: width, values: noise) else {
      fatalError("three rows are refused")
    }
    let probabilities = try model.probabilities(of: [input])[0]
    check(abs(probabilities.reduce(0, +) - 1) < 1e-3, "probabilities that do not sum to 1")
  } catch {
    guard case .overflow = error else { fatalError("\(error)") }
  }
}
