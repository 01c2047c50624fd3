import CKernels

/// One direction of one recurrent layer: the loop over time around a cell (its step is in `RecurrentCell.swift`).
///
/// Shapes use padded sizes: inputs are `rows x inputs`, outputs `rows x outputs` in the order of a `BatchShape`.
struct RecurrentLayer<Scalar: NetworkScalar>: Sendable {
  let cell: Recurrent.Cell
  let input: Axis
  let hidden: Axis
  let reversed: Bool
  /// Where this direction's units begin in a row of the layer's outputs.
  let outputOffset: Int

  let weights: RecurrentWeights<Scalar>
  /// Where the parameters begin.
  let tensors: (kernel: Int, recurrent: Int, bias: Int)

  /// Packs the weights that stand in `parameters` from `tensors` on; those of the backward pass only `forTraining`.
  init(
    _ cell: Recurrent.Cell, input: Axis, hidden: Axis, reversed: Bool,
    tensors: (kernel: Int, recurrent: Int, bias: Int),
    parameters: UnsafePointer<Scalar>, forTraining: Bool
  ) {
    (self.cell, self.input, self.hidden, self.reversed, self.tensors) = (cell, input, hidden, reversed, tensors)
    outputOffset = reversed ? hidden.paddedSize : 0
    weights = RecurrentWeights(
      cell, input: input, hidden: hidden, kernel: parameters + tensors.kernel,
      recurrent: parameters + tensors.recurrent, bias: parameters + tensors.bias, forTraining: forTraining)
  }

  /// What a forward pass leaves for the backward one, and the buffers of both; reused from batch to batch.
  final class Tape {
    /// Activations, then gradients, of all rows.
    let gates = Buffer<Scalar>()
    /// States before each step, of all rows; what the reset gate leaves of them (reset before the product).
    let previous = Buffer<Scalar>(), previousCell = Buffer<Scalar>(), resetState = Buffer<Scalar>()
    /// The state (in a backward pass its gradient) between two steps, and the one a step is writing.
    let state = Buffer<Scalar>(), nextState = Buffer<Scalar>(), cell = Buffer<Scalar>()
    let scratch = Buffer<Scalar>(), gradient = Buffer<Scalar>()
    fileprivate let masked = Buffer<Scalar>()
    init() {}
  }

  /// Rows of gates that an inference holds at once, so that they are still in the cache when their step comes.
  private var blockRows: Int { max(16, 32_768 / (cell.slots * hidden.paddedSize)) }

  /// From so many sequences on, a step takes the product of its input itself; fewer read the weights too often, and do
  /// better with the products of several steps in one. The sums are the same, in the same order.
  private static var rowsForFusion: Int { 6 }

  /// Outputs of all frames from zero initial states. With `training`, `tape` keeps what `backward` needs; without, the
  /// memory used does not grow with the number of frames.
  ///
  /// States begin at `initial` (zero without one) and are, afterwards, `finalState` of the tape. `mask` is recurrent
  /// dropout, `sequences x hidden`.
  func forward(
    _ shape: BatchShape, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, ldy: Int, tape: Tape,
    training: Bool, initial: RecurrentState<Scalar>.Layer? = nil, mask: UnsafePointer<Scalar>? = nil
  ) {
    let kernels = Scalar.kernels
    let (units, inputs) = (hidden.paddedSize, input.paddedCount)
    let blocks = shape.stepBlocks(rows: blockRows)
    let rowsKept = training ? shape.rows : blocks.map { shape.rows(of: $0).count }.max() ?? 0
    let gates = GateRows(cell, hidden, rows: rowsKept, lanes: kernels.pointee.lanes)
    tape.gates.reserve(gates.count)
    if cell == .gruResetBefore { tape.resetState.reserve(rowsKept * units) }
    if training {
      tape.previous.reserve(rowsKept * units)
      if cell == .lstm { tape.previousCell.reserve(rowsKept * units) }
    }
    tape.start(shape, hidden, from: initial)
    tape.nextState.base.update(from: tape.state.base, count: shape.sequences * units)
    let dropout = tape.dropout(mask)

    var (state, next) = (tape.state.base, tape.nextState.base)
    var step = auricle_step(
      rows: 0, units: units, hidden: hidden.size, inputs: 0, x: x, ldx: inputs, kernel: weights.kernel.base,
      bias: weights.bias.base, recurrent: weights.recurrent.base, candidate_kernel: weights.candidateKernel?.base,
      candidate_bias: weights.candidateBias?.base, candidate: weights.candidate?.base, operand: state, state: state,
      next_state: next, previous: nil, cell: tape.cell.base, previous_cell: nil, reset_state: nil,
      gates: tape.gates.base, group_stride: gates.groupStride, tape: training, y: y, ldy: ldy)
    for block in reversed ? blocks.reversed() : blocks {
      let rows = shape.rows(of: block)
      let origin = training ? 0 : rows.lowerBound
      let isFused = shape.running(block.upperBound - 1) >= Self.rowsForFusion
      step.inputs = isFused ? input.depth : 0
      if !isFused {
        multiplyInput(x + rows.lowerBound * inputs, rows.count, tape.gates.base, gates, row: rows.lowerBound - origin)
      }
      for time in reversed ? AnySequence(block.reversed()) : AnySequence(block) {
        let row = shape.offsets[time]
        step.rows = shape.running(time)
        step.x = UnsafeRawPointer(x + row * inputs)
        step.state = UnsafeRawPointer(state)
        step.next_state = UnsafeMutableRawPointer(next)
        step.operand = UnsafeRawPointer(dropout?.masked(state, count: step.rows * units) ?? state)
        step.gates = UnsafeMutableRawPointer(tape.gates.base + (row - origin) * gates.rowStride)
        step.y = UnsafeMutableRawPointer(y + row * ldy + outputOffset)
        if cell == .gruResetBefore {
          step.reset_state = UnsafeMutableRawPointer(tape.resetState.base + (row - origin) * units)
        }
        if training {
          step.previous = UnsafeMutableRawPointer(tape.previous.base + row * units)
          if cell == .lstm { step.previous_cell = UnsafeMutableRawPointer(tape.previousCell.base + row * units) }
        }
        cell.forward(kernels, &step)
        swap(&state, &next)
      }
    }
    // A state is where its last step wrote it.
    for place in 0..<shape.sequences where (reversed ? shape.steps : shape.lengths[place]) % 2 == 1 {
      (tape.state.base + place * units).update(from: tape.nextState.base + place * units, count: units)
    }
  }

