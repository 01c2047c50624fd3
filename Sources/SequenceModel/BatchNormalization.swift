import AudioFeatures
import AuricleBase

/// Batch normalisation (Ioffe and Szegedy, ICML 2015) of the coefficients of every frame, as in Keras:
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta.
///
/// Shapes: `rows x coefficients`, padded. Padding frames do not exist here, so only valid frames count.
struct BatchNormalization<Scalar: NetworkScalar>: Sendable {
  private let columns: Axis
  private let epsilon: Double
  private let gamma = Buffer<Scalar>(), beta: Buffer<Scalar>
  private let moving: BatchStatistics
  private let offsets: (gamma: Int, beta: Int)

  init(_ epsilon: Double, _ columns: Axis, layout: ParameterLayout, parameters: UnsafePointer<Scalar>) {
    func offset(_ name: String) -> Int { layout["input_normalization.\(name)"]?.offset ?? 0 }
    func values(_ name: String) -> [Double] { (0..<columns.count).map { Double(parameters[offset(name) + $0]) } }
    self.columns = columns
    self.epsilon = epsilon
    offsets = (offset("gamma"), offset("beta"))
    gamma.reserve(columns.paddedCount)
    beta = Buffer(columns.paddedCount)
    Padding.expandRow(parameters + offsets.gamma, columns, into: gamma.base)
    Padding.expandRow(parameters + offsets.beta, columns, into: beta.base)
    moving = BatchStatistics(mean: values("moving_mean"), variance: values("moving_variance"))
  }

  /// What `forward` used, for `backward`.
  final class Tape {
    fileprivate let mean = Buffer<Scalar>(), inverse = Buffer<Scalar>()
  }

  /// `statistics` are the batch's, nil for the moving ones.
  func forward(
    rows: Int, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, statistics: BatchStatistics?, tape: Tape
  ) {
    let statistics = statistics ?? moving
    let width = columns.paddedCount
    for buffer in [tape.mean, tape.inverse] {
      buffer.reserve(width)
      buffer.clear(width)
    }
    for i in 0..<columns.count {
      tape.mean.base[i] = Scalar(statistics.mean[i])
      tape.inverse.base[i] = Scalar(1 / squareRoot(statistics.variance[i] + epsilon))
    }
    let (mean, inverse, gamma, beta) = (tape.mean.base, tape.inverse.base, gamma.base, beta.base)
    for row in 0..<rows {
      let (x, y) = (x + row * width, y + row * width)
      for i in 0..<width { y[i] = (x[i] - mean[i]) * inverse[i] * gamma[i] + beta[i] }
    }
  }

  /// Adds the gradients of gamma and beta and, where `dx` is given, sets that of `x`, which holds if the statistics
  /// were those of these very rows.
  func backward(
    rows: Int, _ x: UnsafePointer<Scalar>, dy: UnsafePointer<Scalar>, dx: UnsafeMutablePointer<Scalar>?, tape: Tape,
    gradient: UnsafeMutablePointer<Scalar>
  ) {
    let width = columns.paddedCount
    let (mean, inverse) = (tape.mean.base, tape.inverse.base)
    var dgamma = [Double](repeating: 0, count: columns.count)
    var dbeta = dgamma
    for row in 0..<rows {
      let (x, dy) = (x + row * width, dy + row * width)
      for i in 0..<columns.count {
        dgamma[i] += Double(dy[i] * (x[i] - mean[i]) * inverse[i])
        dbeta[i] += Double(dy[i])
      }
    }
    for i in 0..<columns.count {
      gradient[offsets.gamma + i] += Scalar(dgamma[i])
      gradient[offsets.beta + i] += Scalar(dbeta[i])
    }
    guard let dx else { return }
    // Mean and variance depend on x, too: what is left has no mean and no correlation with the normalised x.
    let (meanBeta, meanGamma) = (dbeta.map { Scalar($0 / Double(rows)) }, dgamma.map { Scalar($0 / Double(rows)) })
    for row in 0..<rows {
      let offset = row * width
      for i in 0..<columns.count {
        let normalized = (x[offset + i] - mean[i]) * inverse[i]
        dx[offset + i] = gamma.base[i] * inverse[i] * (dy[offset + i] - meanBeta[i] - normalized * meanGamma[i])
      }
    }
  }
}

/// Mean and variance of each coefficient over all valid frames of one batch: what batch normalisation uses in training.
///
/// Given for a whole batch, they make the result independent of how the batch is cut for several workers.
public struct BatchStatistics: Sendable, Hashable {
  public let mean: [Double]
  /// Divided by the number of frames, not by one less (as in Keras).
  public let variance: [Double]

  init(mean: [Double], variance: [Double]) {
    self.mean = mean
    self.variance = variance
  }

  /// Those of `sequences`, behind the `normalizer`; nil for a network without batch normalisation.
  public init?(_ configuration: ModelConfiguration, of sequences: [FeatureMatrix], normalizer: FeatureNormalizer?) {
    guard configuration.inputNormalization?.kind == .batch else { return nil }
    let width = configuration.inputSize
    self.init(columns: width, rows: sequences.reduce(0) { $0 + $1.frames }) { visit in
      var row = [Float](repeating: 0, count: width)
      for sequence in sequences where sequence.coefficients == width {
        for frame in 0..<sequence.frames {
          row.withUnsafeMutableBufferPointer { row in
            guard let row = row.baseAddress else { return }
            sequence.copyFrame(frame, normalizer, to: row)
            visit(row)
          }
        }
      }
    }
  }

  /// Those of `rows x columns` padded rows.
  init<Scalar: NetworkScalar>(rows: Int, _ columns: Axis, _ x: UnsafePointer<Scalar>) {
    self.init(columns: columns.count, rows: rows) { visit in
      for row in 0..<rows { visit(x + row * columns.paddedCount) }
    }
  }

  /// In two passes over rows, in order and in double precision.
  private init<Scalar: NetworkScalar>(
    columns: Int, rows: Int, forEachRow: (_ visit: (UnsafePointer<Scalar>) -> Void) -> Void
  ) {
    var (mean, variance) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
    let scale = 1 / Double(max(1, rows))
    forEachRow { row in
      for i in 0..<columns { mean[i] += Double(row[i]) }
    }
    for i in 0..<columns { mean[i] *= scale }
    forEachRow { row in
      for i in 0..<columns { variance[i] += (Double(row[i]) - mean[i]) * (Double(row[i]) - mean[i]) }
    }
    self.init(mean: mean, variance: variance.map { $0 * scale })
  }

  /// Moves the moving averages among `parameters` towards these: average * momentum + this * (1 - momentum). Does
  /// nothing when one of these is not finite.
  public func updateMovingAverages(in parameters: inout [Float], _ layout: ParameterLayout, momentum: Double) {
    guard (mean + variance).allSatisfy(\.isFinite) else { return }
    for (name, values) in [("moving_mean", mean), ("moving_variance", variance)] {
      guard let tensor = layout["input_normalization.\(name)"], tensor.range.upperBound <= parameters.count else {
        continue
      }
      for (index, value) in zip(tensor.range, values) {
        parameters[index] = Float(Double(parameters[index]) * momentum + value * (1 - momentum))
      }
    }
  }
}
