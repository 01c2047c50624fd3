import SequenceModel

/// What a network carries from one piece of a stream to the next: inputs and outputs of the graph, `batch x count` each.
struct ONNXStates {
  private(set) var inputs: [ONNXFile.Value] = []
  private(set) var outputs: [ONNXFile.Value] = []

  /// A new state: the names of what comes in and of what is to go out.
  mutating func add(_ shape: [Int]) -> (before: String, after: String) {
    let number = inputs.count
    let dimensions = [ONNXFile.Value.Dimension.named("batch")] + shape.map { .fixed($0) }
    inputs.append(ONNXFile.Value(name: "state.\(number)", element: .float, shape: dimensions))
    outputs.append(ONNXFile.Value(name: "next_state.\(number)", element: .float, shape: dimensions))
    return (inputs[number].name, outputs[number].name)
  }

  /// Throws `ModelExchangeError.network` for a network that pieces cannot go through.
  static func require(_ network: NetworkConfiguration) throws(ModelExchangeError) {
    if let reason = network.waitsForEnd { throw .network(reason) }
    try require(network.layers)
  }

  private static func require(_ layers: [Layer]) throws(ModelExchangeError) {
    func check(_ what: String, _ stride: Int, _ taps: FrameTaps) throws(ModelExchangeError) {
      if stride > 1 { throw .network("\(what) with a frame stride of \(stride), of which a piece may end within one") }
      if taps.lookahead > 0 { throw .network("\(what) that sees \(taps.lookahead) frames ahead; train a causal one") }
    }
    for layer in layers {
      switch layer {
      case .convolution(let layer):
        try check(
          "a convolution", layer.frameStride,
          FrameTaps(layer.frames, dilation: layer.frameDilation, causal: layer.causal))
      case .depthwiseConvolution(let layer):
        try check(
          "a depthwise convolution", layer.frameStride,
          FrameTaps(layer.frames, dilation: layer.frameDilation, causal: layer.causal))
      case .windowPooling(let layer): try check("pooling over windows", layer.frames, FrameTaps(1))
      case .residual(let block): try require(block.layers)
      case .activation, .batchNormalization, .dense, .dropout, .layerNormalization, .pooling, .recurrent: break
      }
    }
  }
}

extension ONNXLayers {
  private mutating func newState(_ shape: [Int]) -> (before: String, after: String) {
    states?.add(shape) ?? ("", "")
  }

  private mutating func keep(_ value: String, as name: String) { _ = graph.add("Identity", [value], output: name) }

  /// The last part of axis `axis`, so many places.
  private mutating func last(_ count: Int, of x: String, axis: Int, output: String? = nil) -> String {
    graph.add(
      "Slice", [x],
      [("axes", .integers([axis])), ("starts", .integers([-count])), ("ends", .integers([Int(Int32.max)]))],
      output: output)
  }

  /// `x` with the `count` frames before it, zeros at the beginning.
  mutating func withEarlier(_ x: Signal, _ count: Int) -> Signal {
    guard count > 0, case .planes(let bins, let channels) = x.layout else { return x }
    let state = newState([channels, count, bins])
    let joined = graph.add("Concat", [state.before, x.name], [("axis", .integer(2))])
    _ = last(count, of: joined, axis: 2, output: state.after)
    return Signal(name: joined, layout: x.layout)
  }

  /// A recurrent operator that goes on from its state.
  mutating func continued(
    _ operation: String, _ inputs: [String], _ attributes: [(String, ONNXFile.Attribute.Value)], units: Int,
    hasCell: Bool
  ) -> String {
    let hidden = newState([units])
    let cell = hasCell ? newState([units]) : nil
    let initial = [hidden.before] + (cell.map { [$0.before] } ?? [])
    let scope = graph.scope
    let ends = ["\(scope)hidden"] + (hasCell ? ["\(scope)cell"] : [])
    let y = graph.add(
      operation, inputs + [""] + initial.map { graph.unsqueeze($0, [0]) }, attributes, others: ends)
    for (end, name) in zip(ends, [hidden.after] + (cell.map { [$0.after] } ?? [])) {
      _ = graph.add("Squeeze", [end], [("axes", .integers([0]))], output: name)
    }
    return y
  }

  /// The pooling of all frames so far, `batch x columns`, which the states sum up.
  mutating func runningPool(
    _ kind: SequencePooling.Kind, _ x: String, columns: Int, query: [Float]
  ) -> String {
    switch kind {
    case .last: return graph.reshape(last(1, of: x, axis: 1), [0, columns])
    case .mean:
      let (sum, count) = (newState([columns]), newState([1]))
      let total = graph.add("Add", [sum.before, graph.reduce("Sum", x, axis: 1, keeps: false)])
      let frames = graph.add("Add", [count.before, graph.cast(graph.size(of: x, axis: 1), to: .float)])
      keep(total, as: sum.after)
      keep(frames, as: count.after)
      return graph.add("Div", [total, frames])
    case .max:
      let (greatest, begun) = (newState([columns]), newState([1]))
      let before = beforeFirst(greatest.before, begun)
      let y = graph.add("Max", [before, graph.reduce("Max", x, axis: 1, keeps: false)])
      keep(y, as: greatest.after)
      return y
    case .attention(let heads):
      let (greatest, begun) = (newState([heads]), newState([1]))
      let (weight, sums) = (newState([heads]), newState([heads, columns]))
      let matrix = graph.constant("query", transposed(query, rows: heads), shape: [columns, heads])
      let scores = graph.add("MatMul", [x, matrix])
      let before = beforeFirst(greatest.before, begun)
      let most = graph.add("Max", [before, graph.reduce("Max", scores, axis: 1, keeps: false)])
      let less = graph.add("Exp", [graph.add("Sub", [before, most])])
      let share = graph.add("Exp", [graph.add("Sub", [scores, graph.unsqueeze(most, [1])])])
      let total = graph.add(
        "Add", [graph.add("Mul", [weight.before, less]), graph.reduce("Sum", share, axis: 1, keeps: false)])
      let sum = graph.add(
        "Add",
        [
          graph.add("Mul", [sums.before, graph.unsqueeze(less, [2])]),
          graph.add("MatMul", [graph.transpose(share, [0, 2, 1]), x]),
        ])
      keep(most, as: greatest.after)
      keep(total, as: weight.after)
      keep(sum, as: sums.after)
      return graph.reshape(graph.add("Div", [sum, graph.unsqueeze(total, [2])]), [0, heads * columns])
    }
  }

  /// The greatest so far, or next to nothing where nothing has come: states begin with zeros.
  private mutating func beforeFirst(_ value: String, _ begun: (before: String, after: String)) -> String {
    let hasBegun = graph.add("Less", [graph.scalar(0.5), begun.before])
    keep(graph.add("Add", [graph.add("Mul", [begun.before, graph.scalar(0)]), graph.scalar(1)]), as: begun.after)
    return graph.add("Where", [hasBegun, value, graph.scalar(-.greatestFiniteMagnitude)])
  }
}
