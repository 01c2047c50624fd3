import AuricleBase
import RealModule

/// Round numbers along an axis, with their texts.
struct AxisTicks {
  private(set) var ticks: [(value: Double, text: String)] = []

  /// Multiples of 1, 2 or 5 times a power of ten from `lower` to `upper`, at most `count` of them.
  init(from lower: Double, to upper: Double, count: Int) {
    guard lower.isFinite, upper.isFinite, upper > lower, count > 0 else { return }
    let exponent = Double.log10((upper - lower) / Double(count)).rounded(.down)
    let steps = [1.0, 2, 5, 10, 20].map { $0 * Double.pow(10, exponent) }
    let step = steps.first { (upper / $0).rounded(.down) - (lower / $0).rounded(.up) < Double(count) } ?? upper - lower
    let decimals = max(0, -Int(Double.log10(step * 1.001).rounded(.down)))
    let first = (lower / step).rounded(.up)
    for index in 0..<count where (first + Double(index)) * step <= upper * (1 + 1e-12) {
      let value = (first + Double(index)) * step
      ticks.append((value, AxisTicks.text(value, decimals: decimals)))
    }
  }

  /// A number with a fixed count of decimals.
  private static func text(_ value: Double, decimals: Int) -> String {
    let scale = Double.pow(10, Double(decimals))
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 1e15 else { return "\(value)" }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let text = decimals == 0 ? padded : padded.dropLast(decimals) + "." + padded.suffix(decimals)
    return value < 0 && scaled > 0 ? "-" + text : String(text)
  }
}
