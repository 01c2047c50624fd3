import AuricleBase
import RealModule
import SequenceModel

/// Folds networks over their layers into a graph.
///
/// Between layers frames are `batch x frames x count` or, where convolutions want it, `batch x channels x frames x bins`.
/// Frames beyond a sequence's own end may hold anything; each layer that looks at more than one frame sets them to what
/// does not count first.
struct ONNXLayers {
  var graph: ONNXGraph
  /// Frames of each sequence, whole numbers of `batch`.
  let lengths: String
  /// Frames of the longest, one whole number.
  let frames: String
  /// What goes on from piece to piece; nil where sequences come whole.
  var states: ONNXStates?
  private var masks: [String: String] = [:]

  init(_ graph: ONNXGraph, lengths: String, frames: String, states: ONNXStates? = nil) {
    (self.graph, self.lengths, self.frames, self.states) = (graph, lengths, frames, states)
  }

  /// What passes from layer to layer.
  struct Signal {
    enum Layout: Hashable {
      /// `batch x frames x count`
      case frames
      /// `batch x channels x frames x bins`
      case planes(bins: Int, channels: Int)
      /// `batch x count`, after the pooling
      case vector
    }
    var name: String
    var layout: Layout
    /// Whether frames beyond a sequence's end are zeros.
    var isMasked = false
  }

  /// The parameters of a network, taken in the order in which its layers keep them.
  struct Weights {
    private let parameters: [Float]
    private var rest: ArraySlice<ParameterLayout.Tensor>

    init(_ network: SequenceClassifier) {
      parameters = network.parameters
      rest = ParameterLayout(network.configuration).tensors[...]
    }

    mutating func next() -> [Float] { rest.popFirst().map { Array(parameters[$0.range]) } ?? [] }
  }

  /// `batch x classes` of normalised features `batch x frames x width`.
  mutating func logits(_ network: SequenceClassifier, of features: String) throws(ModelError) -> String {
    var weights = Weights(network)
    let configuration = network.configuration
    return try fold(
      configuration.layers, configuration.shapes, Signal(name: features, layout: .frames), &weights
    ).name
  }

  private mutating func fold(
    _ layers: [Layer], _ shapes: [LayerShape], _ x: Signal, _ weights: inout Weights
  ) throws(ModelError) -> Signal {
    var x = x
    let scope = graph.scope
    for (index, layer) in layers.enumerated() {
      graph.scope = "\(scope)layers.\(index)/"
      x = try apply(layer, x, shapes[index], shapes[index + 1], &weights)
    }
    graph.scope = scope
    return x
  }

  private mutating func apply(
    _ layer: Layer, _ x: Signal, _ input: LayerShape, _ output: LayerShape, _ weights: inout Weights
  ) throws(ModelError) -> Signal {
    switch layer {
    case .activation(let layer): activation(layer.function, x)
    case .batchNormalization(let layer): batchNormalization(layer, x, input, &weights)
    case .convolution(let layer): convolution(layer, x, input, &weights)
    case .dense(let layer): dense(layer, x, input, &weights)
    case .depthwiseConvolution(let layer): depthwiseConvolution(layer, x, input, &weights)
    case .dropout: x
    case .layerNormalization(let layer): layerNormalization(layer, x, input, &weights)
    case .pooling(let layer): pooling(layer, x, input, &weights)
    case .recurrent(let layer): recurrent(layer, x, input, &weights)
    case .residual(let layer): try residual(layer, x, input, &weights)
    case .windowPooling(let layer): windowPooling(layer, x, input, output)
    }
  }
}

// MARK: Layouts and masks

extension ONNXLayers {
  mutating func rows(_ x: Signal) -> Signal {
    guard case .planes(let bins, let channels) = x.layout else { return x }
    let name = graph.reshape(graph.transpose(x.name, [0, 2, 3, 1]), [0, 0, bins * channels])
    return Signal(name: name, layout: .frames, isMasked: x.isMasked)
  }

  mutating func planes(_ x: Signal, bins: Int, channels: Int) -> Signal {
    let wanted = Signal.Layout.planes(bins: bins, channels: channels)
    if x.layout == wanted { return x }
    let split = graph.reshape(rows(x).name, [0, 0, bins, channels])
    return Signal(name: graph.transpose(split, [0, 3, 1, 2]), layout: wanted, isMasked: x.isMasked)
  }

  /// For frames that stand for `stride` frames of the input, how many of them each sequence has: `batch`.
  private mutating func lengths(stride: Int) -> String {
    cached("lengths \(stride)") { $0.dividedUp($1.lengths, by: stride) }
  }

