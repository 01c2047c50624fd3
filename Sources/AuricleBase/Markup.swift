/// `text` as the content of an element of HTML or XML: their own characters escaped, those XML forbids replaced.
///
///     markup("R&B <live>")     // "R&amp;B &lt;live&gt;"
public func markup(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
