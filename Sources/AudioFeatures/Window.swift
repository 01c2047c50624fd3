import AuricleBase
import RealModule

extension FeatureConfiguration.Window {
  /// The window's `length` values.
  package func values(_ length: Int) -> [Double] {
    let denominator = Double(isPeriodic ? length : max(1, length - 1))
    return (0..<length).map { n in
      let phase = 2 * Double.pi * Double(n) / denominator
      return switch shape {
      case .hann: 0.5 - 0.5 * Double.cos(phase)
      case .hamming: 0.54 - 0.46 * Double.cos(phase)
      case .blackman: 0.42 - 0.5 * Double.cos(phase) + 0.08 * Double.cos(2 * phase)
      case .rectangular: 1
      case .povey: Double.pow(0.5 - 0.5 * Double.cos(phase), 0.85)
      }
    }
  }
}
