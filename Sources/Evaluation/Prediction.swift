/// What a model said of one file, and what was expected.
///
///     let prediction = Prediction(
///       path: "7_theo_1.wav", truth: "7", label: "7", probability: 0.75,
///       probabilities: [.init(label: "2", probability: 0.25), .init(label: "7", probability: 0.75)])
///     print(prediction.jsonLine)
///     // {"path":"7_theo_1.wav","truth":"7","label":"7","probability":0.75,"probabilities":{"2":0.25,"7":0.75}}
///
/// What is nil or empty is left out of the JSON. A file that could not be read has an `error` and no label.
public struct Prediction: Codable, Hashable, Sendable {
  /// A label and how probable the model finds it, in [0, 1].
  public struct Candidate: Hashable, Sendable {
    public var label: String
    public var probability: Float

    public init(label: String, probability: Float) {
      self.label = label
      self.probability = probability
    }
  }

  public var path: String
  /// The label the data set gives.
  public var truth: String?
  /// The label the model finds most probable.
  public var label: String?
  /// Of `label`, in [0, 1].
  public var probability: Float?
  /// Every label in the model's order. Decoding an object forgets its order: then the most probable comes first.
  public var probabilities: [Candidate]
  /// Of the sound, in seconds.
  public var duration: Double?
  /// Why there is no label.
  public var error: String?
  /// What else is to be told of the file.
  public var fields: [String: String]

  /// Whether the label is the true one; nil when either is missing.
  public var isCorrect: Bool? {
    if let truth, let label { truth == label } else { nil }
  }

  public init(
    path: String, truth: String? = nil, label: String? = nil, probability: Float? = nil,
    probabilities: [Candidate] = [], duration: Double? = nil, error: String? = nil, fields: [String: String] = [:]
  ) {
    self.path = path
    self.truth = truth
    self.label = label
    self.probability = probability
    self.probabilities = probabilities
    self.duration = duration
    self.error = error
    self.fields = fields
  }

  private enum CodingKeys: String, CodingKey {
    case path, truth, label, probability, probabilities, duration, error, fields
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    path = try container.decode(String.self, forKey: .path)
    truth = try container.decodeIfPresent(String.self, forKey: .truth)
    label = try container.decodeIfPresent(String.self, forKey: .label)
    probability = try container.decodeIfPresent(Float.self, forKey: .probability)
    let unordered = try container.decodeIfPresent([String: Float].self, forKey: .probabilities) ?? [:]
    probabilities = unordered.map { Candidate(label: $0, probability: $1) }
      .sorted { ($1.probability, $0.label) < ($0.probability, $1.label) }
    duration = try container.decodeIfPresent(Double.self, forKey: .duration)
    error = try container.decodeIfPresent(String.self, forKey: .error)
    fields = try container.decodeIfPresent([String: String].self, forKey: .fields) ?? [:]
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(path, forKey: .path)
    try container.encodeIfPresent(truth, forKey: .truth)
    try container.encodeIfPresent(label, forKey: .label)
    try container.encodeIfPresent(probability, forKey: .probability)
    if !probabilities.isEmpty {
      let object = Dictionary(probabilities.map { ($0.label, $0.probability) }) { first, _ in first }
      try container.encode(object, forKey: .probabilities)
    }
    try container.encodeIfPresent(duration, forKey: .duration)
    try container.encodeIfPresent(error, forKey: .error)
    if !fields.isEmpty { try container.encode(fields, forKey: .fields) }
  }
}

extension Prediction {
  /// The prediction as one line of JSON without its line end, keys in the order of the properties, labels in the
  /// model's (which `JSONEncoder` would not keep). Numbers that are not finite become null.
  public var jsonLine: String {
    var members: [(String, String)] = [("path", jsonString(path))]
    if let truth { members.append(("truth", jsonString(truth))) }
    if let label { members.append(("label", jsonString(label))) }
    if let probability { members.append(("probability", jsonNumber(probability))) }
    if !probabilities.isEmpty {
      members.append(("probabilities", jsonObject(probabilities.map { ($0.label, jsonNumber($0.probability)) })))
    }
    if let duration { members.append(("duration", jsonNumber(duration))) }
    if let error { members.append(("error", jsonString(error))) }
    if !fields.isEmpty {
      let sorted = fields.sorted { $0.key < $1.key }
      members.append(("fields", jsonObject(sorted.map { ($0.key, jsonString($0.value)) })))
    }
    return jsonObject(members)
  }
}

private func jsonObject(_ members: [(String, String)]) -> String {
  "{" + members.map { jsonString($0) + ":" + $1 }.joined(separator: ",") + "}"
}

private func jsonNumber(_ value: some BinaryFloatingPoint & CustomStringConvertible) -> String {
  value.isFinite ? value.description : "null"
}

private func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
