import Pictures

extension ConfusionMatrix {
  /// The matrix as a heat map: rows the truth, columns the prediction, right answers blue, wrong ones red, each the
  /// stronger the larger its share; numbers in the cells where there is room for them.
  ///
  /// Counts are shaded by their share of the row.
  public func picture(_ normalization: Normalization = .none, title: String = "") -> Picture {
    let size = 11.0
    let cell = labels.count <= 12 ? 44.0 : labels.count <= 40 ? 26.0 : labels.count <= 100 ? 14.0 : 7.0
    let longest = labels.reduce(0) { max($0, Picture.width(of: Self.short($1), size: size)) }
    let (left, top) = (40 + longest + 8, (title.isEmpty ? 16 : 48) + 8.0)
    let side = cell * Double(labels.count)
    let labelsLieDown = longest + 4 <= cell
    let bottom = top + side + 8 + (labelsLieDown ? size : longest) + 34
    var picture = Picture(width: Int(left + side + 24), height: Int(bottom))

    let ink = Color(0x22272B)
    if !title.isEmpty { picture.text(title, at: (24, 30), size: 15, color: ink) }
    picture.text("truth", at: (18, top + side / 2), color: ink, horizontal: .middle, vertical: .middle, direction: .up)
    picture.text("prediction", at: (left + side / 2, bottom - 14), color: ink, horizontal: .middle)

    let shares = values(normalization == .none ? .truth : normalization)
    let strongest = normalization == .all ? shares.joined().max() ?? 1 : 1
    // As many labels as do not run into each other.
    let step = max(1, Int((size / cell).rounded(.up)))
    for (row, label) in labels.enumerated() {
      let middle = (Double(row) + 0.5) * cell
      if row % step == 0 {
        picture.text(
          Self.short(label), at: (left - 8, top + middle), size: size, color: ink, horizontal: .end, vertical: .middle)
        picture.text(
          Self.short(label), at: (left + middle, top + side + (labelsLieDown ? 14 : 8)), size: size, color: ink,
          horizontal: labelsLieDown ? .middle : .start, vertical: .middle, direction: labelsLieDown ? .right : .down)
      }
      for column in labels.indices where counts[row][column] > 0 {
        let (x, y) = (left + Double(column) * cell, top + Double(row) * cell)
        let share = strongest > 0 ? shares[row][column] / strongest : 0
        let color = (row == column ? Self.rightColors : Self.wrongColors).color(at: 0.12 + 0.88 * share)
        picture.fill(Picture.Rectangle(x: x, y: y, width: cell, height: cell), color)
        let text =
          normalization == .none ? String(counts[row][column]) : fixed(100 * shares[row][column], decimals: 1)
        if Picture.width(of: text, size: size) + 4 <= cell {
          picture.text(
            text, at: (x + cell / 2, y + cell / 2), size: size, color: color.brightness > 0.55 ? ink : .white,
            horizontal: .middle, vertical: .middle)
        }
      }
    }
    if cell >= 14 {
      for index in 0...labels.count {
        let offset = Double(index) * cell
        picture.line([(left, top + offset), (left + side, top + offset)], Color(0xDDE1E4), width: 0.5)
        picture.line([(left + offset, top), (left + offset, top + side)], Color(0xDDE1E4), width: 0.5)
      }
    }
    picture.frame(Picture.Rectangle(x: left, y: top, width: side, height: side), Color(0x8A949B))
    return picture
  }

  private static let rightColors = ColorMap([Color(0xFFFFFF), Color(0xC6DBEF), Color(0x6BAED6), Color(0x08519C)])
  private static let wrongColors = ColorMap([Color(0xFFFFFF), Color(0xFCBBA1), Color(0xFB6A4A), Color(0xA50F15)])

  /// Labels of 24 characters at most, control characters as "?".
  private static func short(_ label: String) -> String {
    let label = printable(label)
    return label.count > 24 ? label.prefix(23) + "…" : label
  }
}
