import AuricleBase
import RealModule

extension SeededGenerator {
  /// The generator for one example in one epoch.
  public static func augmentation(seed: UInt64, epoch: Int, example: Int) -> SeededGenerator {
    var mixer = SeededGenerator(seed: seed, stream: UInt64(bitPattern: Int64(epoch)))
    return SeededGenerator(seed: mixer.next() ^ 0xA0C1_5C1E, stream: UInt64(bitPattern: Int64(example)))
  }

  /// The share of an example in its mix with another: at least a half, so that its own label stays the first.
  public mutating func mixingShare(_ alpha: Double) -> Double {
    let share = beta(alpha)
    return max(share, 1 - share)
  }

  mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// An integer in 0 ..< count.
  public mutating func index(_ count: Int) -> Int {
    min(count - 1, Int(uniform() * Double(count)))
  }

  /// A draw from the beta distribution with both parameters `alpha`.
  mutating func beta(_ alpha: Double) -> Double {
    let (x, y) = (gamma(alpha), gamma(alpha))
    return x + y > 0 ? x / (x + y) : 0.5
  }

  /// A draw from the gamma distribution (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000).
  private mutating func gamma(_ alpha: Double) -> Double {
    if alpha < 1 { return gamma(alpha + 1) * Double.pow(uniform(), 1 / alpha) }
    let d = alpha - 1 / 3.0
    let c = 1 / Double.sqrt(9 * d)
    while true {
      let x = normal()
      let v = Double.pow(1 + c * x, 3)
      if v > 0, Double.log(uniform()) < x * x / 2 + d - d * v + d * Double.log(v) { return d * v }
    }
  }
}
