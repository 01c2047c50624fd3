import AuricleBase
import CKernels
import RealModule

/// Attention pooling: for each head the mean of all frames, weighted by softmax over frames of their dot products with
/// the head's query.
struct AttentionPass<Scalar: NetworkScalar>: LayerPass {
  let input: Axis
  let output: Axis
  /// A padded row for each head.
  let queries: [Buffer<Scalar>]
  private let offset: Int

  init(heads: Int, _ place: LayerPlace<Scalar>) {
    (input, output, offset) = (place.input.axis, place.output.axis, place.offset(0))
    queries = (0..<heads).map { head in
      let query = Buffer<Scalar>(place.input.axis.paddedCount)
      Padding.expandRow(place.values(0) + head * place.input.axis.count, place.input.axis, into: query.base)
      return query
    }
  }

  final class Tape {
    fileprivate var x: Frames<Scalar>?
    fileprivate let y = Buffer<Scalar>(), dx = Buffer<Scalar>(), dquery = Buffer<Scalar>()
    /// Of all rows, head after head; and their gradients, of one head.
    fileprivate let weights = Buffer<Scalar>(), gradients = Buffer<Scalar>()
  }

  func makeTape() -> Tape { Tape() }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    let (kernels, shape, y) = (Scalar.kernels.pointee, x.shape, Frames(x.shape.pooled, output, tape.y))
    y.buffer.clear(y.rows * y.width)
    tape.weights.reserve(queries.count * x.rows)
    for (head, query) in queries.enumerated() {
      let (weights, y0) = (tape.weights.base + head * x.rows, y.base + head * x.width)
      kernels.dot_rows(x.rows, x.width, x.base, x.width, query.base, 0, weights, 1)
      for sequence in 0..<shape.sequences { Self.softmax(shape, sequence, weights) }
      for step in 0..<shape.steps {
        let row = shape.offsets[step]
        kernels.add_scaled_rows(
          shape.running(step), x.width, weights + row, 1, x.base + row * x.width, x.width, y0, y.width)
      }
    }
    return y
  }

  /// With weights a = softmax(s): ds = a (da - sum a da), where da is the dot product of x and dy.
  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard let x = tape.x else { return nil }
    let (kernels, shape, dx) = (Scalar.kernels.pointee, x.shape, Frames(x.shape, x.axis, tape.dx))
    dx.buffer.clear(dx.rows * dx.width)
    tape.gradients.reserve(x.rows)
    tape.dquery.reserve(x.width)
    let gradients = tape.gradients.base
    for (head, query) in queries.enumerated() {
      let (weights, dy0) = (tape.weights.base + head * x.rows, dy.base + head * x.width)
      for step in 0..<shape.steps {
        let (row, count) = (shape.offsets[step], shape.running(step))
        kernels.dot_rows(count, x.width, x.base + row * x.width, x.width, dy0, dy.width, gradients + row, 1)
        kernels.add_scaled_rows(
          count, x.width, weights + row, 1, dy0, dy.width, dx.base + row * x.width, x.width)
      }
      for sequence in 0..<shape.sequences {
        var mean: Scalar = 0
        for step in 0..<shape.lengths[sequence] {
          let row = shape.offsets[step] + sequence
          mean += weights[row] * gradients[row]
        }
        for step in 0..<shape.lengths[sequence] {
          let row = shape.offsets[step] + sequence
          gradients[row] = weights[row] * (gradients[row] - mean)
        }
      }
      kernels.add_scaled_rows(x.rows, x.width, gradients, 1, query.base, 0, dx.base, x.width)
      tape.dquery.clear(x.width)
      kernels.add_scaled_rows(x.rows, x.width, gradients, 1, x.base, x.width, tape.dquery.base, 0)
      Padding.addCollapsedRow(tape.dquery.base, input, to: gradient + offset + head * input.count)
    }
    return wanted ? dx : nil
  }

  /// Scores of one sequence become weights.
  private static func softmax(_ shape: BatchShape, _ sequence: Int, _ weights: UnsafeMutablePointer<Scalar>) {
    let length = shape.lengths[sequence]
    var largest = -Scalar.infinity
    for step in 0..<length { largest = max(largest, weights[shape.offsets[step] + sequence]) }
    var sum: Double = 0
    for step in 0..<length {
      let row = shape.offsets[step] + sequence
      let value = Double.exp(Double(weights[row] - largest))
      weights[row] = Scalar(value)
      sum += value
    }
    let scale = Scalar(1 / sum)
    for step in 0..<length { weights[shape.offsets[step] + sequence] *= scale }
  }

  func stream() -> any LayerStream<Scalar> { PoolingStream(RunningAttention(queries), output) }
}

/// A running softmax (Milakov and Gimelshein, arXiv 1805.02867) in double precision, within 1e-6 of `AttentionPass`.
private struct RunningAttention<Scalar: NetworkScalar>: RunningPool {
  private let queries: [Buffer<Scalar>]
  private var heads: [Head]

  private struct Head {
    /// The greatest score, and sums relative to it, of weights and of weighted frames.
    var greatest = -Double.infinity
    var weight = 0.0
    var sums: [Double] = []
  }

  init(_ queries: [Buffer<Scalar>]) {
    self.queries = queries
    heads = queries.map { _ in Head() }
  }

  mutating func append(_ x: UnsafePointer<Scalar>, columns: Int) {
    for (index, query) in queries.enumerated() {
      if heads[index].sums.isEmpty { heads[index].sums = [Double](repeating: 0, count: columns) }
      var score: Scalar = 0
      Scalar.kernels.pointee.dot_rows(1, columns, x, columns, query.base, 0, &score, 1)
      if Double(score) > heads[index].greatest {
        let scale = Double.exp(heads[index].greatest - Double(score))
        heads[index].weight *= scale
        for i in 0..<columns { heads[index].sums[i] *= scale }
        heads[index].greatest = Double(score)
      }
      let share = Double.exp(Double(score) - heads[index].greatest)
      heads[index].weight += share
      for i in 0..<columns { heads[index].sums[i] += share * Double(x[i]) }
    }
  }

  func write(to y: UnsafeMutablePointer<Scalar>, columns: Int) {
    for (index, head) in heads.enumerated() {
      for i in 0..<columns { y[index * columns + i] = head.sums.isEmpty ? 0 : Scalar(head.sums[i] / head.weight) }
    }
  }
}
