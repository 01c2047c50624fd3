import AuricleBase
import CKernels

/// The weights of a whole network, packed: recurrent layers, pooling, dense. A value that any number of threads share.
struct NetworkWeights<Scalar: NetworkScalar>: Sendable {
  let configuration: ModelConfiguration
  let layout: ParameterLayout
  /// By layer, then direction.
  let layers: [[RecurrentLayer<Scalar>]]
  let query: Buffer<Scalar>?
  let dense: Buffer<Scalar>
  let denseTransposed: Buffer<Scalar>?
  let denseBias: Buffer<Scalar>

  init(_ configuration: ModelConfiguration, layout: ParameterLayout, parameters: [Scalar], forTraining: Bool) {
    precondition(parameters.count == layout.count, "parameters must fit the layout")
    self.configuration = configuration
    self.layout = layout
    (layers, query, dense, denseTransposed, denseBias) = parameters.withUnsafeBufferPointer { buffer in
      let parameters = buffer.baseAddress!  // a layout is never empty
      let layers = (0..<configuration.layers).map { layer in
        (0..<configuration.directions).map { direction in
          RecurrentLayer(
            configuration, layer: layer, reversed: direction == 1, layout: layout, parameters: parameters,
            forTraining: forTraining)
        }
      }
      let (outputs, classes) = (configuration.outputAxis, configuration.classAxis)
      let query = layout["attention.query"].map { tensor in
        let query = Buffer<Scalar>(outputs.paddedCount)
        Padding.expandRow(parameters + tensor.offset, outputs, into: query.base)
        return query
      }
      let kernel = parameters + (layout["dense.kernel"]?.offset ?? 0)
      let packer = Packer<Scalar>()
      let bias = Buffer<Scalar>(classes.paddedCount)
      Padding.expandRow(parameters + (layout["dense.bias"]?.offset ?? 0), classes, into: bias.base)
      return (
        layers, query, packer.pack(kernel, leading: classes.count, rows: outputs, columns: classes),
        forTraining ? packer.packTransposed(kernel, leading: classes.count, rows: outputs, columns: classes) : nil, bias
      )
    }
  }
}

/// The buffers of one pass through a network, forward and back: sized by the first large batch, then reused.
///
/// Not `Sendable`: each worker owns one.
final class NetworkTape<Scalar: NetworkScalar> {
  private var shape = BatchShape(lengths: [])
  private let input = Buffer<Scalar>()
  private var layers: [(tapes: [RecurrentLayer<Scalar>.Tape], y: Buffer<Scalar>, dy: Buffer<Scalar>)]
  private var pooled: PooledFrames<Scalar>
  private let dpooled = Buffer<Scalar>(), logits = Buffer<Scalar>(), dlogits = Buffer<Scalar>()
  private let scratch = Buffer<Scalar>()
  private var dropoutSeed: UInt64?

  init(_ configuration: ModelConfiguration) {
    layers = (0..<configuration.layers).map { _ in
      ((0..<configuration.directions).map { _ in RecurrentLayer<Scalar>.Tape() }, Buffer(), Buffer())
    }
    pooled = PooledFrames(configuration.pooling, configuration.outputAxis)
  }

  /// Logits (`sequences x classes`, in the caller's order) of sequences given as `lengths` and a function that writes
  /// one frame of one sequence. Lengths must be at least 1.
  ///
  /// With `training`, keeps what `backward` needs; dropout is applied where `dropoutSeed` is given.
  func forward(
    _ weights: NetworkWeights<Scalar>, lengths: [Int], training: Bool, dropoutSeed: UInt64? = nil,
    writeFrame: (_ sequence: Int, _ frame: Int, _ to: UnsafeMutablePointer<Scalar>) -> Void
  ) -> [Scalar] {
    let configuration = weights.configuration
    shape = BatchShape(lengths: lengths)
    self.dropoutSeed = configuration.dropout > 0 ? dropoutSeed : nil
    let columns = configuration.inputAxis(layer: 0).paddedCount
    input.reserve(shape.rows * columns)
    for step in 0..<shape.steps {
      for place in 0..<shape.running(step) {
        let frame = input.base + (shape.offsets[step] + place) * columns
        (frame + configuration.inputSize).update(repeating: 0, count: columns - configuration.inputSize)
        writeFrame(shape.order[place], step, frame)
      }
    }

    let width = configuration.outputAxis.paddedCount
    var x = input
    for (index, layer) in weights.layers.enumerated() {
      let (tapes, y, _) = layers[index]
      y.reserve(shape.rows * width)
      for (direction, tape) in zip(layer, tapes) {
        direction.forward(shape, x.base, y.base, ldy: width, tape: tape, training: training)
      }
      if index + 1 < weights.layers.count { dropout(configuration, index, y.base, rows: shape.rows, width) }
      x = y
    }
    pooled.forward(shape, x.base, query: weights.query?.base)
    dropout(configuration, layers.count, pooled.values.base, rows: shape.sequences, width)
    let classes = configuration.classAxis
    logits.reserve(shape.sequences * classes.paddedCount)
    Scalar.kernels.pointee.gemm(
      shape.sequences, classes.paddedCount, width, pooled.values.base, width, weights.dense.base,
      weights.denseBias.base, false, logits.base, classes.paddedCount)

    var result = [Scalar](repeating: 0, count: shape.sequences * classes.size)
    for (place, sequence) in shape.order.enumerated() {
      for i in 0..<classes.size { result[sequence * classes.size + i] = logits.base[place * classes.paddedCount + i] }
    }
    return result
  }

