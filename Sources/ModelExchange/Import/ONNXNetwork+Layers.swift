import RealModule
import SequenceModel

// Operators of which layers are made.

extension ONNXNetwork {
  mutating func layerOutputs(of node: ONNXNode) throws(ImportProblem) -> [Value] {
    switch node.operation {
    case "Relu", "Tanh", "Sigmoid": return [try activation(node)]
    case "Softmax", "LogSoftmax": return [.signal(try softmax(node))]
    case "Add", "Sub", "Mul", "Div", "Pow": return [try arithmetic(node)]
    case "Neg", "Sqrt", "Reciprocal": return [try momentStep(node)]
    case "Gemm": return [.signal(try gemm(node))]
    case "MatMul": return [.signal(try product(node))]
    case "Conv": return [.signal(try convolution(node))]
    case "BatchNormalization": return [.signal(try batchNormalization(node))]
    case "LayerNormalization": return [.signal(try layerNormalization(node))]
    case "MaxPool", "AveragePool": return [.signal(try windowPooling(node))]
    case "GlobalAveragePool", "ReduceMean": return [try pooling(node, .mean)]
    case "GlobalMaxPool", "ReduceMax": return [try pooling(node, .max)]
    case "ReduceSum": return [.signal(try sum(node))]
    case "GRU", "LSTM", "RNN": return try recurrent(node)
    case "Loop": return try loop(node)
    default: throw ImportProblem(reason: "is no operator of a layer that Auricle has")
    }
  }

  // MARK: Each number by itself

  private mutating func activation(_ node: ONNXNode) throws(ImportProblem) -> Value {
    if case .constant(var constant) = try node.value(0), node.operation == "Relu" {
      constant.values = constant.values.map { max($0, 0) }
      return .constant(constant)
    }
    let function: Activation.Function =
      node.operation == "Relu" ? .relu : node.operation == "Tanh" ? .tanh : .sigmoid
    let signal = try whole(node.signal(0))
    return .signal(try append(.activation(function), [], to: signal, factors: signal.factors, axes: signal.axes))
  }

  private mutating func softmax(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    var signal = try whole(node.signal(0))
    let axis = try signal.axis(node.integer("axis", default: node.opset < 13 ? 1 : -1))
    // Before opset 13 all axes from this one on were one.
    guard node.opset >= 13 || axis == signal.axes.count - 1 else { throw ImportProblem(reason: "is over several axes") }
    if signal.axes[axis] == [.frames], node.operation == "Softmax" {
      signal.isShare = true
    } else {
      guard signal.isAll(signal.axes[axis]), !signal.shape.hasFrames else {
        throw ImportProblem(reason: "is over something else than classes, or frames for attention")
      }
      signal.isProbability = true
    }
    return signal
  }

  /// scale * x + shift of each number of a frame.
  private mutating func affine(
    _ signal: ONNXSignal, scale: [Float]?, shift: [Float]?
  ) throws(ImportProblem) -> ONNXSignal {
    let signal = try whole(signal)
    let columns = signal.shape.columnCount
    func column(_ values: [Float]?, default value: Float) throws(ImportProblem) -> [Float] {
      guard let values else { return [Float](repeating: value, count: columns) }
      guard values.indices.allSatisfy({ values[$0] == values[$0 % columns] }) else {
        throw ImportProblem(reason: "has a number for each bin of each channel; Auricle has one for each channel")
      }
      return Array(values.prefix(columns))
    }
    let (scale, shift) = (try column(scale, default: 1), try column(shift, default: 0))
    var link = links[signal.link]
    switch link.layer {
    case .dense where scale.allSatisfy({ $0 == 1 }), .convolution where scale.allSatisfy({ $0 == 1 }):
      // Layers of a graph have their activations after them.
      let start = link.parameters.count - columns
      for index in 0..<columns { link.parameters[start + index] += shift[index] }
      return try replaced(signal, link)
    case .batchNormalization, .layerNormalization:
      for index in 0..<columns {
        link.parameters[index] *= scale[index]
        link.parameters[columns + index] = link.parameters[columns + index] * scale[index] + shift[index]
      }
      return try replaced(signal, link)
    default: break
    }
    // A variance and an epsilon whose sum is 1.
    let epsilon: Float = 0x1p-10
    let parameters =
      scale + shift + [Float](repeating: 0, count: columns) + [Float](repeating: 1 - epsilon, count: columns)
    return try append(
      .batchNormalization(epsilon: Double(epsilon)), parameters, to: signal, factors: signal.factors, axes: signal.axes)
  }

  private mutating func replaced(_ signal: ONNXSignal, _ link: Link) throws(ImportProblem) -> ONNXSignal {
    _ = try add(link.layer, link.parameters, after: link.parent)
    var signal = signal
    signal.link = links.count - 1
    return signal
  }

