import SequenceModel

// Operators that make no layer: they move axes, pick, join, and compute sizes.

extension ONNXNetwork {
  /// Gives each output of the node its meaning.
  mutating func apply(_ node: ONNXFile.Node) {
    var results: [Value] = []
    do {
      results = try outputs(of: ONNXNode(node, opset: opset, values: values))
    } catch {
      var problem = error
      if !problem.isPlaced {
        let name = node.name.isEmpty ? node.outputs.first ?? "" : node.name
        problem = ImportProblem(reason: "node '\(name)' (\(node.operation)) \(problem.reason)")
        problem.isPlaced = true
      }
      results = [Value](repeating: .refused(problem), count: node.outputs.count)
    }
    for (index, name) in node.outputs.enumerated() where !name.isEmpty {
      values[name] =
        index < results.count
        ? results[index]
        : .refused(ImportProblem(reason: "node '\(node.name)' (\(node.operation)) gives more than is known"))
    }
  }

  private mutating func outputs(of node: ONNXNode) throws(ImportProblem) -> [Value] {
    guard ["", "ai.onnx"].contains(node.node.domain) else {
      throw ImportProblem(reason: "is of the domain '\(node.node.domain)', not one of ONNX's own operators")
    }
    switch node.operation {
    case "Constant": return [try constant(node)]
    case "ConstantOfShape": return [try filled(node)]
    case "Shape": return [try shape(node)]
    case "Cast": return [try cast(node)]
    case "Identity", "Dropout": return [try node.value(0)]
    case "Expand": return [try expand(node)]
    case "Gather": return [try gather(node)]
    case "Slice": return [try slice(node)]
    case "Split": return try split(node)
    case "Concat": return [try concatenate(node)]
    case "Transpose", "Unsqueeze", "Squeeze", "Reshape", "Flatten": return [try moved(node)]
    case "ReverseSequence": return [try reversed(node)]
    case "Pad": return [try padded(node)]
    default: return try layerOutputs(of: node)
    }
  }

  private func constant(_ node: ONNXNode) throws(ImportProblem) -> Value {
    if let tensor = node.tensor("value") { return Self.value(of: tensor) }
    if node.has(attribute: "value_int") { return .sizes(shape: [], [.known(node.integer("value_int", default: 0))]) }
    if let integers = node.integers("value_ints") {
      return .sizes(shape: [integers.count], integers.map { .known($0) })
    }
    if node.has(attribute: "value_float") {
      return .constant(Constant(shape: [], values: [node.float("value_float", default: 0)]))
    }
    throw ImportProblem(reason: "holds a constant of an unknown kind")
  }

  private func filled(_ node: ONNXNode) throws(ImportProblem) -> Value {
    guard let value = node.tensor("value")?.wholeNumbers?.first else {
      return .filled(node.tensor("value")?.floats?.first ?? 0)
    }
    let shape = try node.integers(0)
    guard let count = Self.product(shape), count <= 64 else { throw ImportProblem(reason: "makes too many sizes") }
    return .sizes(shape: shape, [ONNXSignal.Size](repeating: .known(value), count: count))
  }

  private func shape(_ node: ONNXNode) throws(ImportProblem) -> Value {
    let sizes: [ONNXSignal.Size]
    switch try node.value(0) {
    case .signal(let signal): sizes = signal.sizes()
    case .constant(let constant): sizes = constant.shape.map { .known($0) }
    case .sizes(let shape, _): sizes = shape.map { .known($0) }
    case .stack, .filled, .moment, .refused:
      throw ImportProblem(reason: "asks for the size of what has none that is known")
    }
    func bound(_ value: Int) -> Int { min(max(value < 0 ? value + sizes.count : value, 0), sizes.count) }
    let start = bound(node.integer("start", default: 0))
    let end = max(start, bound(node.integer("end", default: sizes.count)))
    return .sizes(shape: [end - start], Array(sizes[start..<end]))
  }