  /// Puts the input products of consecutive steps, with the bias, where the gates of `row` and the next begin.
  private func multiplyInput(
    _ x: UnsafePointer<Scalar>, _ rows: Int, _ buffer: UnsafeMutablePointer<Scalar>, _ gates: GateRows, row: Int
  ) {
    func multiply(_ kernel: Buffer<Scalar>, _ bias: Buffer<Scalar>, slot: Int, count: Int) {
      let lanes = gates.lanes
      var product = auricle_product(
        rows: rows, panels: gates.groups, vectors: count, blocks: 1, depth: input.depth, a: x,
        a_row: input.paddedCount, a_block: 0, b: kernel.base, b_panel: input.depth * count * lanes, initial: bias.base,
        initial_row: 0, initial_panel: count * lanes, c: buffer + row * gates.rowStride + slot * lanes,
        c_row: gates.rowStride, c_panel: gates.groupStride)
      Scalar.kernels.pointee.product(&product)
    }
    multiply(weights.kernel, weights.bias, slot: cell.inputSlot, count: cell.stateGates)
    if let kernel = weights.candidateKernel, let bias = weights.candidateBias {
      multiply(kernel, bias, slot: cell.stateGates, count: 1)
    }
  }
}

/// How the gates of many rows lie in memory: group after group of units, and in each row after row.
struct GateRows {
  let lanes: Int
  let groups: Int
  /// Elements from row to row of a group, and from group to group.
  let rowStride: Int
  let groupStride: Int
  var count: Int { groups * groupStride }

  init(_ cell: Recurrent.Cell, _ hidden: Axis, rows: Int, lanes: Int) {
    self.lanes = lanes
    groups = hidden.paddedSize / lanes
    rowStride = cell.slots * lanes
    groupStride = rows * rowStride
  }
}

extension BatchShape {
  /// The rows of consecutive steps.
  func rows(of steps: Range<Int>) -> Range<Int> { offsets[steps.lowerBound]..<offsets[steps.upperBound] }

  /// Consecutive steps with at least `rows` rows together, but for the last block.
  func stepBlocks(rows: Int) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var first = 0
    for step in 0..<steps where offsets[step + 1] - offsets[first] >= rows || step + 1 == steps {
      blocks.append(first..<step + 1)
      first = step + 1
    }
    return blocks
  }
}

extension RecurrentLayer.Tape {
  /// States (or their gradients) for a pass: those given, else zero.
  func start(_ shape: BatchShape, _ hidden: Axis, from initial: RecurrentState<Scalar>.Layer?) {
    let count = shape.sequences * hidden.paddedCount
    for buffer in [state, nextState, cell, scratch, masked] { buffer.reserve(count) }
    state.clear(count)
    cell.clear(count)
    if let initial {
      shape.gather(initial.hidden, hidden, into: state.base)
      shape.gather(initial.cell, hidden, into: cell.base)
    }
  }

  /// The state after each sequence's last step (of its first frame, going backward in time); after a backward pass, the
  /// gradient of the initial state. `cell` is empty but for an LSTM.
  func finalState(_ shape: BatchShape, _ hidden: Axis, _ kind: Recurrent.Cell) -> RecurrentState<Scalar>.Layer {
    RecurrentState.Layer(
      hidden: shape.scatter(state.base, hidden), cell: kind == .lstm ? shape.scatter(cell.base, hidden) : [])
  }

  func dropout(_ mask: UnsafePointer<Scalar>?) -> StepDropout<Scalar>? {
    mask.map { StepDropout(mask: $0, scratch: masked.base) }
  }
}
