import CKernels

/// A matrix of weights as whole numbers of 8 bits, packed, with what sums begin with.
struct Int8Matrix: Sendable {
  /// Columns of a row that goes in, and of the row that comes out.
  let columns: Int
  let outputs: Int
  private let weights: [Int8]
  private let sums: [Int32]
  private let scale: Buffer<Float>
  private let initial: Buffer<Float>

  /// The transpose of stored weights (`rows x leading`, of which the columns `range` count), a scale for each column; rows
  /// lie in memory as `rows` pads them. `initial` has a number for each column.
  init(
    _ stored: UnsafePointer<Float>, rows: Axis, leading: Int, _ range: Range<Int>, initial: [Float]
  ) {
    var values = [Float](repeating: 0, count: rows.paddedCount * range.count)
    for segment in 0..<rows.segments {
      for row in 0..<rows.size {
        let padded = segment * rows.paddedSize + row
        for (output, column) in range.enumerated() {
          values[output * rows.paddedCount + padded] = stored[(segment * rows.size + row) * leading + column]
        }
      }
    }
    let quantized = QuantizedRows(values, rows: range.count, columns: rows.paddedCount)
    let panel = Int(AURICLE_INT8_PANEL)
    columns = rows.paddedCount
    outputs = (range.count + panel - 1) / panel * panel
    var packed = [Int8](repeating: 0, count: outputs * columns)
    var sums = [Int32](repeating: 0, count: outputs)
    auricle_int8_pack(range.count, columns, quantized.values, &packed, &sums)
    (weights, self.sums) = (packed, sums)
    (scale, self.initial) = (Buffer(outputs), Buffer(outputs))
    for (place, value) in quantized.scales.enumerated() { scale.base[place] = value }
    for (place, value) in initial.enumerated() { self.initial.base[place] = value }
  }

  /// y = initial + W x for `count` rows, which `x` and `scales` hold as whole numbers.
  func product(
    _ count: Int, _ x: UnsafePointer<UInt8>, _ scales: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    weights.withUnsafeBufferPointer { weights in
      sums.withUnsafeBufferPointer { sums in
        guard let weights = weights.baseAddress, let sums = sums.baseAddress else { return }
        var product = auricle_int8_product(
          count: count, outputs: outputs, columns: columns, x: x, x_scale: scales, weights: weights, sums: sums,
          scale: scale.base, initial: initial.base, y: y)
        auricle_int8().pointee.product(&product)
      }
    }
  }
}

/// One direction of a recurrent layer in use, its weights of 8 bits: each frame and each state is made whole numbers with
/// a scale of its own as it comes (dynamic quantisation); gates and states stay in single precision.
struct Int8RecurrentLayer: Sendable {
  private let cell: Recurrent.Cell
  private let hidden: Axis
  private let reversed: Bool
  private let kernel: Int8Matrix
  private let recurrent: Int8Matrix
  /// Of the candidate, where the reset comes before the product.
  private let candidate: Int8Matrix?

  /// The weights stand in `parameters` as Keras stores them.
  init(
    _ cell: Recurrent.Cell, input: Axis, hidden: Axis, reversed: Bool, kernel: UnsafePointer<Float>,
    recurrent: UnsafePointer<Float>, bias: UnsafePointer<Float>
  ) {
    (self.cell, self.hidden, self.reversed) = (cell, hidden, reversed)
    let (units, count) = (hidden.size, cell.gateCount * hidden.size)
    let stateCount = cell.stateGates * units
    self.kernel = Int8Matrix(
      kernel, rows: input, leading: count, 0..<count,
      initial: Array(UnsafeBufferPointer(start: bias, count: count)))
    let stateBias =
      cell.biasRows == 2
      ? Array(UnsafeBufferPointer(start: bias + count, count: count)) : [Float](repeating: 0, count: stateCount)
    self.recurrent = Int8Matrix(recurrent, rows: hidden, leading: count, 0..<stateCount, initial: stateBias)
    candidate =
      stateCount < count
      ? Int8Matrix(
        recurrent, rows: hidden, leading: count, stateCount..<count, initial: [Float](repeating: 0, count: units)) : nil
  }

  /// Buffers of a pass: rows of whole numbers, their scales, and gates.
  private struct Scratch {
    let whole: UnsafeMutablePointer<UInt8>
    let scales: UnsafeMutablePointer<Float>
    let ofInput: UnsafeMutablePointer<Float>
    let ofState: UnsafeMutablePointer<Float>
    let reset: UnsafeMutablePointer<Float>
  }

