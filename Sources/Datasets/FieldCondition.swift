import AuricleBase

/// A condition on what is known about a file, as one types it.
///
///     try FieldCondition("index<10")              // 0 to 9
///     try FieldCondition("speaker=theo,jackson")  // either
///     try FieldCondition("label!=noise")
///
/// Operators are `<`, `<=`, `>`, `>=`, `=` (or `==`) and `!=`. Two numbers compare as numbers, anything else as text, by
/// bytes. `=` and `!=` take several values, separated by commas.
public struct FieldCondition: Hashable, Sendable {
  public let text: String
  public let field: String

  private enum Comparison {
    case less
    case atMost
    case greater
    case atLeast
    case equal
    case unequal
  }
  /// The longer ones first: "<=" begins with "<".
  private static let operators: KeyValuePairs<String, Comparison> = [
    "<=": .atMost, ">=": .atLeast, "!=": .unequal, "==": .equal, "<": .less, ">": .greater, "=": .equal,
  ]
  private let comparison: Comparison
  private let values: [String]

  /// Throws `DatasetError.invalidCondition` for a text without operator, field or value.
  public init(_ text: String) throws(DatasetError) {
    guard let start = text.firstIndex(where: { "<>=!".contains($0) }),
      let (sign, comparison) = Self.operators.first(where: { text[start...].hasPrefix($0.key) })
    else { throw .invalidCondition(text, reason: "no operator (<, <=, >, >=, =, !=) is in it") }
    let value = text[start...].dropFirst(sign.count)
    self.text = text
    self.comparison = comparison
    field = trimmed(text[..<start])
    values = value.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
    guard !field.isEmpty else { throw .invalidCondition(text, reason: "no field stands before '\(sign)'") }
    guard values.allSatisfy({ !$0.isEmpty }) else {
      throw .invalidCondition(text, reason: "a value is missing after '\(sign)'")
    }
    guard values.count == 1 || comparison == .equal || comparison == .unequal else {
      throw .invalidCondition(text, reason: "'\(sign)' takes one value, not \(values.count)")
    }
  }

  /// Whether the condition holds; never for an example without the field.
  public func matches(_ example: Example) -> Bool {
    guard let found = example.value(of: field) else { return false }
    switch comparison {
    case .equal: return values.contains { order(found, $0) == 0 }
    case .unequal: return values.allSatisfy { order(found, $0) != 0 }
    case .less: return order(found, values[0]) < 0
    case .atMost: return order(found, values[0]) <= 0
    case .greater: return order(found, values[0]) > 0
    case .atLeast: return order(found, values[0]) >= 0
    }
  }

  /// Negative when `a` comes before `b`, 0 when they are equal, positive otherwise.
  private func order(_ a: String, _ b: String) -> Int {
    if let x = Double(a), let y = Double(b), x.isFinite, y.isFinite { return x < y ? -1 : x == y ? 0 : 1 }
    return bytesPrecede(a, b) ? -1 : a == b ? 0 : 1
  }
}

extension Example {
  /// The field's value; `label` is a field too.
  func value(of field: String) -> String? {
    fields[field] ?? (field == "label" ? label : nil)
  }
}