  /// A constant that is spread over a signal: a number for each of a frame's, in Auricle's order.
  private func spread(_ constant: Constant, over signal: ONNXSignal) throws(ImportProblem) -> [Float] {
    let (rank, lead) = (constant.shape.count, signal.axes.count - constant.shape.count)
    guard !constant.values.isEmpty, lead >= 0 || constant.shape.prefix(-lead).allSatisfy({ $0 == 1 }) else {
      throw ImportProblem(reason: "takes numbers of more axes than the frames have")
    }
    var places = [Int](repeating: 0, count: signal.shape.count)
    var step = 1
    for axis in (0..<rank).reversed() {
      let size = constant.shape[axis]
      if size > 1 {
        guard axis + lead >= 0, signal.size(signal.axes[axis + lead]) == size, signal.range == nil else {
          throw ImportProblem(reason: "takes numbers that are not one for each of a frame's")
        }
        // Of each number of a frame, which place of this axis it has.
        let atoms = signal.axes[axis + lead]
        let own = signal.order(atoms)
        let others = signal.order(signal.allFactors.filter { !atoms.contains($0) })
        for (index, place) in own.enumerated() { for other in others { places[place + other] += index * step } }
      }
      step *= size
    }
    return places.map { constant.values[$0] }
  }

  private mutating func arithmetic(_ node: ONNXNode) throws(ImportProblem) -> Value {
    let operation = node.operation
    let (a, b) = (try node.value(0), try node.value(1))
    switch (a, b) {
    case (.sizes(let shape, let x), .sizes(let other, let y)):
      return .sizes(shape: shape.count >= other.count ? shape : other, try Self.computed(operation, x, y))
    case (.constant(let x), .constant(let y)): return .constant(try Self.computed(operation, x, y))
    case (.signal(let signal), .constant(let constant)):
      let values = try spread(constant, over: signal)
      switch operation {
      case "Add": return .signal(try affine(signal, scale: nil, shift: values))
      case "Sub": return .signal(try affine(signal, scale: nil, shift: values.map { -$0 }))
      case "Mul": return .signal(try affine(signal, scale: values, shift: nil))
      case "Div": return .signal(try affine(signal, scale: values.map { 1 / $0 }, shift: nil))
      default: throw ImportProblem(reason: "is no operator of a layer that Auricle has")
      }
    case (.constant(let constant), .signal(let signal)):
      let values = try spread(constant, over: signal)
      switch operation {
      case "Add": return .signal(try affine(signal, scale: nil, shift: values))
      case "Mul": return .signal(try affine(signal, scale: values, shift: nil))
      default: throw ImportProblem(reason: "is no operator of a layer that Auricle has")
      }
    case (.signal(let x), .signal(let y)) where operation == "Add": return .signal(try residual(x, y))
    case (.signal(let x), .signal(let y)) where operation == "Mul": return .signal(try gated(x, y))
    default: return try moments(operation, a, b)
    }
  }

  private static func computed(
    _ operation: String, _ x: [ONNXSignal.Size], _ y: [ONNXSignal.Size]
  ) throws(ImportProblem) -> [ONNXSignal.Size] {
    guard x.count == y.count || x.count == 1 || y.count == 1 else {
      throw ImportProblem(reason: "joins sizes that do not fit")
    }
    return (0..<max(x.count, y.count)).map { index in
      let (a, b) = (x[x.count == 1 ? 0 : index], y[y.count == 1 ? 0 : index])
      if operation == "Mul" { return a * b }
      guard case .known(let a) = a, case .known(let b) = b else { return .unknown }
      switch operation {
      case "Add":
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .unknown : .known(sum)
      case "Sub":
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        return overflow ? .unknown : .known(difference)
      case "Div": return b > 0 ? .known(a / b) : .unknown
      default: return .unknown
      }
    }
  }

  private static func computed(
    _ operation: String, _ x: Constant, _ y: Constant
  ) throws(ImportProblem) -> Constant {
    guard x.shape == y.shape || x.values.count == 1 || y.values.count == 1 else {
      throw ImportProblem(reason: "computes with weights of different shapes")
    }
    var result = x.values.count >= y.values.count ? x : y
    let count = result.values.count
    result.values = try (0..<count).map { index throws(ImportProblem) in
      let (a, b) = (x.values[x.values.count == 1 ? 0 : index], y.values[y.values.count == 1 ? 0 : index])
      switch operation {
      case "Add": return a + b
      case "Sub": return a - b
      case "Mul": return a * b
      case "Div": return a / b
      default: throw ImportProblem(reason: "computes with weights in a way that is not followed")
      }
    }
    return result
  }

  // MARK: Branches

  /// Whether a link lies on the way to another, and the layers between.
  private func path(from first: Int, to last: Int) -> [Link]? {
    var (path, link): ([Link], Int) = ([], last)
    while link > first {
      path.append(links[link])
      link = links[link].parent
    }
    return link == first ? path.reversed() : nil
  }

  private mutating func residual(_ x: ONNXSignal, _ y: ONNXSignal) throws(ImportProblem) -> ONNXSignal {
    let (x, y) = (try whole(x), try whole(y))
    let (a, b) = x.link < y.link ? (x, y) : (y, x)
    guard let path = path(from: a.link, to: b.link), !path.isEmpty else {
      throw ImportProblem(reason: "adds two branches; Auricle has residual blocks, which add their own input")
    }
    guard a.axes == b.axes, a.factors == b.factors else {
      throw ImportProblem(reason: "adds numbers of a frame in another order than they came in")
    }
    return try append(
      .residual(Residual(path.map(\.layer))), path.flatMap(\.parameters), to: a, factors: a.factors, axes: a.axes)
  }

