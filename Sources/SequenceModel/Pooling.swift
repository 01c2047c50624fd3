import AuricleBase
import CKernels

/// Pooling over the valid frames of each sequence: `rows x columns` becomes `sequences x columns`.
///
/// Keeps what the backward pass needs. Sequences are in sorted order, sizes are padded. A sequence without frames gives
/// zeros.
struct PooledFrames<Scalar: NetworkScalar> {
  let kind: ModelConfiguration.Pooling
  let output: Axis
  /// `sequences x columns`.
  let values = Buffer<Scalar>()
  /// Attention weights of all rows.
  private let weights = Buffer<Scalar>()
  private let gradients = Buffer<Scalar>()
  /// Where each maximum was found, as a step.
  private var positions: [Int32] = []

  private var columns: Int { output.paddedCount }

  init(_ kind: ModelConfiguration.Pooling, _ output: Axis) {
    self.kind = kind
    self.output = output
  }

  mutating func forward(_ shape: BatchShape, _ y: UnsafePointer<Scalar>, query: UnsafePointer<Scalar>?) {
    let kernels = Scalar.kernels.pointee
    values.reserve(shape.sequences * columns)
    values.clear(shape.sequences * columns)
    switch kind {
    case .last:
      forEachFinalRow(shape) { sequence, row, segment in
        let offset = segment * output.paddedSize
        (values.base + sequence * columns + offset).update(from: y + row * columns + offset, count: output.paddedSize)
      }
    case .mean:
      // Summed first and scaled last, so that a stream, which does not know its length, gives the same bits.
      var one: Scalar = 1
      for step in 0..<shape.steps {
        kernels.add_scaled_rows(
          shape.running(step), columns, &one, 0, y + shape.offsets[step] * columns, columns, values.base, columns)
      }
      for (sequence, scale) in inverseLengths(shape).enumerated() {
        for i in sequence * columns..<(sequence + 1) * columns { values.base[i] *= scale }
      }
    case .max:
      if shape.steps > 0 { values.base.update(from: y, count: shape.running(0) * columns) }
      positions = [Int32](repeating: 0, count: shape.sequences * columns)
      for step in 1..<max(1, shape.steps) {
        kernels.maximum_rows(
          shape.running(step), columns, y + shape.offsets[step] * columns, columns, Int32(step), values.base, &positions
        )
      }
    case .attention:
      guard let query else { return }
      weights.reserve(shape.rows)
      kernels.dot_rows(shape.rows, columns, y, columns, query, 0, weights.base, 1)
      for sequence in 0..<shape.sequences { softmax(shape, sequence) }
      for step in 0..<shape.steps {
        let row = shape.offsets[step]
        kernels.add_scaled_rows(
          shape.running(step), columns, weights.base + row, 1, y + row * columns, columns, values.base, columns)
      }
    }
  }

  /// Sets `dy` (`rows x columns`) to the gradient that `dvalues` (`sequences x columns`) gives it, and adds that of the
  /// query to `dquery`.
  func backward(
    _ shape: BatchShape, _ dvalues: UnsafePointer<Scalar>, y: UnsafePointer<Scalar>, query: UnsafePointer<Scalar>?,
    dy: UnsafeMutablePointer<Scalar>, dquery: UnsafeMutablePointer<Scalar>?
  ) {
    let kernels = Scalar.kernels.pointee
    dy.update(repeating: 0, count: shape.rows * columns)
    switch kind {
    case .last:
      forEachFinalRow(shape) { sequence, row, segment in
        let offset = segment * output.paddedSize
        (dy + row * columns + offset).update(from: dvalues + sequence * columns + offset, count: output.paddedSize)
      }
    case .mean:
      let scales = inverseLengths(shape)
      for step in 0..<shape.steps {
        kernels.add_scaled_rows(
          shape.running(step), columns, scales, 1, dvalues, columns, dy + shape.offsets[step] * columns, columns)
      }
    case .max:
      for sequence in 0..<(shape.steps > 0 ? shape.running(0) : 0) {
        for column in 0..<columns {
          let row = shape.offsets[Int(positions[sequence * columns + column])] + sequence
          dy[row * columns + column] = dvalues[sequence * columns + column]
        }
      }
    case .attention:
      guard let query, let dquery else { return }
      // With weights a = softmax(s): ds = a (da - sum a da), where da is the dot product of y and dvalues.
      gradients.reserve(shape.rows)
      for step in 0..<shape.steps {
        let row = shape.offsets[step]
        kernels.dot_rows(
          shape.running(step), columns, y + row * columns, columns, dvalues, columns, gradients.base + row, 1)
        kernels.add_scaled_rows(
          shape.running(step), columns, weights.base + row, 1, dvalues, columns, dy + row * columns, columns)
      }
      for sequence in 0..<shape.sequences {
        var mean: Scalar = 0
        for step in 0..<shape.lengths[sequence] {
          let row = shape.offsets[step] + sequence
          mean += weights.base[row] * gradients.base[row]
        }
        for step in 0..<shape.lengths[sequence] {
          let row = shape.offsets[step] + sequence
          gradients.base[row] = weights.base[row] * (gradients.base[row] - mean)
        }
      }
      kernels.add_scaled_rows(shape.rows, columns, gradients.base, 1, query, 0, dy, columns)
      kernels.add_scaled_rows(shape.rows, columns, gradients.base, 1, y, columns, dquery, 0)
    }
  }

  /// The rows a direction ends in: the last frame going forward, the first going backward.
  private func forEachFinalRow(_ shape: BatchShape, _ body: (_ sequence: Int, _ row: Int, _ segment: Int) -> Void) {
    for sequence in 0..<shape.sequences where shape.lengths[sequence] > 0 {
      body(sequence, shape.offsets[shape.lengths[sequence] - 1] + sequence, 0)
      if output.segments == 2 { body(sequence, sequence, 1) }
    }
  }

  private func inverseLengths(_ shape: BatchShape) -> [Scalar] {
    shape.lengths.map { 1 / Scalar(max(1, $0)) }
  }

  /// Scores of one sequence become weights.
  private func softmax(_ shape: BatchShape, _ sequence: Int) {
    let length = shape.lengths[sequence]
    var largest = -Scalar.infinity
    for step in 0..<length { largest = max(largest, weights.base[shape.offsets[step] + sequence]) }
    var sum: Double = 0
    for step in 0..<length {
      let row = shape.offsets[step] + sequence
      let value = exponential(Double(weights.base[row] - largest))
      weights.base[row] = Scalar(value)
      sum += value
    }
    let scale = Scalar(1 / sum)
    for step in 0..<length { weights.base[shape.offsets[step] + sequence] *= scale }
  }
}