  /// 0, 1, ... of these frames.
  private mutating func index(stride: Int) -> String {
    cached("index \(stride)") { graph, own in graph.range(graph.dividedUp(own.frames, by: stride)) }
  }

  /// Where frames are within their sequences, in the shape of a layout.
  private mutating func mask(stride: Int, _ layout: Signal.Layout) -> String {
    if states != nil { return everywhere(layout) }
    let lengths = lengths(stride: stride)
    let index = index(stride: stride)
    let mask = cached("mask \(stride)") { graph, _ in graph.add("Less", [index, graph.unsqueeze(lengths, [1])]) }
    if case .planes = layout { return cached("planes \(stride)") { graph, _ in graph.unsqueeze(mask, [1, 3]) } }
    return cached("rows \(stride)") { graph, _ in graph.unsqueeze(mask, [2]) }
  }

  /// The mask of a piece of a stream, all of which is there.
  private mutating func everywhere(_ layout: Signal.Layout) -> String {
    let isPlanes = if case .planes = layout { true } else { false }
    return cached("everywhere \(isPlanes)") { graph, own in
      let rows = graph.unsqueeze(graph.range(own.frames), [0])
      return graph.unsqueeze(graph.add("Less", [graph.integers([-1]), rows]), isPlanes ? [1, 3] : [2])
    }
  }

  /// Where the last frames of sequences are: `batch x frames x 1`.
  private mutating func lastFrame(stride: Int) -> String {
    let (lengths, index) = (lengths(stride: stride), index(stride: stride))
    return cached("last \(stride)") { graph, _ in
      let last = graph.unsqueeze(graph.add("Sub", [lengths, graph.integers([1])]), [1])
      return graph.unsqueeze(graph.add("Equal", [graph.unsqueeze(index, [0]), last]), [2])
    }
  }

  /// What all networks of the model and all their layers share.
  private mutating func cached(_ key: String, _ make: (inout ONNXGraph, ONNXLayers) -> String) -> String {
    if let name = masks[key] { return name }
    let scope = graph.scope
    graph.scope = "lengths/"
    let name = make(&graph, self)
    graph.scope = scope
    masks[key] = name
    return name
  }

  /// `x` with `value` in place of frames beyond a sequence's end, whatever these hold.
  private mutating func masked(_ x: Signal, _ shape: LayerShape, _ value: Float = 0) -> Signal {
    if x.isMasked && value == 0 || states != nil { return x }
    let mask = mask(stride: shape.frameStride, x.layout)
    let name = graph.add("Where", [mask, x.name, graph.scalar(value)])
    return Signal(name: name, layout: x.layout, isMasked: value == 0)
  }
}

// MARK: Layers of each frame by itself

extension ONNXLayers {
  private mutating func activation(_ function: Activation.Function?, _ x: Signal) -> Signal {
    guard let function else { return x }
    var y = x
    switch function {
    case .relu: y.name = graph.add("Relu", [x.name])
    case .tanh: y.name = graph.add("Tanh", [x.name])
    case .sigmoid:
      y.name = graph.add("Sigmoid", [x.name])
      y.isMasked = false
    case .silu: y.name = graph.add("Mul", [x.name, graph.add("Sigmoid", [x.name])])
    }
    return y
  }

  private mutating func dense(_ layer: Dense, _ x: Signal, _ input: LayerShape, _ weights: inout Weights) -> Signal {
    let x = rows(x)
    let kernel = graph.constant("kernel", weights.next(), shape: [input.count, layer.units])
    let bias = graph.constant("bias", weights.next(), shape: [layer.units])
    let y = graph.add("Add", [graph.add("MatMul", [x.name, kernel]), bias])
    return activation(layer.activation, Signal(name: y, layout: x.layout))
  }

  private mutating func batchNormalization(
    _ layer: BatchNormalization, _ x: Signal, _ input: LayerShape, _ weights: inout Weights
  ) -> Signal {
    let (gamma, beta, mean, variance) = (weights.next(), weights.next(), weights.next(), weights.next())
    let scale = gamma.indices.map { Double(gamma[$0]) / Double.sqrt(Double(variance[$0]) + layer.epsilon) }
    let shift = scale.indices.map { Float(Double(beta[$0]) - Double(mean[$0]) * scale[$0]) }
    var y = x
    var shape = [gamma.count]
    switch x.layout {
    case .planes(_, gamma.count): shape = [gamma.count, 1, 1]
    case .planes(gamma.count, 1), .vector: break
    case .frames, .planes: y = rows(x)
    }
    let isTiled = y.layout == .frames && gamma.count < input.count
    func tiled(_ values: [Float]) -> [Float] {
      isTiled ? (0..<input.count).map { values[$0 % values.count] } : values
    }
    if isTiled { shape = [input.count] }
    let product = graph.add("Mul", [y.name, graph.constant("scale", tiled(scale.map { Float($0) }), shape: shape)])
    y.name = graph.add("Add", [product, graph.constant("shift", tiled(shift), shape: shape)])
    y.isMasked = false
    return y
  }