  /// x * sigmoid(x), or attention: frames times their shares.
  private mutating func gated(_ x: ONNXSignal, _ y: ONNXSignal) throws(ImportProblem) -> ONNXSignal {
    if x.isShare != y.isShare {
      let (share, frames) = x.isShare ? (x, y) : (y, x)
      var pooled = try attention(share, frames)
      // Still to be summed.
      pooled.isShare = true
      pooled.axes = frames.axes
      return pooled
    }
    let (x, y) = (try whole(x), try whole(y))
    let (a, b) = x.link < y.link ? (x, y) : (y, x)
    guard links[b.link].layer == .activation(.sigmoid), links[b.link].parent == a.link, a.axes == b.axes else {
      throw ImportProblem(reason: "multiplies two branches; Auricle has x times its sigmoid (SiLU), and attention")
    }
    return try append(.activation(.silu), [], to: a, factors: a.factors, axes: a.axes)
  }

  /// Pooling by softmax over frames of a product with queries.
  private mutating func attention(_ share: ONNXSignal, _ frames: ONNXSignal) throws(ImportProblem) -> ONNXSignal {
    let frames = try whole(frames)
    let scores = links[share.link]
    guard scores.parent == frames.link, case .dense(let layer) = scores.layer, layer.activation == nil else {
      throw ImportProblem(reason: "takes a softmax over frames that is no attention of these frames")
    }
    let (heads, count) = (layer.units, frames.shape.count)
    // What is the same for all frames changes no share, so that a bias may be left out.
    let query = transposed(Array(scores.parameters.prefix(heads * count)), rows: count)
    let factors = heads == 1 ? frames.factors : [heads] + frames.factors
    return try append(.pooling(.attention(heads: heads)), query, to: frames, factors: factors, axes: [[.sequences]])
  }

  private mutating func sum(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    var signal = try node.signal(0)
    guard signal.isShare, case .pooling(let layer) = links[signal.link].layer, layer.kind == .attention(heads: 1) else {
      throw ImportProblem(reason: "sums something else than frames times their shares")
    }
    signal.isShare = false
    try drop(&signal, node) { $0 == [.frames] }
    return signal
  }

  // MARK: Products

  private mutating func gemm(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    let constant = try node.constant(1)
    guard node.integer("transA", default: 0) == 0, node.float("alpha", default: 1) == 1,
      node.float("beta", default: 1) == 1 || !node.has(2)
    else { throw ImportProblem(reason: "scales its product or turns its input round") }
    guard let weights = node.integer("transB", default: 0) == 0 ? constant : constant.transposed([1, 0]) else {
      throw ImportProblem(reason: "has weights that are no matrix")
    }
    let signal = try dense(node.signal(0), weights)
    guard node.has(2) else { return signal }
    if case .filled(let value) = try node.value(2) {
      return value == 0
        ? signal : try affine(signal, scale: nil, shift: [Float](repeating: value, count: signal.shape.count))
    }
    return try affine(signal, scale: nil, shift: spread(node.constant(2), over: signal))
  }

  private mutating func product(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    if case .signal(let frames) = try node.value(1) {
      let share = try node.signal(0)
      guard share.isShare, share.axes.count == 3, share.axes[0] == [.sequences], share.axes[2] == [.frames],
        share.isAll(share.axes[1]), frames.axes.count == 3, frames.axes[0] == [.sequences], frames.axes[1] == [.frames],
        frames.axes[2] == frames.allFactors
      else { throw ImportProblem(reason: "multiplies two branches; Auricle has attention that pools frames") }
      var pooled = try attention(share, frames)
      let heads = pooled.factors.count > frames.factors.count ? 1 : 0
      pooled.axes = [[.sequences], heads == 1 ? [.factor(0)] : [], Array(pooled.allFactors.dropFirst(heads))]
      return pooled
    }
    return try dense(node.signal(0), node.constant(1))
  }

  /// `weights` has a row for each number on the signal's last axis.
  private mutating func dense(_ signal: ONNXSignal, _ weights: Constant) throws(ImportProblem) -> ONNXSignal {
    let signal = try whole(signal)
    guard weights.shape.count == 2 else { throw ImportProblem(reason: "has weights that are no matrix") }
    let (rows, units) = (weights.shape[0], weights.shape[1])
    guard let axis = signal.axes.last, signal.isAll(axis) else {
      throw ImportProblem(
        reason: signal.axes.last?.contains(.frames) == true
          ? "takes all frames at once; Auricle pools frames, so that sequences may have any length"
          : "takes some numbers of a frame only")
    }
    guard rows == signal.shape.count else {
      throw ImportProblem(reason: "has \(rows) rows of weights for frames of \(signal.shape.count) numbers")
    }
    let kernel = reordered(weights.values, signal.order(axis), columns: units)
    return try append(
      .dense(units), kernel + [Float](repeating: 0, count: units), to: signal, factors: [units],
      axes: signal.axes.dropLast() + [[.factor(0)]])
  }

