import AuricleBase

extension FeatureConfiguration.Cepstrum {
  /// The DCT-II with the lifter folded in: `mels x count`, row-major.
  func matrix(mels: Int) -> [Float] {
    (0..<mels).flatMap { m in
      (0..<count).map { n in
        let scale =
          normalization == .orthonormal && n == 0 ? squareRoot(1 / Double(mels)) : squareRoot(2 / Double(mels))
        let dct = cosine(Double.pi * Double(n) * (Double(m) + 0.5) / Double(mels))
        return Float(scale * dct * lifterWeight(n))
      }
    }
  }

  /// The sum of the matrix's first column; all other columns sum to zero.
  func meanWeight(mels: Int) -> Double {
    squareRoot(normalization == .orthonormal ? Double(mels) : 2 * Double(mels)) * lifterWeight(0)
  }

  private func lifterWeight(_ n: Int) -> Double {
    guard lifter > 0 else { return 1 }
    let position = Double(lifterConvention == .librosa ? n + 1 : n)
    return 1 + lifter / 2 * sine(Double.pi * position / lifter)
  }
}
