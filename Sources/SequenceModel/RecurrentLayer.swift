import CKernels

/// One direction of one recurrent layer: the loop over time around a cell (its step is in `RecurrentCell.swift`).
///
/// Shapes use padded sizes: inputs are `rows x inputs`, outputs `rows x outputs` in the order of a `BatchShape`.
struct RecurrentLayer<Scalar: NetworkScalar>: Sendable {
  let cell: ModelConfiguration.Cell
  let input: Axis
  let hidden: Axis
  let reversed: Bool
  /// Where this direction's units begin in a row of the layer's outputs.
  let outputOffset: Int

  private let kernel: Buffer<Scalar>
  private let kernelTransposed: Buffer<Scalar>?
  private let bias: Buffer<Scalar>
  private let recurrent: RecurrentWeights<Scalar>
  private let tensors: (kernel: Int, recurrent: Int, bias: Int)

  private var gates: Axis { Axis(hidden.size, segments: cell.gateCount) }

  /// Packs the weights that `parameters` holds under the names `prefix.kernel` and so on; those of the backward pass
  /// only `forTraining`.
  init(
    _ configuration: ModelConfiguration, layer: Int, reversed: Bool, layout: ParameterLayout,
    parameters: UnsafePointer<Scalar>, forTraining: Bool
  ) {
    cell = configuration.cell
    input = configuration.inputAxis(layer: layer)
    hidden = configuration.hiddenAxis
    self.reversed = reversed
    outputOffset = reversed ? configuration.hiddenAxis.paddedSize : 0
    let prefix = "recurrent.\(layer).\(reversed ? "backward" : "forward")"
    func offset(_ name: String) -> Int { layout["\(prefix).\(name)"]?.offset ?? 0 }
    tensors = (offset("kernel"), offset("recurrent_kernel"), offset("bias"))

    let (input, hidden, gates) = (input, hidden, configuration.gatesAxis)
    let split = cell.stateGates
    let packer = Packer<Scalar>()
    kernel = packer.pack(parameters + tensors.kernel, leading: gates.count, rows: input, columns: gates)
    kernelTransposed =
      forTraining
      ? packer.packTransposed(parameters + tensors.kernel, leading: gates.count, rows: input, columns: gates) : nil
    let state = (parameters + tensors.recurrent, gates.segments(0..<split))
    let candidate = (parameters + tensors.recurrent + split * hidden.size, gates.segments(split..<gates.segments))
    func packed(_ part: (UnsafePointer<Scalar>, Axis), transposed: Bool) -> Buffer<Scalar> {
      transposed
        ? packer.packTransposed(part.0, leading: gates.count, rows: hidden, columns: part.1)
        : packer.pack(part.0, leading: gates.count, rows: hidden, columns: part.1)
    }

    // The biases of the gates add up, but that of the candidate is multiplied by the reset gate.
    bias = Buffer(gates.paddedCount)
    let candidateBias = Buffer<Scalar>(hidden.paddedCount)
    Padding.expandRow(parameters + tensors.bias, gates, into: bias.base)
    if cell.biasRows == 2 {
      let recurrentBias = parameters + tensors.bias + gates.count
      for segment in 0..<split {
        for i in 0..<hidden.size {
          bias.base[segment * hidden.paddedSize + i] += recurrentBias[segment * hidden.size + i]
        }
      }
      for i in 0..<hidden.size { candidateBias.base[i] = recurrentBias[split * hidden.size + i] }
    }
    recurrent = RecurrentWeights(
      state: packed(state, transposed: false), candidate: packed(candidate, transposed: false),
      stateTransposed: forTraining ? packed(state, transposed: true) : nil,
      candidateTransposed: forTraining ? packed(candidate, transposed: true) : nil, candidateBias: candidateBias)
  }