  /// Rows in Auricle's order: `order` says where each goes.
  func reordered(_ rows: [Float], _ order: [Int], columns: Int) -> [Float] {
    var result = rows
    for (from, to) in order.enumerated() {
      result.replaceSubrange(to * columns..<(to + 1) * columns, with: rows[from * columns..<(from + 1) * columns])
    }
    return result
  }

  // MARK: Windows

  /// What a convolution or pooling does along one axis.
  private struct Window {
    var size: Int
    var stride: Int
    var dilation: Int
    /// Nil where the other end's is computed so that the size is kept ("SAME").
    var pads: (before: Int, after: Int)?
    var span: Int { (size - 1) * dilation }
  }

  private func windows(_ node: ONNXNode, kernel: [Int], count: Int) throws(ImportProblem) -> [Window] {
    let strides = node.integers("strides") ?? [Int](repeating: 1, count: count)
    let dilations = node.integers("dilations") ?? [Int](repeating: 1, count: count)
    var pads = node.integers("pads") ?? [Int](repeating: 0, count: 2 * count)
    let automatic = node.text("auto_pad", default: "NOTSET")
    if automatic == "VALID" { pads = [Int](repeating: 0, count: 2 * count) }
    guard ["NOTSET", "VALID", "SAME_UPPER"].contains(automatic) else {
      throw ImportProblem(reason: "pads by \(automatic), which Auricle does not")
    }
    let all = kernel + strides + dilations
    guard kernel.count == count, strides.count == count, dilations.count == count, pads.count == 2 * count,
      all.allSatisfy({ (1...4096).contains($0) }), pads.allSatisfy({ (0...1 << 22).contains($0) })
    else { throw ImportProblem(reason: "has a kernel, strides, dilations or pads that cannot be") }
    return (0..<count).map {
      Window(
        size: kernel[$0], stride: strides[$0], dilation: dilations[$0],
        pads: automatic == "SAME_UPPER" ? nil : (pads[$0], pads[$0 + count]))
    }
  }

  /// Over frames: whether it is causal. Throws where output frames are others than Auricle's.
  private func isCausal(_ window: Window, padding: (before: Int, after: Int)) throws(ImportProblem) -> Bool {
    let half = window.span / 2
    guard let own = window.pads else {
      guard window.stride == 1, padding == (0, 0) else {
        throw ImportProblem(reason: "pads so that it depends on the number of frames (\"same\" with a stride)")
      }
      return false
    }
    let pads = (before: own.before + padding.before, after: own.after + padding.after)
    guard pads.before + pads.after == window.span, pads.before == half || pads.before == window.span else {
      throw ImportProblem(
        reason:
          "pads frames by \(pads.before) and \(pads.after); Auricle by \(half) and \(window.span - half), or causal by "
          + "\(window.span) and 0, so that no frame is lost")
    }
    return pads.before != half
  }

  /// Over bins, whose number is known.
  private func require(_ window: Window, bins: Int) throws(ImportProblem) {
    let wanted = (bins + window.stride - 1) / window.stride
    let (before, after): (Int, Int)
    if let pads = window.pads {
      (before, after) = pads
    } else {
      let total = max(0, (wanted - 1) * window.stride + window.span + 1 - bins)
      (before, after) = (total / 2, total - total / 2)
    }
    guard before == window.span / 2, bins + before + after > window.span,
      (bins + before + after - window.span - 1) / window.stride + 1 == wanted
    else {
      throw ImportProblem(
        reason: "pads bins by \(before) and \(after), where Auricle pads by \(window.span / 2), so that no bin is lost")
    }
  }

  /// Along which of the axes after the channels frames lie, and that the other, if there is one, is `bins`.
  private func frameAxis(_ signal: ONNXSignal) throws(ImportProblem) -> (frames: Int, bins: Int?) {
    let problem = ImportProblem(reason: "does not go over frames, or over frames and bins")
    guard signal.axes.first == [.sequences], [3, 4].contains(signal.axes.count) else { throw problem }
    guard let frames = signal.axes[2...].firstIndex(of: [.frames]) else { throw problem }
    return (frames - 2, signal.axes.count == 4 ? 3 - frames : nil)
  }

