/// Layers one after the other, with their numbers: a network, or what is within a residual block.
struct LayerPasses<Scalar: NetworkScalar>: Sendable {
  private let passes: [any LayerPass<Scalar>]
  /// The first layer of each pass.
  private let firstLayers: [Int]

  /// What a list of layers has in common with all of them.
  struct Source {
    let tensors: ArraySlice<ParameterLayout.Tensor>
    let parameters: UnsafePointer<Scalar>
    /// Layers that stand before these, and what the numbers of these begin with.
    let earlier: ArraySlice<Layer>
    var firstNumber = 0
    let firstState: Int
    let forTraining: Bool
    var precision = WeightPrecision.float32
  }

  /// Two layers become one pass where that saves work: batch normalisation in use is a part of the convolution before it,
  /// a ReLU one of the batch normalisation or the convolution before it.
  init(_ layers: [Layer], _ shapes: [LayerShape], _ source: Source) {
    var (passes, tensors, state): ([any LayerPass<Scalar>], _, _) = ([], source.tensors, source.firstState)
    var firstLayers: [Int] = []
    var places: [LayerPlace<Scalar>] = []
    for (index, layer) in layers.enumerated() {
      let definition = layer.definition
      let count = definition.tensors(shapes[index]).count
      places.append(
        LayerPlace(
          input: shapes[index], output: shapes[index + 1], tensors: tensors.prefix(count),
          parameters: source.parameters,
          number: source.firstNumber + (source.earlier + layers[..<index]).count { $0.isAlike(layer) },
          firstState: state, forTraining: source.forTraining, precision: source.precision))
      tensors = tensors.dropFirst(count)
      state += definition.states.count
    }
    var index = 0
    func next() -> Layer? { index + 1 < layers.count ? layers[index + 1] : nil }
    while index < layers.count {
      let layer = layers[index]
      var place = places[index]
      firstLayers.append(index)
      if case .convolution(let convolution) = layer, convolution.activation == nil, !source.forTraining,
        case .batchNormalization(let normalization) = next()
      {
        place.outputScale = normalization.channelScale(places[index + 1])
        index += 1
      }
      if layer.canEndWithReLU, case .activation(let activation) = next(), activation.function == .relu {
        place.endsWithReLU = true
        index += 1
      }
      passes.append(layer.definition.pass(place))
      index += 1
    }
    (self.passes, self.firstLayers) = (passes, firstLayers)
  }

  private init(_ passes: ArraySlice<any LayerPass<Scalar>>, _ firstLayers: ArraySlice<Int>) {
    (self.passes, self.firstLayers) = (Array(passes), Array(firstLayers))
  }

  /// Those before `layer` and those from it on; no pass may do both.
  func split(at layer: Int) -> (before: LayerPasses, after: LayerPasses) {
    let place = firstLayers.firstIndex { $0 >= layer } ?? passes.count
    return (
      LayerPasses(passes[..<place], firstLayers[..<place]), LayerPasses(passes[place...], firstLayers[place...])
    )
  }

  init(_ layers: [Layer], _ shapes: [LayerShape], in place: LayerPlace<Scalar>) {
    self.init(
      layers, shapes,
      Source(
        // Layers within a block have numbers of their own.
        tensors: place.tensors, parameters: place.parameters, earlier: [], firstNumber: (place.number + 1) << 8,
        firstState: place.firstState, forTraining: place.forTraining, precision: place.precision))
  }

  /// The tapes of the layers, in their order.
  final class Tape {
    let layers: [AnyObject]
    fileprivate init(_ layers: [AnyObject]) { self.layers = layers }
  }

  func makeTape() -> Tape { Tape(passes.map { $0.makeErasedTape() }) }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    zip(passes, tape.layers).reduce(x) { x, layer in layer.0.forward(x, erased: layer.1, options) }
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    var dy = dy
    for index in passes.indices.reversed() {
      guard
        let dx = passes[index].backward(
          dy, erased: tape.layers[index], options, wanted: wanted || index > 0, gradient: gradient)
      else { return nil }
      dy = dx
    }
    return dy
  }

  struct Stream {
    fileprivate var layers: [any LayerStream<Scalar>]

    mutating func append(_ x: Frames<Scalar>, isLast: Bool) -> Frames<Scalar> {
      var x = x
      for index in layers.indices { x = layers[index].append(x, isLast: isLast) }
      return x
    }
  }

  func stream() -> Stream { Stream(layers: passes.map { $0.stream() }) }
}

extension Layer {
  fileprivate func isAlike(_ other: Layer) -> Bool { type(of: definition) == type(of: other.definition) }

  fileprivate var canEndWithReLU: Bool {
    switch self {
    case .batchNormalization: true
    case .convolution(let convolution): convolution.activation == nil
    default: false
    }
  }
}