  /// Outputs of all frames; states begin and end in `tape`. As `RecurrentLayer.forward`.
  func forward(
    _ shape: BatchShape, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, ldy: Int,
    tape: RecurrentLayer<Float>.Tape, initial: RecurrentState<Float>.Layer?
  ) {
    let (units, inputs) = (hidden.paddedCount, kernel.columns)
    let blocks = shape.stepBlocks(rows: 64)
    let most = blocks.map { shape.rows(of: $0).count }.max() ?? 0
    let ofInput = most * kernel.outputs
    let ofState = shape.sequences * max(recurrent.outputs, candidate?.outputs ?? 0)
    tape.start(shape, hidden, from: initial)
    tape.gates.reserve(ofInput + ofState + shape.sequences * (candidate?.outputs ?? 0) + max(most, shape.sequences))
    tape.previous.reserve(shape.sequences * units)
    tape.resetState.reserve((max(most * inputs, shape.sequences * units) + 3) / 4)
    let gates = tape.gates.base
    let scratch = Scratch(
      whole: UnsafeMutableRawPointer(tape.resetState.base).assumingMemoryBound(to: UInt8.self),
      scales: gates + ofInput + ofState + shape.sequences * (candidate?.outputs ?? 0), ofInput: gates,
      ofState: gates + ofInput, reset: tape.previous.base)
    let (state, outputOffset) = (tape.state.base, reversed ? units : 0)
    for block in reversed ? blocks.reversed() : blocks {
      let rows = shape.rows(of: block)
      quantize(rows.count, inputs, x + rows.lowerBound * inputs, scratch)
      kernel.product(rows.count, scratch.whole, scratch.scales, scratch.ofInput)
      for time in reversed ? AnySequence(block.reversed()) : AnySequence(block) {
        let (row, count) = (shape.offsets[time], shape.running(time))
        quantize(count, units, state, scratch)
        recurrent.product(count, scratch.whole, scratch.scales, scratch.ofState)
        let ofInput = scratch.ofInput + (row - rows.lowerBound) * kernel.outputs
        step(count, ofInput, state, tape.cell.base, scratch, tape)
        for place in 0..<count {
          (y + (row + place) * ldy + outputOffset).update(from: state + place * units, count: units)
        }
      }
    }
  }

  private func quantize(_ rows: Int, _ width: Int, _ x: UnsafePointer<Float>, _ scratch: Scratch) {
    let kernels = auricle_int8()
    for row in 0..<rows {
      scratch.scales[row] = kernels.pointee.quantize(width, width, x + row * width, scratch.whole + row * width)
    }
  }

  /// One step of `count` sequences, whose states change.
  private func step(
    _ count: Int, _ ofInput: UnsafePointer<Float>, _ state: UnsafeMutablePointer<Float>,
    _ cellState: UnsafeMutablePointer<Float>, _ scratch: Scratch, _ tape: RecurrentLayer<Float>.Tape
  ) {
    let (units, padded, kernels) = (hidden.size, hidden.paddedCount, Float.kernels)
    if let candidate {
      // The candidate sees what the reset gate leaves of the state.
      for place in 0..<count {
        let (a, b) = (ofInput + place * kernel.outputs, scratch.ofState + place * recurrent.outputs)
        auricle_int8_add(2 * units, a, b)
        kernels.pointee.activate(auricle_sigmoid, 2 * units, b, b)
        let reset = scratch.reset + place * padded
        for i in 0..<units { reset[i] = b[units + i] * state[place * padded + i] }
        for i in units..<padded { reset[i] = 0 }
      }
      let products = scratch.ofState + count * recurrent.outputs
      quantize(count, padded, scratch.reset, scratch)
      candidate.product(count, scratch.whole, scratch.scales, products)
      for place in 0..<count {
        let (a, b) = (ofInput + place * kernel.outputs, scratch.ofState + place * recurrent.outputs)
        let n = products + place * candidate.outputs
        auricle_int8_add(units, a + 2 * units, n)
        kernels.pointee.activate(auricle_tanh, units, n, n)
        auricle_int8_blend(units, b, n, state + place * padded)
      }
      return
    }
    for place in 0..<count {
      let (a, b) = (ofInput + place * kernel.outputs, scratch.ofState + place * recurrent.outputs)
      let h = state + place * padded
      switch cell {
      case .gru:
        auricle_int8_add(2 * units, a, b)
        kernels.pointee.activate(auricle_sigmoid, 2 * units, b, b)
        auricle_int8_gate(units, b + units, a + 2 * units, b + 2 * units)
        kernels.pointee.activate(auricle_tanh, units, b + 2 * units, b + 2 * units)
        auricle_int8_blend(units, b, b + 2 * units, h)
      case .lstm:
        let c = cellState + place * padded
        auricle_int8_add(4 * units, a, b)
        kernels.pointee.activate(auricle_sigmoid, 2 * units, b, b)
        kernels.pointee.activate(auricle_tanh, units, b + 2 * units, b + 2 * units)
        kernels.pointee.activate(auricle_sigmoid, units, b + 3 * units, b + 3 * units)
        auricle_int8_cell(units, b, c)
        kernels.pointee.activate(auricle_tanh, units, c, b)
        auricle_int8_multiply(units, b + 3 * units, b, h)
      case .simpleRNN, .simpleRNNReLU, .gruResetBefore:
        auricle_int8_add(units, a, b)
        kernels.pointee.activate(cell == .simpleRNN ? auricle_tanh : auricle_relu, units, b, h)
      }
    }
  }
}