  /// What a forward pass leaves for the backward one, and the buffers of both; reused from batch to batch.
  final class Tape {
    fileprivate let gates = Buffer<Scalar>(), extra = Buffer<Scalar>(), previous = Buffer<Scalar>()
    fileprivate let state = Buffer<Scalar>(), cell = Buffer<Scalar>(), scratch = Buffer<Scalar>()
    fileprivate let gradient = Buffer<Scalar>(), masked = Buffer<Scalar>()
    init() {}
  }

  /// Rows of gates that are computed at once, so that they are still in the cache when their step comes.
  private var blockRows: Int { max(16, 32_768 / gates.paddedCount) }

  /// Outputs of all frames from zero initial states. With `training`, `tape` keeps what `backward` needs; without, the
  /// memory used does not grow with the number of frames.
  ///
  /// States begin at `initial` (zero without one) and are, afterwards, `finalState` of the tape. `mask` is recurrent
  /// dropout, `sequences x hidden`.
  func forward(
    _ shape: BatchShape, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, ldy: Int, tape: Tape,
    training: Bool, initial: RecurrentState<Scalar>.Layer? = nil, mask: UnsafePointer<Scalar>? = nil
  ) {
    let kernels = Scalar.kernels.pointee
    let (units, width, inputs) = (hidden.paddedSize, gates.paddedCount, input.paddedCount)
    let blocks = stepBlocks(shape)
    let rowsKept =
      training ? shape.rows : blocks.map { shape.offsets[$0.upperBound] - shape.offsets[$0.lowerBound] }.max() ?? 0
    tape.gates.reserve(rowsKept * width)
    tape.extra.reserve(rowsKept * units)
    if training { tape.previous.reserve(rowsKept * units) }
    tape.start(shape, hidden, from: initial)
    let dropout = tape.dropout(mask)

    for block in reversed ? blocks.reversed() : blocks {
      let first = shape.offsets[block.lowerBound]
      let rows = shape.offsets[block.upperBound] - first
      let origin = training ? 0 : first
      kernels.gemm(
        rows, width, inputs, x + first * inputs, inputs, kernel.base, bias.base, false,
        tape.gates.base + (first - origin) * width, width)
      for index in 0..<block.count {
        let step = reversed ? block.upperBound - 1 - index : block.lowerBound + index
        let row = shape.offsets[step]
        cell.forward(
          CellStep(
            rows: shape.running(step), hidden: units, gates: tape.gates.base + (row - origin) * width,
            extra: tape.extra.base + (row - origin) * units, state: tape.state.base, cell: tape.cell.base,
            previous: training ? tape.previous.base + row * units : nil, y: y + row * ldy + outputOffset, ldy: ldy,
            scratch: tape.scratch.base, dropout: dropout),
          recurrent, tape: training)
      }
    }
  }

