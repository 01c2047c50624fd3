import CKernels

/// The weights of a whole network, packed: front, recurrent layers, pooling, dense. A value that any number of threads share.
struct NetworkWeights<Scalar: NetworkScalar>: Sendable {
  let configuration: ModelConfiguration
  let layout: ParameterLayout
  let front: NetworkFront<Scalar>
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
    (front, layers, query, dense, denseTransposed, denseBias) = parameters.withUnsafeBufferPointer { buffer in
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
        NetworkFront(configuration, layout: layout, parameters: parameters, forTraining: forTraining), layers, query,
        packer.pack(kernel, leading: classes.count, rows: outputs, columns: classes),
        forTraining ? packer.packTransposed(kernel, leading: classes.count, rows: outputs, columns: classes) : nil, bias
      )
    }
  }
}

/// The buffers of one pass through a network, forward and back: sized by the first large batch, then reused.
///
/// Not `Sendable`: each worker owns one.
final class NetworkTape<Scalar: NetworkScalar> {
  private let configuration: ModelConfiguration
  /// As the sequences came, and as the recurrent layers see them.
  private var inputShape = BatchShape(lengths: []), shape = BatchShape(lengths: [])
  private var dropoutSeed: UInt64?
  private var masks: RecurrentMasks<Scalar>?
  private let input = Buffer<Scalar>()
  private var stackInput: Buffer<Scalar>
  private let front: FrontTape<Scalar>
  private let stack: RecurrentStackTape<Scalar>
  private var pooled: PooledFrames<Scalar>
  private let dpooled = Buffer<Scalar>(), logits = Buffer<Scalar>(), dlogits = Buffer<Scalar>()
  private let scratch = Buffer<Scalar>()
  /// The gradient of the input after `backward`, where a test has asked for it.
  var inputGradient: Buffer<Scalar>?

  init(_ configuration: ModelConfiguration) {
    self.configuration = configuration
    front = FrontTape(configuration)
    stack = RecurrentStackTape(configuration)
    pooled = PooledFrames(configuration.pooling, configuration.outputAxis)
    stackInput = input
  }

  /// What a pass through a network may be given beside the sequences.
  struct Options {
    /// Keeps what `backward` needs; batch normalisation uses the batch's statistics.
    var training = false
    /// Dropout of both kinds is applied where it is given.
    var dropoutSeed: UInt64?
    /// For batch normalisation in training; nil for those of the sequences themselves.
    var statistics: BatchStatistics?
    /// Where the recurrent layers begin; nil for zeros.
    var initialState: RecurrentState<Scalar>?
  }

  /// Logits (`sequences x classes`, in the caller's order) of sequences given as `lengths` and a function that writes
  /// one frame of one sequence.
  func forward(
    _ weights: NetworkWeights<Scalar>, lengths: [Int], _ options: Options = Options(),
    writeFrame: (_ sequence: Int, _ frame: Int, _ to: UnsafeMutablePointer<Scalar>) -> Void
  ) -> [Scalar] {
    let y = forwardRecurrent(weights, lengths: lengths, options, writeFrame: writeFrame)
    pooled.forward(shape, y.base, query: weights.query?.base)
    let (classes, width) = (configuration.classAxis, configuration.outputAxis.paddedCount)
    configuration.drop(pooled.values.base, shape.sequences, width, layer: configuration.layers, seed: dropoutSeed)
    logits.reserve(shape.sequences * classes.paddedCount)
    Scalar.kernels.pointee.gemm(
      shape.sequences, classes.paddedCount, width, pooled.values.base, width, weights.dense.base,
      weights.denseBias.base, false, logits.base, classes.paddedCount)
    return shape.scatter(logits.base, classes)
  }

  /// Outputs of the last recurrent layer (`frames x outputs` for each sequence) and the final state, in the caller's
  /// order.
  func outputs(
    _ weights: NetworkWeights<Scalar>, lengths: [Int], _ options: Options = Options(),
    writeFrame: (_ sequence: Int, _ frame: Int, _ to: UnsafeMutablePointer<Scalar>) -> Void
  ) -> (outputs: [[Scalar]], state: RecurrentState<Scalar>) {
    let y = forwardRecurrent(weights, lengths: lengths, options, writeFrame: writeFrame)
    return (shape.sequences(y.base, configuration.outputAxis), stack.finalState(shape))
  }

