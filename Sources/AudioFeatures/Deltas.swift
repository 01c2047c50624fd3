extension FeatureConfiguration.Deltas {
  /// `features` with its deltas, up to `order`, appended to each frame: `frames x (base * (1 + order))`.
  func appended(to features: FeatureMatrix) -> FeatureMatrix {
    guard order > 0 else { return features }
    let (frames, base) = (features.frames, features.coefficients)
    let width = base * (1 + order)
    // Frames beyond the last that have deltas of their own.
    let extra = extendsEnd && order == 2 && method == .regression && frames > 0 ? halfWidth : 0
    var result = [Float](repeating: 0, count: (frames + extra) * width)
    for frame in 0..<frames {
      for i in 0..<base { result[frame * width + i] = features.values[frame * base + i] }
    }
    result.withUnsafeMutableBufferPointer { result in
      for degree in 1...order {
        switch method {
        case .regression:
          regress(
            result, degree == 1 ? frames + extra : frames, width, from: (degree - 1) * base,
            last: degree == 1 ? frames - 1 : frames + extra - 1, to: degree * base, count: base)
        case .savitzkyGolay:
          smooth(result, frames, width, degree: degree, to: degree * base, count: base)
        }
      }
    }
    result.removeLast(extra * width)
    return FeatureMatrix(coefficients: width, values: result)
  }

  /// d[t] = sum over n of n (c[t + n] - c[t - n]) / (2 sum n^2), with indices held to 0...`last`.
  private func regress(
    _ matrix: UnsafeMutableBufferPointer<Float>, _ frames: Int, _ width: Int, from: Int, last: Int, to: Int,
    count: Int
  ) {
    let scale = 1 / Float(2 * (1...halfWidth).reduce(0) { $0 + $1 * $1 })
    for t in 0..<frames {
      for n in 1...halfWidth {
        let ahead = min(last, t + n) * width + from
        let behind = min(last, max(0, t - n)) * width + from
        let weight = Float(n) * scale
        for i in 0..<count { matrix[t * width + to + i] += weight * (matrix[ahead + i] - matrix[behind + i]) }
      }
    }
  }

  /// The derivative of a least-squares polynomial of degree `degree` through the `2 * halfWidth + 1` frames around t.
  private func smooth(
    _ matrix: UnsafeMutableBufferPointer<Float>, _ frames: Int, _ width: Int, degree: Int, to: Int, count: Int
  ) {
    let half = min(halfWidth, (frames - 1) / 2)  // shorter files get the longest window they hold
    guard half > 0, 2 * half >= degree else { return }
    let weights = derivativeWeights(degree, half: half)
    for t in 0..<frames {
      let center = min(max(t, half), frames - 1 - half)
      for (index, weight) in weights.enumerated() {
        let source = (center - half + index) * width
        for i in 0..<count { matrix[t * width + to + i] += weight * matrix[source + i] }
      }
    }
  }

  /// Weights of frames -half...half that give the derivative of order `degree` (1 or 2) of the polynomial of that
  /// degree fitted to them: a constant, so that the outermost windows serve the frames at the ends too.
  private func derivativeWeights(_ degree: Int, half: Int) -> [Float] {
    let points = (-half...half).map(Double.init)
    if degree == 1 {
      let square = points.reduce(0) { $0 + $1 * $1 }
      return points.map { Float($0 / square) }
    }
    // The quadratic orthogonal to constants and lines: x^2 less its mean; the second derivative is twice its factor.
    let mean = points.reduce(0) { $0 + $1 * $1 } / Double(points.count)
    let square = points.reduce(0) { $0 + ($1 * $1 - mean) * ($1 * $1 - mean) }
    return points.map { Float(2 * ($0 * $0 - mean) / square) }
  }
}
