import AuricleBase
import RealModule
import SequenceModel

// Keras's GRU and SimpleRNN, which tf2onnx leaves as loops over frames: the loop's body is computed for some frames and
// states, and is a cell if a cell of the same weights gives the same.

extension ONNXNetwork {
  mutating func loop(_ node: ONNXNode) throws(ImportProblem) -> [Value] {
    let body = try LoopBody(node, values)
    var signal = body.signal
    let isReversed = signal.isReversed
    signal.isReversed = false
    signal = try whole(signal)
    guard signal.axes.count == 3, signal.axes[0] == [.frames], signal.axes[1] == [.sequences],
      signal.axes[2] == signal.allFactors
    else { throw ImportProblem(reason: "does not take frames, sequences and numbers in this order") }
    guard let cell = try body.cell(inputs: signal.shape.count) else {
      throw ImportProblem(reason: "is a loop that is neither a GRU nor a simple recurrent layer")
    }
    var output = try append(
      .recurrent(cell.kind, units: cell.units), cell.parameters, to: signal, factors: [cell.units],
      axes: [[.frames], [.sequences], [.factor(0)]])
    links[output.link].isBackward = isReversed
    output.isReversed = isReversed
    var final = output
    final.axes.removeFirst()
    (final.isReversed, final.place) = (false, isReversed ? .first : .last)
    return node.node.outputs.indices.map { index in
      cell.scans.contains(index)
        ? .signal(output)
        : index == cell.state
          ? .signal(final) : .refused(ImportProblem(reason: "a loop gives something else than its states"))
    }
  }
}

/// The body of a loop over frames, computed with numbers.
private struct LoopBody {
  struct Cell {
    var kind: Recurrent.Cell
    var units: Int
    var parameters: [Float]
    /// Which output of the loop is the last state, and which are all states.
    var state: Int
    var scans: [Int]
  }

  /// What the loop goes over.
  let signal: ONNXSignal
  private let body: ONNXFile
  private let source: String
  /// What does not change from frame to frame.
  private var constants: [String: ONNXNetwork.Constant] = [:]
  private var integers: [String: [Int]] = [:]
  /// Inputs that are 0, 1, 2, ...
  private var counters: Set<String>
  /// The input that is the state, and its place among the states.
  private let state: (name: String, index: Int)
  private let stateCount: Int

  init(_ node: ONNXNode, _ values: [String: ONNXNetwork.Value]) throws(ImportProblem) {
    guard let body = node.graph("body"), node.count > 2, body.inputs.count == node.count,
      body.outputs.count >= body.inputs.count - 1
    else { throw ImportProblem(reason: "is a loop without a body that fits") }
    self.body = body
    counters = [body.inputs[0].name]
    stateCount = body.inputs.count - 2
    for tensor in body.initializers {
      if let floats = tensor.floats { constants[tensor.name] = .init(shape: tensor.shape, values: floats) }
      if let whole = tensor.wholeNumbers { integers[tensor.name] = whole }
    }
    let inner = Set(body.nodes.flatMap(\.outputs) + body.inputs.map(\.name) + body.initializers.map(\.name))
    var source: (String, ONNXSignal)?
    for name in Set(body.nodes.flatMap(\.inputs)).subtracting(inner).sorted() {
      switch values[name] {
      case .constant(let constant)?: constants[name] = constant
      case .sizes(_, let sizes)?:
        integers[name] = sizes.compactMap { if case .known(let value) = $0 { value } else { nil } }
      case .signal(let signal)?:
        guard source == nil else { throw ImportProblem(reason: "is a loop over several sequences") }
        source = (name, signal)
      case .refused(let problem)?: throw problem
      default: break
      }
    }
    guard let source else { throw ImportProblem(reason: "is a loop that does not go over frames") }
    (self.source, signal) = source
    var states: [(String, Int)] = []
    for index in 0..<max(0, body.inputs.count - 2) {
      let input = body.inputs[2 + index]
      switch node.optional(2 + index) {
      case .filled(0)?: states.append((input.name, index))
      case .constant(let constant)?:
        if constant.values.allSatisfy({ $0 == 0 }), constant.shape.count == 2, !Self.passes(body, input.name, index) {
          states.append((input.name, index))
        } else {
          // A weight: it must go through the loop as it is.
          guard Self.passes(body, input.name, index) else {
            throw ImportProblem(reason: "is a loop that changes its weights")
          }
          constants[input.name] = constant
        }
      case .sizes(_, [.known(0)])? where Self.counts(body, input.name, index): counters.insert(input.name)
      default: break
      }
    }
    guard let state = states.first, states.count == 1 else {
      throw ImportProblem(reason: "is a loop with \(states.count) states that begin with zeros; a GRU has one")
    }
    self.state = state
    // As many steps as there are frames, each of the frame of its number.
    guard case .sizes(_, let steps)? = node.optional(0),
      steps == [.frames] || signal.frameCount.map({ steps == [.known($0)] }) == true,
      body.nodes.allSatisfy({ step in
        !step.inputs.contains(self.source)
          || step.operation == "Gather" && step.inputs.first == self.source && step.inputs.count == 2
            && counters.contains(step.inputs[1]) && !step.attributes.contains { $0.name == "axis" && $0.isNotZero }
      })
    else { throw ImportProblem(reason: "is a loop that does not go over all frames, one after the other") }
  }

