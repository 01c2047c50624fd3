import AuricleBase

/// Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450) of each frame by itself, as in Keras and PyTorch:
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance taken over the frame's coefficients.
///
/// Shapes: `rows x coefficients`, padded; padding does not count.
struct LayerNormalization<Scalar: NetworkScalar>: Sendable {
  private let columns: Axis
  private let epsilon: Double
  private let gamma = Buffer<Scalar>(), beta: Buffer<Scalar>
  private let offsets: (gamma: Int, beta: Int)

  init(_ epsilon: Double, _ columns: Axis, layout: ParameterLayout, parameters: UnsafePointer<Scalar>) {
    func offset(_ name: String) -> Int { layout["input_normalization.\(name)"]?.offset ?? 0 }
    self.columns = columns
    self.epsilon = epsilon
    offsets = (offset("gamma"), offset("beta"))
    gamma.reserve(columns.paddedCount)
    beta = Buffer(columns.paddedCount)
    Padding.expandRow(parameters + offsets.gamma, columns, into: gamma.base)
    Padding.expandRow(parameters + offsets.beta, columns, into: beta.base)
  }

  func forward(rows: Int, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>) {
    let (width, gamma, beta) = (columns.paddedCount, gamma.base, beta.base)
    for row in 0..<rows {
      let (x, y) = (x + row * width, y + row * width)
      let (mean, inverse) = moments(x)
      for i in 0..<columns.count { y[i] = (x[i] - mean) * inverse * gamma[i] + beta[i] }
      (y + columns.count).update(repeating: 0, count: width - columns.count)
    }
  }

  /// Adds the gradients of gamma and beta and, where `dx` is given, sets that of `x`.
  func backward(
    rows: Int, _ x: UnsafePointer<Scalar>, dy: UnsafePointer<Scalar>, dx: UnsafeMutablePointer<Scalar>?,
    gradient: UnsafeMutablePointer<Scalar>
  ) {
    let (count, width, gamma) = (columns.count, columns.paddedCount, gamma.base)
    var dgamma = [Double](repeating: 0, count: count)
    var dbeta = dgamma
    for row in 0..<rows {
      let (x, dy) = (x + row * width, dy + row * width)
      let (mean, inverse) = moments(x)
      var (sum, product) = (0.0, 0.0)
      for i in 0..<count {
        let normalized = (x[i] - mean) * inverse
        dgamma[i] += Double(dy[i] * normalized)
        dbeta[i] += Double(dy[i])
        sum += Double(dy[i] * gamma[i])
        product += Double(dy[i] * gamma[i] * normalized)
      }
      guard let dx = dx.map({ $0 + row * width }) else { continue }
      let (meanSum, meanProduct) = (Scalar(sum / Double(count)), Scalar(product / Double(count)))
      for i in 0..<count {
        dx[i] = inverse * (dy[i] * gamma[i] - meanSum - (x[i] - mean) * inverse * meanProduct)
      }
    }
    for i in 0..<count {
      gradient[offsets.gamma + i] += Scalar(dgamma[i])
      gradient[offsets.beta + i] += Scalar(dbeta[i])
    }
  }

  /// Mean, and one over the standard deviation, of one frame.
  private func moments(_ x: UnsafePointer<Scalar>) -> (mean: Scalar, inverse: Scalar) {
    var (sum, squares) = (0.0, 0.0)
    for i in 0..<columns.count { sum += Double(x[i]) }
    let mean = sum / Double(columns.count)
    for i in 0..<columns.count { squares += (Double(x[i]) - mean) * (Double(x[i]) - mean) }
    return (Scalar(mean), Scalar(1 / squareRoot(squares / Double(columns.count) + epsilon)))
  }
}