  private mutating func convolution(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    var signal = try node.signal(0)
    let padding = signal.padding
    signal.padding = (0, 0)
    signal = try whole(signal)
    let weights = try node.constant(1)
    let (frames, bins) = try frameAxis(signal)
    let rank = signal.axes.count - 2
    guard weights.shape.count == rank + 2, let filters = weights.shape.first else {
      throw ImportProblem(reason: "has weights of another number of axes than its input")
    }
    let kernel = Array(weights.shape[2...])
    let windows = try windows(node, kernel: node.integers("kernel_shape") ?? kernel, count: rank)
    guard windows.map(\.size) == kernel else {
      throw ImportProblem(reason: "has weights of another shape than its kernel")
    }
    let time = windows[frames]
    let causal = try isCausal(time, padding: padding)
    let groups = node.integer("group", default: 1)
    let channelAxis = signal.axes[1]
    let bias: [Float] = node.has(2) ? try node.weights(2, [filters]) : [Float](repeating: 0, count: filters)
    // `filters x channels x frames x bins`.
    let binTaps = bins.map { windows[$0].size } ?? 1
    var ordered = weights
    if rank == 2, frames == 1 { ordered = weights.transposed([0, 1, 3, 2]) ?? weights }
    let channels = weights.shape[1]
    func value(_ filter: Int, _ channel: Int, _ frame: Int, _ bin: Int) -> Float {
      ordered.values[((filter * channels + channel) * time.size + frame) * binTaps + bin]
    }
    func axes(_ filters: [ONNXSignal.Atom], bins other: [ONNXSignal.Atom]) -> [[ONNXSignal.Atom]] {
      var axes = [[ONNXSignal.Atom.sequences], filters] + [[ONNXSignal.Atom]](repeating: [], count: rank)
      axes[2 + frames] = [.frames]
      if let bins { axes[2 + bins] = other }
      return axes
    }

    if groups > 1 {
      guard groups == filters, channels == 1, signal.isAll(channelAxis), signal.shape.columnCount == filters,
        signal.shape.count == filters, binTaps == 1, bins.map({ windows[$0].stride == 1 }) ?? true
      else { throw ImportProblem(reason: "has \(groups) groups; Auricle has one, or one for each number of a frame") }
      let order = signal.order(channelAxis)
      var kernel = [Float](repeating: 0, count: time.size * filters)
      var shift = [Float](repeating: 0, count: filters)
      for (from, to) in order.enumerated() {
        for frame in 0..<time.size { kernel[frame * filters + to] = value(from, 0, frame, 0) }
        shift[to] = bias[from]
      }
      let layer = DepthwiseConvolution(
        frames: time.size, frameStride: time.stride, frameDilation: time.dilation, causal: causal)
      return try append(
        .depthwiseConvolution(layer), kernel + shift, to: signal, factors: signal.factors,
        axes: axes(channelAxis, bins: []))
    }

    let binAtoms = bins.map { signal.axes[2 + $0] } ?? []
    guard signal.size(channelAxis) == channels else {
      throw ImportProblem(reason: "wants \(channels) channels where there are \(signal.size(channelAxis) ?? 0)")
    }
    var layer = Convolution(
      filters: filters, frames: time.size, frameStride: time.stride, frameDilation: time.dilation, causal: causal)
    // One filter over all of a frame: bins, if any, are spanned without padding.
    let spansAll =
      bins.map {
        windows[$0].size == signal.size(binAtoms) && windows[$0].pads.map { $0 == (0, 0) } ?? (binAtoms.isEmpty)
      }
      ?? true
    if spansAll, signal.isAll(channelAxis + binAtoms) {
      let order = signal.order(channelAxis + binAtoms)
      let count = signal.shape.count
      var kernel = [Float](repeating: 0, count: time.size * count * filters)
      for frame in 0..<time.size {
        for (from, to) in order.enumerated() {
          for filter in 0..<filters {
            kernel[(frame * count + to) * filters + filter] = value(filter, from / binTaps, frame, from % binTaps)
          }
        }
      }
      return try append(
        .convolution(layer), kernel + bias, to: signal, factors: [filters], axes: axes([.factor(0)], bins: []))
    }
    guard let bins, !signal.shape.isFlat, signal.order(binAtoms + channelAxis) == Array(0..<signal.shape.count),
      signal.size(binAtoms) == signal.shape.bins
    else { throw ImportProblem(reason: "takes some numbers of a frame as channels that are none") }
    try require(windows[bins], bins: signal.shape.bins)
    (layer.bins, layer.binStride, layer.binDilation) = (
      windows[bins].size, windows[bins].stride, windows[bins].dilation
    )
    var values = [Float](repeating: 0, count: weights.values.count)
    for frame in 0..<time.size {
      for bin in 0..<binTaps {
        for channel in 0..<channels {
          for filter in 0..<filters {
            values[((frame * binTaps + bin) * channels + channel) * filters + filter] = value(
              filter, channel, frame, bin)
          }
        }
      }
    }
    return try append(
      .convolution(layer), values + bias, to: signal, axes: axes([.factor(1)], bins: [.factor(0)]))
  }

