import AuricleBase

extension FeatureConfiguration.Window {
  /// The window's `length` values.
  package func values(_ length: Int) -> [Double] {
    let denominator = Double(isPeriodic ? length : max(1, length - 1))
    return (0..<length).map { n in
      let phase = 2 * Double.pi * Double(n) / denominator
      return switch shape {
      case .hann: 0.5 - 0.5 * cosine(phase)
      case .hamming: 0.54 - 0.46 * cosine(phase)
      case .blackman: 0.42 - 0.5 * cosine(phase) + 0.08 * cosine(2 * phase)
      case .rectangular: 1
      case .povey: power(0.5 - 0.5 * cosine(phase), 0.85)
      }
    }
  }
}