  private mutating func layerNormalization(
    _ layer: LayerNormalization, _ x: Signal, _ input: LayerShape, _ weights: inout Weights
  ) -> Signal {
    let columns = input.columnCount
    var y = rows(x)
    let (isVector, isSplit) = (y.layout == .vector, columns < input.count)
    if isSplit { y.name = graph.reshape(y.name, isVector ? [0, -1, columns] : [0, 0, -1, columns]) }
    let axis = (isVector ? 1 : 2) + (isSplit ? 1 : 0)
    let centered = graph.add("Sub", [y.name, graph.reduce("Mean", y.name, axis: axis)])
    let variance = graph.reduce("Mean", graph.add("Mul", [centered, centered]), axis: axis)
    let deviation = graph.add("Sqrt", [graph.add("Add", [variance, graph.scalar(Float(layer.epsilon))])])
    let gamma = graph.constant("gamma", weights.next(), shape: [columns])
    let beta = graph.constant("beta", weights.next(), shape: [columns])
    let scaled = graph.add("Mul", [graph.add("Div", [centered, deviation]), gamma])
    y.name = graph.add("Add", [scaled, beta])
    if isSplit { y.name = graph.reshape(y.name, isVector ? [0, -1] : [0, 0, -1]) }
    y.isMasked = false
    return y
  }

  private mutating func residual(
    _ layer: Residual, _ x: Signal, _ input: LayerShape, _ weights: inout Weights
  ) throws(ModelError) -> Signal {
    let shapes = try NetworkConfiguration.shapes(of: layer.layers, input: input)
    let inner = try fold(layer.layers, shapes, x, &weights)
    let (a, b) = x.layout == inner.layout ? (x, inner) : (rows(x), rows(inner))
    return Signal(
      name: graph.add("Add", [a.name, b.name]), layout: a.layout, isMasked: a.isMasked && b.isMasked)
  }
}

// MARK: Layers over time

extension ONNXLayers {
  private mutating func convolution(
    _ layer: Convolution, _ x: Signal, _ input: LayerShape, _ weights: inout Weights
  ) -> Signal {
    // A 1-D filter spans all of a frame, which is then one bin of many channels.
    let (bins, channels) = layer.bins == nil ? (1, input.count) : (input.bins, input.channels)
    let taps = FrameTaps(
      layer.frames, stride: layer.frameStride, dilation: layer.frameDilation, causal: layer.causal)
    let binTaps = FrameTaps(layer.bins ?? 1, stride: layer.binStride, dilation: layer.binDilation)
    let kernel = transposed(weights.next(), rows: taps.taps * binTaps.taps * channels)
    let shape = [layer.filters, channels, taps.taps, binTaps.taps]
    let y = convolve(
      planes(masked(x, input), bins: bins, channels: channels), taps, binTaps, groups: 1,
      kernel: reordered(kernel, shape), shape, bias: weights.next())
    return activation(
      layer.activation,
      Signal(name: y, layout: .planes(bins: binTaps.outputFrames(bins), channels: layer.filters)))
  }

  private mutating func depthwiseConvolution(
    _ layer: DepthwiseConvolution, _ x: Signal, _ input: LayerShape, _ weights: inout Weights
  ) -> Signal {
    let channels = input.columnCount
    let bins = input.count / channels
    let taps = FrameTaps(
      layer.frames, stride: layer.frameStride, dilation: layer.frameDilation, causal: layer.causal)
    let y = convolve(
      planes(masked(x, input), bins: bins, channels: channels), taps, FrameTaps(1), groups: channels,
      kernel: transposed(weights.next(), rows: taps.taps), [channels, 1, taps.taps, 1], bias: weights.next())
    return Signal(name: y, layout: .planes(bins: bins, channels: channels))
  }

