import AudioFeatures
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The model file: a safetensors file with the parameters under the names of `ParameterLayout`, `normalization.mean` and
/// `normalization.scale`, and in `__metadata__` JSON under `auricle.model`, `auricle.features` (or `auricle.sequence`, the
/// width of other sequences), `auricle.labels` and `auricle.training`, `auricle.output` where it is not softmax, and
/// `auricle.window`, the frames of the windows that longer sequences are heard in, where there are any.
///
/// That is format 3. A file of several networks says how many under `auricle.members`, and each one's tensors and its
/// `auricle.model` and `auricle.training` have `member.0/`, `member.1/` and so on before their names.
///
/// Formats 1 (one network) and 2 (several) are those of 0.1, which described networks as `ClassicNetwork` does.
extension ClassifierEnsemble {
  /// Reads the model at `path`. Throws `FileError` or `ModelError`.
  public init(contentsOf path: String) throws {
    try self.init(bytes: FileAccess.read(path), path: path)
  }

  /// Reads a model from a file's `bytes`; `path` is for error messages.
  public init(bytes: [UInt8], path: String) throws(ModelError) {
    let file: TensorFile
    do { file = try TensorFile(bytes: bytes, path: path) } catch { throw .file(path: path, reason: error.reason) }
    let reader = ModelFileReader(file: file, path: path)
    guard let format = file.metadata["auricle.format"] else {
      throw reader.refuse("a safetensors file, but not a model that Auricle wrote")
    }
    guard ["1", "2", "3"].contains(format) else {
      throw reader.refuse("its format is \(format); this version of Auricle reads formats 1 to 3")
    }
    var prefixes = [""]
    if let members = file.metadata["auricle.members"] ?? (format == "2" ? "" : nil) {
      guard let count = Int(members), (2...ClassifierEnsemble.mostMembers).contains(count) else {
        throw reader.refuse("'auricle.members' in its description is not a number from 2 to \(Self.mostMembers)")
      }
      prefixes = (0..<count).map(ClassifierEnsemble.prefix)
    }
    var members: [SequenceClassifier] = []
    for prefix in prefixes { members.append(try reader.member(prefix)) }
    let window = file.metadata["auricle.window"].map { Int($0) ?? 0 }
    do {
      try self.init(members: members, window: window)
    } catch .configuration(let reason) {
      throw reader.refuse(reason)
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
    file.metadata = ["auricle.format": "3", "auricle.labels": try encode(labels)]
    switch input {
    case .audio(let features): file.metadata["auricle.features"] = try encode(features)
    case .sequence(let width): file.metadata["auricle.sequence"] = "\(width)"
    }
    if output != .softmax { file.metadata["auricle.output"] = output.rawValue }
    if let window { file.metadata["auricle.window"] = "\(window)" }
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
    do { return try file.bytes() } catch { throw .configuration("the model's description cannot be written as JSON") }
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
    let configuration: NetworkConfiguration
    var classicNames: [String]?
    do {
      let text = file.metadata[prefix + "auricle.model"] ?? ""
      configuration = try NetworkConfiguration(json: text)
      classicNames = try ClassicNetwork.tensorNames(json: text)
    } catch {
      throw refuse(error.description)
    }
    // Checked one by one before memory for all of them is taken: a file cannot ask for more than it brings.
    var parameters: [Float] = []
    for (index, tensor) in ParameterLayout(configuration).tensors.enumerated() {
      // The query of 0.1 was a row.
      let shape = classicNames?[index] == "attention.query" ? Array(tensor.shape.dropFirst()) : tensor.shape
      parameters += try values(prefix + (classicNames?[index] ?? tensor.name), shape)
    }
    let input = try input()
    let isNormalized =
      if case .audio(let features) = input { features.normalization == .global } else {
        file.tensors["normalization.mean"] != nil
      }
    let normalizer =
      isNormalized
      ? FeatureNormalizer(
        mean: try values("normalization.mean", [configuration.input]),
        scale: try values("normalization.scale", [configuration.input])) : nil
    if let normalizer, !(normalizer.mean + normalizer.scale).allSatisfy(\.isFinite) {
      throw refuse("its normalisation holds a number that is not finite")
    }
    guard let output = ModelOutput(rawValue: file.metadata["auricle.output"] ?? "softmax") else {
      throw refuse("'auricle.output' in its description is not softmax or sigmoid")
    }
    let training = prefix + "auricle.training"
    do {
      return try SequenceClassifier(
        configuration: configuration, input: input, output: output, labels: decode([String].self, "auricle.labels"),
        normalizer: normalizer, parameters: parameters,
        record: file.metadata[training] == nil ? nil : decode(TrainingRecord.self, training))
    } catch .configuration(let reason) {
      throw refuse(reason)
    }
  }

  private func input() throws(ModelError) -> ModelInput {
    guard let width = file.metadata["auricle.sequence"] else {
      return .audio(try decode(FeatureConfiguration.self, "auricle.features"))
    }
    guard let width = Int(width), width > 0 else { throw refuse("'auricle.sequence' in its description is no width") }
    return .sequence(width: width)
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