  private mutating func windowPooling(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    let signal = try whole(node.signal(0))
    let (frames, bins) = try frameAxis(signal)
    let kernel = node.integers("kernel_shape") ?? []
    let windows = try windows(node, kernel: kernel, count: signal.axes.count - 2)
    let isMean = node.operation == "AveragePool"
    let roundsUp = node.integer("ceil_mode", default: 0) == 1
    guard windows.allSatisfy({ $0.stride == $0.size && $0.dilation == 1 }) else {
      throw ImportProblem(reason: "has windows that overlap or leave out frames; Auricle's lie one after the other")
    }
    guard windows.allSatisfy({ $0.pads.map { $0 == (0, 0) } ?? ($0.size <= 2) }) else {
      throw ImportProblem(reason: "pads its windows")
    }
    let keeps = { (window: Window) in roundsUp || window.pads == nil }
    guard windows[frames].size == 1 || keeps(windows[frames]) else {
      throw ImportProblem(
        reason: "drops the last frames where they fill no window; Auricle keeps them: train and export with ceil_mode "
          + "(PyTorch) or \"same\" (Keras)")
    }
    let layerBins = bins.map { windows[$0].size } ?? 1
    var layer = WindowPooling(isMean ? .mean : .max, frames: windows[frames].size, bins: 1)
    guard let bins, layerBins > 1 else {
      return try append(.windowPooling(layer), [], to: signal, factors: signal.factors, axes: signal.axes)
    }
    let (binAtoms, channelAxis) = (signal.axes[2 + bins], signal.axes[1])
    guard !signal.shape.isFlat, signal.order(binAtoms + channelAxis) == Array(0..<signal.shape.count),
      signal.size(binAtoms) == signal.shape.bins
    else { throw ImportProblem(reason: "pools numbers of a frame that are no bins") }
    guard keeps(windows[bins]) || signal.shape.bins.isMultiple(of: layerBins) else {
      throw ImportProblem(reason: "drops the last of \(signal.shape.bins) bins, which Auricle keeps")
    }
    layer.bins = layerBins
    var axes = signal.axes
    (axes[1], axes[2 + bins]) = ([.factor(1)], [.factor(0)])
    return try append(.windowPooling(layer), [], to: signal, axes: axes)
  }

  // MARK: Pooling of frames

  /// Drops the axes that the node reduces, all of which `isReduced`.
  private func drop(
    _ signal: inout ONNXSignal, _ node: ONNXNode, _ isReduced: ([ONNXSignal.Atom]) -> Bool
  ) throws(ImportProblem) {
    let axes = try reducedAxes(signal, node)
    guard axes.allSatisfy({ signal.axes[$0].isEmpty || isReduced(signal.axes[$0]) }) else {
      throw ImportProblem(reason: "reduces other axes than frames")
    }
    for axis in axes { signal.axes[axis] = [] }
    if node.operation.hasPrefix("Reduce"), node.integer("keepdims", default: 1) == 0 { try signal.squeeze(axes) }
  }

  private func reducedAxes(_ signal: ONNXSignal, _ node: ONNXNode) throws(ImportProblem) -> [Int] {
    guard node.operation.hasPrefix("Reduce") else { return Array(signal.axes.indices.dropFirst(2)) }
    guard let given = try node.axes(input: 1) else { throw ImportProblem(reason: "reduces all axes") }
    var axes: [Int] = []
    for axis in given { axes.append(try signal.axis(axis)) }
    return axes
  }

  private mutating func pooling(_ node: ONNXNode, _ kind: SequencePooling.Kind) throws(ImportProblem) -> Value {
    if case .moment(let moment) = try node.value(0), case .square = moment.kind, kind == .mean {
      return .moment(ONNXMoment(kind: .variance, signal: moment.signal))
    }
    let signal = try whole(node.signal(0))
    let atoms = try reducedAxes(signal, node).flatMap { signal.axes[$0] }
    if kind == .mean, !atoms.contains(.frames), !atoms.isEmpty, isNormalized(atoms, of: signal) {
      return .moment(ONNXMoment(kind: .mean, signal: signal))
    }
    guard atoms == [.frames] else {
      throw ImportProblem(reason: "reduces something else than frames, or bins with them, which Auricle does not")
    }
    var next = try pooled(signal, kind)
    next.axes = signal.axes
    try drop(&next, node) { $0 == [.frames] }
    return .signal(next)
  }

  // MARK: Normalisation

  private mutating func batchNormalization(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    let signal = try whole(node.signal(0))
    guard node.integer("training_mode", default: 0) == 0 else { throw ImportProblem(reason: "is in training") }
    guard signal.axes.count >= 2, let count = signal.size(signal.axes[1]) else {
      throw ImportProblem(reason: "normalises something else than numbers of a frame")
    }
    let axis = signal.axes[1]
    // Channels are fastest.
    let columns = signal.shape.columnCount
    let order = signal.order(axis)
    guard count == columns, order.sorted() == Array(0..<columns) else {
      throw ImportProblem(reason: "has \(count) numbers for frames of \(signal.shape.count); Auricle has \(columns)")
    }
    var parameters: [Float] = []
    for index in 1...4 { parameters += reordered(try node.weights(index, [count]), order, columns: 1) }
    let epsilon = Double(node.float("epsilon", default: 1e-5))
    return try append(
      .batchNormalization(epsilon: epsilon), parameters, to: signal, factors: signal.factors, axes: signal.axes)
  }

  /// Whether these are the numbers of a frame over which Auricle's layer normalisation goes.
  private func isNormalized(_ atoms: [ONNXSignal.Atom], of signal: ONNXSignal) -> Bool {
    signal.order(atoms).sorted() == Array(0..<signal.shape.columnCount)
  }

