import AuricleBase

/// A row that is no prediction, and why.
public struct MalformedPrediction: Error, Hashable, Sendable, CustomStringConvertible {
  public let reason: String

  public var description: String { "not a prediction: \(reason)" }
}

extension Prediction {
  /// The prediction as one line of JSON without its line end, keys in the order of the properties, labels in the
  /// model's; what is nil or empty is left out. Numbers that are not finite become null. Of `members`, those that have the
  /// name of a property are called `input.NAME`.
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
    return jsonRow(members, self.members, reserved: Self.memberNames, shard: shard, row: row)
  }

  private static let memberNames: Set<String> = [
    "path", "truth", "label", "probability", "probabilities", "duration", "sampleRate", "seconds", "error", "stage",
    "model", "fields",
  ]

  /// Reads a line of JSON back: what `jsonLine` writes, in any order of keys. The label may be called `prediction`; other
  /// keys with a text, a number or a truth value are fields, and the rest is passed over.
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
      default:
        switch scanner.kind() {
        case .string, .number, .boolean:
          let text = try scanner.text()
          if key == "shard" {
            prediction.shard = text
          } else if key == "row" {
            prediction.row = text.flatMap { Int($0) }
          } else {
            prediction.fields[key] = text
          }
        default: try scanner.skipValue()
        }
      }
    }
    try scanner.end()
    guard hasPath else { throw MalformedJSON(reason: "it has no 'path'") }
    self = prediction
  }
}

/// A row of a run over many files: what was found, what the caller said of the file himself, and the place in the run. A
/// member of the caller's that has one of the `reserved` names is called `input.NAME`.
package func jsonRow(
  _ members: [(String, String)], _ callers: [Prediction.Member], reserved: Set<String>, shard: String?, row: Int?
) -> String {
  var all = members
  for member in callers {
    let isTaken = reserved.contains(member.name) || member.name == "shard" || member.name == "row"
    all.append((isTaken ? "input." + member.name : member.name, member.json))
  }
  if let shard { all.append(("shard", jsonString(shard))) }
  if let row { all.append(("row", String(row))) }
  return jsonObject(all)
}

/// The members of an object, with their values as they stand there. Throws for one that stands there twice, too.
package func jsonMembers(_ text: some Collection<UInt8>) throws(MalformedJSON) -> [Prediction.Member] {
  let bytes = Array(text)
  var scanner = JSONScanner(bytes)
  guard scanner.kind() == .object else { throw MalformedJSON(reason: "it does not begin with '{'") }
  var members: [Prediction.Member] = []
  try scanner.object { (scanner, name) throws(MalformedJSON) in
    _ = scanner.kind()  // past white space
    let start = scanner.position
    try scanner.skipValue()
    guard !members.contains(where: { $0.name == name }) else {
      throw MalformedJSON(reason: "'\(name)' stands in it twice")
    }
    members.append(.init(name: name, json: String(decoding: bytes[start..<scanner.position], as: UTF8.self)))
  }
  try scanner.end()
  return members
}

package func jsonObject(_ members: [(String, String)]) -> String {
  "{" + members.map { jsonString($0) + ":" + $1 }.joined(separator: ",") + "}"
}

private func jsonNumber(_ value: some BinaryFloatingPoint & CustomStringConvertible) -> String {
  value.isFinite ? value.description : "null"
}