  /// Whether an input leaves the body one greater than it came.
  private static func counts(_ body: ONNXFile, _ name: String, _ index: Int) -> Bool {
    let output = body.outputs[1 + index].name
    guard let node = body.nodes.first(where: { $0.outputs.contains(output) }), node.operation == "Add",
      node.inputs.count == 2, node.inputs.contains(name), let other = node.inputs.first(where: { $0 != name })
    else { return false }
    return body.initializers.first { $0.name == other }?.wholeNumbers == [1]
  }

  /// Whether an input leaves the body as it came.
  private static func passes(_ body: ONNXFile, _ name: String, _ index: Int) -> Bool {
    var output = body.outputs[1 + index].name
    for _ in 0..<8 {
      if output == name { return true }
      guard let node = body.nodes.first(where: { $0.outputs.contains(output) }), node.operation == "Identity",
        let input = node.inputs.first
      else { return false }
      output = input
    }
    return false
  }

  // MARK: Which cell it is

  /// Nil where it is none.
  func cell(inputs: Int) throws(ImportProblem) -> Cell? {
    let matrices = constants.sorted { $0.key < $1.key }.map(\.value).filter { $0.values.allSatisfy(\.isFinite) }
    for recurrent in matrices where recurrent.shape.count == 2 {
      let (units, columns) = (recurrent.shape[0], recurrent.shape[1])
      guard units > 0, [1, 3].contains(columns / units), columns % units == 0 else { continue }
      let kinds: [Recurrent.Cell] = columns == units ? [.simpleRNN, .simpleRNNReLU] : [.gru, .gruResetBefore]
      for kernel in matrices where kernel.shape == [inputs, columns] {
        for kind in kinds {
          let biases =
            matrices.filter { $0.values.count == (kind == .gru ? 2 : 1) * columns }
            + [ONNXNetwork.Constant(shape: [], values: [Float](repeating: 0, count: (kind == .gru ? 2 : 1) * columns))]
          for bias in biases {
            let parameters = kernel.values + recurrent.values + bias.values
            if let places = try agrees(kind, units, inputs, parameters) {
              return Cell(kind: kind, units: units, parameters: parameters, state: places.state, scans: places.scans)
            }
          }
        }
      }
    }
    return nil
  }