  private mutating func layerNormalization(_ node: ONNXNode) throws(ImportProblem) -> ONNXSignal {
    let signal = try whole(node.signal(0))
    let axis = try signal.axis(node.integer("axis", default: -1))
    let atoms = signal.axes[axis...].flatMap { $0 }
    guard isNormalized(atoms, of: signal) else {
      throw ImportProblem(reason: "normalises over something else than a frame's numbers")
    }
    let order = signal.order(atoms)
    let gamma = try node.constant(1).values
    let beta = node.has(2) ? try node.constant(2).values : [Float](repeating: 0, count: order.count)
    guard gamma.count == order.count, beta.count == order.count else {
      throw ImportProblem(reason: "has \(gamma.count) weights for \(order.count) numbers")
    }
    return try append(
      .layerNormalization(epsilon: Double(node.float("epsilon", default: 1e-5))),
      reordered(gamma, order, columns: 1) + reordered(beta, order, columns: 1), to: signal, factors: signal.factors,
      axes: signal.axes)
  }

  private func momentStep(_ node: ONNXNode) throws(ImportProblem) -> Value {
    if case .constant(var constant) = try node.value(0) {
      constant.values = constant.values.map {
        node.operation == "Neg" ? -$0 : node.operation == "Sqrt" ? Float.sqrt($0) : 1 / $0
      }
      return .constant(constant)
    }
    guard case .moment(var moment) = try node.value(0) else {
      throw ImportProblem(reason: "is no operator of a layer that Auricle has")
    }
    switch (node.operation, moment.kind) {
    case ("Neg", .mean): moment.kind = .negativeMean
    case ("Sqrt", .shifted): moment.kind = .deviation
    case ("Reciprocal", .deviation): moment.kind = .reciprocal
    default: throw ImportProblem(reason: "is no part of a layer normalisation")
    }
    return .moment(moment)
  }

  /// Steps of a layer normalisation that is spelt out.
  private mutating func moments(_ operation: String, _ a: Value, _ b: Value) throws(ImportProblem) -> Value {
    func of(_ moment: ONNXMoment, _ kind: ONNXMoment.Kind, gamma: [Float]? = nil) -> Value {
      var next = moment
      (next.kind, next.gamma) = (kind, gamma ?? moment.gamma)
      return .moment(next)
    }
    func normalized(_ moment: ONNXMoment) throws(ImportProblem) -> Value {
      let (signal, columns) = (moment.signal, moment.signal.shape.columnCount)
      let gamma = moment.gamma ?? [Float](repeating: 1, count: columns)
      let beta = moment.beta ?? [Float](repeating: 0, count: columns)
      return .signal(
        try append(
          .layerNormalization(epsilon: moment.epsilon), Array(gamma.prefix(columns) + beta.prefix(columns)), to: signal,
          factors: signal.factors,
          axes: signal.axes))
    }
    switch (operation, a, b) {
    case ("Sub", .signal(let signal), .moment(let mean)):
      if case .mean = mean.kind, mean.signal.link == signal.link { return of(mean, .centered) }
    case ("Mul", .moment(let x), .moment(let y)):
      switch (x.kind, y.kind) {
      case (.centered, .centered) where x.signal.link == y.signal.link: return of(x, .square)
      case (.centered, .reciprocal) where x.signal.link == y.signal.link: return try normalized(y)
      case (.negativeMean, .reciprocal) where x.signal.link == y.signal.link: return of(y, .scaledMean)
      default: break
      }
    case ("Pow", .moment(let moment), .constant(let two)):
      if case .centered = moment.kind, two.uniform == 2 { return of(moment, .square) }
    case ("Add", .moment(var moment), .constant(let epsilon)), ("Add", .constant(let epsilon), .moment(var moment)):
      if case .variance = moment.kind, let value = epsilon.uniform {
        moment.epsilon = Double(value)
        return of(moment, .shifted)
      }
      if case .scaledMean = moment.kind, moment.beta == nil {
        moment.beta = try spread(epsilon, over: moment.signal)
        return .moment(moment)
      }
    case ("Div", .moment(let x), .moment(let y)):
      if case .centered = x.kind, case .deviation = y.kind, x.signal.link == y.signal.link { return try normalized(y) }
    case ("Mul", .moment(let moment), .constant(let gamma)), ("Mul", .constant(let gamma), .moment(let moment)):
      if case .reciprocal = moment.kind, moment.gamma == nil {
        return of(moment, .reciprocal, gamma: try spread(gamma, over: moment.signal))
      }
    case ("Mul", .signal(let signal), .moment(let moment)), ("Mul", .moment(let moment), .signal(let signal)):
      if case .reciprocal = moment.kind, moment.signal.link == signal.link { return of(moment, .scaled) }
    case ("Add", .moment(let x), .moment(let y)):
      switch (x.kind, y.kind) {
      case (.scaled, .scaledMean) where x.signal.link == y.signal.link && x.gamma == y.gamma: return try normalized(y)
      case (.scaledMean, .scaled) where x.signal.link == y.signal.link && x.gamma == y.gamma: return try normalized(x)
      default: break
      }
    default: break
    }
    throw ImportProblem(reason: "is no operator of a layer that Auricle has")
  }