  private mutating func convolve(
    _ x: Signal, _ taps: FrameTaps, _ bins: FrameTaps, groups: Int, kernel: [Float], _ shape: [Int], bias: [Float]
  ) -> String {
    let x = states == nil ? x : withEarlier(x, taps.lead)
    let lead = states == nil ? taps.lead : 0
    let kernel = graph.constant("kernel", kernel, shape: shape)
    let bias = graph.constant("bias", bias, shape: [shape[0]])
    return graph.add(
      "Conv", [x.name, kernel, bias],
      [
        ("kernel_shape", .integers([taps.taps, bins.taps])), ("strides", .integers([taps.stride, bins.stride])),
        ("dilations", .integers([taps.dilation, bins.dilation])),
        ("pads", .integers([lead, bins.lead, taps.lookahead, bins.lookahead])), ("group", .integer(groups)),
      ])
  }

  private mutating func windowPooling(
    _ layer: WindowPooling, _ x: Signal, _ input: LayerShape, _ output: LayerShape
  ) -> Signal {
    var x = x
    if layer.bins > 1 {
      x = planes(x, bins: input.bins, channels: input.channels)
    } else if case .frames = x.layout {
      x = planes(x, bins: 1, channels: input.count)
    }
    guard case .planes(let bins, let channels) = x.layout else { return x }
    let binsOut = (bins + layer.bins - 1) / layer.bins
    let window: [(String, ONNXFile.Attribute.Value)] = [
      ("kernel_shape", .integers([layer.frames, layer.bins])), ("strides", .integers([layer.frames, layer.bins])),
      ("pads", .integers([0, 0, layer.frames - 1, binsOut * layer.bins - bins])),
    ]
    let layout = Signal.Layout.planes(bins: binsOut, channels: channels)
    switch layer.kind {
    case .max:
      let y = graph.add("MaxPool", [masked(x, input, -.greatestFiniteMagnitude).name], window)
      return Signal(name: y, layout: layout)
    case .mean:
      // Both means take zeros for what is not there; their ratio is the mean of what is.
      let counting = window + [("count_include_pad", .integer(1))]
      let mask = graph.cast(mask(stride: input.frameStride, x.layout), to: .float)
      let ones = graph.constant("ones", [Float](repeating: 1, count: bins), shape: [1, 1, 1, bins])
      let share = graph.add("AveragePool", [graph.add("Mul", [mask, ones])], counting)
      // Windows beyond a sequence's end have nothing.
      let y = graph.add(
        "Div",
        [
          graph.add("AveragePool", [masked(x, input).name], counting),
          graph.add("Max", [share, graph.scalar(0.5 / Float(layer.frames * layer.bins))]),
        ])
      return Signal(name: y, layout: layout, isMasked: true)
    }
  }

  private mutating func recurrent(
    _ layer: Recurrent, _ x: Signal, _ input: LayerShape, _ weights: inout Weights
  ) -> Signal {
    let (units, directions) = (layer.units, layer.directions)
    // Where ONNX has another order of gates than Keras.
    let gates =
      layer.cell == .lstm ? [0, 3, 1, 2] : layer.cell == .gru || layer.cell == .gruResetBefore ? [0, 1, 2] : [0]
    var (kernel, recurrent, bias): ([Float], [Float], [Float]) = ([], [], [])
    for _ in 0..<directions {
      kernel += gateRows(weights.next(), rows: input.count, units: units, gates)
      recurrent += gateRows(weights.next(), rows: units, units: units, gates)
      let stored = weights.next()
      let own = gateRows(Array(stored.prefix(gates.count * units)), rows: 1, units: units, gates)
      let ofState = gateRows(Array(stored.dropFirst(gates.count * units)), rows: 1, units: units, gates)
      bias += own + (ofState.isEmpty ? [Float](repeating: 0, count: own.count) : ofState)
    }
    let size = gates.count * units
    var attributes: [(String, ONNXFile.Attribute.Value)] = [
      ("hidden_size", .integer(units)), ("direction", .text(directions == 2 ? "bidirectional" : "forward")),
    ]
    let operation: String
    switch layer.cell {
    case .gru, .gruResetBefore:
      operation = "GRU"
      attributes.append(("linear_before_reset", .integer(layer.cell == .gru ? 1 : 0)))
    case .lstm: operation = "LSTM"
    case .simpleRNN, .simpleRNNReLU:
      operation = "RNN"
      let function = layer.cell == .simpleRNN ? "Tanh" : "Relu"
      attributes.append(("activations", .texts([String](repeating: function, count: directions))))
    }
    // Time first: runtimes refuse `layout=1`.
    let inputs = [
      graph.transpose(rows(x).name, [1, 0, 2]),
      graph.constant("W", kernel, shape: [directions, size, input.count]),
      graph.constant("R", recurrent, shape: [directions, size, units]),
      graph.constant("B", bias, shape: [directions, 2 * size]),
    ]
    let y: String
    if states != nil {
      y = continued(operation, inputs, attributes, units: units, hasCell: layer.cell == .lstm)
    } else {
      let lengths = lengths(stride: input.frameStride)
      let lengths32 = cached("int32 \(input.frameStride)") { graph, _ in graph.cast(lengths, to: .int32) }
      y = graph.add(operation, inputs + [lengths32], attributes)
    }
    let name = graph.reshape(graph.transpose(y, [2, 0, 1, 3]), [0, 0, directions * units])
    return Signal(name: name, layout: .frames)
  }

