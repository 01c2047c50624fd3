import SequenceModel

/// The network of an ONNX graph as a list of layers with their numbers.
///
/// The graph is followed from the features to the one output. Each tensor on that way is either frames at some layer
/// (`ONNXSignal`), or numbers that are known, or sizes; an operator makes a layer of it or only moves its axes. What does not
/// fit is refused with the node's name, its operator and the reason.
struct ONNXNetwork {
  /// A layer after another.
  struct Link {
    var parent: Int
    var layer: Layer
    /// As `ParameterLayout` places them.
    var parameters: [Float]
    var shape: LayerShape
    /// Of a recurrent layer that goes from the last frame to the first.
    var isBackward = false
  }

  struct Constant {
    var shape: [Int]
    var values: [Float]
  }

  enum Value {
    case signal(ONNXSignal)
    /// Final states of several layers, one after the other on the first axis.
    case stack([ONNXSignal])
    case constant(Constant)
    /// Whole numbers; sizes of the tensors of any batch among them.
    case sizes(shape: [Int], [ONNXSignal.Size])
    /// The same number everywhere, in any shape.
    case filled(Float)
    case moment(ONNXMoment)
    /// Not understood; a problem where it is needed.
    case refused(ImportProblem)
  }

  /// How the graph's input lies, where its shape does not say.
  enum Layout: CaseIterable {
    case sequencesFramesNumbers, sequencesNumbersFrames, framesSequencesNumbers
    case planesOfFrames, planesOfBins
  }

  let opset: Int
  /// The first stands for the features.
  var links: [Link] = []
  var values: [String: Value] = [:]

  /// The layers in order, all their numbers, and what the graph makes of its logits; nil where it ends with logits.
  struct Found {
    var width: Int
    var layers: [Layer]
    var parameters: [Float]
    var output: ModelOutput?
  }

  /// Throws the reason where the graph is none of Auricle's networks. `width`: numbers of a frame, where it is known;
  /// `binsFirst`: whether bins come before frames where planes do not say.
  static func found(in file: ONNXFile, width: Int?, binsFirst: Bool) throws -> Found {
    if file.metadata.contains(where: { $0.key == "auricle.labels" }) {
      throw ImportProblem(reason: "it was exported by Auricle; use the model that it was made of")
    }
    let weights = Set(file.initializers.map(\.name))
    let inputs = file.inputs.filter { !weights.contains($0.name) }
    guard let input = inputs.first, inputs.count == 1, let output = file.outputs.first, file.outputs.count == 1 else {
      throw ImportProblem(
        reason: "it has inputs \(inputs.map(\.name)) and outputs \(file.outputs.map(\.name)); one of each is wanted: "
          + "sequences of frames, and what classes get")
    }
    var problems: [ImportProblem] = []
    for layout in layouts(of: input, binsFirst: binsFirst) {
      do {
        var network = ONNXNetwork(opset: file.opset)
        return try network.read(file, input, layout, output.name, width: width)
      } catch let problem as ImportProblem {
        problems.append(problem)
      }
    }
    // The reading that came farthest says most of what is wrong.
    throw problems.max { $0.progress < $1.progress }
      ?? ImportProblem(
        reason: "its input '\(input.name)' is no batch of sequences: \(input.shape.count) axes, not 3 or 4")
  }

  private static func layouts(of input: ONNXFile.Value, binsFirst: Bool) -> [Layout] {
    func isOpen(_ axis: Int) -> Bool { if case .named = input.shape[axis] { true } else { false } }
    switch input.shape.count {
    case 3:
      // Where any axis but the first is open, frames are.
      let all: [(Layout, frames: Int)] = [
        (.sequencesFramesNumbers, 1), (.sequencesNumbersFrames, 2), (.framesSequencesNumbers, 0),
      ]
      let open = all.filter { isOpen($0.frames) }
      let hasOpen = isOpen(1) || isOpen(2)
      return (hasOpen ? open : all).map(\.0)
    case 4:
      if isOpen(2) != isOpen(3) { return [isOpen(2) ? .planesOfFrames : .planesOfBins] }
      return [binsFirst ? .planesOfBins : .planesOfFrames]
    default: return []
    }
  }

