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
///
/// That is format 1. A file of several networks is of format 2: it says how many under `auricle.members`, and each one's
/// tensors and its `auricle.model` and `auricle.training` have `member.0/`, `member.1/` and so on before their names.
extension ClassifierEnsemble {
  /// Reads the model at `path`. Throws `FileError` or `ModelError`.
  public init(contentsOf path: String) throws {
    try self.init(bytes: FileAccess.read(path), path: path)
  }

  /// Reads a model from a file's `bytes`; `path` is for error messages.
  public init(bytes: [UInt8], path: String) throws(ModelError) {
    let reader = ModelFileReader(file: try TensorFile(bytes: bytes, path: path), path: path)
    guard let format = reader.file.metadata["auricle.format"] else {
      throw reader.refuse("a safetensors file, but not a model that Auricle wrote")
    }
    let prefixes: [String]
    switch format {
    case "1": prefixes = [""]
    case "2":
      let count = reader.file.metadata["auricle.members"].flatMap { Int($0) } ?? 0
      guard (2...ClassifierEnsemble.mostMembers).contains(count) else {
        throw reader.refuse("'auricle.members' in its description is not a number from 2 to \(Self.mostMembers)")
      }
      prefixes = (0..<count).map(ClassifierEnsemble.prefix)
    default: throw reader.refuse("its format is \(format); this version of Auricle reads formats 1 and 2")
    }
    var members: [SequenceClassifier] = []
    for prefix in prefixes { members.append(try reader.member(prefix)) }
    try self.init(members: members)
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
    file.metadata = ["auricle.features": try encode(features), "auricle.labels": try encode(labels)]
    file.metadata["auricle.format"] = members.count == 1 ? "1" : "2"
    if members.count > 1 { file.metadata["auricle.members"] = "\(members.count)" }
    for (index, member) in members.enumerated() {
      let prefix = members.count == 1 ? "" : ClassifierEnsemble.prefix(index)
      file.metadata[prefix + "auricle.model"] = try encode(member.configuration)
      if let record = member.record { file.metadata[prefix + "auricle.training"] = try encode(record) }
      for tensor in ParameterLayout(member.configuration).tensors {
        file.tensors[prefix + tensor.name] = TensorFile.Tensor(
          Array(member.parameters[tensor.range]), shape: tensor.shape)
      }
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

  private static func prefix(_ member: Int) -> String { "member.\(member)/" }
}

/// The parts of a model file, each checked as it is taken out.
private struct ModelFileReader {
  let file: TensorFile
  let path: String

  func refuse(_ reason: String) -> ModelError { .file(path: path, reason: reason) }

  /// The network whose names begin with `prefix`, with what all networks of the file share.
  func member(_ prefix: String) throws(ModelError) -> SequenceClassifier {
    let configuration: ModelConfiguration
    do {
      configuration = try ModelConfiguration(json: file.metadata[prefix + "auricle.model"] ?? "")
    } catch {
      throw refuse(error.description)
    }
    // Checked one by one before memory for all of them is taken: a file cannot ask for more than it brings.
    var parameters: [Float] = []
    for tensor in ParameterLayout(configuration).tensors {
      parameters += try values(prefix + tensor.name, tensor.shape)
    }
    let features = try decode(FeatureConfiguration.self, "auricle.features")
    let normalizer =
      features.normalization == .global
      ? FeatureNormalizer(
        mean: try values("normalization.mean", [configuration.inputSize]),
        scale: try values("normalization.scale", [configuration.inputSize])) : nil
    if let normalizer, !(normalizer.mean + normalizer.scale).allSatisfy(\.isFinite) {
      throw refuse("its normalisation holds a number that is not finite")
    }
    let training = prefix + "auricle.training"
    do {
      return try SequenceClassifier(
        configuration: configuration, features: features, labels: decode([String].self, "auricle.labels"),
        normalizer: normalizer, parameters: parameters,
        record: file.metadata[training] == nil ? nil : decode(TrainingRecord.self, training))
    } catch .configuration(let reason) {
      throw refuse(reason)
    }
  }

  private func decode<Value: Decodable>(_ type: Value.Type, _ key: String) throws(ModelError) -> Value {
    guard let text = file.metadata[key] else { throw refuse("'\(key)' is missing from its description") }
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch let error as ModelError {
      throw refuse(error.description)
    } catch {
      throw refuse("'\(key)' in its description cannot be read")
    }
  }

  private func values(_ name: String, _ shape: [Int]) throws(ModelError) -> [Float] {
    guard let tensor = file.tensors[name] else { throw refuse("tensor '\(name)' is missing") }
    guard tensor.kind == .float32, tensor.shape == shape else {
      throw refuse("tensor '\(name)' is \(tensor.kind.rawValue) \(tensor.shape); wanted F32 \(shape)")
    }
    return tensor.floats
  }
}