  /// Which outputs are the cell's new state, if the body computes it; nil where it does not.
  private func agrees(
    _ kind: Recurrent.Cell, _ units: Int, _ inputs: Int, _ parameters: [Float]
  ) throws(ImportProblem) -> (state: Int, scans: [Int])? {
    var generator = SeededGenerator(seed: 1)
    func random(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &generator) } }
    var scans = Set(body.outputs.indices.dropFirst(1 + stateCount))
    for _ in 0..<4 {
      let (x, h) = (random(inputs), random(units))
      let wanted = Self.step(kind, units, parameters, x, h)
      let found = try outputs(x, h)
      func isNear(_ index: Int) -> Bool {
        guard let value = found[body.outputs[index].name], value.values.count == units else { return false }
        return zip(value.values, wanted).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) }
      }
      guard isNear(1 + state.index) else { return nil }
      scans = scans.filter { isNear($0) }
    }
    return (state.index, scans.map { $0 - 1 }.sorted())
  }

  /// One step, as `Recurrent` describes it.
  private static func step(
    _ kind: Recurrent.Cell, _ units: Int, _ parameters: [Float], _ x: [Float], _ h: [Float]
  ) -> [Float] {
    let columns = (kind == .gru || kind == .gruResetBefore ? 3 : 1) * units
    let kernel = parameters[..<(x.count * columns)]
    let recurrent = parameters[kernel.endIndex..<kernel.endIndex + units * columns]
    let bias = parameters[recurrent.endIndex...]
    func product(_ values: [Float], _ matrix: ArraySlice<Float>, _ column: Int) -> Float {
      values.indices.reduce(0) { $0 + values[$1] * matrix[matrix.startIndex + $1 * columns + column] }
    }
    func input(_ column: Int) -> Float { product(x, kernel, column) + bias[bias.startIndex + column] }
    func sigmoid(_ value: Float) -> Float { 1 / (1 + .exp(-value)) }
    func state(_ column: Int) -> Float {
      product(h, recurrent, column) + (kind == .gru ? bias[bias.startIndex + columns + column] : 0)
    }
    switch kind {
    case .gru, .gruResetBefore:
      let r = (0..<units).map { sigmoid(input(units + $0) + state(units + $0)) }
      let reset = zip(r, h).map { $0 * $1 }
      return (0..<units).map { unit in
        let z = sigmoid(input(unit) + state(unit))
        let column = 2 * units + unit
        let candidate = Float.tanh(
          input(column) + (kind == .gru ? r[unit] * state(column) : product(reset, recurrent, column)))
        return z * h[unit] + (1 - z) * candidate
      }
    case .simpleRNN, .simpleRNNReLU, .lstm:
      return (0..<units).map { unit in
        let sum = input(unit) + state(unit)
        return kind == .simpleRNNReLU ? max(sum, 0) : .tanh(sum)
      }
    }
  }

  // MARK: What it computes

  /// All tensors of the body of a frame and a state.
  private func outputs(_ x: [Float], _ h: [Float]) throws(ImportProblem) -> [String: ONNXNetwork.Constant] {
    var known = constants
    known[state.name] = .init(shape: [1, h.count], values: h)
    for node in body.nodes {
      if node.operation == "Gather", node.inputs.first == source {
        known[node.outputs.first ?? ""] = .init(shape: [1, x.count], values: x)
      } else if let results = compute(node, known) {
        for (name, result) in zip(node.outputs, results) { known[name] = result }
      }
    }
    return known
  }

  /// Nil for what is not computed with floating-point numbers, as counters are, or not understood: then no cell agrees.
  private func compute(
    _ node: ONNXFile.Node, _ known: [String: ONNXNetwork.Constant]
  ) -> [ONNXNetwork.Constant]? {
    guard let first = node.inputs.first, let a = known[first] else { return nil }
    func elementwise(_ function: (Float) -> Float) -> [ONNXNetwork.Constant] {
      [.init(shape: a.shape, values: a.values.map(function))]
    }
    func integer(_ name: String, _ value: Int) -> Int {
      if case .integer(let found)? = node.attributes.first(where: { $0.name == name })?.value { found } else { value }
    }
    func list(_ name: String, _ index: Int) -> [Int]? {
      if case .integers(let found)? = node.attributes.first(where: { $0.name == name })?.value { return found }
      return node.inputs.indices.contains(index) ? integers[node.inputs[index]] : nil
    }
    func axis(_ value: Int) -> Int? {
      let place = value < 0 ? value + a.shape.count : value
      return a.shape.indices.contains(place) ? place : nil
    }
    switch node.operation {
    case "Identity": return [a]
    case "Sigmoid": return elementwise { 1 / (1 + .exp(-$0)) }
    case "Tanh": return elementwise { .tanh($0) }
    case "Relu": return elementwise { max($0, 0) }
    case "Add", "Sub", "Mul":
      guard node.inputs.count == 2, let b = known[node.inputs[1]] else { return nil }
      let (large, small) = a.values.count >= b.values.count ? (a, b) : (b, a)
      // The smaller is a row, or one number.
      guard !small.values.isEmpty,
        small.values.count == large.values.count || small.values.count == 1
          || small.values.count == large.shape.last
      else { return nil }
      let count = large.values.count
      let values = (0..<count).map { index in
        let (x, y) = (a.values[index % a.values.count], b.values[index % b.values.count])
        return node.operation == "Add" ? x + y : node.operation == "Sub" ? x - y : x * y
      }
      return [.init(shape: large.shape, values: values)]
    case "MatMul":
      guard node.inputs.count == 2, let b = known[node.inputs[1]], b.shape.count == 2, a.shape.count == 2,
        a.shape[0] == 1, a.shape[1] == b.shape[0]
      else { return nil }
      let columns = b.shape[1]
      var row = [Float](repeating: 0, count: columns)
      for (index, value) in a.values.enumerated() {
        for column in 0..<columns { row[column] += value * b.values[index * columns + column] }
      }
      return [.init(shape: [1, columns], values: row)]
    case "Split":
      guard let axis = axis(integer("axis", 0)), !node.outputs.isEmpty else { return nil }
      let size = a.shape[axis]
      let sizes = list("split", 1) ?? [Int](repeating: size / node.outputs.count, count: node.outputs.count)
      guard sizes.count == node.outputs.count, sizes.allSatisfy({ $0 >= 0 && $0 <= size }), sizes.reduce(0, +) == size
      else { return nil }
      var (parts, start): ([ONNXNetwork.Constant], Int) = ([], 0)
      for part in sizes {
        parts.append(a.slice(axis, start..<start + part))
        start += part
      }
      return parts
    case "Slice":
      guard let starts = list("starts", 1), let ends = list("ends", 2), starts.count == ends.count else { return nil }
      let axes = list("axes", 3) ?? Array(starts.indices)
      guard axes.count == starts.count, list("steps", 4)?.allSatisfy({ $0 == 1 }) ?? true else { return nil }
      var result = a
      for (index, given) in axes.enumerated() {
        guard let axis = axis(given) else { return nil }
        let size = a.shape[axis]
        func bound(_ value: Int) -> Int { min(max(value < 0 ? max(value, -size) + size : value, 0), size) }
        let start = bound(starts[index])
        result = result.slice(axis, start..<max(start, bound(ends[index])))
      }
      return [result]
    case "Squeeze", "Unsqueeze", "Reshape":
      // A row stays a row: only sizes of 1 come and go.
      guard let last = a.shape.last(where: { $0 > 1 }) ?? a.shape.last else { return [a] }
      return last == a.values.count ? [.init(shape: [1, last], values: a.values)] : nil
    default: return nil
    }
  }
}

extension ONNXFile.Attribute {
  fileprivate var isNotZero: Bool { if case .integer(0) = value { false } else { true } }
}
