/// A font of lines for ASCII, in shares of the text size; every other character is a box.
enum StrokeFont {
  struct Glyph {
    /// How far the pen moves on.
    let width: Double
    /// Points of lines, x from the pen's place, y down from the baseline.
    let strokes: [[Picture.Position]]
  }

  static let capitalHeight = 0.7
  /// The font's grid, on which capitals are 21 units high; letters are set a little narrower than drawn.
  private static let unit = (x: 0.87 * capitalHeight / 21, y: capitalHeight / 21)
  static let strokeWidth = 0.085

  static func glyph(_ character: Character) -> Glyph {
    guard let ascii = character.asciiValue, (32...126).contains(ascii) else { return box }
    return glyphs[Int(ascii) - 32]
  }

  static func width(of string: String) -> Double {
    string.reduce(0) { $0 + glyph($1).width }
  }

  private static let box = decoded("I[LFXFX[L[LF")

  private static let glyphs = data.split(separator: "\n").map(decoded)

  /// Hershey's notation: pairs of characters that stand for coordinates by their distance from R. The first pair is
  /// the left and the right side; " R" lifts the pen.
  private static func decoded(_ text: some StringProtocol) -> Glyph {
    let numbers = text.utf8.map { Double($0) - Double(UInt8(ascii: "R")) }
    let pairs = stride(from: 0, to: numbers.count - 1, by: 2).map { (x: numbers[$0], y: numbers[$0 + 1]) }
    guard let sides = pairs.first else { return Glyph(width: 0, strokes: []) }
    let liftedPen = Double(UInt8(ascii: " ")) - Double(UInt8(ascii: "R"))
    let strokes = pairs.dropFirst().split { $0.x == liftedPen && $0.y == 0 }.map { stroke in
      stroke.map { Picture.Position(x: ($0.x - sides.x) * unit.x, y: ($0.y - 9) * unit.y) }
    }
    return Glyph(width: (sides.y - sides.x) * unit.x, strokes: strokes)
  }
}
