import AuricleBase
import RealModule

/// A 95% confidence interval of a share or of a difference between two.
///
///     ConfidenceInterval.wilson(295, of: 300)     // 0.9616... to 0.9928...
public struct ConfidenceInterval: Codable, Hashable, Sendable {
  public let lower: Double
  public let upper: Double

  /// The 0.975 quantile of the standard normal distribution.
  static let z = 1.959963984540054

  /// Wilson's score interval for `count` of `total`, which stays within [0, 1] and is not empty for 0 or all of them
  /// (Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927,
  /// doi:10.1080/01621459.1927.10502953). Of nothing, anything may be true: 0 to 1.
  public static func wilson(_ count: Int, of total: Int) -> ConfidenceInterval {
    guard total > 0 else { return ConfidenceInterval(lower: 0, upper: 1) }
    let (n, p, z2) = (Double(total), Double(count) / Double(total), z * z)
    let center = (p + z2 / (2 * n)) / (1 + z2 / n)
    let halfWidth = z / (1 + z2 / n) * Double.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return ConfidenceInterval(
      lower: count == 0 ? 0 : center - halfWidth, upper: count == total ? 1 : center + halfWidth)
  }

  /// "96.16% to 99.29%".
  public var text: String { "\(percent(lower)) to \(percent(upper))" }
}
