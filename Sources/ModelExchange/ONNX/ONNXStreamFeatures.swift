import AudioFeatures

/// Computes features in the graph of samples that come hop by hop.
///
/// What one piece leaves for the next is in states: the samples that frames to come begin with, the sample before the next
/// for pre-emphasis, and for deltas the frames around those that wait. In the first piece the frames that would begin
/// before the sound are dropped, and where the framing mirrors the sound's beginning, it is mirrored into that state; in the
/// last piece the sound's end is mirrored, or followed by zeros, as `FrameGrid` has it.
struct ONNXStreamFeatures {
  private let features: ONNXFeatures
  private let configuration: FeatureConfiguration
  private let hop: Int
  /// Samples of the pieces before that a piece's frames see.
  private let carried: Int
  /// Frames of the first piece that begin before frame 0 does.
  private let lead: Int
  /// Samples before the first that frame 0 sees.
  private let mirrored: Int

  /// Throws `ModelExchangeError.features` for what a stream has not.
  init(_ configuration: FeatureConfiguration) throws(ModelExchangeError) {
    features = try ONNXFeatures(configuration)
    func refuse(_ condition: Bool, _ reason: String) throws(ModelExchangeError) {
      if condition { throw .features("in a stream: \(reason)") }
    }
    try refuse(configuration.needsStatistics, "they are normalised over each whole sound")
    try refuse(configuration.logarithm.range != nil, "they are limited to a range below the sound's greatest")
    self.configuration = configuration
    hop = configuration.hopLength
    let origin = configuration.frameOrigin
    mirrored = max(0, -origin)
    // Frame by frame, pieces of whole hops end where a frame ends, or as little after as can be.
    let offset = ((-origin) % hop + hop) % hop
    let least = max(0, configuration.usedLength - hop)
    carried = offset + (max(0, least - offset) + hop - 1) / hop * hop
    lead = (carried + origin) / hop
  }

  private var delay: Int { configuration.deltas.order * configuration.deltas.halfWidth }
  private var isMirrored: Bool { configuration.framing == .centerReflect || configuration.framing == .kaldiCenter }
  private var isOnSample: Bool { configuration.framing == .centerReflect }

  /// For the metadata: the hop, and how many samples the first piece has at least.
  var description: String {
    let mirror = isMirrored ? (mirrored + hop) / hop : 0
    return #"{"first":\#(hop * max(lead + delay + 1, mirror)),"hop":\#(hop)}"#
  }

  /// The frames that the piece completes, `batch x frames x width`, and whether all pieces so far were as they must be,
  /// `batch x 1`.
  func add(
    to graph: inout ONNXGraph, samples: String, end: String, _ states: inout ONNXStates
  ) -> (frames: String, isRight: String) {
    graph.scope = "features/"
    let begun = states.add([1])
    let isFirst = graph.add("Less", [begun.before, graph.scalar(0.5)])
    let first = graph.cast(
      graph.add("Less", [graph.reshape(graph.reduce("Max", begun.before, axis: 0), [1]), graph.scalar(0.5)]), to: .int64
    )
    let count = graph.size(of: samples, axis: 1)

    var emphasis = samples
    if configuration.preEmphasis.scope == .signal, configuration.preEmphasis.coefficient != 0 {
      emphasis = emphasised(&graph, samples, isFirst: isFirst, &states)
    }
    let frames = frameCount(&graph, samples: count, end: end)
    let prepared = signal(&graph, emphasis, count: count, frames: frames, isFirst: isFirst, &states)
    let isPlain = emphasis == samples || configuration.energy != .raw
    let plain = isPlain ? prepared : signal(&graph, samples, count: count, frames: frames, isFirst: isFirst, &states)
    let y = features.frameFeatures(&graph, prepared, plain: plain, mask: nil)
    let all = withDeltas(&graph, y, first: first, isFirst: graph.unsqueeze(isFirst, [2]), end: end, &states)

    // Without the frames before the first.
    let made = graph.size(of: all, axis: 1)
    let start = graph.add("Mul", [first, graph.integers([lead + delay])])
    let left = graph.add("Sub", [made, start])
    let kept = graph.greatest(left, graph.integers([1]))
    let index = graph.least(
      graph.add("Add", [graph.range(kept), start]), graph.add("Sub", [made, graph.integers([1])]))
    let result = graph.add("Gather", [all, index], [("axis", .integer(1))])
    let whole = graph.add("Mul", [graph.add("Div", [count, graph.integers([hop])]), graph.integers([hop])])
    let isWhole = graph.add(
      "Or", [graph.add("Equal", [whole, count]), graph.add("Less", [graph.integers([0]), end])])
    let needed = graph.greatest(
      graph.integers([hop]), graph.add("Mul", [first, graph.integers([isMirrored ? mirrored + 1 : hop])]))
    let isEnough = graph.add(
      "And",
      [
        graph.add("And", [isWhole, graph.add("Less", [graph.integers([0]), left])]),
        graph.add("Less", [graph.add("Sub", [needed, graph.integers([1])]), count]),
      ])
    // NaN for good where a piece has too few samples or no whole hops.
    let fault = graph.add(
      "Add",
      [
        graph.add("Mul", [begun.before, graph.scalar(0)]),
        graph.add("Where", [isEnough, graph.scalar(1), graph.scalar(.nan)]),
      ])
    _ = graph.add("Identity", [fault], output: begun.after)
    return (result, graph.add("Less", [graph.scalar(0), fault]))
  }

  /// Places `start ..< end` of axis 1.
  private func part(_ graph: inout ONNXGraph, _ x: String, _ start: Int, _ end: Int, output: String? = nil) -> String {
    graph.add(
      "Slice", [x], [("axes", .integers([1])), ("starts", .integers([start])), ("ends", .integers([end]))],
      output: output)
  }

