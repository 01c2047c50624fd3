/// Reads JSON (RFC 8259) from front to back, keeping the order of members, which `JSONDecoder` would not, and fast
/// enough for files of millions of probabilities.
///
///     var scanner = JSONScanner(#"{"a": 1}"#.utf8)
///     try scanner.object { scanner, key in print(key, try scanner.number() as Int? ?? 0) }     // a 1
///     try scanner.end()
///
/// Bytes in a string that are not UTF-8 are read as U+FFFD. Only `skipValue` meets values in values, and it does not recurse:
/// no text is nested too deeply.
public struct JSONScanner {
  /// What a value is, by its first character.
  public enum Kind: Sendable {
    case object, array, string, number, boolean, null
  }

  private let bytes: [UInt8]
  /// Bytes read so far.
  public private(set) var position = 0

  public init(_ bytes: some Collection<UInt8>) {
    self.bytes = Array(bytes)
  }

  /// Reads `{`, hands each key to `member`, which must read its value, and `}`. Null is an object without members.
  public mutating func object(_ member: (inout JSONScanner, String) throws(MalformedJSON) -> Void)
    throws(MalformedJSON)
  {
    if takeWord("null") { return }
    try expect("{")
    if take("}") { return }
    repeat {
      skipSpace()
      let key = try string()
      try expect(":")
      try member(&self, key)
    } while take(",")
    try expect("}")
  }

  /// Reads `[`, hands each element to `element`, which must read it, and `]`.
  public mutating func array(_ element: (inout JSONScanner) throws(MalformedJSON) -> Void) throws(MalformedJSON) {
    try expect("[")
    if take("]") { return }
    repeat { try element(&self) } while take(",")
    try expect("]")
  }

  /// A string, or the text of a number or of `true` and `false`; nil for null.
  public mutating func text() throws(MalformedJSON) -> String? {
    skipSpace()
    if byte == UInt8(ascii: "\"") { return try string() }
    if takeWord("null") { return nil }
    if takeWord("true") { return "true" }
    if takeWord("false") { return "false" }
    return try numberText()
  }

  /// A number; nil for null.
  public mutating func number<Number: LosslessStringConvertible>() throws(MalformedJSON) -> Number? {
    if takeWord("null") { return nil }
    let text = try numberText()
    guard let number = Number(text) else {
      throw MalformedJSON(reason: "'\(text)' is not a number that is wanted here")
    }
    return number
  }

  /// What comes next; nil when it is no value.
  public mutating func kind() -> Kind? {
    skipSpace()
    switch byte {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"): return .number
    case let digit? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit): return .number
    default: return nil
    }
  }

  /// Passes over a value of any kind.
  public mutating func skipValue() throws(MalformedJSON) {
    var openObjects: [Bool] = []  // of each value that is open, whether it is an object
    repeat {
      if take("{") {
        if !take("}") {
          openObjects.append(true)
          try key()
          continue
        }
      } else if take("[") {
        if !take("]") {
          openObjects.append(false)
          continue
        }
      } else {
        _ = try text()
      }
      while let isObject = openObjects.last {
        if take(",") {
          if isObject { try key() }
          break
        }
        try expect(isObject ? "}" : "]")
        openObjects.removeLast()
      }
    } while !openObjects.isEmpty
  }

  private mutating func key() throws(MalformedJSON) {
    skipSpace()
    _ = try string()
    try expect(":")
  }

  /// Throws when more than white space is left.
  public mutating func end() throws(MalformedJSON) {
    skipSpace()
    if position < bytes.count { throw MalformedJSON(reason: "text follows the object at byte \(position + 1)") }
  }

  private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard byte == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    skipSpace()
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count else { return false }
    let matches = word.withUTF8Buffer { bytes[position..<end].elementsEqual($0) }
    if matches { position = end }
    return matches
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(MalformedJSON) {
    if !take(character) { throw MalformedJSON(reason: "no '\(character)' at byte \(position + 1)") }
  }

  private mutating func numberText() throws(MalformedJSON) -> String {
    skipSpace()
    let start = position
    while let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte) {
      position += 1
    }
    guard position > start else {
      throw MalformedJSON(reason: "no value that is wanted here at byte \(start + 1)")
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard Self.isNumber(bytes[start..<position]) else {
      throw MalformedJSON(reason: "'\(text)' is not a number that is wanted here")
    }
    return text
  }

  /// Whether this is a number by RFC 8259, section 6: no sign but minus, no zero in front, digits around a point.
  private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
    var rest = text
    func takeDigits() -> Int {
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      rest = rest.dropFirst(digits.count)
      return digits.count
    }
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    let beginsWithZero = rest.first == UInt8(ascii: "0")
    let whole = takeDigits()
    guard whole == 1 || whole > 1 && !beginsWithZero else { return false }
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard takeDigits() > 0 else { return false }
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest.removeFirst()
      if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
      guard takeDigits() > 0 else { return false }
    }
    return rest.isEmpty
  }

  private mutating func string() throws(MalformedJSON) -> String {
    try expect("\"")
    var pieces: [UInt8] = []
    var start = position
    while let byte {
      if byte == UInt8(ascii: "\"") {
        position += 1
        if pieces.isEmpty { return String(decoding: bytes[start..<position - 1], as: UTF8.self) }
        return String(decoding: pieces + bytes[start..<position - 1], as: UTF8.self)
      }
      guard byte >= 0x20 else { throw MalformedJSON(reason: "a control character in a string at byte \(position + 1)") }
      position += 1
      guard byte == UInt8(ascii: "\\") else { continue }
      pieces += bytes[start..<position - 1]
      pieces += String(try escaped()).utf8
      start = position
    }
    throw MalformedJSON(reason: "a string is never closed")
  }

  /// What follows a backslash; a half of a surrogate pair alone becomes U+FFFD.
  private mutating func escaped() throws(MalformedJSON) -> Character {
    let letter = byte
    position += 1
    switch letter {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return Character(Unicode.Scalar(letter ?? 0))
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      guard (0xD800..<0xDC00).contains(first), byte == UInt8(ascii: "\\"), position + 1 < bytes.count,
        bytes[position + 1] == UInt8(ascii: "u")
      else { return Character(Unicode.Scalar(first) ?? "\u{FFFD}") }
      let back = position
      position += 2
      let second = try hexadecimal()
      guard (0xDC00..<0xE000).contains(second) else {
        position = back
        return "\u{FFFD}"
      }
      return Character(Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}")
    default: throw MalformedJSON(reason: "a backslash before something that needs none at byte \(position)")
    }
  }

  private mutating func hexadecimal() throws(MalformedJSON) -> UInt32 {
    let end = position + 4
    guard end <= bytes.count, bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-"),
      let value = UInt32(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
    else { throw MalformedJSON(reason: "no four hexadecimal digits at byte \(position + 1)") }
    position = end
    return value
  }
}

/// Why text is not the JSON that was wanted.
public struct MalformedJSON: Error, Hashable, Sendable, CustomStringConvertible {
  public let reason: String

  public init(reason: String) {
    self.reason = reason
  }

  public var description: String { reason }
}
