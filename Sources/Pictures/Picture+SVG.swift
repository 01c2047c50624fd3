import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension Picture {
  /// The drawing as Scalable Vector Graphics 1.1, whole in itself: images are embedded as PNG.
  public var svg: String {
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="\(width)" \
      height="\(height)" viewBox="0 0 \(width) \(height)" font-family="Helvetica, Arial, sans-serif">
      <rect width="\(width)" height="\(height)" fill="\(background.hexadecimal)"/>

      """
    for element in elements { svg += element.svg + "\n" }
    return svg + "</svg>\n"
  }
}

extension Picture.Element {
  fileprivate var svg: String {
    switch self {
    case .rectangle(let rectangle, let color):
      return "<rect \(rectangle.attributes) fill=\"\(color.hexadecimal)\"/>"
    case .line(let points, let color, let width):
      let list = points.map { "\(short($0.x)),\(short($0.y))" }.joined(separator: " ")
      return "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(color.hexadecimal)\" "
        + "stroke-width=\"\(short(width))\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>"
    case .text(let text):
      let (x, y) = (short(text.position.x), short(text.position.y))
      let turn =
        switch text.direction {
        case .right: ""
        case .up: " transform=\"rotate(-90 \(x) \(y))\""
        case .down: " transform=\"rotate(90 \(x) \(y))\""
        }
      return
        "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(short(text.size))\" text-anchor=\"\(text.horizontal.rawValue)\" "
        + "fill=\"\(text.color.hexadecimal)\"\(turn)>\(markup(text.string))</text>"
    case .image(let bitmap, let rectangle):
      let data = Data(PNGFile.bytes(bitmap)).base64EncodedString()
      return "<image \(rectangle.attributes) preserveAspectRatio=\"none\" "
        + "style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\" xlink:href=\"data:image/png;base64,\(data)\"/>"
    }
  }
}

extension Picture.Rectangle {
  fileprivate var attributes: String {
    "x=\"\(short(x))\" y=\"\(short(y))\" width=\"\(short(width))\" height=\"\(short(height))\""
  }
}

/// A number to a hundredth of a point, without useless zeros.
private func short(_ value: Double) -> String {
  let text = "\((value * 100).rounded() / 100)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
