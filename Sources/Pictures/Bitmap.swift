/// Pixels, row after row from the top, three bytes each: red, green, blue.
public struct Bitmap: Hashable, Sendable {
  public let width: Int
  public let height: Int
  public internal(set) var pixels: [UInt8]

  /// One colour all over; sizes below 1 count as 1.
  public init(width: Int, height: Int, color: Color = .white) {
    self.width = max(1, width)
    self.height = max(1, height)
    pixels = []
    pixels.reserveCapacity(3 * self.width * self.height)
    for _ in 0..<self.width * self.height { pixels += [color.red, color.green, color.blue] }
  }

  /// A matrix of `values`, `width` to a row and the first row on top, through a colour map, the ends of which lie at
  /// the ends of `range`. What is not a number is grey. Elements of a last row that is not whole are left out.
  public init(_ values: [Float], width: Int, range: ClosedRange<Float>, map: ColorMap) {
    let width = max(1, width)
    self.init(width: width, height: values.count / width, color: map.color(at: 0))
    let table = (0...255).map { map.color(at: Double($0) / 255) }
    let span = range.upperBound - range.lowerBound
    for index in 0..<min(values.count, self.width * self.height) {
      let share = (values[index] - range.lowerBound) / (span > 0 ? span : 1)
      let color = share.isNaN ? Color(0x999999) : table[Int(min(1, max(0, share)) * 255 + 0.5)]
      self[index % width, index / width] = color
    }
  }

  /// The pixel in a column and a row; black, and not set, outside the bitmap.
  public subscript(column: Int, row: Int) -> Color {
    get {
      guard (0..<width).contains(column), (0..<height).contains(row) else { return .black }
      let index = 3 * (row * width + column)
      return Color(red: pixels[index], green: pixels[index + 1], blue: pixels[index + 2])
    }
    set {
      guard (0..<width).contains(column), (0..<height).contains(row) else { return }
      let index = 3 * (row * width + column)
      pixels[index] = newValue.red
      pixels[index + 1] = newValue.green
      pixels[index + 2] = newValue.blue
    }
  }
}
