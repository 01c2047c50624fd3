#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A configuration as JSON: the width of a frame and the layers, each with its `type` and its fields.
///
///     {"input": 40,
///      "layers": [{"type": "convolution", "filters": 32, "frames": 3, "bins": 3}, {"type": "batch-normalization"},
///                 {"type": "activation", "function": "relu"}, {"type": "window-pooling", "kind": "max", "bins": 2},
///                 {"type": "recurrent", "cell": "gru", "units": 128, "directions": 2},
///                 {"type": "pooling", "kind": "attention"}, {"type": "dense", "units": 10}]}
///
/// A field that is left out has the default of the layer's `init`; what is not known is refused, since a model must not
/// run without a part it was trained with. A decoded configuration has passed the checks of `init`.
extension NetworkConfiguration: Codable {
  enum CodingKeys: String, CodingKey, CaseIterable { case input, layers }

  /// Reads JSON `text`. Throws `ModelError.configuration`, which says what is wrong.
  public init(json text: String) throws(ModelError) {
    self = try decodeJSON(NetworkConfiguration.self, text)
  }

  /// Indented, in alphabetical order.
  public var json: String { encodeJSON(self) }

  /// Reads the form of 0.1, too; see `ClassicNetwork`.
  public init(from decoder: any Decoder) throws {
    if try ClassicNetwork.isDescribed(by: decoder) {
      self = try ClassicNetwork.description(from: decoder).configuration()
      return
    }
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a network")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(input: values.decode(Int.self, forKey: .input), values.decode([Layer].self, forKey: .layers))
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(input, forKey: .input)
    try values.encode(layers, forKey: .layers)
  }
}

/// A list of layers as a file gives it, for data whose width and classes decide the rest: `{"layers": [...]}`, or only
/// the array; `input`, where it stands, is not heeded.
public struct NetworkTemplate: Sendable, Hashable, Codable {
  public let layers: [Layer]

  public init(_ layers: [Layer]) { self.layers = layers }

  /// Throws `ModelError.configuration`.
  public init(json text: String) throws(ModelError) {
    self = try decodeJSON(NetworkTemplate.self, text)
  }

  /// Indented, in alphabetical order.
  public var json: String { encodeJSON(self) }

  public init(from decoder: any Decoder) throws {
    if let layers = try? decoder.singleValueContainer().decode([Layer].self) {
      self.layers = layers
      return
    }
    try refuseUnknownKeys(of: NetworkConfiguration.CodingKeys.self, decoder, in: "a network")
    layers = try decoder.container(keyedBy: NetworkConfiguration.CodingKeys.self).decode([Layer].self, forKey: .layers)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: NetworkConfiguration.CodingKeys.self)
    try values.encode(layers, forKey: .layers)
  }

  /// The network for frames of `input` coefficients and so many classes: the last layer gets a unit for each.
  public func network(input: Int, classCount: Int) throws(ModelError) -> NetworkConfiguration {
    var layers = layers
    if case .dense(let dense) = layers.last, dense.activation == nil { layers.removeLast() }
    return try NetworkConfiguration(input: input, layers + [.dense(classCount)])
  }
}

private func encodeJSON(_ value: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
  return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""  // only NaN cannot be written
}

/// Decodes `text`. Throws `ModelError.configuration` with what is wrong in words.
func decodeJSON<Value: Decodable>(_ type: Value.Type, _ text: String) throws(ModelError) -> Value {
  do {
    return try JSONDecoder().decode(type, from: Data(text.utf8))
  } catch let error as ModelError {
    throw error
  } catch DecodingError.keyNotFound(let key, let context) {
    throw .configuration("'\(key.stringValue)' is missing\(place(context.codingPath))")
  } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
    guard let last = context.codingPath.last else { throw .configuration("its description is not a JSON object") }
    throw .configuration(
      "'\(last.stringValue)' is not the kind of value it must be\(place(context.codingPath.dropLast()))")
  } catch {
    throw .configuration("its description is not JSON, or a number in it is too large or not a whole one")
  }
}

/// " in layer 3", where that is known.
private func place(_ path: some BidirectionalCollection<any CodingKey>) -> String {
  path.last { $0.intValue != nil }?.intValue.map { " in layer \($0)" } ?? ""
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

struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// Throws `ModelError.configuration` for a key that `Keys` has not got; a layer's `type` is none of its fields.
func refuseUnknownKeys<Keys: CodingKey & CaseIterable>(
  of keys: Keys.Type, _ decoder: any Decoder, in what: String
) throws {
  let known = Keys.allCases.map(\.stringValue)
  let found = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
  let isLayer = decoder.codingPath.last?.intValue != nil
  if let odd = found.sorted().first(where: { !known.contains($0) && !(isLayer && $0 == "type") }) {
    throw ModelError.configuration(
      "unknown field '\(odd)' in \(what); known are \(known.joined(separator: ", "))")
  }
}
