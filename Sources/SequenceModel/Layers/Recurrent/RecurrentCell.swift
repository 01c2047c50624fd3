import CKernels

/// Where a cell's gates stand, stored and in the kernels.
///
/// Stored matrices have the gates side by side, `gates x hidden` columns. The kernels see groups of as many units as a
/// vector holds, and for each unit one slot per gate, so that a tile of a product has all gates of its units; see
/// `cells.inc`.
extension Recurrent.Cell {
  /// What a unit of one row keeps: its gates and, with the reset after the product, the candidate's recurrent product in
  /// front of them.
  var slots: Int { self == .gru ? 4 : gateCount }

  /// The first slot of the gradient of the input product, which has a slot for every gate.
  var inputSlot: Int { self == .gru ? 1 : 0 }

  /// The gates whose recurrent product is taken from the state itself: all, but with the reset before the product not
  /// the candidate.
  var stateGates: Int { self == .gruResetBefore ? 2 : gateCount }

  /// The gate that the first slot of the gradient of the recurrent product belongs to; the others follow, going round.
  var firstRecurrentGate: Int { self == .gru ? 2 : 0 }

  /// One step forward.
  func forward(_ kernels: UnsafePointer<auricle_kernels>, _ step: inout auricle_step) {
    switch self {
    case .gru: kernels.pointee.gru_after_forward(&step)
    case .gruResetBefore: kernels.pointee.gru_before_forward(&step)
    case .lstm: kernels.pointee.lstm_forward(&step)
    case .simpleRNN: kernels.pointee.rnn_forward(&step, false)
    case .simpleRNNReLU: kernels.pointee.rnn_forward(&step, true)
    }
  }
}

/// The weights of one direction of one layer, packed for both passes.
struct RecurrentWeights<Scalar: NetworkScalar>: Sendable {
  /// Input and recurrent weights and bias of all gates; with the reset before the product, of z and r.
  let kernel: Buffer<Scalar>
  let recurrent: Buffer<Scalar>
  let bias: Buffer<Scalar>
  /// With the reset before the product the same of the candidate; with the reset after it only its recurrent bias, which
  /// is multiplied by the gate; else nil.
  let candidateKernel: Buffer<Scalar>?
  let candidate: Buffer<Scalar>?
  let candidateBias: Buffer<Scalar>?
  /// For the gradients of input and state; nil without training.
  let kernelTransposed: Buffer<Scalar>?
  let recurrentTransposed: Buffer<Scalar>?
  let candidateTransposed: Buffer<Scalar>?

  /// Packs weights stored as Keras stores them: `inputs x gates`, `hidden x gates`, and one or two rows of bias.
  init(
    _ cell: Recurrent.Cell, input: Axis, hidden: Axis, kernel storedKernel: UnsafePointer<Scalar>,
    recurrent storedRecurrent: UnsafePointer<Scalar>, bias storedBias: UnsafePointer<Scalar>, forTraining: Bool
  ) {
    let packer = GatePacker<Scalar>(hidden: hidden, gates: cell.gateCount)
    let (all, state) = (0..<cell.gateCount, 0..<cell.stateGates)
    kernel = packer.pack(storedKernel, rows: input, state)
    recurrent = packer.pack(storedRecurrent, rows: hidden, state)
    kernelTransposed = forTraining ? packer.packTransposed(storedKernel, rows: input, all) : nil
    recurrentTransposed =
      forTraining
      ? packer.packTransposed(storedRecurrent, rows: hidden, state, firstGate: cell.firstRecurrentGate) : nil

    // The two biases of a gate add up, but that of the candidate is multiplied by the reset gate.
    var sums = Array(UnsafeBufferPointer(start: storedBias, count: all.count * hidden.size))
    if cell.biasRows == 2 {
      for i in 0..<2 * hidden.size { sums[i] += storedBias[sums.count + i] }
    }
    bias = packer.pack(sums, rows: Axis(1), state)
    let last = 2..<3
    switch cell {
    case .gru:
      candidateKernel = nil
      candidate = nil
      candidateTransposed = nil
      candidateBias = packer.pack(storedBias + sums.count, rows: Axis(1), last)
    case .gruResetBefore:
      candidateKernel = packer.pack(storedKernel, rows: input, last)
      candidate = packer.pack(storedRecurrent, rows: hidden, last)
      candidateTransposed = forTraining ? packer.packTransposed(storedRecurrent, rows: hidden, last) : nil
      candidateBias = packer.pack(sums, rows: Axis(1), last)
    case .lstm, .simpleRNN, .simpleRNNReLU:
      candidateKernel = nil
      candidate = nil
      candidateTransposed = nil
      candidateBias = nil
    }
  }
}

/// Packs stored weights of gates for the kernels, and adds gradients in that layout to stored ones.
struct GatePacker<Scalar: NetworkScalar> {
  let hidden: Axis
  /// Of the stored matrix.
  let gates: Int

  private var leading: Int { gates * hidden.size }

  /// The columns of `gates` of a matrix with so many rows.
  func pack(_ stored: UnsafePointer<Scalar>, rows: Axis, _ gates: Range<Int>) -> Buffer<Scalar> {
    let packed = Buffer<Scalar>(rows.depth * gates.count * hidden.paddedSize)
    Scalar.kernels.pointee.pack_gates(
      rows.segments, rows.size, rows.depth / rows.segments, gates.count, hidden.size,
      stored + gates.lowerBound * hidden.size, leading, packed.base)
    return packed
  }

  /// The transpose; its inner index begins with `firstGate`.
  func packTransposed(
    _ stored: UnsafePointer<Scalar>, rows: Axis, _ gates: Range<Int>, firstGate: Int = 0
  ) -> Buffer<Scalar> {
    let packed = Buffer<Scalar>(rows.paddedCount * gates.count * hidden.paddedSize)
    Scalar.kernels.pointee.pack_gates_transposed(
      rows.segments, rows.size, rows.paddedSize, gates.count, firstGate, hidden.size,
      stored + gates.lowerBound * hidden.size, leading, packed.base)
    return packed
  }

  /// Adds a packed gradient, whose slots begin with `firstGate`, to the stored one.
  func add(
    _ packed: UnsafePointer<Scalar>, rows: Axis, _ gates: Range<Int>, firstGate: Int = 0,
    to stored: UnsafeMutablePointer<Scalar>
  ) {
    Scalar.kernels.pointee.add_gates(
      rows.segments, rows.size, rows.depth / rows.segments, gates.count, firstGate, hidden.size, packed,
      stored + gates.lowerBound * hidden.size, leading)
  }
}