  // MARK: Recurrent layers

  private mutating func recurrent(_ node: ONNXNode) throws(ImportProblem) -> [Value] {
    var signal = try node.signal(0)
    let isReversed = signal.isReversed
    signal.isReversed = false
    signal = try whole(signal)
    guard node.integer("layout", default: 0) == 0, signal.axes.count == 3, signal.axes[0] == [.frames],
      signal.axes[1] == [.sequences], signal.isAll(signal.axes[2])
    else { throw ImportProblem(reason: "does not take frames, sequences and numbers in this order") }
    let direction = node.text("direction", default: "forward")
    let directions = direction == "bidirectional" ? 2 : 1
    guard ["forward", "reverse", "bidirectional"].contains(direction), !(isReversed && directions == 2) else {
      throw ImportProblem(reason: "has the direction '\(direction)'")
    }
    let isBackward = (direction == "reverse") != isReversed
    guard !node.has(attribute: "clip"), node.integer("input_forget", default: 0) == 0, !node.has(4) else {
      throw ImportProblem(reason: "clips, couples its gates or has lengths of its own")
    }
    try requireZeros(node, 5...(node.operation == "LSTM" ? 7 : 5))
    let cell = try cell(node, directions: directions)
    let gates = node.operation == "LSTM" ? [0, 2, 3, 1] : node.operation == "GRU" ? [0, 1, 2] : [0]
    let recurrentShape = try node.constant(2).shape
    guard recurrentShape.count == 3, let units = recurrentShape.last, (1...16_384).contains(units) else {
      throw ImportProblem(reason: "has weights of the state that cannot be")
    }
    guard node.integer("hidden_size", default: units) == units else {
      throw ImportProblem(reason: "has another hidden size")
    }
    let (rows, count) = (gates.count * units, signal.shape.count)
    let kernels = try node.weights(1, [directions, rows, count])
    let states = try node.weights(2, [directions, rows, units])
    let biases =
      node.has(3)
      ? try node.weights(3, [directions, 2 * rows]) : [Float](repeating: 0, count: directions * 2 * rows)
    let order = signal.order(signal.axes[2])
    /// One direction's `rows x columns` as `columns x rows`, gates in Keras's order.
    func matrix(_ values: ArraySlice<Float>, _ columns: Int) -> [Float] {
      (0..<values.count).map { index in
        let (column, row) = (index / rows, index % rows)
        return values[values.startIndex + (gates[row / units] * units + row % units) * columns + column]
      }
    }
    var parameters: [Float] = []
    for direction in 0..<directions {
      parameters += reordered(
        matrix(kernels[direction * rows * count..<(direction + 1) * rows * count], count), order, columns: rows)
      parameters += matrix(states[direction * rows * units..<(direction + 1) * rows * units], units)
      let start = direction * 2 * rows
      let (own, state) = (matrix(biases[start..<start + rows], 1), matrix(biases[start + rows..<start + 2 * rows], 1))
      parameters += cell == .gru ? own + state : zip(own, state).map { $0 + $1 }
    }
    var output = try append(
      .recurrent(cell, units: units, directions: directions), parameters, to: signal, factors: [directions, units],
      axes: [[.frames], [.factor(0)], [.sequences], [.factor(1)]])
    links[output.link].isBackward = isBackward
    output.isReversed = isReversed
    var final = output
    final.axes.removeFirst()
    final.isReversed = false
    final.place = directions == 2 ? .final : isBackward ? .first : .last
    return [.signal(output), .signal(final)]
  }

  private func requireZeros(_ node: ONNXNode, _ indices: ClosedRange<Int>) throws(ImportProblem) {
    for index in indices {
      switch node.optional(index) {
      case nil, .filled(0)?: continue
      case .constant(let constant)? where constant.values.allSatisfy { $0 == 0 }: continue
      default: throw ImportProblem(reason: "begins with another state than zeros, or has peepholes")
      }
    }
  }

  private func cell(_ node: ONNXNode, directions: Int) throws(ImportProblem) -> Recurrent.Cell {
    let wanted: (cell: Recurrent.Cell, activations: [String])
    let activations = node.texts("activations")
    switch node.operation {
    case "GRU":
      wanted = (node.integer("linear_before_reset", default: 0) == 0 ? .gruResetBefore : .gru, ["Sigmoid", "Tanh"])
    case "LSTM": wanted = (.lstm, ["Sigmoid", "Tanh", "Tanh"])
    default:
      wanted = activations?.first?.lowercased() == "relu" ? (.simpleRNNReLU, ["Relu"]) : (.simpleRNN, ["Tanh"])
    }
    let all = (0..<directions).flatMap { _ in wanted.activations.map { $0.lowercased() } }
    guard activations.map({ $0.map { $0.lowercased() } == all }) ?? true else {
      throw ImportProblem(reason: "has the activations \((activations ?? []).joined(separator: ", "))")
    }
    return wanted.cell
  }
}