  private func cast(_ node: ONNXNode) throws(ImportProblem) -> Value {
    let value = try node.value(0)
    if case .sizes = value {
      guard [6, 7].contains(node.integer("to", default: 7)) else {
        throw ImportProblem(reason: "makes a size a number of another kind")
      }
      return value
    }
    guard node.integer("to", default: 1) == 1 else { throw ImportProblem(reason: "leaves single precision") }
    return value
  }

  private func expand(_ node: ONNXNode) throws(ImportProblem) -> Value {
    switch try node.value(0) {
    case .constant(let constant):
      guard let uniform = constant.uniform else { throw ImportProblem(reason: "repeats numbers that differ") }
      return .filled(uniform)
    case .filled(let value): return .filled(value)
    case let other: return other
    }
  }

  // MARK: Axes

  private func moved(_ node: ONNXNode) throws(ImportProblem) -> Value {
    switch try node.value(0) {
    case .signal(var signal):
      try move(&signal, node)
      return .signal(signal)
    case .moment(let moment):
      // Of one number for each frame: only layer normalisation takes it, which does not care for axes of size 1.
      return .moment(moment)
    case .filled(let value): return .filled(value)
    case .constant(let constant): return .constant(try move(constant, node))
    case .sizes(let shape, let sizes):
      let places = try move(Self.places(shape), node)
      guard places.values.count == sizes.count else { throw ImportProblem(reason: "moves sizes about that do not fit") }
      return .sizes(shape: places.shape, places.values.map { sizes[Int($0)] })
    case .stack, .refused: throw ImportProblem(reason: "moves final states of several layers about")
    }
  }

  private func move(_ signal: inout ONNXSignal, _ node: ONNXNode) throws(ImportProblem) {
    switch node.operation {
    case "Transpose": try signal.transpose(node.integers("perm") ?? signal.axes.indices.reversed())
    case "Unsqueeze": try signal.unsqueeze(node.axes(input: 1) ?? [])
    case "Squeeze": try signal.squeeze(node.axes(input: 1))
    case "Flatten":
      let axis = node.integer("axis", default: 1)
      let place = axis == signal.axes.count ? axis : try signal.axis(axis)
      signal.axes = [signal.axes[..<place].flatMap { $0 }, signal.axes[place...].flatMap { $0 }]
    default:
      guard case .sizes(_, let sizes) = try node.value(1) else {
        throw ImportProblem(reason: "reshapes in a way that is not followed")
      }
      try signal.reshape(sizes, keepsZeros: node.integer("allowzero", default: 0) == 0)
    }
  }

  private func move(_ constant: Constant, _ node: ONNXNode) throws(ImportProblem) -> Constant {
    let problem = ImportProblem(reason: "moves weights about in a way that is not followed")
    var constant = constant
    switch node.operation {
    case "Transpose":
      guard let result = constant.transposed(node.integers("perm") ?? constant.shape.indices.reversed()) else {
        throw problem
      }
      return result
    case "Unsqueeze", "Squeeze":
      // As a signal without any factors has its axes.
      var signal = ONNXSignal(
        link: 0, shape: links[0].shape, factors: constant.shape, axes: constant.shape.indices.map { [.factor($0)] })
      if node.operation == "Unsqueeze" {
        try signal.unsqueeze(node.axes(input: 1) ?? [])
      } else {
        for index in signal.axes.indices where constant.shape[index] == 1 { signal.axes[index] = [] }
        try signal.squeeze(node.axes(input: 1))
      }
      constant.shape = signal.axes.map { signal.size($0) ?? 1 }
      return constant
    case "Reshape":
      var shape = try node.integers(1)
      for (index, size) in shape.enumerated() where size == 0 && index < constant.shape.count {
        shape[index] = constant.shape[index]
      }
      if let open = shape.firstIndex(of: -1) {
        shape[open] = 1
        guard let known = Self.product(shape), known > 0 else { throw problem }
        shape[open] = constant.values.count / known
      }
      guard Self.product(shape) == constant.values.count else { throw problem }
      constant.shape = shape
      return constant
    default: throw problem
    }
  }

