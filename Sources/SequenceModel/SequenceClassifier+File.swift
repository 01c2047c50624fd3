import AudioFeatures
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The model file: a safetensors file with the parameters under their Keras-like names, `normalization.mean` and
/// `normalization.scale`, and in `__metadata__` JSON under `auricle.model`, `auricle.features`, `auricle.labels` and
/// `auricle.training`.
extension SequenceClassifier {
  private static let format = "1"

  /// Reads the model at `path`. Throws `FileError` or `ModelError`.
  public init(contentsOf path: String) throws {
    try self.init(bytes: FileAccess.read(path), path: path)
  }

  /// Reads a model from a file's `bytes`; `path` is for error messages.
  public init(bytes: [UInt8], path: String) throws(ModelError) {
    let file = try TensorFile(bytes: bytes, path: path)
    func refuse(_ reason: String) -> ModelError { .file(path: path, reason: reason) }
    guard let format = file.metadata["auricle.format"] else {
      throw refuse("a safetensors file, but not one that Auricle wrote")
    }
    guard format == SequenceClassifier.format else {
      throw refuse("its format is \(format); this version of Auricle reads format \(SequenceClassifier.format)")
    }
    func decode<Value: Decodable>(_ type: Value.Type, _ key: String) throws(ModelError) -> Value {
      guard let text = file.metadata[key] else { throw refuse("'\(key)' is missing from its description") }
      do {
        return try JSONDecoder().decode(type, from: Data(text.utf8))
      } catch let error as ModelError {
        throw refuse(error.description)
      } catch {
        throw refuse("'\(key)' in its description cannot be read")
      }
    }
    let configuration: ModelConfiguration
    do {
      configuration = try ModelConfiguration(json: file.metadata["auricle.model"] ?? "")
    } catch {
      throw refuse(error.description)
    }
    let layout = ParameterLayout(configuration)

    func values(_ name: String, _ shape: [Int]) throws(ModelError) -> [Float] {
      guard let tensor = file.tensors[name] else { throw refuse("tensor '\(name)' is missing") }
      guard tensor.kind == .float32, tensor.shape == shape else {
        throw refuse("tensor '\(name)' is \(tensor.kind.rawValue) \(tensor.shape); wanted F32 \(shape)")
      }
      return tensor.floats
    }
    // Checked one by one before memory for all of them is taken: a file cannot ask for more than it brings.
    var parameters: [Float] = []
    for tensor in layout.tensors { parameters += try values(tensor.name, tensor.shape) }
    let features = try decode(FeatureConfiguration.self, "auricle.features")
    let normalizer =
      features.normalization == .global
      ? FeatureNormalizer(
        mean: try values("normalization.mean", [configuration.inputSize]),
        scale: try values("normalization.scale", [configuration.inputSize])) : nil
    if let normalizer, !(normalizer.mean + normalizer.scale).allSatisfy(\.isFinite) {
      throw refuse("its normalisation holds a number that is not finite")
    }
    do {
      try self.init(
        configuration: configuration, features: features, labels: decode([String].self, "auricle.labels"),
        normalizer: normalizer, parameters: parameters,
        record: file.metadata["auricle.training"] == nil ? nil : decode(TrainingRecord.self, "auricle.training"))
    } catch .configuration(let reason) {
      throw refuse(reason)
    }
  }

  /// The model file's bytes: the same model always gives the same.
  public func fileBytes() throws(ModelError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func encode(_ value: some Encodable) throws(ModelError) -> String {
      guard let data = try? encoder.encode(value) else {
        throw .configuration("the model's description cannot be written as JSON")
      }
      return String(decoding: data, as: UTF8.self)
    }
    var file = TensorFile()
    file.metadata = [
      "auricle.format": SequenceClassifier.format, "auricle.model": try encode(configuration),
      "auricle.features": try encode(features), "auricle.labels": try encode(labels),
    ]
    if let record { file.metadata["auricle.training"] = try encode(record) }
    for tensor in ParameterLayout(configuration).tensors {
      file.tensors[tensor.name] = TensorFile.Tensor(Array(parameters[tensor.range]), shape: tensor.shape)
    }
    if let normalizer {
      file.tensors["normalization.mean"] = TensorFile.Tensor(normalizer.mean, shape: [normalizer.mean.count])
      file.tensors["normalization.scale"] = TensorFile.Tensor(normalizer.scale, shape: [normalizer.scale.count])
    }
    return try file.bytes()
  }

  /// Writes the model to `path`, atomically. Throws `FileError` or `ModelError`.
  public func write(to path: String) throws {
    try FileAccess.writeAtomically(fileBytes(), to: path)
  }
}
