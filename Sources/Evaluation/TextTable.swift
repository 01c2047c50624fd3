/// A table of aligned columns for a terminal.
///
///     var table = TextTable([.left("label"), .right("files")])
///     table.append(["seven", "120"])
///     print(table.text)
///     // label  files
///     // -----  -----
///     // seven    120
///
/// Control characters in cells are shown as "?": a file's name must not command the terminal.
public struct TextTable: Sendable {
  public enum Column: Sendable {
    case left(String)
    case right(String)
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row; missing cells are empty, those beyond the last column are dropped. A row without cells is a blank line.
  public mutating func append(_ cells: [String]) {
    rows.append(cells.prefix(columns.count).map(printable))
  }

  /// The table, without white space at the ends of its lines and without a line end after the last.
  public var text: String {
    let titles = columns.map { column in
      switch column {
      case .left(let title), .right(let title): printable(title)
      }
    }
    let widths = columns.indices.map { column in
      rows.reduce(titles[column].count) { max($0, column < $1.count ? $1[column].count : 0) }
    }
    let rule = widths.map { String(repeating: "-", count: $0) }
    return ([titles, rule] + rows).map { line($0, widths) }.joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: widths[index] - cell.count)
      if index > 0 { line += "  " }
      if case .left = columns[index] { line += cell + padding } else { line += padding + cell }
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}

private func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: isControl) else { return text }
  return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  scalar.properties.generalCategory == .control
}