  /// The place of each of a few numbers, which moves as they do.
  private static func places(_ shape: [Int]) throws(ImportProblem) -> Constant {
    guard let count = product(shape), count <= 1 << 20 else {
      throw ImportProblem(reason: "moves too many sizes about")
    }
    return Constant(shape: shape, values: (0..<count).map { Float($0) })
  }

  private static func product(_ shape: [Int]) -> Int? {
    var product = ONNXSignal.Size.known(1)
    for size in shape {
      guard size >= 0 else { return nil }
      product = product * .known(size)
    }
    return if case .known(let value) = product { value } else { nil }
  }

  private func reversed(_ node: ONNXNode) throws(ImportProblem) -> Value {
    var signal = try node.signal(0)
    let (time, batch) = (node.integer("time_axis", default: 0), node.integer("batch_axis", default: 1))
    // All of each sequence: their lengths are the size of the axis itself.
    guard signal.axes.indices.contains(time), signal.axes.indices.contains(batch), signal.axes[time] == [.frames],
      signal.axes[batch] == [.sequences], case .sizes(_, let lengths) = try node.value(1),
      lengths.allSatisfy({ $0 == .frames })
    else { throw ImportProblem(reason: "turns round something else than all frames of each sequence") }
    signal.isReversed.toggle()
    return .signal(signal)
  }

  private func padded(_ node: ONNXNode) throws(ImportProblem) -> Value {
    var signal = try node.signal(0)
    let pads = try node.list("pads", input: 1)
    guard node.text("mode", default: "constant") == "constant", pads.count == 2 * signal.axes.count, !node.has(3) else {
      throw ImportProblem(reason: "pads with something else than zeros")
    }
    if node.has(2), case .constant(let constant) = try node.value(2), constant.uniform != 0 {
      throw ImportProblem(reason: "pads with something else than zeros")
    }
    for (axis, atoms) in signal.axes.enumerated() {
      let (before, after) = (pads[axis], pads[axis + signal.axes.count])
      if before == 0 && after == 0 { continue }
      guard atoms == [.frames], (0...1 << 20).contains(before), (0...1 << 20).contains(after), signal.place == nil
      else {
        throw ImportProblem(reason: "pads something else than frames")
      }
      signal.padding = (signal.padding.before + before, signal.padding.after + after)
    }
    return .signal(signal)
  }

  // MARK: Picking and joining

  private func gather(_ node: ONNXNode) throws(ImportProblem) -> Value {
    let axis = node.integer("axis", default: 0)
    guard case .sizes(let shape, _) = try node.value(1) else {
      throw ImportProblem(reason: "picks by computed numbers")
    }
    if case .sizes(_, let sizes) = try node.value(0) {
      var picked: [ONNXSignal.Size] = []
      for index in try node.integers(1) {
        let place = index < 0 ? index + sizes.count : index
        guard sizes.indices.contains(place) else { throw ImportProblem(reason: "picks what is not there") }
        picked.append(sizes[place])
      }
      return .sizes(shape: shape, picked)
    }
    let indices = try node.integers(1)
    guard indices.count == 1, shape.count <= 1 else { throw ImportProblem(reason: "picks several places of an axis") }
    let index = indices[0]
    switch try node.value(0) {
    case .stack(let states):
      guard axis == 0 else { throw ImportProblem(reason: "picks numbers of final states") }
      return .signal(try state(states, index, keepsAxis: !shape.isEmpty))
    case .signal(var signal):
      let axis = try signal.axis(axis)
      try pick(&signal, axis, index, index == -1 ? Int.max : index + 1)
      if shape.isEmpty { try signal.squeeze([axis]) }
      return .signal(signal)
    case .constant(let constant):
      let axis = axis < 0 ? axis + constant.shape.count : axis
      guard constant.shape.indices.contains(axis) else { throw ImportProblem(reason: "picks what is not there") }
      let place = index < 0 ? index + constant.shape[axis] : index
      guard place >= 0, place < constant.shape[axis] else { throw ImportProblem(reason: "picks what is not there") }
      var result = constant.slice(axis, place..<place + 1)
      if shape.isEmpty { result.shape.remove(at: axis) }
      return .constant(result)
    case .filled(let value): return .filled(value)
    case .sizes, .moment, .refused: throw ImportProblem(reason: "picks what is not understood")
    }
  }

