import AuricleBase
import CKernels
import RealModule

/// Batch normalisation with its numbers, and the ReLU after it where there is one.
struct BatchNormalizationPass<Scalar: NetworkScalar>: LayerPass {
  private let columns: Axis
  private let repeats: Int
  private let epsilon: Double
  private let endsWithReLU: Bool
  /// Padded: padding has a mean of 0 and a gamma and beta of 0.
  private let gamma: [Double], beta: [Double]
  private let moving: Moments
  private let offsets: [Int]

  fileprivate struct Moments {
    var mean: [Double]
    /// Divided by the number of values, not by one less, as in Keras.
    var variance: [Double]
  }

  init(_ epsilon: Double, _ place: LayerPlace<Scalar>) {
    let (columns, repeats) = place.input.columns
    (self.columns, self.repeats, self.epsilon, endsWithReLU) = (columns, repeats, epsilon, place.endsWithReLU)
    offsets = (0..<4).map { place.offset($0) }
    func padded(_ index: Int) -> [Double] {
      var padded = [Double](repeating: 0, count: columns.paddedCount)
      for i in 0..<columns.count { padded[columns.padded(i)] = Double(place.values(index)[i]) }
      return padded
    }
    (gamma, beta, moving) = (padded(0), padded(1), Moments(mean: padded(2), variance: padded(3)))
  }

  final class Tape {
    fileprivate var x: Frames<Scalar>?
    fileprivate let y = Buffer<Scalar>()
    /// Mean, 1 / sqrt(variance + epsilon), scale and shift of the last pass, and two means for the way back.
    fileprivate let rows = Buffer<Scalar>()
    fileprivate var moments: Moments?
  }

  func makeTape() -> Tape { Tape() }

  private var width: Int { columns.paddedCount }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    tape.moments = options.training ? moments(x) : nil
    let moments = tape.moments ?? moving
    tape.rows.reserve(6 * width)
    let rows = tape.rows.base
    for i in 0..<width {
      let inverse = 1 / Double.sqrt(moments.variance[i] + epsilon)
      rows[i] = Scalar(moments.mean[i])
      rows[width + i] = Scalar(inverse)
      rows[2 * width + i] = Scalar(gamma[i] * inverse)
      rows[3 * width + i] = Scalar(beta[i] - moments.mean[i] * gamma[i] * inverse)
    }
    let y = Frames(x.shape, x.axis, tape.y)
    Scalar.kernels.pointee.scale_and_shift(
      x.rows, repeats, width, x.base, x.width, rows + 2 * width, rows + 3 * width, endsWithReLU, y.base, y.width)
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard let x = tape.x else { return nil }
    let (kernels, width, rows) = (Scalar.kernels.pointee, width, tape.rows.base)
    var normalization = auricle_batch_normalization(
      rows: x.rows, segments: repeats, columns: width, x: x.base, ldx: x.width, dy: dy.base, lddy: dy.width,
      mean: rows, inverse: rows + width, scale: rows + 2 * width, shift: endsWithReLU ? rows + 3 * width : nil,
      mean_dy: rows + 4 * width, mean_product: rows + 5 * width, dx: dy.base, lddx: dy.width)
    var (dbeta, dgamma) = ([Double](repeating: 0, count: width), [Double](repeating: 0, count: width))
    kernels.batch_normalization_sums(&normalization, &dbeta, &dgamma)
    columns.addCollapsed(dgamma[...], to: gradient + offsets[0])
    columns.addCollapsed(dbeta[...], to: gradient + offsets[1])
    // The statistics travel with the gradient, each shard's with its share of the batch.
    if let moments = tape.moments {
      columns.addCollapsed(moments.mean[...], times: options.share, to: gradient + offsets[2])
      columns.addCollapsed(moments.variance[...], times: options.share, to: gradient + offsets[3])
    }
    guard wanted else { return nil }
    // Mean and variance depend on x, too: what is left has no mean and no correlation with the normalised x.
    let count = Double(max(1, x.rows * repeats))
    for i in 0..<width {
      rows[4 * width + i] = tape.moments == nil ? 0 : Scalar(dbeta[i] / count)
      rows[5 * width + i] = tape.moments == nil ? 0 : Scalar(dgamma[i] / count)
    }
    kernels.batch_normalization_backward(&normalization)
    return dy
  }

  /// In two passes, in order and in double precision.
  private func moments(_ x: Frames<Scalar>) -> Moments {
    let (kernels, scale) = (Scalar.kernels.pointee, 1 / Double(max(1, x.rows * repeats)))
    let zeros = [Double](repeating: 0, count: width)
    var (mean, deviations, squares) = (zeros, zeros, zeros)
    kernels.column_moments(x.rows, repeats, width, x.base, x.width, zeros, &mean, nil)
    for i in 0..<width { mean[i] *= scale }
    kernels.column_moments(x.rows, repeats, width, x.base, x.width, mean, &deviations, &squares)
    return Moments(mean: mean, variance: squares.map { $0 * scale })
  }
}