  /// Adds the gradients of this layer's parameters to `gradient` and, where `dx` is given, that of its inputs to `dx`.
  /// Consumes the tape of the last `forward` with `training`, which had the same `mask`.
  ///
  /// `final` is the gradient of the final state, if the loss depends on it; afterwards the tape's `finalState` is that
  /// of the initial one.
  func backward(
    _ shape: BatchShape, x: UnsafePointer<Scalar>, dy: UnsafeMutablePointer<Scalar>, ldy: Int,
    dx: UnsafeMutablePointer<Scalar>?, tape: Tape, gradient: UnsafeMutablePointer<Scalar>,
    final: RecurrentState<Scalar>.Layer? = nil, mask: UnsafePointer<Scalar>? = nil
  ) {
    let kernels = Scalar.kernels.pointee
    let (units, width, inputs) = (hidden.paddedSize, gates.paddedCount, input.paddedCount)
    tape.start(shape, hidden, from: final)
    let dropout = tape.dropout(mask)
    for index in 0..<shape.steps {
      let step = reversed ? index : shape.steps - 1 - index
      let row = shape.offsets[step]
      cell.backward(
        CellStep(
          rows: shape.running(step), hidden: units, gates: tape.gates.base + row * width,
          extra: tape.extra.base + row * units, state: tape.state.base, cell: tape.cell.base,
          previous: tape.previous.base + row * units, y: dy + row * ldy + outputOffset, ldy: ldy,
          scratch: tape.scratch.base, dropout: dropout),
        recurrent)
    }

    let rows = shape.rows
    if let dx, let kernelTransposed {
      kernels.gemm(rows, inputs, width, tape.gates.base, width, kernelTransposed.base, nil, true, dx, inputs)
    }
    // dW = X^T dgates
    let dW = tape.gradient(inputs * width)
    kernels.gemm_transposed(inputs, width, rows, x, inputs, tape.gates.base, width, dW, width)
    Padding.addCollapsed(dW, rows: input, columns: gates, leading: gates.count, to: gradient + tensors.kernel)

    // dU = H'^T dgates; for the candidate of a GRU with what the cell kept: the gradient of the product (reset after)
    // or the state behind the gate (reset before).
    let split = cell.stateGates
    let dU = tape.gradient(units * width)
    kernels.gemm_transposed(
      units, split * units, rows, tape.previous.base, units, tape.gates.base, width, dU, width)
    let dCandidate = dU + split * units
    if cell == .gru {
      kernels.gemm_transposed(units, units, rows, tape.previous.base, units, tape.extra.base, units, dCandidate, width)
    } else if cell == .gruResetBefore {
      kernels.gemm_transposed(
        units, units, rows, tape.extra.base, units, tape.gates.base + split * units, width, dCandidate, width)
    }
    Padding.addCollapsed(dU, rows: hidden, columns: gates, leading: gates.count, to: gradient + tensors.recurrent)

    let db = tape.gradient(2 * width)
    kernels.add_column_sums(rows, width, tape.gates.base, width, db)
    Padding.addCollapsedRow(db, gates, to: gradient + tensors.bias)
    if cell.biasRows == 2 {
      (db + width).update(from: db, count: split * units)
      (db + width + split * units).update(repeating: 0, count: units)
      kernels.add_column_sums(rows, units, tape.extra.base, units, db + width + split * units)
      Padding.addCollapsedRow(db + width, gates, to: gradient + tensors.bias + gates.count)
    }
  }

  /// Consecutive steps whose rows add up to about `blockRows`.
  private func stepBlocks(_ shape: BatchShape) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var first = 0
    for step in 0..<shape.steps
    where shape.offsets[step + 1] - shape.offsets[first] >= blockRows || step + 1 == shape.steps {
      blocks.append(first..<step + 1)
      first = step + 1
    }
    return blocks
  }
}

extension RecurrentLayer.Tape {
  /// States (or their gradients) for a pass: those given, else zero.
  fileprivate func start(_ shape: BatchShape, _ hidden: Axis, from initial: RecurrentState<Scalar>.Layer?) {
    let count = shape.sequences * hidden.paddedCount
    for buffer in [state, cell, scratch, masked] {
      buffer.reserve(count)
      buffer.clear(count)
    }
    if let initial {
      shape.gather(initial.hidden, hidden, into: state.base)
      shape.gather(initial.cell, hidden, into: cell.base)
    }
  }

  /// The state after each sequence's last step (of its first frame, going backward in time); after a backward pass, the
  /// gradient of the initial state. `cell` is empty but for an LSTM.
  func finalState(_ shape: BatchShape, _ hidden: Axis, _ kind: ModelConfiguration.Cell) -> RecurrentState<Scalar>.Layer
  {
    RecurrentState.Layer(
      hidden: shape.scatter(state.base, hidden), cell: kind == .lstm ? shape.scatter(cell.base, hidden) : [])
  }

  fileprivate func dropout(_ mask: UnsafePointer<Scalar>?) -> StepDropout<Scalar>? {
    mask.map { StepDropout(mask: $0, scratch: masked.base) }
  }

  /// A zeroed matrix of `count` elements for one gradient.
  fileprivate func gradient(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    gradient.reserve(count)
    gradient.clear(count)
    return gradient.base
  }
}
