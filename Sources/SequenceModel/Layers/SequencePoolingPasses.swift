import CKernels

/// The final state.
struct LastPoolingPass<Scalar: NetworkScalar>: LayerPass {
  let axis: Axis
  /// Then the second half of the outputs goes backward; else all go forward, also where there are two bins.
  let isBidirectional: Bool

  func forward(_ x: Frames<Scalar>, _ tape: PlainTape<Scalar>, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    let y = Frames(x.shape.pooled, axis, tape.y)
    y.buffer.clear(y.rows * y.width)
    forEachFinalRow(x.shape) { sequence, row, segment in
      let offset = segment * axis.paddedSize
      (y.base + sequence * y.width + offset).update(from: x.base + row * x.width + offset, count: axis.paddedSize)
    }
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: PlainTape<Scalar>, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard wanted, let x = tape.x else { return nil }
    let dx = Frames(x.shape, axis, tape.dx)
    dx.buffer.clear(dx.rows * dx.width)
    forEachFinalRow(x.shape) { sequence, row, segment in
      let offset = segment * axis.paddedSize
      (dx.base + row * dx.width + offset).update(from: dy.base + sequence * dy.width + offset, count: axis.paddedSize)
    }
    return dx
  }

  /// The rows a direction ends in: the last frame going forward, the first going backward.
  private func forEachFinalRow(_ shape: BatchShape, _ body: (_ sequence: Int, _ row: Int, _ segment: Int) -> Void) {
    for sequence in 0..<shape.sequences where shape.lengths[sequence] > 0 {
      let last = shape.offsets[shape.lengths[sequence] - 1] + sequence
      for segment in 0..<axis.segments { body(sequence, isBidirectional && segment == 1 ? sequence : last, segment) }
    }
  }

  func stream() -> any LayerStream<Scalar> { PoolingStream(RunningLast(), axis) }
}

/// The mean of all frames. Summed first and scaled last, so that a stream, which does not know its length, gives the same
/// bits.
struct MeanPoolingPass<Scalar: NetworkScalar>: LayerPass {
  func forward(_ x: Frames<Scalar>, _ tape: PlainTape<Scalar>, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    let (y, shape) = (Frames(x.shape.pooled, x.axis, tape.y), x.shape)
    y.buffer.clear(y.rows * y.width)
    var one: Scalar = 1
    for step in 0..<shape.steps {
      Scalar.kernels.pointee.add_scaled_rows(
        shape.running(step), x.width, &one, 0, x.base + shape.offsets[step] * x.width, x.width, y.base, y.width)
    }
    for (sequence, scale) in inverseLengths(shape).enumerated() {
      for i in sequence * y.width..<(sequence + 1) * y.width { y.base[i] *= scale }
    }
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: PlainTape<Scalar>, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard wanted, let x = tape.x else { return nil }
    let (dx, shape, scales) = (Frames(x.shape, x.axis, tape.dx), x.shape, inverseLengths(x.shape))
    dx.buffer.clear(dx.rows * dx.width)
    for step in 0..<shape.steps {
      Scalar.kernels.pointee.add_scaled_rows(
        shape.running(step), dx.width, scales, 1, dy.base, dy.width, dx.base + shape.offsets[step] * dx.width, dx.width)
    }
    return dx
  }

  private func inverseLengths(_ shape: BatchShape) -> [Scalar] {
    shape.lengths.map { 1 / Scalar(max(1, $0)) }
  }

  func stream() -> any LayerStream<Scalar> { PoolingStream(RunningMean(), nil) }
}

/// The greatest of each column.
struct MaxPoolingPass<Scalar: NetworkScalar>: LayerPass {
  final class Tape {
    fileprivate let plain = PlainTape<Scalar>()
    /// Where each maximum was found, as a step.
    fileprivate var positions: [Int32] = []
  }

