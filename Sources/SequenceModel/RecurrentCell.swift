import CKernels

/// The rows of one time step in the buffers of a layer: what a cell works on.
///
/// Shapes: `gates` is `rows x (gates * hidden)`, all others `rows x hidden`; sizes are padded ones. `extra` is what a
/// cell keeps beside the gates for its backward pass (candidate product, reset state or previous cell state).
struct CellStep<Scalar: NetworkScalar> {
  let rows: Int
  let hidden: Int
  let gates: UnsafeMutablePointer<Scalar>
  let extra: UnsafeMutablePointer<Scalar>
  /// Hidden state, and the LSTM's cell state, carried from step to step; in the backward pass, their gradients.
  let state: UnsafeMutablePointer<Scalar>
  let cell: UnsafeMutablePointer<Scalar>
  /// The state before the step: written going forward in training, read going backward.
  let previous: UnsafeMutablePointer<Scalar>?
  /// The step's output going forward, its gradient going backward; `ldy` elements from row to row.
  let y: UnsafeMutablePointer<Scalar>
  let ldy: Int
  /// `rows x hidden` of scratch.
  let scratch: UnsafeMutablePointer<Scalar>
  /// Recurrent dropout (`RecurrentDropout.swift`), with its own `rows x hidden` of scratch.
  var dropout: StepDropout<Scalar>?
}

/// The recurrent weights of a cell, packed for the products of both passes. `state` is the part that multiplies the
/// state itself (for a GRU gates z and r), `candidate` the part that the reset gate stands in front of or behind.
struct RecurrentWeights<Scalar: NetworkScalar>: Sendable {
  let state: Buffer<Scalar>
  let candidate: Buffer<Scalar>
  let stateTransposed: Buffer<Scalar>?
  let candidateTransposed: Buffer<Scalar>?
  /// The recurrent bias of the candidate (reset-after GRU), else zeros.
  let candidateBias: Buffer<Scalar>
}

extension ModelConfiguration.Cell {
  /// Gates whose recurrent product is taken from the state; the rest (at most one) form the candidate.
  var stateGates: Int {
    switch self {
    case .gru, .gruResetBefore: 2
    case .lstm: 4
    case .simpleRNN, .simpleRNNReLU: 1
    }
  }

  /// One step forward. `gates` arrives holding the input product and all biases but the candidate's recurrent one.
  func forward<Scalar: NetworkScalar>(_ step: CellStep<Scalar>, _ weights: RecurrentWeights<Scalar>, tape: Bool) {
    let kernels = Scalar.kernels.pointee
    let (rows, hidden) = (step.rows, step.hidden)
    let width = gateCount * hidden
    let state = step.dropout?.masked(step.state, count: rows * hidden) ?? step.state
    // gates += h U
    kernels.gemm(
      rows, stateGates * hidden, hidden, state, hidden, weights.state.base, nil, true, step.gates, width)
    switch self {
    case .gru:
      kernels.gemm(
        rows, hidden, hidden, state, hidden, weights.candidate.base, weights.candidateBias.base, false,
        step.extra, hidden)
      kernels.gru_after_forward(
        rows, hidden, tape, step.gates, step.extra, step.state, step.previous, step.y, step.ldy)
    case .gruResetBefore:
      kernels.gru_before_forward_gates(rows, hidden, step.gates, state, step.extra)
      kernels.gemm(
        rows, hidden, hidden, step.extra, hidden, weights.candidate.base, nil, true, step.gates + 2 * hidden, width)
      kernels.gru_before_forward_state(rows, hidden, tape, step.gates, step.state, step.previous, step.y, step.ldy)
    case .lstm:
      kernels.lstm_forward(
        rows, hidden, tape, step.gates, step.cell, tape ? step.extra : nil, step.state, step.previous, step.y, step.ldy)
    case .simpleRNN, .simpleRNNReLU:
      kernels.rnn_forward(
        rows, hidden, self == .simpleRNNReLU, tape, step.gates, step.state, step.previous, step.y, step.ldy)
    }
  }

  /// One step backward: `gates` become their own gradients, `state` and `cell` (gradients here) those of the step
  /// before.
  func backward<Scalar: NetworkScalar>(_ step: CellStep<Scalar>, _ weights: RecurrentWeights<Scalar>) {
    guard let stateTransposed = weights.stateTransposed, let candidateTransposed = weights.candidateTransposed,
      let previous = step.previous
    else { return }
    let kernels = Scalar.kernels.pointee
    let (rows, hidden) = (step.rows, step.hidden)
    let width = gateCount * hidden
    // Where the gradient of the state that the recurrent weights saw is gathered.
    let dstate = step.dropout?.cleared(count: rows * hidden) ?? step.state
    func multiply(_ gradient: UnsafeMutablePointer<Scalar>, _ leading: Int, _ columns: Int, _ weights: Buffer<Scalar>) {
      kernels.gemm(rows, hidden, columns, gradient, leading, weights.base, nil, true, dstate, hidden)
    }
    switch self {
    case .gru:
      kernels.gru_after_backward(rows, hidden, step.gates, step.extra, previous, step.y, step.ldy, step.state)
      multiply(step.extra, hidden, hidden, candidateTransposed)
    case .gruResetBefore:
      kernels.gru_before_backward_state(rows, hidden, step.gates, previous, step.y, step.ldy, step.state)
      kernels.gemm(
        rows, hidden, hidden, step.gates + 2 * hidden, width, candidateTransposed.base, nil, false, step.scratch, hidden
      )
      step.dropout?.mask(previous, count: rows * hidden)
      kernels.gru_before_backward_gates(rows, hidden, step.gates, previous, step.scratch, dstate)
    case .lstm:
      kernels.lstm_backward(rows, hidden, step.gates, step.extra, step.y, step.ldy, step.state, step.cell)
    case .simpleRNN, .simpleRNNReLU:
      kernels.rnn_backward(rows, hidden, self == .simpleRNNReLU, step.gates, step.y, step.ldy, step.state)
    }
    // dh += dgates U^T
    multiply(step.gates, width, stateGates * hidden, stateTransposed)
    if let dropout = step.dropout {
      dropout.addMasked(to: step.state, count: rows * hidden)
      // What the weights saw, for their gradient.
      if self != .gruResetBefore { dropout.mask(previous, count: rows * hidden) }
    }
  }
}
