#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A configuration as JSON. Only `inputSize` and `classCount` must be there; what is left out has the default of `init`,
/// and what is not known is refused, since a model must not run without a part it was trained with.
///
///     {"inputSize": 40, "classCount": 10, "cell": "lstm", "hiddenSize": 64, "layers": 1, "bidirectional": false,
///      "pooling": "mean", "dropout": 0.2, "recurrentDropout": 0.1, "inputNormalization": {"kind": "batch"},
///      "convolutions": [{"filters": 32, "frames": 5, "frameStride": 2, "bins": 3, "binStride": 2}]}
///
/// A decoded configuration has passed the same checks as one made by `init`.
extension ModelConfiguration: Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case inputSize, inputNormalization, convolutions, cell, hiddenSize, layers, bidirectional, pooling, dropout
    case recurrentDropout, classCount
  }

  /// Reads JSON `text`. Throws `ModelError.configuration`, which says what is wrong.
  public init(json text: String) throws(ModelError) {
    do {
      self = try JSONDecoder().decode(ModelConfiguration.self, from: Data(text.utf8))
    } catch let error as ModelError {
      throw error
    } catch DecodingError.keyNotFound(let key, _) {
      throw .configuration("'\(key.stringValue)' is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw .configuration(
        path.isEmpty ? "its description is not a JSON object" : "'\(path)' is not the kind of value it must be")
    } catch {
      throw .configuration("its description is not JSON, or a number in it is too large or not a whole one")
    }
  }

  /// Indented, in alphabetical order.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""  // only NaN cannot be written
  }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a model")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let (inputSize, classCount) = (
      try values.decode(Int.self, forKey: .inputSize), try values.decode(Int.self, forKey: .classCount)
    )
    let defaults = try ModelConfiguration(inputSize: inputSize, classCount: classCount)
    func value<Value: Decodable>(_ key: CodingKeys, _ fallback: Value) throws -> Value {
      try values.decodeIfPresent(Value.self, forKey: key) ?? fallback
    }
    try self.init(
      inputSize: inputSize,
      inputNormalization: values.decodeIfPresent(InputNormalization.self, forKey: .inputNormalization),
      convolutions: value(.convolutions, []), cell: decodeName(values, .cell, "cell") ?? defaults.cell,
      hiddenSize: value(.hiddenSize, defaults.hiddenSize), layers: value(.layers, defaults.layers),
      bidirectional: value(.bidirectional, defaults.bidirectional),
      pooling: decodeName(values, .pooling, "pooling") ?? defaults.pooling,
      dropout: value(.dropout, defaults.dropout), recurrentDropout: value(.recurrentDropout, 0), classCount: classCount)
  }

  /// Fields that say nothing (no convolutions, no normalisation, no recurrent dropout) are left out.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(inputSize, forKey: .inputSize)
    try values.encodeIfPresent(inputNormalization, forKey: .inputNormalization)
    if !convolutions.isEmpty { try values.encode(convolutions, forKey: .convolutions) }
    try values.encode(cell, forKey: .cell)
    try values.encode(hiddenSize, forKey: .hiddenSize)
    try values.encode(layers, forKey: .layers)
    try values.encode(bidirectional, forKey: .bidirectional)
    try values.encode(pooling, forKey: .pooling)
    try values.encode(dropout, forKey: .dropout)
    if recurrentDropout > 0 { try values.encode(recurrentDropout, forKey: .recurrentDropout) }
    try values.encode(classCount, forKey: .classCount)
  }
}

/// The value of an enumeration by its name; nil where the key is absent. Throws a sentence with all names for one that is
/// not known.
func decodeName<Value: RawRepresentable<String> & CaseIterable, Key: CodingKey>(
  _ values: KeyedDecodingContainer<Key>, _ key: Key, _ what: String
) throws -> Value? {
  guard let name = try values.decodeIfPresent(String.self, forKey: key) else { return nil }
  guard let value = Value(rawValue: name) else {
    let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
    throw ModelError.configuration("unknown \(what) '\(name)'; known are \(known)")
  }
  return value
}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// Throws `ModelError.configuration` for a key that `Keys` has not got.
func refuseUnknownKeys<Keys: CodingKey & CaseIterable>(
  of keys: Keys.Type, _ decoder: any Decoder, in what: String
) throws {
  let known = Keys.allCases.map(\.stringValue)
  let found = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
  if let odd = found.sorted().first(where: { !known.contains($0) }) {
    throw ModelError.configuration(
      "unknown field '\(odd)' in \(what); known are \(known.joined(separator: ", "))")
  }
}