  private init(opset: Int) { self.opset = opset }

  private mutating func read(
    _ file: ONNXFile, _ input: ONNXFile.Value, _ layout: Layout, _ output: String, width: Int?
  ) throws -> Found {
    let signal = try start(input, layout, width)
    let width = signal.shape.count
    for tensor in file.initializers { values[tensor.name] = Self.value(of: tensor) }
    values[input.name] = .signal(signal)
    for node in Self.needed(file.nodes, for: output) { apply(node) }
    do {
      return try end(output, width: width)
    } catch var problem as ImportProblem {
      problem.progress = links.count
      throw problem
    }
  }

  private mutating func start(_ input: ONNXFile.Value, _ layout: Layout, _ given: Int?) throws -> ONNXSignal {
    func fixed(_ axis: Int) -> Int? { if case .fixed(let size) = input.shape[axis] { size } else { nil } }
    let places: (sequences: Int, frames: Int, numbers: Int) =
      switch layout {
      case .sequencesFramesNumbers: (0, 1, 2)
      case .sequencesNumbersFrames: (0, 2, 1)
      case .framesSequencesNumbers: (1, 0, 2)
      case .planesOfFrames: (0, 2, 3)
      case .planesOfBins: (0, 3, 2)
      }
    guard let width = fixed(places.numbers) ?? given, width > 0, width <= 65_536 else {
      throw ImportProblem(
        reason: "its input '\(input.name)' does not say how many numbers a frame has; say what they are")
    }
    if let given, given != width {
      throw ImportProblem(reason: "frames of its input '\(input.name)' have \(width) numbers; the features \(given)")
    }
    if input.shape.count == 4, let planes = fixed(1), planes != 1 {
      throw ImportProblem(reason: "its input '\(input.name)' has \(planes) planes; features are one")
    }
    links = [Link(parent: 0, layer: .activation(.relu), parameters: [], shape: LayerShape(input: width))]
    var axes = [[ONNXSignal.Atom]](repeating: [], count: input.shape.count)
    axes[places.sequences] = [.sequences]
    axes[places.frames] = [.frames]
    if width > 1 { axes[places.numbers] = [.factor(0)] }
    return ONNXSignal(
      link: 0, shape: LayerShape(input: width), factors: [width], axes: axes, frameCount: fixed(places.frames),
      sequenceCount: fixed(places.sequences))
  }

  /// The nodes that the output needs, in their order.
  private static func needed(_ nodes: [ONNXFile.Node], for output: String) -> [ONNXFile.Node] {
    var wanted: Set = [output]
    return nodes.reversed().filter { node in
      guard node.outputs.contains(where: { wanted.contains($0) }) else { return false }
      wanted.formUnion(node.inputs)
      for case .graph(let body) in node.attributes.map(\.value) { wanted.formUnion(body.nodes.flatMap(\.inputs)) }
      return true
    }.reversed()
  }

  private mutating func end(_ output: String, width: Int) throws -> Found {
    guard let value = values[output] else { throw ImportProblem(reason: "nothing computes its output '\(output)'") }
    if case .refused(let problem) = value { throw problem }
    guard case .signal(var signal) = value else {
      throw ImportProblem(reason: "its output '\(output)' does not come from its input")
    }
    var kind: ModelOutput? = signal.isProbability ? .softmax : nil
    signal.isProbability = false
    signal = try whole(signal)
    var link = signal.link
    if kind == nil, link > 0, links[link].layer == .activation(.sigmoid) {
      (kind, link) = (.sigmoid, links[link].parent)
    }
    guard signal.axes == [[.sequences], [.factor(0)]] else {
      throw ImportProblem(
        reason: "its output '\(output)' is not a vector for each sequence, of which each number is a class")
    }
    var path: [Link] = []
    while link > 0 {
      path.append(links[link])
      link = links[link].parent
    }
    path.reverse()
    return Found(
      width: width, layers: path.map(\.layer), parameters: path.flatMap(\.parameters), output: kind)
  }

  // MARK: Links