  private func slice(_ node: ONNXNode) throws(ImportProblem) -> Value {
    let starts = try node.list("starts", input: 1)
    let value = try node.value(0)
    if case .filled = value { return value }
    // An end may be the size of the axis itself.
    var ends: [Int] = []
    if let known = node.integers("ends") {
      ends = known
    } else if case .sizes(_, let sizes) = try node.value(2) {
      for size in sizes { if case .known(let end) = size { ends.append(end) } else { ends.append(Int.max) } }
      if case .signal(let signal) = value, sizes.contains(where: { if case .known = $0 { false } else { true } }) {
        guard sizes.count == 1, signal.axes.contains([.frames]), sizes[0] == .frames else {
          throw ImportProblem(reason: "cuts where the input's size says")
        }
      }
    }
    let axes = try node.axes(input: 3) ?? Array(starts.indices)
    guard ends.count == starts.count, axes.count == starts.count else {
      throw ImportProblem(reason: "cuts in a way that cannot be")
    }
    if case .sizes(let shape, let sizes) = value, try node.steps() == [-1], axes == [0], starts == [-1],
      ends[0] < -sizes.count
    {
      // PyTorch's order of pads.
      let rows = shape.first ?? 0
      let columns = rows > 0 ? sizes.count / rows : 0
      return .sizes(shape: shape, (0..<rows).reversed().flatMap { sizes[$0 * columns..<($0 + 1) * columns] })
    }
    guard try node.steps().allSatisfy({ $0 == 1 }) else {
      throw ImportProblem(reason: "takes every second place, or turns round")
    }
    switch value {
    case .signal(var signal):
      for (place, axis) in axes.enumerated() { try pick(&signal, signal.axis(axis), starts[place], ends[place]) }
      return .signal(signal)
    case .sizes(_, let sizes):
      guard axes == [0] else { throw ImportProblem(reason: "cuts sizes in a way that is not followed") }
      let range = Self.range(starts[0], ends[0], of: sizes.count)
      return .sizes(shape: [range.count], Array(sizes[range]))
    case .constant(var constant):
      for (place, axis) in axes.enumerated() {
        let axis = axis < 0 ? axis + constant.shape.count : axis
        guard constant.shape.indices.contains(axis) else {
          throw ImportProblem(reason: "cuts an axis that is not there")
        }
        constant = constant.slice(axis, Self.range(starts[place], ends[place], of: constant.shape[axis]))
      }
      return .constant(constant)
    case .stack, .filled, .moment, .refused: throw ImportProblem(reason: "cuts what is not understood")
    }
  }

  private static func range(_ start: Int, _ end: Int, of count: Int) -> Range<Int> {
    func bound(_ value: Int) -> Int { min(max(value < 0 ? max(value, -count) + count : value, 0), count) }
    let first = bound(start)
    return first..<max(first, bound(end))
  }

