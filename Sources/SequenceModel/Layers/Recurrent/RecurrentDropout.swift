import AuricleBase
import CKernels

/// Recurrent dropout: one mask per sequence, layer and direction, the same at every step (Gal and Ghahramani, "A
/// theoretically grounded application of dropout in recurrent neural networks", NeurIPS 2016; Keras
/// `recurrent_dropout`).
///
/// The state is multiplied by the mask where it meets the recurrent weights, one mask for all gates; what a GRU carries
/// past its gates, and an LSTM's cell state, are not masked.
enum RecurrentMask {
  /// `sequences x hidden` in sorted order, padded; elements are 0 or 1 / (1 - rate). `place` tells the directions of all
  /// layers of a network apart.
  static func make<Scalar: NetworkScalar>(
    _ rate: Double, sequences: Int, hidden: Axis, seed: UInt64, place: Int
  ) -> Buffer<Scalar> {
    let columns = hidden.paddedCount
    let mask = Buffer<Scalar>(sequences * columns)
    mask.base.update(repeating: 1, count: sequences * columns)
    // Other streams than those of dropout layers, which are small numbers.
    var generator = SeededGenerator(seed: seed, stream: 1 << 32 | UInt64(place))
    Scalar.kernels.pointee.dropout(sequences, columns, rate, generator.next(), mask.base, columns)
    return mask
  }
}

/// What one step needs for recurrent dropout. The rows of a step are the first of the mask's.
struct StepDropout<Scalar: NetworkScalar> {
  let mask: UnsafePointer<Scalar>
  /// `rows x hidden`.
  let scratch: UnsafeMutablePointer<Scalar>

  /// The first `count` elements of `state`, masked; in the scratch.
  func masked(_ state: UnsafePointer<Scalar>, count: Int) -> UnsafeMutablePointer<Scalar> {
    apply(to: state, count, scratch)
    return scratch
  }

  /// The scratch, zero.
  func cleared(count: Int) -> UnsafeMutablePointer<Scalar> {
    zero(scratch, count: count)
    return scratch
  }

  /// Masks `state` in place.
  func mask(_ state: UnsafeMutablePointer<Scalar>, count: Int) {
    apply(to: state, count, state)
  }

  /// Adds what was gathered in the scratch, masked, to `state`.
  func addMasked(to state: UnsafeMutablePointer<Scalar>, count: Int) {
    apply(to: scratch, count, scratch)
    Scalar.kernels.pointee.add(count, state, scratch, state)
  }

  private func apply(to x: UnsafePointer<Scalar>, _ count: Int, _ y: UnsafeMutablePointer<Scalar>) {
    Scalar.kernels.pointee.mask_columns(1, 1, count, x, count, mask, count, y, count)
  }
}
