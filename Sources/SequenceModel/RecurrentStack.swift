import AuricleBase
import CKernels

/// The buffers of recurrent layers one on the other, forward and back: sized by the first large batch, then reused.
final class RecurrentStackTape<Scalar: NetworkScalar> {
  private let configuration: ModelConfiguration
  private let layers: [(tapes: [RecurrentLayer<Scalar>.Tape], y: Buffer<Scalar>, dy: Buffer<Scalar>)]

  private var width: Int { configuration.outputAxis.paddedCount }

  init(_ configuration: ModelConfiguration) {
    self.configuration = configuration
    layers = (0..<configuration.layers).map { _ in
      ((0..<configuration.directions).map { _ in RecurrentLayer<Scalar>.Tape() }, Buffer(), Buffer())
    }
  }

  /// Outputs of the last layer, `rows x outputs`; dropout between layers where `dropoutSeed` is given, recurrent dropout
  /// where `masks` are.
  func forward(
    _ stack: [[RecurrentLayer<Scalar>]], _ shape: BatchShape, x: Buffer<Scalar>, training: Bool, dropoutSeed: UInt64?,
    masks: RecurrentMasks<Scalar>? = nil, initial: RecurrentState<Scalar>? = nil
  ) -> Buffer<Scalar> {
    var x = x
    for (index, layer) in stack.enumerated() {
      let (tapes, y, _) = layers[index]
      y.reserve(shape.rows * width)
      for (direction, cell) in layer.enumerated() {
        let place = index * layer.count + direction
        cell.forward(
          shape, x.base, y.base, ldy: width, tape: tapes[direction], training: training,
          initial: initial?.layers[place], mask: masks?.buffers[place].base)
      }
      if index + 1 < stack.count { configuration.drop(y.base, shape.rows, width, layer: index, seed: dropoutSeed) }
      x = y
    }
    return x
  }

  /// The final states after `forward`; after `backward`, the gradients of the initial ones.
  func finalState(_ shape: BatchShape) -> RecurrentState<Scalar> {
    RecurrentState(
      layers: layers.flatMap(\.tapes).map { $0.finalState(shape, configuration.hiddenAxis, configuration.cell) })
  }

  /// The outputs of the last layer after `forward`.
  var outputs: Buffer<Scalar> { layers[layers.count - 1].y }

  /// Where the caller puts the gradient of the last layer's outputs before `backward`.
  func outputGradient(_ shape: BatchShape) -> Buffer<Scalar> {
    for buffers in layers { buffers.dy.reserve(shape.rows * width) }
    return layers[layers.count - 1].dy
  }

  /// Adds the gradients of all parameters to `gradient` and sets `dx`, where given, to that of the inputs.
  func backward(
    _ stack: [[RecurrentLayer<Scalar>]], _ shape: BatchShape, x: Buffer<Scalar>, dx inputGradient: Buffer<Scalar>?,
    dropoutSeed: UInt64?, gradient: UnsafeMutablePointer<Scalar>, masks: RecurrentMasks<Scalar>? = nil,
    final: RecurrentState<Scalar>? = nil
  ) {
    for (index, layer) in stack.enumerated().reversed() {
      let (input, dx) = index == 0 ? (x, inputGradient) : (layers[index - 1].y, layers[index - 1].dy)
      let inputs = configuration.inputAxis(layer: index).paddedCount
      dx?.reserve(shape.rows * inputs)
      for (direction, cell) in layer.enumerated() {
        let place = index * layer.count + direction
        cell.backward(
          shape, x: input.base, dy: layers[index].dy.base, ldy: width, dx: dx?.base,
          addingToInput: direction > 0, tape: layers[index].tapes[direction], gradient: gradient,
          final: final?.layers[place],
          mask: masks?.buffers[place].base)
      }
      if index > 0, let dx { configuration.drop(dx.base, shape.rows, width, layer: index - 1, seed: dropoutSeed) }
    }
  }
}

extension ModelConfiguration {
  /// Dropout behind layer `layer`, the dense layer's input counting as one more; the same in both passes for one seed.
  func drop<Scalar: NetworkScalar>(
    _ x: UnsafeMutablePointer<Scalar>, _ rows: Int, _ width: Int, layer: Int, seed: UInt64?
  ) {
    guard let seed, dropout > 0 else { return }
    var generator = SeededGenerator(seed: seed, stream: UInt64(layer))
    Scalar.kernels.pointee.dropout(rows, width, dropout, generator.next(), x, width)
  }
}