  /// `layer` after `signal`, whose new tensor has these axes of these factors.
  mutating func append(
    _ layer: Layer, _ parameters: [Float], to signal: ONNXSignal, factors: [Int]? = nil, axes: [[ONNXSignal.Atom]]
  ) throws(ImportProblem) -> ONNXSignal {
    let shape = try add(layer, parameters, after: signal.link)
    let factors = factors ?? (shape.isFlat ? [shape.count] : [shape.bins, shape.channels])
    guard factors.reduce(1, *) == shape.count else { throw ImportProblem(reason: "gives another shape than the layer") }
    return signal.followed(by: links.count - 1, shape, factors: factors, axes: axes)
  }

  mutating func add(_ layer: Layer, _ parameters: [Float], after parent: Int) throws(ImportProblem) -> LayerShape {
    let shape: LayerShape
    do {
      shape = try NetworkConfiguration.shapes(of: [layer], input: links[parent].shape)[1]
    } catch {
      throw ImportProblem(reason: "is no layer of Auricle's: \(error)")
    }
    let count = layer.tensorShapes(links[parent].shape).reduce(0) { $0 + $1.shape.reduce(1, *) }
    guard count == parameters.count else {
      throw ImportProblem(reason: "has \(parameters.count) weights; the layer wants \(count)")
    }
    guard parameters.allSatisfy(\.isFinite) else { throw ImportProblem(reason: "holds a number that is not finite") }
    guard links.count < 1_000 else { throw ImportProblem(reason: "is one of more than a thousand layers") }
    links.append(Link(parent: parent, layer: layer, parameters: parameters, shape: shape))
    return shape
  }

  /// The signal as layers take it: what was picked of it has become a pooling. Throws where that cannot be.
  mutating func whole(_ signal: ONNXSignal) throws(ImportProblem) -> ONNXSignal {
    guard !signal.isReversed, !links[signal.link].isBackward else {
      throw ImportProblem(reason: "takes a layer that only goes backward, which Auricle has beside a forward one")
    }
    guard signal.range == nil else { throw ImportProblem(reason: "takes some numbers of a frame only") }
    guard signal.padding == (0, 0) else { throw ImportProblem(reason: "takes padded frames; only convolutions do") }
    guard !signal.isShare, !signal.isProbability else { throw ImportProblem(reason: "takes what softmax gives") }
    switch signal.place {
    case nil: return signal
    case .first: throw ImportProblem(reason: "takes the first frame; Auricle pools the last, the mean or the greatest")
    case .final: return try pooled(signal, .last)
    case .last:
      guard !signal.shape.isBidirectional else {
        throw ImportProblem(
          reason: "takes the last frame of both directions; Auricle takes the state that is final in each direction "
            + "(PyTorch's h_n), the backward one at the first frame")
      }
      return try pooled(signal, .last)
    }
  }

  mutating func pooled(
    _ signal: ONNXSignal, _ kind: SequencePooling.Kind
  ) throws(ImportProblem) -> ONNXSignal {
    var signal = signal
    signal.place = nil
    guard signal.shape.hasFrames else { throw ImportProblem(reason: "pools frames that are pooled already") }
    var next = try append(
      .pooling(kind), [], to: signal, factors: signal.factors, axes: signal.axes.map { $0.filter { $0 != .frames } })
    next.frameCount = nil
    return next
  }

  // MARK: Constants

  static func value(of tensor: ONNXFile.Tensor) -> Value {
    if let numbers = tensor.wholeNumbers { return .sizes(shape: tensor.shape, numbers.map { .known($0) }) }
    if let numbers = tensor.floats { return .constant(Constant(shape: tensor.shape, values: numbers)) }
    return .refused(ImportProblem(reason: "its tensor '\(tensor.name)' holds numbers of another kind than float32"))
  }
}

/// A step of a mean and variance over the numbers of each frame, from which layer normalisation is made.
struct ONNXMoment {
  enum Kind {
    case mean, negativeMean, centered, square, variance
    /// The variance and a small number.
    case shifted, deviation, reciprocal
    /// The frame, or its mean's negative, over the deviation.
    case scaled, scaledMean
  }
  var kind: Kind
  let signal: ONNXSignal
  var epsilon = 0.0
  /// For each number of a frame.
  var gamma: [Float]?
  var beta: [Float]?
}
