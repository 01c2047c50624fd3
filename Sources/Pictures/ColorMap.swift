/// Colours for numbers from 0 to 1, between equally spaced stops.
///
///     ColorMap.viridis.color(at: 0.5)     // #21918C
public struct ColorMap: Hashable, Sendable {
  private let stops: [Color]

  /// The colours at 0, at 1, and at equal steps between; without any, everything is black.
  public init(_ stops: [Color]) {
    self.stops = stops.isEmpty ? [.black] : stops
  }

  /// Values beyond 0 and 1 get the colours at the ends; what is not a number that of 0.
  public func color(at value: Double) -> Color {
    let position = (value > 0 ? min(value, 1) : 0) * Double(stops.count - 1)
    let lower = min(Int(position), max(0, stops.count - 2))
    return stops[lower].mixed(with: stops[min(lower + 1, stops.count - 1)], share: position - Double(lower))
  }

  /// Dark blue to yellow, evenly to the eye and to those who see fewer colours (S. van der Walt and N. Smith, 2015;
  /// CC0).
  public static let viridis = ColorMap(
    [
      0x440154, 0x481467, 0x482677, 0x453781, 0x3F4788, 0x39558C, 0x32648E, 0x2D718E, 0x287D8E, 0x238A8D, 0x1F968B,
      0x20A386, 0x29AF7F, 0x3BBB75, 0x56C667, 0x73D056, 0x95D840, 0xB8DE29, 0xDDE318, 0xFDE725,
    ].map { Color($0) })

  /// Black to pale yellow by violet and red: the same authors' for spectra.
  public static let magma = ColorMap(
    [
      0x000004, 0x07061C, 0x160F3B, 0x29115A, 0x400F74, 0x56147D, 0x6B1D81, 0x802582, 0x942C80, 0xAB337C, 0xC03A76,
      0xD6456C, 0xE85362, 0xF4675C, 0xFA815F, 0xFD9A6A, 0xFEB47B, 0xFECC8F, 0xFDE5A7, 0xFCFDBF,
    ].map { Color($0) })

  /// White to dark blue, for counts on paper.
  public static let blues = ColorMap(
    [0xFFFFFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6, 0x4292C6, 0x2171B5, 0x08519C, 0x08306B].map { Color($0) })
}
