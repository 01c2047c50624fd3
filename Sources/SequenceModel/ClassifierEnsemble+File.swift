import AudioFeatures
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The model file: a safetensors file with the parameters under the names of `ParameterLayout`, `normalization.mean` and
/// `normalization.scale`, and in `__metadata__` JSON under `auricle.model`, `auricle.features` (or `auricle.sequence`, the
/// width of other sequences), `auricle.labels` and `auricle.training`, `auricle.output` where it is not softmax,
/// `auricle.window`, the frames of the windows that longer sequences are heard in, where there are any, and
/// `auricle.detection`, how the model detects events.
///
/// That is format 3. A file of several networks says how many under `auricle.members`, and each one's tensors and its
/// `auricle.model` and `auricle.training` have `member.0/`, `member.1/` and so on before their names.
///
/// A model whose weights have 8 bits is format 4, which is format 3 with `auricle.precision`: a matrix is a tensor of int8
/// and beside it, under its name and `.scale`, a number for each of its last axis.
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
    try self.init(file, path: path)
  }

  /// The same without a copy, for bytes that stay where they are for as long as the program runs.
  package init(constant bytes: UnsafeRawBufferPointer, path: String) throws(ModelError) {
    let file: TensorFile
    do { file = try TensorFile(constant: bytes, path: path) } catch { throw .file(path: path, reason: error.reason) }
    try self.init(file, path: path)
  }

  private init(_ file: TensorFile, path: String) throws(ModelError) {
    let reader = ModelFileReader(file: file, path: path)
    guard let format = file.metadata["auricle.format"] else {
      throw reader.refuse("a safetensors file, but not a model that Auricle wrote")
    }
    guard ["1", "2", "3", "4"].contains(format) else {
      throw reader.refuse("its format is \(format); this version of Auricle reads formats 1 to 4")
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
    detection = file.metadata["auricle.detection"]
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
    let isInt8 = members[0].precision == .int8
    file.metadata = ["auricle.format": isInt8 ? "4" : "3", "auricle.labels": try encode(labels)]
    if isInt8 { file.metadata["auricle.precision"] = WeightPrecision.int8.rawValue }
    switch input {
    case .audio(let features): file.metadata["auricle.features"] = try encode(features)
    case .sequence(let width): file.metadata["auricle.sequence"] = "\(width)"
    }
    if output != .softmax { file.metadata["auricle.output"] = output.rawValue }
    file.metadata["auricle.detection"] = detection
    if let window { file.metadata["auricle.window"] = "\(window)" }
    if members.count > 1 { file.metadata["auricle.members"] = "\(members.count)" }
    for (index, member) in members.enumerated() {
      let prefix = members.count == 1 ? "" : ClassifierEnsemble.prefix(index)
      file.metadata[prefix + "auricle.model"] = try encode(member.configuration)
      if let record = member.record { file.metadata[prefix + "auricle.training"] = try encode(record) }
      for tensor in ParameterLayout(member.configuration).tensors {
        let values = Array(member.parameters[tensor.range])
        if isInt8, tensor.isMatrix {
          let quantized = QuantizedRows(lastAxisOf: values, count: tensor.shape.last ?? 1)
          file.tensors[prefix + tensor.name] = TensorFile.Tensor(quantized.values, shape: tensor.shape)
          file.tensors[prefix + tensor.name + ".scale"] = TensorFile.Tensor(
            quantized.scales, shape: [quantized.scales.count])
        } else {
          file.tensors[prefix + tensor.name] = TensorFile.Tensor(values, shape: tensor.shape)
        }
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
    guard let precision = WeightPrecision(rawValue: file.metadata["auricle.precision"] ?? "float32") else {
      throw refuse("'auricle.precision' in its description is not float32 or int8")
    }
    let layout = ParameterLayout(configuration)
    let tensors = try layout.tensors.enumerated().map { (index, tensor) throws(ModelError) in
      // The query of 0.1 was a row.
      let shape = classicNames?[index] == "attention.query" ? Array(tensor.shape.dropFirst()) : tensor.shape
      let name = prefix + (classicNames?[index] ?? tensor.name)
      let isWhole = precision == .int8 && tensor.isMatrix
      let scales = isWhole ? try self.tensor(name + ".scale", [shape.last ?? 1]) : nil
      return (values: try self.tensor(name, shape, isWhole ? .int8 : .float32), scales: scales?.floats)
    }
    var parameters: [Float] = []
    parameters.reserveCapacity(layout.count)
    for (values, scales) in tensors {
      if let scales {
        for (index, value) in values.wholeNumbers.enumerated() {
          parameters.append(Float(value) * scales[index % scales.count])
        }
      } else {
        values.append(to: &parameters)
      }
    }
    let input = try input()
    let isNormalized =
      if case .audio(let features) = input { features.normalization == .global } else {
        file.tensors["normalization.mean"] != nil
      }
    let normalizer =
      isNormalized
      ? FeatureNormalizer(
        mean: try tensor("normalization.mean", [configuration.input]).floats,
        scale: try tensor("normalization.scale", [configuration.input]).floats) : nil
    if let normalizer, !(normalizer.mean + normalizer.scale).allSatisfy(\.isFinite) {
      throw refuse("its normalisation holds a number that is not finite")
    }
    guard let output = ModelOutput(rawValue: file.metadata["auricle.output"] ?? "softmax") else {
      throw refuse("'auricle.output' in its description is not softmax or sigmoid")
    }
    let training = prefix + "auricle.training"
    var record: StoredRecord?
    if let text = file.metadata[training] {
      do { record = try StoredRecord(json: text) } catch {
        throw refuse("'\(training)' in its description cannot be read: \(error)")
      }
    }
    do {
      return try SequenceClassifier(
        configuration: configuration, input: input, output: output, labels: decode([String].self, "auricle.labels"),
        normalizer: normalizer, parameters: parameters, precision: precision, stored: record)
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

  private func tensor(
    _ name: String, _ shape: [Int], _ kind: TensorFile.Kind = .float32
  ) throws(ModelError) -> TensorFile.Tensor {
    guard let tensor = file.tensors[name] else { throw refuse("tensor '\(name)' is missing") }
    guard tensor.kind == kind, tensor.shape == shape else {
      throw refuse("tensor '\(name)' is \(tensor.kind.rawValue) \(tensor.shape); wanted \(kind.rawValue) \(shape)")
    }
    return tensor
  }
}
