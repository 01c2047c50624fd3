import AuricleBase

/// A row that is no prediction, and why.
public struct MalformedPrediction: Error, Hashable, Sendable, CustomStringConvertible {
  public let reason: String

  public var description: String { "not a prediction: \(reason)" }
}

extension Prediction {
  /// The prediction as one line of JSON without its line end, keys in the order of the properties, labels in the
  /// model's; what is nil or empty is left out. Numbers that are not finite become null.
  public var jsonLine: String {
    var members: [(String, String)] = [("path", jsonString(path))]
    if let truth { members.append(("truth", jsonString(truth))) }
    if let label { members.append(("label", jsonString(label))) }
    if let probability { members.append(("probability", jsonNumber(probability))) }
    if !probabilities.isEmpty {
      members.append(("probabilities", jsonObject(probabilities.map { ($0.label, jsonNumber($0.probability)) })))
    }
    if let duration { members.append(("duration", jsonNumber(duration))) }
    if let sampleRate { members.append(("sampleRate", String(sampleRate))) }
    if let seconds { members.append(("seconds", jsonNumber(seconds))) }
    if let error { members.append(("error", jsonString(error))) }
    if let stage { members.append(("stage", jsonString(stage))) }
    if let model { members.append(("model", jsonString(model))) }
    if !fields.isEmpty {
      let sorted = fields.sorted { $0.key < $1.key }
      members.append(("fields", jsonObject(sorted.map { ($0.key, jsonString($0.value)) })))
    }
    return jsonObject(members)
  }

  /// Reads a line of JSON back: what `jsonLine` writes, in any order of keys. The label may be called `prediction`, and
  /// keys that are not known are passed over.
  public init(jsonLine line: some Collection<UInt8>) throws(MalformedPrediction) {
    do {
      try self.init(scanning: line)
    } catch {
      throw MalformedPrediction(reason: error.reason)
    }
  }

  private init(scanning line: some Collection<UInt8>) throws(MalformedJSON) {
    var scanner = JSONScanner(line)
    var prediction = Prediction(path: "")
    var hasPath = false
    try scanner.object { (scanner, key) throws(MalformedJSON) in
      switch key {
      case "path":
        prediction.path = try scanner.text() ?? ""
        hasPath = true
      case "truth": prediction.truth = try scanner.text()
      case "label", "prediction": prediction.label = try scanner.text()
      case "probability": prediction.probability = try scanner.number()
      case "probabilities":
        try scanner.object { (scanner, label) throws(MalformedJSON) in
          guard let probability: Float = try scanner.number() else { return }
          prediction.probabilities.append(Candidate(label: label, probability: probability))
        }
      case "duration": prediction.duration = try scanner.number()
      case "sampleRate": prediction.sampleRate = try scanner.number()
      case "seconds": prediction.seconds = try scanner.number()
      case "error": prediction.error = try scanner.text()
      case "stage": prediction.stage = try scanner.text()
      case "model": prediction.model = try scanner.text()
      case "fields":
        try scanner.object { (scanner, name) throws(MalformedJSON) in
          prediction.fields[name] = try scanner.text()
        }
      default: try scanner.skipValue()
      }
    }
    try scanner.end()
    guard hasPath else { throw MalformedJSON(reason: "it has no 'path'") }
    self = prediction
  }
}

private func jsonObject(_ members: [(String, String)]) -> String {
  "{" + members.map { jsonString($0) + ":" + $1 }.joined(separator: ",") + "}"
}

private func jsonNumber(_ value: some BinaryFloatingPoint & CustomStringConvertible) -> String {
  value.isFinite ? value.description : "null"
}
