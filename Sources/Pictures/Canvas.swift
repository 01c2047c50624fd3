import AuricleBase
import RealModule

/// Draws with smooth edges on a bitmap: a pixel takes as much of a colour as the share of it that is covered.
struct Canvas {
  private(set) var bitmap: Bitmap

  init(width: Int, height: Int, color: Color) {
    bitmap = Bitmap(width: width, height: height, color: color)
  }

  mutating func fill(x: Double, y: Double, width: Double, height: Double, _ color: Color) {
    let (right, bottom) = (x + width, y + height)
    for row in pixels(y, bottom, bitmap.height) {
      let vertical = min(bottom, Double(row + 1)) - max(y, Double(row))
      for column in pixels(x, right, bitmap.width) {
        let horizontal = min(right, Double(column + 1)) - max(x, Double(column))
        blend(color, column, row, share: vertical * horizontal)
      }
    }
  }

  /// Lines with round ends and joints. Where they cross, they cover no more than one does.
  mutating func stroke(_ lines: [[Picture.Position]], width: Double, _ color: Color) {
    let points = lines.joined()
    guard let first = points.first else { return }
    let reach = width / 2 + 1
    var (left, right, top, bottom) = (first.x, first.x, first.y, first.y)
    for point in points {
      (left, right) = (min(left, point.x), max(right, point.x))
      (top, bottom) = (min(top, point.y), max(bottom, point.y))
    }
    let columns = pixels(left - reach, right + reach, bitmap.width)
    let rows = pixels(top - reach, bottom + reach, bitmap.height)
    guard !columns.isEmpty, !rows.isEmpty else { return }

    var coverage = [Double](repeating: 0, count: columns.count * rows.count)
    for line in lines {
      for (start, end) in zip(line, line.count > 1 ? line.dropFirst() : line[...]) {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let square = dx * dx + dy * dy
        let inside = pixels(min(start.x, end.x) - reach, max(start.x, end.x) + reach, bitmap.width)
        for row in pixels(min(start.y, end.y) - reach, max(start.y, end.y) + reach, bitmap.height) {
          for column in inside {
            let (px, py) = (Double(column) + 0.5 - start.x, Double(row) + 0.5 - start.y)
            let share = square > 0 ? min(1, max(0, (px * dx + py * dy) / square)) : 0
            let (ex, ey) = (px - share * dx, py - share * dy)
            let covered = min(1, width) * min(1, width / 2 + 0.5 - Double.sqrt(ex * ex + ey * ey))
            let index = (row - rows.lowerBound) * columns.count + column - columns.lowerBound
            coverage[index] = max(coverage[index], covered)
          }
        }
      }
    }
    for row in rows {
      for column in columns {
        let index = (row - rows.lowerBound) * columns.count + column - columns.lowerBound
        blend(color, column, row, share: coverage[index])
      }
    }
  }

  /// `image` over a rectangle moved to whole pixels: the pixel under each centre, or the mean of those under the pixel
  /// where they are more.
  mutating func draw(_ image: Bitmap, x: Double, y: Double, width: Double, height: Double) {
    func sources(_ pixel: Int, _ start: Double, _ length: Double, _ count: Int) -> Range<Int> {
      let scale = Double(count) / length
      if scale <= 1 {
        let center = min(count - 1, max(0, Int((Double(pixel) + 0.5 - start) * scale)))
        return center..<center + 1
      }
      let first = min(count - 1, max(0, Int((Double(pixel) - start) * scale)))
      return first..<min(count, max(first + 1, Int((Double(pixel + 1) - start) * scale)))
    }
    let (left, top) = (x.rounded(), y.rounded())
    let (right, bottom) = (max(left + 1, (x + width).rounded()), max(top + 1, (y + height).rounded()))
    let columns = pixels(left, right, bitmap.width).map { ($0, sources($0, left, right - left, image.width)) }
    for row in pixels(top, bottom, bitmap.height) {
      let sourceRows = sources(row, top, bottom - top, image.height)
      for (column, sourceColumns) in columns {
        var (red, green, blue, count) = (0, 0, 0, 0)
        for sourceRow in sourceRows {
          for sourceColumn in sourceColumns {
            let color = image[sourceColumn, sourceRow]
            red += Int(color.red)
            green += Int(color.green)
            blue += Int(color.blue)
            count += 1
          }
        }
        bitmap[column, row] = Color(
          red: UInt8(red / count), green: UInt8(green / count), blue: UInt8(blue / count))
      }
    }
  }

  private mutating func blend(_ color: Color, _ column: Int, _ row: Int, share: Double) {
    if share >= 1 {
      bitmap[column, row] = color
    } else if share > 0 {
      bitmap[column, row] = bitmap[column, row].mixed(with: color, share: share)
    }
  }

  /// The pixels that a stretch from `start` to `end` touches, of `count`.
  private func pixels(_ start: Double, _ end: Double, _ count: Int) -> Range<Int> {
    let first = Int(min(Double(count), max(0, start.rounded(.down))))
    let last = Int(min(Double(count), max(0, end.rounded(.up))))
    return first..<max(first, last)
  }
}
