#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Any JSON text as a value, so that members can be put into it.
package enum JSONValue: Codable, Hashable, Sendable {
  case object([String: JSONValue])
  case array([JSONValue])
  case text(String)
  case integer(Int64)
  case number(Double)
  case flag(Bool)
  case null

  package init(json: String) throws {
    self = try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))
  }

  /// On one line, members in alphabetical order.
  package var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  /// The value of an object's member, by its path: "mel.count". Setting makes the objects that are missing on the way.
  package subscript(path: some StringProtocol) -> JSONValue? {
    get {
      path.split(separator: ".").reduce(self) { value, name in
        if case .object(let members)? = value { members[String(name)] } else { nil }
      }
    }
    set {
      let name = path.prefix { $0 != "." }
      let rest = path.dropFirst(name.count + 1)
      var members: [String: JSONValue] = if case .object(let members) = self { members } else { [:] }
      if rest.isEmpty {
        members[String(name)] = newValue
      } else {
        var inner = members[String(name)] ?? .object([:])
        inner[rest] = newValue
        members[String(name)] = inner
      }
      self = .object(members)
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else if let integer = try? container.decode(Int64.self) {
      self = .integer(integer)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let array = try? container.decode([JSONValue].self) {
      self = .array(array)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .object(let members): try container.encode(members)
    case .array(let values): try container.encode(values)
    case .text(let text): try container.encode(text)
    case .integer(let integer): try container.encode(integer)
    case .number(let number): try container.encode(number)
    case .flag(let flag): try container.encode(flag)
    case .null: try container.encodeNil()
    }
  }
}