  /// Adds to `gradient` (laid out like the parameters) that of the loss whose gradient with respect to the logits of
  /// the last `forward` with `training` is `logitGradient` (`sequences x classes`, in the caller's order).
  func backward(_ weights: NetworkWeights<Scalar>, logitGradient: [Scalar], to gradient: inout [Scalar]) {
    gradient.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, let denseTransposed = weights.denseTransposed else { return }
      backward(weights, denseTransposed, logitGradient, base)
    }
  }

  /// The gradient of the network's input after `backward`, for tests: one `frames x inputs` array per sequence.
  private(set) var inputGradient: Buffer<Scalar>?
  func keepInputGradient() { inputGradient = Buffer() }
  func inputGradient(_ configuration: ModelConfiguration) -> [[Scalar]] {
    guard let inputGradient else { return [] }
    let columns = configuration.inputAxis(layer: 0).paddedCount
    var result = [[Scalar]](repeating: [], count: shape.sequences)
    for (place, sequence) in shape.order.enumerated() {
      for step in 0..<shape.lengths[place] {
        let row = inputGradient.base + (shape.offsets[step] + place) * columns
        result[sequence] += UnsafeBufferPointer(start: row, count: configuration.inputSize)
      }
    }
    return result
  }

  private func backward(
    _ weights: NetworkWeights<Scalar>, _ denseTransposed: Buffer<Scalar>, _ logitGradient: [Scalar],
    _ gradient: UnsafeMutablePointer<Scalar>
  ) {
    let kernels = Scalar.kernels.pointee
    let configuration = weights.configuration
    let (classes, outputs) = (configuration.classAxis, configuration.outputAxis)
    let (width, sequences) = (outputs.paddedCount, shape.sequences)
    func target(_ name: String) -> UnsafeMutablePointer<Scalar> { gradient + (weights.layout[name]?.offset ?? 0) }

    dlogits.reserve(sequences * classes.paddedCount)
    dlogits.clear(sequences * classes.paddedCount)
    for (place, sequence) in shape.order.enumerated() {
      for i in 0..<classes.size {
        dlogits.base[place * classes.paddedCount + i] = logitGradient[sequence * classes.size + i]
      }
    }
    // Dense: dW = P^T dlogits, db = sum of dlogits, dP = dlogits W^T.
    scratch.reserve(max(width, 2) * classes.paddedCount + width)
    scratch.clear(width * classes.paddedCount)
    kernels.gemm_transposed(
      width, classes.paddedCount, sequences, pooled.values.base, width, dlogits.base, classes.paddedCount, scratch.base,
      classes.paddedCount)
    Padding.addCollapsed(
      scratch.base, rows: outputs, columns: classes, leading: classes.count, to: target("dense.kernel"))
    scratch.clear(classes.paddedCount)
    kernels.add_column_sums(sequences, classes.paddedCount, dlogits.base, classes.paddedCount, scratch.base)
    Padding.addCollapsedRow(scratch.base, classes, to: target("dense.bias"))
    dpooled.reserve(sequences * width)
    kernels.gemm(
      sequences, width, classes.paddedCount, dlogits.base, classes.paddedCount, denseTransposed.base, nil, false,
      dpooled.base, width)
    dropout(configuration, layers.count, dpooled.base, rows: sequences, width)

    for buffers in layers { buffers.dy.reserve(shape.rows * width) }
    let last = layers.count - 1
    scratch.clear(width)
    pooled.backward(
      shape, dpooled.base, y: layers[last].y.base, query: weights.query?.base, dy: layers[last].dy.base,
      dquery: weights.query == nil ? nil : scratch.base)
    if weights.query != nil { Padding.addCollapsedRow(scratch.base, outputs, to: target("attention.query")) }

    for (index, layer) in weights.layers.enumerated().reversed() {
      let x = index == 0 ? input : layers[index - 1].y
      let dx = index == 0 ? inputGradient : layers[index - 1].dy
      let inputs = configuration.inputAxis(layer: index).paddedCount
      dx?.reserve(shape.rows * inputs)
      dx?.clear(shape.rows * inputs)
      for (direction, tape) in zip(layer, layers[index].tapes) {
        direction.backward(
          shape, x: x.base, dy: layers[index].dy.base, ldy: width, dx: dx?.base, tape: tape, gradient: gradient)
      }
      if index > 0, let dx { dropout(configuration, index - 1, dx.base, rows: shape.rows, width) }
    }
  }

  private func dropout(
    _ configuration: ModelConfiguration, _ layer: Int, _ x: UnsafeMutablePointer<Scalar>, rows: Int, _ width: Int
  ) {
    guard let dropoutSeed else { return }
    var generator = SeededGenerator(seed: dropoutSeed, stream: UInt64(layer))
    Scalar.kernels.pointee.dropout(rows, width, configuration.dropout, generator.next(), x, width)
  }
}
