extension String {
  /// The text with some of its Unicode scalars replaced; those stay for which `replacement` is nil. Scalars and not
  /// characters: a combining mark behind a quotation mark makes another `Character` of it.
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