  /// Leaves `start ..< end` of an axis.
  private func pick(_ signal: inout ONNXSignal, _ axis: Int, _ start: Int, _ end: Int) throws(ImportProblem) {
    let atoms = signal.axes[axis]
    if atoms.isEmpty {
      guard Self.range(start, end, of: 1).count == 1 else { throw ImportProblem(reason: "picks what is not there") }
      return
    }
    if atoms == [.frames] {
      if start == 0 && end >= Int(Int32.max) { return }
      guard signal.place == nil, signal.padding == (0, 0) else { throw ImportProblem(reason: "picks frames twice") }
      let isEnd = end >= Int(Int32.max) || end == signal.frameCount
      let isLast = isEnd && (start == -1 || start + 1 == signal.frameCount)
      guard isLast || start == 0 && end == 1 else {
        throw ImportProblem(reason: "picks frames \(start) to \(end); Auricle has the first and the last")
      }
      // Of a layer that goes backward the first frame comes last.
      signal.place = isLast != signal.isReversed ? .last : .first
      signal.isReversed = false
      signal.axes[axis] = []
      return
    }
    guard let size = signal.size(atoms) else { throw ImportProblem(reason: "picks sequences") }
    let range = Self.range(start, end, of: size)
    if range.count == size { return }
    // Whole slowest factors are numbers that follow each other.
    guard signal.range == nil, !range.isEmpty, case .factor(let first)? = atoms.first,
      first == (signal.allFactors.first.map(Self.index) ?? 0),
      atoms == (first..<first + atoms.count).map({ .factor($0) })
    else { throw ImportProblem(reason: "picks numbers that do not follow each other in a frame") }
    let step = signal.factors[(first + atoms.count)...].reduce(1, *)
    let numbers = range.lowerBound * step..<range.upperBound * step
    if signal.place == .final {
      let half = signal.shape.count / 2
      guard numbers.upperBound <= half || numbers.lowerBound >= half else {
        throw ImportProblem(reason: "picks some numbers of both directions")
      }
      signal.place = numbers.lowerBound < half ? .last : .first
    }
    signal.range = numbers
    if step == 1 {
      signal.axes[axis] = [.part]
    } else {
      guard range.count == 1,
        let other = signal.axes.firstIndex(of: (first + atoms.count..<signal.factors.count).map({ .factor($0) }))
      else { throw ImportProblem(reason: "picks numbers that do not follow each other in a frame") }
      (signal.axes[axis], signal.axes[other]) = ([], [.part])
    }
  }

  private static func index(_ atom: ONNXSignal.Atom) -> Int { if case .factor(let index) = atom { index } else { 0 } }

  /// State `index` of those of several layers and directions.
  private func state(
    _ states: [ONNXSignal], _ index: Int, keepsAxis: Bool
  ) throws(ImportProblem) -> ONNXSignal {
    let counts = states.map { $0.size($0.axes[0]) ?? 1 }
    var place = index < 0 ? index + counts.reduce(0, +) : index
    for (state, count) in zip(states, counts) where place >= 0 {
      if place < count {
        var signal = state
        try pick(&signal, 0, place, place + 1)
        if !keepsAxis { try signal.squeeze([0]) }
        return signal
      }
      place -= count
    }
    throw ImportProblem(reason: "picks a state that is not there")
  }

  private mutating func split(_ node: ONNXNode) throws(ImportProblem) -> [Value] {
    let signal = try node.signal(0)
    let axis = try signal.axis(node.integer("axis", default: 0))
    let count = node.node.outputs.count
    guard let size = signal.size(signal.axes[axis]), count > 0 else { throw ImportProblem(reason: "splits frames") }
    let isGiven = node.has(1) || node.has(attribute: "split")
    let sizes = isGiven ? try node.list("split", input: 1) : [Int](repeating: size / count, count: count)
    var (results, start): ([Value], Int) = ([], 0)
    for part in sizes {
      guard part > 0, part <= size - start else { throw ImportProblem(reason: "splits into more than there is") }
      var result = signal
      try pick(&result, axis, start, start + part)
      results.append(.signal(result))
      start += part
    }
    return results
  }