  private mutating func pooling(
    _ layer: SequencePooling, _ x: Signal, _ input: LayerShape, _ weights: inout Weights
  ) -> Signal {
    let x = rows(x)
    if states != nil {
      var query: [Float] = []
      if case .attention = layer.kind { query = weights.next() }
      return Signal(name: runningPool(layer.kind, x.name, columns: input.count, query: query), layout: .vector)
    }
    let stride = input.frameStride
    func vector(_ name: String) -> Signal { Signal(name: name, layout: .vector) }
    switch layer.kind {
    case .last:
      let picked = graph.add("Where", [lastFrame(stride: stride), x.name, graph.scalar(0)])
      let last = graph.reduce("Sum", picked, axis: 1, keeps: false)
      guard input.isBidirectional else { return vector(last) }
      let half = input.count / 2
      let forward = graph.add("Slice", [last], slice([(1, 0, half)]))
      let first = graph.add("Slice", [x.name], slice([(1, 0, 1), (2, half, input.count)]))
      return vector(
        graph.add(
          "Concat", [forward, graph.reduce("Sum", first, axis: 1, keeps: false)], [("axis", .integer(1))]))
    case .mean:
      let lengths = lengths(stride: stride)
      let count = cached("count \(stride)") { graph, _ in graph.cast(graph.unsqueeze(lengths, [1]), to: .float) }
      return vector(graph.add("Div", [graph.reduce("Sum", masked(x, input).name, axis: 1, keeps: false), count]))
    case .max:
      return vector(graph.reduce("Max", masked(x, input, -.greatestFiniteMagnitude).name, axis: 1, keeps: false))
    case .attention(let heads):
      let query = graph.constant(
        "query", transposed(weights.next(), rows: heads), shape: [input.count, heads])
      let frames = masked(x, input)
      let mask = mask(stride: stride, .frames)
      let dot = graph.add("MatMul", [frames.name, query])
      // So far down that its exponential is 0.
      let scores = graph.add("Where", [mask, dot, graph.scalar(-.greatestFiniteMagnitude)])
      let exponential = graph.add("Exp", [graph.add("Sub", [scores, graph.reduce("Max", scores, axis: 1)])])
      let share = graph.add("Div", [exponential, graph.reduce("Sum", exponential, axis: 1)])
      let pooled = graph.add("MatMul", [graph.transpose(share, [0, 2, 1]), frames.name])
      return vector(graph.reshape(pooled, [0, heads * input.count]))
    }
  }
}

private func slice(_ parts: [(axis: Int, start: Int, end: Int)]) -> [(String, ONNXFile.Attribute.Value)] {
  [
    ("axes", .integers(parts.map(\.axis))), ("starts", .integers(parts.map(\.start))),
    ("ends", .integers(parts.map(\.end))),
  ]
}

// MARK: Orders of weights

/// The transpose of a matrix of so many rows.
func transposed(_ values: [Float], rows: Int) -> [Float] {
  let columns = values.count / max(1, rows)
  return (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
}

/// `filters x (frames x bins x channels)` as `filters x channels x frames x bins`, which is `shape`.
private func reordered(_ kernel: [Float], _ shape: [Int]) -> [Float] {
  let (channels, places) = (shape[1], shape[2] * shape[3])
  return (0..<kernel.count).map { index in
    let (filter, channel, place) = (index / (channels * places), index / places % channels, index % places)
    return kernel[(filter * places + place) * channels + channel]
  }
}

/// `rows x (gates x units)` as `(gates x units) x rows`, the gates in another order.
private func gateRows(_ stored: [Float], rows: Int, units: Int, _ gates: [Int]) -> [Float] {
  guard !stored.isEmpty else { return [] }
  let columns = gates.count * units
  return gates.flatMap { gate in
    (0..<units * rows).map { stored[$0 % rows * columns + gate * units + $0 / rows] }
  }
}
