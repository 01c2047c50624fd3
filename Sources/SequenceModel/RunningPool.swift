import AuricleBase
import CKernels

/// Pooling over the frames so far of one sequence: `PooledFrames` for a stream, in memory that does not grow.
///
/// Last, mean and max give the bits of `PooledFrames`. Attention is a running softmax (Milakov and Gimelshein,
/// arXiv 1805.02867) in double precision, within 1e-6 of it.
struct RunningPool {
  private let kind: ModelConfiguration.Pooling
  private let columns: Int
  private var frames = 0
  /// The last, the greatest or the sum of the frames.
  private var values: [Float]
  /// For attention: the greatest score, and sums relative to it, of weights and of weighted frames.
  private var greatest = -Double.infinity
  private var weight = 0.0
  private var sums: [Double]

  init(_ configuration: ModelConfiguration) {
    kind = configuration.pooling
    columns = configuration.outputAxis.paddedCount
    values = [Float](repeating: 0, count: columns)
    sums = [Double](repeating: 0, count: kind == .attention ? columns : 0)
  }

  /// Takes `count` frames, `count x columns`.
  mutating func append(_ y: UnsafePointer<Float>, count: Int, query: UnsafePointer<Float>?) {
    let kernels = Float.kernels.pointee
    for frame in 0..<count {
      let y = y + frame * columns
      switch kind {
      case .last:
        for i in 0..<columns { values[i] = y[i] }
      case .mean:
        for i in 0..<columns { values[i] += y[i] }
      case .max:
        for i in 0..<columns where frames == 0 || y[i] > values[i] { values[i] = y[i] }
      case .attention:
        guard let query else { return }
        var score: Float = 0
        kernels.dot_rows(1, columns, y, columns, query, 0, &score, 1)
        if Double(score) > greatest {
          let scale = exponential(greatest - Double(score))
          weight *= scale
          for i in 0..<columns { sums[i] *= scale }
          greatest = Double(score)
        }
        let share = exponential(Double(score) - greatest)
        weight += share
        for i in 0..<columns { sums[i] += share * Double(y[i]) }
      }
      frames += 1
    }
  }

  /// The pooled vector, `columns`; zeros before the first frame.
  var result: [Float] {
    switch kind {
    case .last, .max: values
    case .mean: values.map { $0 * (1 / Float(max(1, frames))) }
    case .attention: sums.map { Float(frames == 0 ? 0 : $0 / weight) }
    }
  }
}
