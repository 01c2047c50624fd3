/// An opaque sRGB colour.
///
///     Color(0x1F77B4)     // a blue
public struct Color: Hashable, Sendable {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8

  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// From 0xRRGGBB; higher bits are ignored.
  public init(_ code: UInt32) {
    self.init(
      red: UInt8(truncatingIfNeeded: code >> 16), green: UInt8(truncatingIfNeeded: code >> 8),
      blue: UInt8(truncatingIfNeeded: code))
  }

  public static let black = Color(0x000000)
  public static let white = Color(0xFFFFFF)

  /// Between 0, black, and 1, white, as bright as it looks (luma of ITU-R BT.601): what decides whether text on it
  /// should be black or white.
  public var brightness: Double {
    (0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)) / 255
  }

  /// This colour at share 0, `other` at share 1, a mixture between; shares beyond are held to that.
  func mixed(with other: Color, share: Double) -> Color {
    let share = min(1, max(0, share))
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Double(a) + (Double(b) - Double(a)) * share).rounded())
    }
    return Color(red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
  }

  /// "#RRGGBB".
  var hexadecimal: String {
    let code = UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue)
    let digits = String(code, radix: 16, uppercase: true)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }
}
