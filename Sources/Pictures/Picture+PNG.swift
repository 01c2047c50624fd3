extension Picture {
  /// The drawing as a PNG file, 8 bits per colour, with `scale` pixels to the point (1 to 8).
  public func png(scale: Int = 2) -> [UInt8] {
    PNGFile.bytes(bitmap(scale: scale))
  }

  /// The drawing as pixels, `scale` to the point (1 to 8).
  public func bitmap(scale: Int = 2) -> Bitmap {
    let scale = Double(min(max(scale, 1), 8))
    var canvas = Canvas(width: width * Int(scale), height: height * Int(scale), color: background)
    for element in elements {
      switch element {
      case .rectangle(let rectangle, let color):
        canvas.fill(
          x: rectangle.x * scale, y: rectangle.y * scale, width: rectangle.width * scale,
          height: rectangle.height * scale, color)
      case .line(let points, let color, let width):
        let scaled = points.map { Position(x: $0.x * scale, y: $0.y * scale) }
        canvas.stroke([scaled], width: width * scale, color)
      case .text(let text):
        for glyph in text.strokes(scale: scale) {
          canvas.stroke(glyph, width: StrokeFont.strokeWidth * text.size * scale, text.color)
        }
      case .image(let image, let rectangle):
        canvas.draw(
          image, x: rectangle.x * scale, y: rectangle.y * scale, width: rectangle.width * scale,
          height: rectangle.height * scale)
      }
    }
    return canvas.bitmap
  }
}

extension Picture.Text {
  /// The lines of each character, in pixels.
  fileprivate func strokes(scale: Double) -> [[[Picture.Position]]] {
    let unit = size * scale
    let length = StrokeFont.width(of: string)
    var pen =
      switch horizontal {
      case .start: 0.0
      case .middle: -length / 2
      case .end: -length
      }
    let origin = (x: position.x * scale, y: position.y * scale)
    return string.map { character in
      let glyph = StrokeFont.glyph(character)
      defer { pen += glyph.width }
      return glyph.strokes.map { stroke in
        stroke.map { point in
          let (along, across) = ((pen + point.x) * unit, point.y * unit)
          return switch direction {
          case .right: Picture.Position(x: origin.x + along, y: origin.y + across)
          case .up: Picture.Position(x: origin.x + across, y: origin.y - along)
          case .down: Picture.Position(x: origin.x - across, y: origin.y + along)
          }
        }
      }
    }
  }
}
