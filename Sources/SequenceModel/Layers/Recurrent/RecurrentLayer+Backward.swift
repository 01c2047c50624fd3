import CKernels

extension RecurrentLayer {
  /// Steps whose products for the gradients of weights and inputs are taken together, once their gates are known and
  /// while they are in the cache.
  private static var gradientRows: Int { 128 }

  /// Adds the gradients of this layer's parameters to `gradient` and, where `dx` is given, sets it to that of its inputs
  /// or adds that to it. Consumes the tape of the last `forward` with `training`, which had the same `mask`.
  ///
  /// `final` is the gradient of the final state, if the loss depends on it; afterwards the tape's `finalState` is that
  /// of the initial one.
  func backward(
    _ shape: BatchShape, x: UnsafePointer<Scalar>, dy: UnsafeMutablePointer<Scalar>, ldy: Int,
    dx: UnsafeMutablePointer<Scalar>?, addingToInput: Bool = false, tape: Tape, gradient: UnsafeMutablePointer<Scalar>,
    final: RecurrentState<Scalar>.Layer? = nil, mask: UnsafePointer<Scalar>? = nil
  ) {
    let kernels = Scalar.kernels
    let units = hidden.paddedSize
    let gates = GateRows(cell, hidden, rows: shape.rows, lanes: kernels.pointee.lanes)
    tape.start(shape, hidden, from: final)
    let dropout = tape.dropout(mask)
    let sums = ParameterGradients(self, tape.gradient)

    var step = auricle_backward_step(
      rows: 0, units: units, gates: tape.gates.base, group_stride: gates.groupStride, previous: tape.previous.base,
      previous_cell: nil, dy: dy, lddy: ldy, dstate: tape.state.base, dcell: tape.cell.base,
      dreset_state: tape.scratch.base, doperand: dropout?.scratch ?? tape.state.base)
    let blocks = shape.stepBlocks(rows: Self.gradientRows)
    for block in reversed ? blocks : blocks.reversed() {
      for index in 0..<block.count {
        let time = reversed ? block.lowerBound + index : block.upperBound - 1 - index
        let row = shape.offsets[time]
        step.rows = shape.running(time)
        step.gates = UnsafeMutableRawPointer(tape.gates.base + row * gates.rowStride)
        step.previous = UnsafeRawPointer(tape.previous.base + row * units)
        step.dy = UnsafeRawPointer(dy + row * ldy + outputOffset)
        if cell == .lstm { step.previous_cell = UnsafeRawPointer(tape.previousCell.base + row * units) }
        backward(&step, gates, previous: tape.previous.base + row * units, dropout, tape)
      }
      let rows = shape.rows(of: block)
      if let dx, let weights = weights.kernelTransposed {
        let dx = dx + rows.lowerBound * input.paddedCount
        var product = product(
          rows.count, tape.gates.base + rows.lowerBound * gates.rowStride, gates, slot: cell.inputSlot,
          count: cell.gateCount, weights, columns: input.paddedCount, initial: addingToInput ? dx : nil, to: dx)
        kernels.pointee.product(&product)
      }
      sums.add(rows, x: x, tape, gates)
    }
    sums.addStored(to: gradient)
  }

  /// One step backward: the gates become their own gradients, the gradients of the states those of the step before.
  private func backward(
    _ step: inout auricle_backward_step, _ gates: GateRows, previous: UnsafeMutablePointer<Scalar>,
    _ dropout: StepDropout<Scalar>?, _ tape: Tape
  ) {
    guard let recurrentTransposed = weights.recurrentTransposed else { return }
    let kernels = Scalar.kernels
    let count = step.rows * step.units
    let dgates = step.gates.assumingMemoryBound(to: Scalar.self)
    // Where the gradient of the state that the recurrent weights saw is gathered.
    let doperand = dropout?.cleared(count: count) ?? tape.state.base
    switch cell {
    case .gru: kernels.pointee.gru_after_backward(&step)
    case .gruResetBefore:
      guard let candidateTransposed = weights.candidateTransposed else { return }
      kernels.pointee.gru_before_backward_state(&step)
      var product = product(
        step.rows, dgates, gates, slot: cell.stateGates, count: 1, candidateTransposed, columns: step.units,
        initial: nil, to: tape.scratch.base)
      kernels.pointee.product(&product)
      dropout?.mask(previous, count: count)
      kernels.pointee.gru_before_backward_gates(&step)
    case .lstm: kernels.pointee.lstm_backward(&step)
    case .simpleRNN: kernels.pointee.rnn_backward(&step, false)
    case .simpleRNNReLU: kernels.pointee.rnn_backward(&step, true)
    }
    // dh += dgates U^T
    var product = product(
      step.rows, dgates, gates, slot: 0, count: cell.stateGates, recurrentTransposed, columns: step.units,
      initial: doperand, to: doperand)
    kernels.pointee.product(&product)
    if let dropout {
      dropout.addMasked(to: tape.state.base, count: count)
      // What the weights saw, for their gradient.
      if cell != .gruResetBefore { dropout.mask(previous, count: count) }
    }
  }