  private func forwardRecurrent(
    _ weights: NetworkWeights<Scalar>, lengths: [Int], _ options: Options,
    writeFrame: (_ sequence: Int, _ frame: Int, _ to: UnsafeMutablePointer<Scalar>) -> Void
  ) -> Buffer<Scalar> {
    inputShape = BatchShape(lengths: lengths)
    dropoutSeed = options.dropoutSeed
    masks = RecurrentMasks(configuration, sequences: lengths.count, seed: dropoutSeed)
    writeInput(writeFrame)
    let statistics =
      options.training && configuration.inputNormalization?.kind == .batch
      ? options.statistics ?? BatchStatistics(rows: inputShape.rows, configuration.featureAxis, input.base) : nil
    (stackInput, shape) = front.forward(weights.front, inputShape, input, statistics: statistics)
    return stack.forward(
      weights.layers, shape, x: stackInput, training: options.training, dropoutSeed: dropoutSeed, masks: masks,
      initial: options.initialState)
  }

  /// Adds to `gradient` (laid out like the parameters) that of the loss whose gradient with respect to the logits of
  /// the last `forward` with `training` is `logitGradient` (`sequences x classes`, in the caller's order).
  func backward(_ weights: NetworkWeights<Scalar>, logitGradient: [Scalar], to gradient: inout [Scalar]) {
    gradient.withUnsafeMutableBufferPointer { gradient in
      guard let gradient = gradient.baseAddress, let denseTransposed = weights.denseTransposed else { return }
      let dy = stack.outputGradient(shape)
      backwardDense(weights.layout, denseTransposed, logitGradient, gradient)
      scratch.clear(configuration.outputAxis.paddedCount)
      pooled.backward(
        shape, dpooled.base, y: stack.outputs.base, query: weights.query?.base, dy: dy.base,
        dquery: weights.query == nil ? nil : scratch.base)
      if let query = weights.layout["attention.query"] {
        Padding.addCollapsedRow(scratch.base, configuration.outputAxis, to: gradient + query.offset)
      }
      let dx = weights.front.isEmpty ? inputGradient : front.outputGradient
      stack.backward(
        weights.layers, shape, x: stackInput, dx: dx, dropoutSeed: dropoutSeed, gradient: gradient, masks: masks)
      front.backward(weights.front, inputShape, input, dx: inputGradient, gradient: gradient)
    }
  }

  private func writeInput(_ writeFrame: (Int, Int, UnsafeMutablePointer<Scalar>) -> Void) {
    let columns = configuration.featureAxis.paddedCount
    input.reserve(inputShape.rows * columns)
    for step in 0..<inputShape.steps {
      for place in 0..<inputShape.running(step) {
        let frame = input.base + (inputShape.offsets[step] + place) * columns
        (frame + configuration.inputSize).update(repeating: 0, count: columns - configuration.inputSize)
        writeFrame(inputShape.order[place], step, frame)
      }
    }
  }

  /// dW = P^T dlogits, db = the sum of dlogits, dP = dlogits W^T.
  private func backwardDense(
    _ layout: ParameterLayout, _ transposed: Buffer<Scalar>, _ logitGradient: [Scalar],
    _ gradient: UnsafeMutablePointer<Scalar>
  ) {
    let kernels = Scalar.kernels.pointee
    let (classes, outputs, sequences) = (configuration.classAxis, configuration.outputAxis, shape.sequences)
    let (width, columns) = (outputs.paddedCount, classes.paddedCount)
    func target(_ name: String) -> UnsafeMutablePointer<Scalar> { gradient + (layout[name]?.offset ?? 0) }

    dlogits.reserve(sequences * columns)
    dlogits.clear(sequences * columns)
    for (place, sequence) in shape.order.enumerated() {
      for i in 0..<classes.size { dlogits.base[place * columns + i] = logitGradient[sequence * classes.size + i] }
    }
    scratch.reserve(width * columns)
    scratch.clear(width * columns)
    kernels.gemm_transposed(
      width, columns, sequences, pooled.values.base, width, dlogits.base, columns, scratch.base, columns)
    Padding.addCollapsed(
      scratch.base, rows: outputs, columns: classes, leading: classes.count, to: target("dense.kernel"))
    scratch.clear(columns)
    kernels.add_column_sums(sequences, columns, dlogits.base, columns, scratch.base)
    Padding.addCollapsedRow(scratch.base, classes, to: target("dense.bias"))
    dpooled.reserve(sequences * width)
    kernels.gemm(
      sequences, width, columns, dlogits.base, columns, transposed.base, nil, false, dpooled.base, width)
    configuration.drop(dpooled.base, sequences, width, layer: configuration.layers, seed: dropoutSeed)
  }
}