  private func emphasised(
    _ graph: inout ONNXGraph, _ samples: String, isFirst: String, _ states: inout ONNXStates
  ) -> String {
    let last = states.add([1])
    var before = last.before
    if configuration.preEmphasis.firstSample == .repeated {
      before = graph.add("Where", [isFirst, part(&graph, samples, 0, 1), before])
    }
    let shifted = graph.add("Concat", [before, part(&graph, samples, 0, -1)], [("axis", .integer(1))])
    _ = part(&graph, samples, -1, Int(Int32.max), output: last.after)
    let coefficient = graph.scalar(Float(configuration.preEmphasis.coefficient))
    return graph.add("Sub", [samples, graph.add("Mul", [shifted, coefficient])])
  }

  /// Frames of the piece, those before the first among them: one for each hop, and at the end as many as the sound has left.
  private func frameCount(_ graph: inout ONNXGraph, samples: String, end: String) -> String {
    let frame = configuration.frameLength
    let rest =
      switch configuration.framing {
      case .centerZero, .centerReflect: hop - max(configuration.fftLength, frame) % 2
      case .snipEdges: hop - frame
      case .padEnd: 2 * hop - 1 - frame
      case .kaldiCenter: hop / 2
      }
    let shifted = graph.greatest(
      graph.add("Add", [samples, graph.integers([rest + lead * hop])]), graph.integers([hop]))
    let isEnd = graph.add("Less", [graph.integers([0]), end])
    let chosen = graph.add("Where", [isEnd, shifted, graph.greatest(samples, graph.integers([hop]))])
    return graph.add("Div", [chosen, graph.integers([hop])])
  }

  /// The samples under the frames, `batch x 1 x places`.
  private func signal(
    _ graph: inout ONNXGraph, _ samples: String, count: String, frames: String, isFirst: String,
    _ states: inout ONNXStates
  ) -> String {
    var joined = samples
    if carried > 0 {
      let state = states.add([carried])
      var before = state.before
      if isMirrored {
        let places = (0..<carried).map { place in
          let distance = carried - place
          return distance > mirrored ? 0 : isOnSample ? distance : distance - 1
        }
        let index = graph.least(graph.integers(places), graph.add("Sub", [count, graph.integers([1])]))
        before = graph.add("Where", [isFirst, graph.add("Gather", [samples, index], [("axis", .integer(1))]), before])
      }
      joined = graph.add("Concat", [before, samples], [("axis", .integer(1))])
      _ = part(&graph, joined, -carried, Int(Int32.max), output: state.after)
    }
    let length = graph.add("Add", [count, graph.integers([carried])])
    let places = graph.add(
      "Add", [graph.add("Mul", [frames, graph.integers([hop])]), graph.integers([configuration.usedLength - hop])])
    let position = graph.range(places)
    let isThere = graph.add("Less", [position, length])
    var beyond = graph.integers([0])
    if isMirrored {
      let twice = graph.add("Sub", [graph.add("Add", [length, length]), graph.integers([isOnSample ? 2 : 1])])
      beyond = graph.greatest(graph.add("Sub", [twice, position]), beyond)
    }
    let index = graph.add("Where", [isThere, position, beyond])
    var y = graph.add("Gather", [joined, index], [("axis", .integer(1))])
    if !isMirrored { y = graph.add("Where", [isThere, y, graph.scalar(0)]) }
    return graph.unsqueeze(y, [1])
  }

  /// Frames with their deltas, all as late as the last of these.
  private func withDeltas(
    _ graph: inout ONNXGraph, _ y: String, first: String, isFirst: String, end: String, _ states: inout ONNXStates
  ) -> String {
    guard configuration.deltas.order > 0 else { return y }
    let (half, base) = (configuration.deltas.halfWidth, configuration.baseCount)
    let count = graph.size(of: y, axis: 1)
    var orders = [y]
    for order in 0..<configuration.deltas.order {
      let x = orders[order]
      let skipped = lead + half * order
      let own = graph.size(of: x, axis: 1)
      let last = graph.add("Sub", [own, graph.integers([1])])
      let begin = graph.add("Gather", [x, graph.least(graph.integers([skipped]), last)], [("axis", .integer(1))])
      let state = states.add([2 * half, base])
      let before = graph.add("Where", [isFirst, begin, state.before])
      // Before frame 0 stands frame 0.
      let isBefore = graph.add("Less", [graph.range(own), graph.add("Mul", [first, graph.integers([skipped])])])
      let held = graph.add("Where", [graph.unsqueeze(isBefore, [0, 2]), begin, x])
      let joined = graph.add("Concat", [before, held], [("axis", .integer(1))])
      _ = part(&graph, joined, -2 * half, Int(Int32.max), output: state.after)
      // After the last frame stands the last.
      let length = graph.add("Add", [own, graph.integers([2 * half])])
      let extended = graph.add("Add", [length, graph.add("Mul", [end, graph.integers([half])])])
      let index = graph.least(graph.range(extended), graph.add("Sub", [length, graph.integers([1])]))
      orders.append(
        features.regression(&graph, graph.add("Gather", [joined, index], [("axis", .integer(1))])))
    }
    let made = graph.range(graph.add("Add", [count, graph.add("Mul", [end, graph.integers([delay])])]))
    let parts = orders.enumerated().map { order, x in
      let wait = delay - half * order
      guard wait > 0 else { return x }
      let state = states.add([wait, base])
      let joined = graph.add("Concat", [state.before, x], [("axis", .integer(1))])
      _ = part(&graph, joined, -wait, Int(Int32.max), output: state.after)
      return graph.add("Gather", [joined, made], [("axis", .integer(1))])
    }
    return graph.add("Concat", parts, [("axis", .integer(2))])
  }
}