  /// The product of `count` slots of the gradients of gates with transposed weights.
  private func product(
    _ rows: Int, _ dgates: UnsafePointer<Scalar>, _ gates: GateRows, slot: Int, count: Int, _ weights: Buffer<Scalar>,
    columns: Int, initial: UnsafePointer<Scalar>?, to c: UnsafeMutablePointer<Scalar>
  ) -> auricle_product {
    let (panel, depth) = (Int(AURICLE_COLUMN_UNIT), count * gates.lanes)
    return auricle_product(
      rows: rows, panels: columns / panel, vectors: panel / gates.lanes, blocks: gates.groups, depth: depth,
      a: dgates + slot * gates.lanes, a_row: gates.rowStride, a_block: gates.groupStride, b: weights.base,
      b_panel: gates.groups * depth * panel, initial: initial, initial_row: columns, initial_panel: panel, c: c,
      c_row: columns, c_panel: panel)
  }
}

/// The gradients of one layer's parameters in the layout of the kernels, summed up over blocks of steps.
private struct ParameterGradients<Scalar: NetworkScalar> {
  private let layer: RecurrentLayer<Scalar>
  private let kernel, recurrent, candidate, bias, recurrentBias: UnsafeMutablePointer<Scalar>

  /// Zeros, in `buffer`.
  init(_ layer: RecurrentLayer<Scalar>, _ buffer: Buffer<Scalar>) {
    self.layer = layer
    let (cell, units) = (layer.cell, layer.hidden.paddedSize)
    let width = cell.gateCount * units
    let count = (layer.input.depth + layer.hidden.depth + 2) * width
    buffer.reserve(count)
    buffer.clear(count)
    kernel = buffer.base
    recurrent = kernel + layer.input.depth * width
    candidate = recurrent + layer.hidden.depth * cell.stateGates * units
    bias = recurrent + layer.hidden.depth * width
    recurrentBias = bias + width
  }

  /// Adds what `rows` of the tape, whose gates are gradients by now, contribute.
  func add(_ rows: Range<Int>, x: UnsafePointer<Scalar>, _ tape: RecurrentLayer<Scalar>.Tape, _ gates: GateRows) {
    let (cell, input, hidden) = (layer.cell, layer.input, layer.hidden)
    func multiply(
      _ a: UnsafePointer<Scalar>, _ axis: Axis, slot: Int, count: Int, to c: UnsafeMutablePointer<Scalar>,
      sums: UnsafeMutablePointer<Scalar>? = nil
    ) {
      let vectors = count * gates.lanes
      var product = auricle_gradient_product(
        rows: axis.depth, panels: gates.groups, vectors: count, depth: rows.count,
        a: a + rows.lowerBound * axis.paddedCount, a_row: axis.paddedCount,
        b: tape.gates.base + rows.lowerBound * gates.rowStride + slot * gates.lanes, b_row: gates.rowStride,
        b_panel: gates.groupStride, c: c, c_row: vectors, c_panel: axis.depth * vectors, sums: sums)
      Scalar.kernels.pointee.gradient_product(&product)
    }
    // dW = X^T dgates, and dU = H'^T dgates with the candidate's own state or gradient.
    multiply(x, input, slot: cell.inputSlot, count: cell.gateCount, to: kernel, sums: bias)
    multiply(
      tape.previous.base, hidden, slot: 0, count: cell.stateGates, to: recurrent,
      sums: cell.biasRows == 2 ? recurrentBias : nil)
    if cell == .gruResetBefore {
      multiply(tape.resetState.base, hidden, slot: cell.stateGates, count: 1, to: candidate)
    }
  }

  func addStored(to gradient: UnsafeMutablePointer<Scalar>) {
    let (cell, tensors) = (layer.cell, layer.tensors)
    let packer = GatePacker<Scalar>(hidden: layer.hidden, gates: cell.gateCount)
    let (all, state) = (0..<cell.gateCount, 0..<cell.stateGates)
    packer.add(kernel, rows: layer.input, all, to: gradient + tensors.kernel)
    packer.add(
      recurrent, rows: layer.hidden, state, firstGate: cell.firstRecurrentGate, to: gradient + tensors.recurrent)
    if cell == .gruResetBefore {
      packer.add(candidate, rows: layer.hidden, state.upperBound..<all.upperBound, to: gradient + tensors.recurrent)
    }
    packer.add(bias, rows: Axis(1), all, to: gradient + tensors.bias)
    if cell.biasRows == 2 {
      packer.add(
        recurrentBias, rows: Axis(1), all, firstGate: cell.firstRecurrentGate,
        to: gradient + tensors.bias + all.count * layer.hidden.size)
    }
  }
}
