/// The weights of a whole network, packed. A value that any number of threads share.
struct NetworkWeights<Scalar: NetworkScalar>: Sendable {
  let configuration: NetworkConfiguration
  let layout: ParameterLayout
  /// The layers that see frames, and those from the pooling on.
  let body: LayerPasses<Scalar>
  let head: LayerPasses<Scalar>

  /// `parameters` as `layout` places them.
  init(
    _ configuration: NetworkConfiguration, layout: ParameterLayout, parameters: [Scalar], forTraining: Bool,
    precision: WeightPrecision = .float32
  ) {
    precondition(parameters.count == layout.count, "parameters must fit the layout")
    self.configuration = configuration
    self.layout = layout
    let pooling = configuration.poolingIndex
    func passes(_ layers: Range<Int>, _ parameters: UnsafePointer<Scalar>) -> LayerPasses<Scalar> {
      let tensors = layout.layers[..<layers.lowerBound].reduce(0) { max($0, $1.upperBound) }
      return LayerPasses(
        Array(configuration.layers[layers]), Array(configuration.shapes[layers.lowerBound...layers.upperBound]),
        LayerPasses.Source(
          tensors: layout.tensors[tensors...], parameters: parameters,
          earlier: configuration.layers[..<layers.lowerBound],
          firstState: configuration.layers[..<layers.lowerBound].reduce(0) { $0 + $1.definition.states.count },
          forTraining: forTraining, precision: precision))
    }
    (body, head) = parameters.withUnsafeBufferPointer { buffer in
      let parameters = buffer.baseAddress!  // a layout is never empty
      return (passes(0..<pooling, parameters), passes(pooling..<configuration.layers.count, parameters))
    }
  }
}

/// The buffers of one pass through a network, forward and back: sized by the first large batch, then reused.
///
/// Not `Sendable`: each worker owns one.
final class NetworkTape<Scalar: NetworkScalar> {
  private let configuration: NetworkConfiguration
  /// The pass begins here; what enters it are frames of this layer's input, padded as kernels see them.
  private let firstLayer: Int
  private let input = Buffer<Scalar>(), dlogits = Buffer<Scalar>()
  private var body: LayerPasses<Scalar>.Tape?
  private var head: LayerPasses<Scalar>.Tape?
  /// What the last `forward` was given and gave.
  private var options = PassOptions<Scalar>()
  private let room = GradientRoom<Scalar>()
  private var logits: Frames<Scalar>?
  /// Whether `backward` also computes the gradient of the input, and what it was.
  var computesInputGradient = false
  private(set) var inputGradient: Frames<Scalar>?

  init(_ configuration: NetworkConfiguration, from firstLayer: Int = 0) {
    (self.configuration, self.firstLayer) = (configuration, firstLayer)
  }

  /// Logits (`sequences x classes`, in the caller's order) of sequences given as `lengths` and a function that writes
  /// one frame of one sequence.
  func forward(
    _ weights: NetworkWeights<Scalar>, lengths: [Int], _ options: PassOptions<Scalar> = PassOptions(),
    writeFrame: (_ sequence: Int, _ frame: Int, _ to: UnsafeMutablePointer<Scalar>) -> Void
  ) -> [Scalar] {
    forward(weights, input(lengths, writeFrame), options)
  }

  /// The same of frames that lie there already.
  func forward(
    _ weights: NetworkWeights<Scalar>, _ x: Frames<Scalar>, _ options: PassOptions<Scalar> = PassOptions()
  ) -> [Scalar] {
    let y = forwardBody(weights, x, options)
    let head = head ?? weights.head.makeTape()
    self.head = head
    let logits = weights.head.forward(y, head, options)
    self.logits = logits
    return logits.shape.scatter(logits.base, logits.axis)
  }

  /// What enters the pooling (`frames x outputs` for each sequence) and the final state, in the caller's order.
  func outputs(
    _ weights: NetworkWeights<Scalar>, lengths: [Int], _ options: PassOptions<Scalar> = PassOptions(),
    writeFrame: (_ sequence: Int, _ frame: Int, _ to: UnsafeMutablePointer<Scalar>) -> Void
  ) -> (outputs: [[Scalar]], state: RecurrentState<Scalar>) {
    var options = options
    let final = PassOptions.FinalState(RecurrentState<Scalar>(configuration, sequences: lengths.count))
    options.finalState = final
    let y = forwardBody(weights, input(lengths, writeFrame), options)
    return (y.shape.sequences(y.base, y.axis), final.state)
  }

  private func input(
    _ lengths: [Int], _ writeFrame: (_ sequence: Int, _ frame: Int, _ to: UnsafeMutablePointer<Scalar>) -> Void
  ) -> Frames<Scalar> {
    let x = Frames(BatchShape(lengths: lengths), configuration.shapes[firstLayer].axis, input)
    for step in 0..<x.shape.steps {
      for place in 0..<x.shape.running(step) {
        let frame = x.base + (x.shape.offsets[step] + place) * x.width
        (frame + x.axis.count).update(repeating: 0, count: x.width - x.axis.count)
        writeFrame(x.shape.order[place], step, frame)
      }
    }
    return x
  }

  private func forwardBody(
    _ weights: NetworkWeights<Scalar>, _ x: Frames<Scalar>, _ options: PassOptions<Scalar>
  ) -> Frames<Scalar> {
    let passes = firstLayer == 0 ? weights.body : weights.body.split(at: firstLayer).after
    let body = body ?? passes.makeTape()
    (self.body, self.options) = (body, options)
    self.options.room = room
    return passes.forward(x, body, options)
  }

  /// Adds to `gradient` (laid out like the parameters) that of the loss whose gradient with respect to the logits of
  /// the last `forward` with `training` is `logitGradient` (`sequences x classes`, in the caller's order).
  func backward(_ weights: NetworkWeights<Scalar>, logitGradient: [Scalar], to gradient: inout [Scalar]) {
    guard let logits, let head, let body else { return }
    let dy = Frames(logits.shape, logits.axis, dlogits)
    dy.buffer.clear(dy.rows * dy.width)
    dy.shape.gather(logitGradient, dy.axis, into: dy.base)
    gradient.withUnsafeMutableBufferPointer { gradient in
      guard let gradient = gradient.baseAddress,
        let dy = weights.head.backward(dy, head, options, wanted: true, gradient: gradient)
      else { return }
      inputGradient = weights.body.backward(
        dy, body, options, wanted: computesInputGradient, gradient: gradient)
    }
  }
}
