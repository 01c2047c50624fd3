extension String {
  /// The text with some of its Unicode scalars replaced; those stay for which `replacement` is nil. Scalars and not
  /// characters: a combining mark after a quotation mark makes another `Character` of it.
  package func replacingScalars(_ replacement: (Unicode.Scalar) -> String?) -> String {
    var result = ""
    for scalar in unicodeScalars {
      if let text = replacement(scalar) { result += text } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }
}

/// `text` as the content of an element of HTML or XML: their own characters escaped, those XML forbids replaced.
///
///     markup("R&B <live>")     // "R&amp;B &lt;live&gt;"
public func markup(_ text: String) -> String {
  text.replacingScalars { scalar in
    switch scalar {
    case "&": "&amp;"
    case "<": "&lt;"
    case ">": "&gt;"
    case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": "\u{FFFD}"
    default: nil
    }
  }
}

/// `text` as a JSON string (RFC 8259) in one line, with its quotation marks.
package func jsonString(_ text: String) -> String {
  let escaped = text.replacingScalars { scalar in
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
      let digits = String(scalar.value, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: return nil
    }
  }
  return "\"" + escaped + "\""
}