  private mutating func concatenate(_ node: ONNXNode) throws(ImportProblem) -> Value {
    var (signals, constants, sizes): ([ONNXSignal], [Constant], [ONNXSignal.Size]) = ([], [], [])
    for index in 0..<node.count {
      switch try node.value(index) {
      case .signal(let signal): signals.append(signal)
      case .stack(let states): signals += states
      case .constant(let constant): constants.append(constant)
      case .sizes(_, let more): sizes += more
      case .filled(let value) where index == 0 && node.count > 0:
        // Zeros for the states of several layers.
        return .filled(value)
      case .filled, .moment, .refused: throw ImportProblem(reason: "joins what is not understood")
      }
    }
    let axis = node.integer("axis", default: 0)
    if signals.isEmpty && constants.isEmpty { return .sizes(shape: [sizes.count], sizes) }
    if signals.isEmpty && sizes.isEmpty {
      let rank = constants.first?.shape.count ?? 0
      guard let joined = Constant.joined(constants, axis: axis < 0 ? axis + rank : axis) else {
        throw ImportProblem(reason: "joins weights that do not fit")
      }
      return .constant(joined)
    }
    guard constants.isEmpty, sizes.isEmpty, let first = signals.first else {
      throw ImportProblem(reason: "joins frames and numbers that are known")
    }
    if signals.count == 1 { return .signal(first) }
    let place = try first.axis(axis)
    if let joined = try directions(signals, place) { return .signal(joined) }
    if place == 0,
      signals.allSatisfy({ $0.axes.count == 3 && $0.axes[1] == [.sequences] && [.last, .final].contains($0.place) })
    {
      return .stack(signals)
    }
    throw ImportProblem(reason: "joins numbers of several layers, which no layer of Auricle does")
  }

  /// Both directions of a recurrent layer side by side; nil where the signals are something else.
  private mutating func directions(_ signals: [ONNXSignal], _ axis: Int) throws(ImportProblem) -> ONNXSignal? {
    guard signals.count == 2, signals[0].axes.indices.contains(axis), signals[0].axes.count == signals[1].axes.count
    else { return nil }
    let (a, b) = (signals[0], signals[1])
    guard a.padding == (0, 0), b.padding == (0, 0), !a.isReversed, !b.isReversed, !a.isShare, !b.isShare else {
      return nil
    }
    let isSame = a.axes.indices.allSatisfy { $0 == axis || a.axes[$0] == b.axes[$0] }
    guard isSame else { return nil }
    var whole: ONNXSignal
    if a.link == b.link, a.axes[axis] == [.part], b.axes[axis] == [.part], let first = a.range, let second = b.range,
      first.lowerBound == 0, first.upperBound == second.lowerBound, second.upperBound == a.shape.count
    {
      whole = a
      guard a.place == b.place || a.shape.isBidirectional && first.upperBound * 2 == a.shape.count else { return nil }
    } else if let joined = try bidirectional(a, b) {
      whole = joined
    } else {
      return nil
    }
    (whole.range, whole.place) = (nil, nil)
    whole.axes[axis] = whole.allFactors
    switch (a.place, b.place) {
    case (nil, nil): return whole
    // Auricle's final state of both directions.
    case (.last, .first) where whole.shape.isBidirectional:
      whole.place = nil
      return try pooled(whole, .last)
    default: return nil
    }
  }

  /// A layer of two directions in place of a forward one and a backward one that take the same.
  private mutating func bidirectional(_ a: ONNXSignal, _ b: ONNXSignal) throws(ImportProblem) -> ONNXSignal? {
    let (forward, backward) = (links[a.link], links[b.link])
    guard !forward.isBackward, backward.isBackward, forward.parent == backward.parent, a.range == nil, b.range == nil,
      case .recurrent(let one) = forward.layer, case .recurrent(let other) = backward.layer, one == other,
      one.directions == 1
    else { return nil }
    let layer = Recurrent(one.cell, units: one.units, directions: 2)
    let shape = try add(.recurrent(layer), forward.parameters + backward.parameters, after: forward.parent)
    return a.followed(by: links.count - 1, shape, factors: [2, one.units], axes: a.axes)
  }
}
