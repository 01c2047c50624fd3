/// A drawing of rectangles, lines, text and images, made once and rendered as SVG or as PNG.
///
///     var picture = Picture(width: 200, height: 100)
///     picture.fill(Picture.Rectangle(x: 20, y: 20, width: 60, height: 60), Color(0x4292C6))
///     picture.line([(20, 80), (80, 20)], Color.white, width: 2)
///     picture.text("a square", at: (140, 50), horizontal: .middle, vertical: .middle)
///     try FileAccess.writeAtomically(picture.png(), to: "square.png")
///     try FileAccess.writeAtomically(picture.svg, to: "square.svg")
///
/// Coordinates are in points from the top left corner, x to the right, y down. What is drawn later lies above. Drawing
/// beyond the edges is cut off; what has a coordinate that is not a finite number is not drawn.
public struct Picture: Hashable, Sendable {
  public typealias Point = (x: Double, y: Double)

  public struct Rectangle: Hashable, Sendable {
    public var x: Double
    public var y: Double
    public var width: Double
    public var height: Double

    public init(x: Double, y: Double, width: Double, height: Double) {
      self.x = x
      self.y = y
      self.width = width
      self.height = height
    }
  }

  /// Which part of a text is at its point, along the direction of reading.
  public enum Horizontal: String, Sendable {
    case start, middle, end
  }

  /// Which part of a text is at its point, across the direction of reading: the baseline, or half the height of a capital.
  public enum Vertical: Sendable {
    case baseline, middle
  }

  /// The direction of reading.
  public enum Direction: Sendable {
    case right, up, down
  }

  enum Element: Hashable, Sendable {
    case rectangle(Rectangle, Color)
    case line([Position], Color, width: Double)
    case text(Text)
    case image(Bitmap, Rectangle)
  }

  struct Position: Hashable, Sendable {
    var x: Double
    var y: Double
  }

  struct Text: Hashable, Sendable {
    var string: String
    /// On the baseline, where `horizontal` says.
    var position: Position
    var size: Double
    var color: Color
    var horizontal: Horizontal
    var direction: Direction
  }

  /// In points.
  public let width: Int
  public let height: Int
  public let background: Color
  private(set) var elements: [Element] = []

  /// The largest width and height in points.
  public static let largestSize = 10_000

  /// An empty picture; sizes are held within 1 and `largestSize`.
  public init(width: Int, height: Int, background: Color = .white) {
    self.width = min(max(width, 1), Picture.largestSize)
    self.height = min(max(height, 1), Picture.largestSize)
    self.background = background
  }

  public mutating func fill(_ rectangle: Rectangle, _ color: Color) {
    guard rectangle.isDrawable else { return }
    elements.append(.rectangle(rectangle, color))
  }

  /// The outline of a rectangle.
  public mutating func frame(_ rectangle: Rectangle, _ color: Color = .black, width: Double = 1) {
    let (left, top) = (rectangle.x, rectangle.y)
    let (right, bottom) = (left + rectangle.width, top + rectangle.height)
    line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], color, width: width)
  }

  /// A line through two or more points.
  public mutating func line(_ points: [Point], _ color: Color = .black, width: Double = 1) {
    let positions = points.map { Position(x: $0.x, y: $0.y) }
    guard positions.count > 1, width > 0, width.isFinite, positions.allSatisfy({ $0.x.isFinite && $0.y.isFinite })
    else { return }
    elements.append(.line(positions, color, width: width))
  }

  /// One line of text, `size` points high from line to line. In PNG, characters beyond ASCII are drawn as boxes.
  public mutating func text(
    _ string: String, at point: Point, size: Double = 12, color: Color = .black, horizontal: Horizontal = .start,
    vertical: Vertical = .baseline, direction: Direction = .right
  ) {
    guard point.x.isFinite, point.y.isFinite, size > 0, size.isFinite, !string.isEmpty else { return }
    var position = Position(x: point.x, y: point.y)
    if vertical == .middle {
      let rise = StrokeFont.capitalHeight * size / 2
      switch direction {
      case .right: position.y += rise
      case .up: position.x += rise
      case .down: position.x -= rise
      }
    }
    elements.append(
      .text(
        Text(
          string: string, position: position, size: size, color: color, horizontal: horizontal, direction: direction)))
  }

  /// An image stretched over a rectangle, each of its pixels a block (the mean of several, where there are more of them
  /// than the rectangle has).
  public mutating func image(_ bitmap: Bitmap, in rectangle: Rectangle) {
    guard rectangle.isDrawable else { return }
    elements.append(.image(bitmap, rectangle))
  }

  /// How long a text is in points: exactly in PNG, about so in SVG, where the reader's font decides.
  public static func width(of string: String, size: Double = 12) -> Double {
    StrokeFont.width(of: string) * size
  }
}

extension Picture.Rectangle {
  fileprivate var isDrawable: Bool {
    x.isFinite && y.isFinite && width.isFinite && height.isFinite && width > 0 && height > 0
  }
}
