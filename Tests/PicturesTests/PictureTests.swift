import AuricleBase
import Foundation
import Testing

@testable import Pictures

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct PictureTests {
  private let red = Color(0xFF0000)

  @Test("A PNG file holds the pixels that were drawn, and right checksums")
  func png() throws {
    var picture = Picture(width: 8, height: 6)
    picture.fill(Picture.Rectangle(x: 2, y: 1, width: 3, height: 2), red)
    let file = try #require(DecodedPNG(picture.png(scale: 1)))
    #expect(file.width == 8 && file.height == 6)
    for y in 0..<6 {
      for x in 0..<8 {
        let isInside = (2..<5).contains(x) && (1..<3).contains(y)
        #expect(file.pixel(x, y) == (isInside ? [255, 0, 0] : [255, 255, 255]), "\(x), \(y)")
      }
    }
    for chunk in file.chunks {
      var checksum = Checksum()
      checksum.update(Array(chunk.type.utf8) + chunk.data)
      #expect(checksum.value == chunk.checksum)
    }
  }

  @Test(
    "The scale is the pixels to the point, 2 unless told otherwise, 1 to 8",
    arguments: [(1, 1), (2, 2), (3, 3), (0, 1), (99, 8)])
  func scale(asked: Int, got: Int) throws {
    var picture = Picture(width: 10, height: 4)
    picture.fill(Picture.Rectangle(x: 5, y: 0, width: 5, height: 4), red)
    let bitmap = picture.bitmap(scale: asked)
    #expect(bitmap.width == 10 * got && bitmap.height == 4 * got)
    #expect(bitmap[5 * got - 1, 0] == .white && bitmap[5 * got, 0] == red)
    #expect(picture.bitmap() == picture.bitmap(scale: 2))
  }

  @Test("A pixel covered by a quarter takes a quarter of the colour")
  func coverage() {
    var picture = Picture(width: 3, height: 3)
    picture.fill(Picture.Rectangle(x: 1, y: 1, width: 0.5, height: 0.5), .black)
    #expect(picture.bitmap(scale: 1)[1, 1] == Color(0xBFBFBF))
  }

  @Test("A line of one point on the edge between pixels covers one pixel's width")
  func line() {
    var picture = Picture(width: 9, height: 9)
    picture.line([(2, 4.5), (7, 4.5)], red)
    let bitmap = picture.bitmap(scale: 1)
    #expect((3..<6).allSatisfy { bitmap[$0, 4] == red && bitmap[$0, 3] == .white && bitmap[$0, 5] == .white })
    picture.line([(2, 2), (2, 2)], width: 3)
    #expect(picture.bitmap(scale: 1)[1, 1] != .white, "a line without length is a dot")
  }

  @Test("What is drawn later lies above, and nothing is drawn beyond the edges")
  func order() {
    var picture = Picture(width: 4, height: 4, background: Color(0x00FF00))
    picture.fill(Picture.Rectangle(x: -10, y: -10, width: 1e9, height: 12), red)
    picture.fill(Picture.Rectangle(x: 1, y: -1, width: 1, height: 3), .black)
    picture.line([(-1e12, 3.5), (1e12, 3.5)], .white)
    let bitmap = picture.bitmap(scale: 1)
    #expect(bitmap[0, 0] == red && bitmap[1, 1] == .black && bitmap[0, 2] == Color(0x00FF00))
  }

  @Test("What has no finite coordinates, no size or no text is left out")
  func invalid() {
    var picture = Picture(width: 4, height: 4)
    let blank = picture
    picture.fill(Picture.Rectangle(x: .nan, y: 0, width: 1, height: 1), red)
    picture.fill(Picture.Rectangle(x: 0, y: 0, width: .infinity, height: 1), red)
    picture.line([(0, 0), (.nan, 1)])
    picture.line([(0, 0)])
    picture.line([(0, 0), (1, 1)], width: 0)
    picture.text("text", at: (.infinity, 0))
    picture.text("", at: (0, 0))
    picture.text("text", at: (0, 0), size: -1)
    picture.image(Bitmap(width: 1, height: 1), in: Picture.Rectangle(x: 0, y: 0, width: 0, height: 1))
    #expect(picture == blank)
    #expect(Picture(width: -5, height: .max).height == Picture.largestSize)
  }

  @Test("An image is stretched in blocks, and shrunk to means")
  func image() {
    let bitmap = Bitmap([0, 1, 1, 0], width: 2, range: 0...1, map: ColorMap([.black, .white]))
    var large = Picture(width: 6, height: 4, background: red)
    large.image(bitmap, in: Picture.Rectangle(x: 1, y: 0, width: 4, height: 4))
    let pixels = large.bitmap(scale: 1)
    #expect(pixels[0, 0] == red && pixels[1, 0] == .black && pixels[2, 1] == .black && pixels[3, 1] == .white)
    #expect(pixels[2, 2] == .white && pixels[4, 3] == .black && pixels[5, 3] == red)
    var small = Picture(width: 1, height: 1)
    small.image(bitmap, in: Picture.Rectangle(x: 0, y: 0, width: 1, height: 1))
    #expect(small.bitmap(scale: 1)[0, 0] == Color(0x7F7F7F))
  }

  @Test("A matrix through a map: ends of the range at the ends of the map, beyond held to them, not a number grey")
  func matrix() {
    let bitmap = Bitmap([-1, -2, 3, 9, .nan, 1], width: 3, range: -1...3, map: ColorMap([.black, .white]))
    #expect(bitmap.width == 3 && bitmap.height == 2)
    #expect(bitmap[0, 0] == .black && bitmap[1, 0] == .black && bitmap[2, 0] == .white && bitmap[0, 1] == .white)
    #expect(bitmap[1, 1] == Color(0x999999) && bitmap[2, 1] == Color(0x808080))
    #expect(Bitmap([5], width: 1, range: 5...5, map: .viridis)[0, 0] == Color(0x440154))
  }

  /// From matplotlib 3.11.2: `viridis(x)`, `magma(x)` at 0, 1/4, 1/2, 3/4, 1, in 256 steps.
  @Test(
    "The maps are those of their authors",
    arguments: [
      (ColorMap.viridis, [0x440154, 0x3B528B, 0x21918C, 0x5CC863, 0xFDE725] as [UInt32]),
      (ColorMap.magma, [0x000004, 0x51127C, 0xB73779, 0xFB8761, 0xFCFDBF]),
    ])
  func maps(map: ColorMap, expected: [UInt32]) {
    for (index, code) in expected.enumerated() {
      let (found, wanted) = (map.color(at: Double(index) / 4), Color(code))
      for channel in [\Color.red, \.green, \.blue] {
        #expect(
          abs(Int(found[keyPath: channel]) - Int(wanted[keyPath: channel])) <= 5, "\(index): \(found.hexadecimal)")
      }
    }
    #expect(map.color(at: -1) == map.color(at: 0) && map.color(at: 7) == map.color(at: 1))
    #expect(map.color(at: .nan) == map.color(at: 0))
  }

  /// The smallest rectangle around everything that is not white: left, top, right, bottom.
  private func extent(_ picture: Picture) -> (Int, Int, Int, Int)? {
    let bitmap = picture.bitmap(scale: 1)
    var (left, top, right, bottom) = (Int.max, Int.max, -1, -1)
    for y in 0..<bitmap.height {
      for x in 0..<bitmap.width where bitmap[x, y] != .white {
        (left, top, right, bottom) = (min(left, x), min(top, y), max(right, x), max(bottom, y))
      }
    }
    return right < 0 ? nil : (left, top, right, bottom)
  }

  private func drawn(
    _ text: String, horizontal: Picture.Horizontal = .start, vertical: Picture.Vertical = .baseline,
    direction: Picture.Direction = .right, size: Double = 20
  ) -> (Int, Int, Int, Int)? {
    var picture = Picture(width: 200, height: 200)
    picture.text(
      text, at: (100, 100), size: size, horizontal: horizontal, vertical: vertical, direction: direction)
    return extent(picture)
  }

  @Test("Text stands where its anchor says")
  func anchors() throws {
    let start = try #require(drawn("HHH"))
    let middle = try #require(drawn("HHH", horizontal: .middle))
    let end = try #require(drawn("HHH", horizontal: .end))
    let length = Int(Picture.width(of: "HHH", size: 20).rounded())
    #expect(start.0 >= 99 && start.2 <= 100 + length && end.2 <= 101 && abs(middle.0 + middle.2 - 200) <= 2)
    #expect(start.1 >= 84 && start.3 <= 101, "on the baseline")
    let centered = try #require(drawn("HHH", vertical: .middle))
    #expect(abs(centered.1 + centered.3 - 199) <= 2)
    let larger = try #require(drawn("HHH", size: 30))
    #expect(larger.2 - larger.0 > (start.2 - start.0) * 14 / 10)
  }

  @Test("Text turned up or down is the same text, turned")
  func directions() throws {
    var (right, up, down) = (
      Picture(width: 101, height: 101), Picture(width: 101, height: 101), Picture(width: 101, height: 101)
    )
    right.text("Fg2", at: (50.5, 50.5))
    up.text("Fg2", at: (50.5, 50.5), direction: .up)
    down.text("Fg2", at: (50.5, 50.5), direction: .down)
    let (a, b, c) = (right.bitmap(scale: 1), up.bitmap(scale: 1), down.bitmap(scale: 1))
    for y in 0..<101 {
      for x in 0..<101 {
        #expect(abs(Int(a[x, y].red) - Int(b[y, 100 - x].red)) <= 1)
        #expect(abs(Int(a[x, y].red) - Int(c[100 - y, x].red)) <= 1)
      }
    }
  }

  @Test("Every character of ASCII but the space can be seen, and differs from every other; others are boxes")
  func glyphs() {
    func image(_ text: String) -> Bitmap {
      var picture = Picture(width: 20, height: 20)
      picture.text(text, at: (4, 14))
      return picture.bitmap()
    }
    let images = (32...126).map { image(String(UnicodeScalar(UInt8($0)))) }
    #expect(Set(images).count == images.count)
    #expect(images[0] == image("") && Picture.width(of: " ") > 2)
    #expect(image("é") == image("字") && image("é") != image("") && !images.contains(image("é")))
  }

  @Test("SVG is well-formed XML with every element, text escaped, other scripts as they are")
  func svg() throws {
    var picture = Picture(width: 300, height: 200, background: Color(0xFEFEFE))
    picture.fill(Picture.Rectangle(x: 1.25, y: 2, width: 30, height: 40), red)
    picture.line([(0, 0), (10.5, 20), (30, 1)], Color(0x00FF00), width: 2)
    picture.text("a<b> & \"c\" é字\u{1}", at: (10, 20), horizontal: .end, direction: .up)
    picture.image(
      Bitmap([0, 1], width: 2, range: 0...1, map: .viridis), in: Picture.Rectangle(x: 0, y: 0, width: 20, height: 10))
    let reader = SVGReader()
    let parser = XMLParser(data: Data(picture.svg.utf8))
    parser.delegate = reader
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
    #expect(reader.names == ["svg", "rect", "rect", "polyline", "text", "image"])
    #expect(reader.text.trimmingCharacters(in: .whitespacesAndNewlines) == "a<b> & \"c\" é字\u{FFFD}")
    #expect(reader.attributes[0]["viewBox"] == "0 0 300 200" && reader.attributes[1]["fill"] == "#FEFEFE")
    #expect(reader.attributes[2]["x"] == "1.25" && reader.attributes[2]["fill"] == "#FF0000")
    #expect(reader.attributes[3]["points"] == "0,0 10.5,20 30,1" && reader.attributes[3]["stroke-width"] == "2")
    #expect(reader.attributes[4]["text-anchor"] == "end" && reader.attributes[4]["transform"] == "rotate(-90 10 20)")
    let link = try #require(reader.attributes[5]["xlink:href"])
    let data = try #require(Data(base64Encoded: String(link.dropFirst("data:image/png;base64,".count))))
    let image = try #require(DecodedPNG(Array(data)))
    #expect(image.pixels == [0x44, 0x01, 0x54, 0xFD, 0xE7, 0x25])
  }
}

/// Notes the elements of an XML document.
private final class SVGReader: NSObject, XMLParserDelegate {
  var names: [String] = []
  var attributes: [[String: String]] = []
  var text = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String] = [:]
  ) {
    names.append(name)
    self.attributes.append(attributes)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    text += string
  }
}