  func makeTape() -> Tape { Tape() }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.plain.x = x
    let (y, shape) = (Frames(x.shape.pooled, x.axis, tape.plain.y), x.shape)
    y.buffer.clear(y.rows * y.width)
    if shape.steps > 0 { y.base.update(from: x.base, count: shape.running(0) * x.width) }
    tape.positions = [Int32](repeating: 0, count: shape.sequences * x.width)
    for step in 1..<max(1, shape.steps) {
      Scalar.kernels.pointee.maximum_rows(
        shape.running(step), x.width, x.base + shape.offsets[step] * x.width, x.width, Int32(step), y.base,
        &tape.positions)
    }
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard wanted, let x = tape.plain.x else { return nil }
    let (dx, shape) = (Frames(x.shape, x.axis, tape.plain.dx), x.shape)
    dx.buffer.clear(dx.rows * dx.width)
    for sequence in 0..<(shape.steps > 0 ? shape.running(0) : 0) {
      for column in 0..<x.width {
        let row = shape.offsets[Int(tape.positions[sequence * x.width + column])] + sequence
        dx.base[row * x.width + column] = dy.base[sequence * x.width + column]
      }
    }
    return dx
  }

  func stream() -> any LayerStream<Scalar> { PoolingStream(RunningMaximum(), nil) }
}

/// What pooling has seen of one sequence so far, in memory that does not grow.
protocol RunningPool<Scalar> {
  associatedtype Scalar: NetworkScalar
  /// Takes one frame of `columns`.
  mutating func append(_ x: UnsafePointer<Scalar>, columns: Int)
  /// The pooled vector (`columns`, for attention times the heads), zeros before the first frame.
  func write(to y: UnsafeMutablePointer<Scalar>, columns: Int)
}

/// A pooling layer as a stream: nothing leaves it before the end.
struct PoolingStream<Scalar: NetworkScalar>: LayerStream {
  private var pool: any RunningPool<Scalar>
  /// Of what leaves it; nil for that of what enters.
  private let axis: Axis?
  private let output = Buffer<Scalar>()

  init(_ pool: any RunningPool<Scalar>, _ axis: Axis?) { (self.pool, self.axis) = (pool, axis) }

  mutating func append(_ x: Frames<Scalar>, isLast: Bool) -> Frames<Scalar> {
    for row in 0..<x.rows { pool.append(x.base + row * x.width, columns: x.width) }
    let y = Frames(BatchShape(lengths: [isLast ? 1 : 0]), axis ?? x.axis, output)
    if isLast { pool.write(to: y.base, columns: x.width) }
    return y
  }
}

private struct RunningLast<Scalar: NetworkScalar>: RunningPool {
  var values: [Scalar] = []

  mutating func append(_ x: UnsafePointer<Scalar>, columns: Int) {
    values = Array(UnsafeBufferPointer(start: x, count: columns))
  }

  func write(to y: UnsafeMutablePointer<Scalar>, columns: Int) {
    for i in 0..<columns { y[i] = values.isEmpty ? 0 : values[i] }
  }
}

private struct RunningMean<Scalar: NetworkScalar>: RunningPool {
  var sums: [Scalar] = []
  var frames = 0

  mutating func append(_ x: UnsafePointer<Scalar>, columns: Int) {
    if sums.isEmpty { sums = [Scalar](repeating: 0, count: columns) }
    for i in 0..<columns { sums[i] += x[i] }
    frames += 1
  }

  func write(to y: UnsafeMutablePointer<Scalar>, columns: Int) {
    let scale = 1 / Scalar(max(1, frames))
    for i in 0..<columns { y[i] = sums.isEmpty ? 0 : sums[i] * scale }
  }
}

private struct RunningMaximum<Scalar: NetworkScalar>: RunningPool {
  var values: [Scalar] = []

  mutating func append(_ x: UnsafePointer<Scalar>, columns: Int) {
    guard !values.isEmpty else {
      values = Array(UnsafeBufferPointer(start: x, count: columns))
      return
    }
    for i in 0..<columns where x[i] > values[i] { values[i] = x[i] }
  }

  func write(to y: UnsafeMutablePointer<Scalar>, columns: Int) {
    for i in 0..<columns { y[i] = values.isEmpty ? 0 : values[i] }
  }
}
