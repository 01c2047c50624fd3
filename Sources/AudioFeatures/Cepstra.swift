import AuricleBase
import RealModule

extension FeatureConfiguration.Cepstrum {
  /// The DCT-II with the lifter folded in: `count x mels`, row-major, coefficient 0 where `zerothPosition` wants it.
  package func matrix(mels: Int) -> [Float] {
    let order = zerothPosition == .first ? Array(0..<count) : Array(1..<count) + [0]
    return order.flatMap { n in
      (0..<mels).map { m in
        let dct = Double.cos(Double.pi * Double(n) * (Double(m) + 0.5) / Double(mels))
        return Float(scale(n, mels: mels) * dct * lifterWeight(n))
      }
    }
  }

  /// The sum of coefficient 0's row of the matrix; all other rows sum to zero.
  func meanWeight(mels: Int) -> Double { Double(mels) * scale(0, mels: mels) * lifterWeight(0) }

  /// Where coefficient 0 is.
  package var zerothIndex: Int { zerothPosition == .first ? 0 : count - 1 }

  private func scale(_ n: Int, mels: Int) -> Double {
    switch normalization {
    case .orthonormal: Double.sqrt((n == 0 ? 1 : 2) / Double(mels))
    case .htk: Double.sqrt(2 / Double(mels))
    case .none: 2
    }
  }

  private func lifterWeight(_ n: Int) -> Double {
    guard lifter > 0 else { return 1 }
    let position = Double(lifterConvention == .librosa ? n + 1 : n)
    return 1 + lifter / 2 * Double.sin(Double.pi * position / lifter)
  }
}
