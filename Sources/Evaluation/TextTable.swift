/// A table of aligned columns for a terminal.
///
///     var table = TextTable([.left("label"), .right("files")])
///     table.append(["seven", "120"])
///     print(table.text)
///     // label  files
///     // -----  -----
///     // seven    120
///
/// Control characters in cells are shown as "?": a file's name must not command the terminal. Chinese, Japanese and
/// Korean characters and emoji count as two columns wide, as terminals show them.
public struct TextTable: Sendable {
  public enum Column: Sendable {
    case left(String)
    case right(String)
  }

  /// A cell's background: the stronger, the larger the share in [0, 1].
  enum Shade: Sendable {
    case right(Double)
    case wrong(Double)

    /// The escape sequence that begins it, in the 256 colours of terminals: dark on light, or light on dark, whatever
    /// the terminal's own are.
    fileprivate var sequence: String {
      let (colors, share) =
        switch self {
        case .right(let share): ([194, 157, 114, 71, 28], share)
        case .wrong(let share): ([224, 217, 210, 203, 124], share)
        }
      let level = min(4, max(0, Int(share * 5)))
      return "\u{1B}[38;5;\(level == 4 ? 231 : 16);48;5;\(colors[level])m"
    }
  }

  private struct Cell: Sendable {
    let text: String
    let width: Int
    let shade: Shade?

    init(_ text: String, shade: Shade? = nil) {
      self.text = printable(text)
      width = terminalWidth(self.text)
      self.shade = shade
    }
  }

  private let columns: [Column]
  private var rows: [[Cell]] = []

  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row; missing cells are empty, those beyond the last column are dropped. A row without cells is a blank line.
  public mutating func append(_ cells: [String]) {
    append(shaded: cells.map { ($0, nil) })
  }

  mutating func append(shaded cells: [(text: String, shade: Shade?)]) {
    rows.append(cells.prefix(columns.count).map { Cell($0.text, shade: $0.shade) })
  }

  /// The table, without white space at the ends of its lines and without a line end after the last.
  public var text: String { text(colored: false) }

  /// The same, with the shades of cells as a terminal's colours.
  func text(colored: Bool) -> String {
    let titles = columns.map { column in
      switch column {
      case .left(let title), .right(let title): Cell(title)
      }
    }
    let widths = columns.indices.map { column in
      rows.reduce(titles[column].width) { max($0, column < $1.count ? $1[column].width : 0) }
    }
    let rule = widths.map { Cell(String(repeating: "-", count: $0)) }
    return ([titles, rule] + rows).map { line($0, widths, colored) }.joined(separator: "\n")
  }

  private func line(_ cells: [Cell], _ widths: [Int], _ colored: Bool) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: widths[index] - cell.width)
      var text = cell.text
      if case .left = columns[index] { text += padding } else { text = padding + text }
      if colored, let shade = cell.shade { text = shade.sequence + text + "\u{1B}[0m" }
      line += (index > 0 ? "  " : "") + text
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}

/// `text` with control characters as "?".
func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: isControl) else { return text }
  return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  scalar.properties.generalCategory == .control
}

/// The columns that `text` takes in a terminal.
func terminalWidth(_ text: String) -> Int {
  text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.reduce(0) { $0 + (isWide($1) ? 2 : 1) }
}

/// The blocks that Unicode's East Asian Width (UAX 11) calls wide, in rough outline.
private func isWide(_ character: Character) -> Bool {
  guard let first = character.unicodeScalars.first?.value else { return false }
  let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
    0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD,
  ]
  return wide.contains { $0.contains(first) }
}
