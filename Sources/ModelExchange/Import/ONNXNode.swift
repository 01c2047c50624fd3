import SequenceModel

/// A node of a graph with what its inputs mean.
struct ONNXNode {
  let node: ONNXFile.Node
  let opset: Int
  private let inputs: [ONNXNetwork.Value?]

  /// Throws what is wrong with an input, if the graph could not be followed to there.
  init(_ node: ONNXFile.Node, opset: Int, values: [String: ONNXNetwork.Value]) throws(ImportProblem) {
    var inputs: [ONNXNetwork.Value?] = []
    for name in node.inputs {
      let value = name.isEmpty ? nil : values[name]
      if !name.isEmpty && value == nil { throw ImportProblem(reason: "takes '\(name)', which nothing computes") }
      if case .refused(let problem)? = value, node.operation != "Loop" { throw problem }
      inputs.append(value)
    }
    (self.node, self.opset, self.inputs) = (node, opset, inputs)
  }

  var operation: String { node.operation }

  // MARK: Inputs

  func has(_ index: Int) -> Bool { optional(index) != nil }
  func optional(_ index: Int) -> ONNXNetwork.Value? { inputs.indices.contains(index) ? inputs[index] : nil }
  var count: Int { inputs.count }

  func value(_ index: Int) throws(ImportProblem) -> ONNXNetwork.Value {
    guard let value = optional(index) else { throw ImportProblem(reason: "has no input \(index)") }
    return value
  }

  func signal(_ index: Int) throws(ImportProblem) -> ONNXSignal {
    guard case .signal(let signal) = try value(index) else {
      throw ImportProblem(reason: "does not take what comes from the graph's input")
    }
    return signal
  }

  func constant(_ index: Int) throws(ImportProblem) -> ONNXNetwork.Constant {
    guard case .constant(let constant) = try value(index) else {
      throw ImportProblem(reason: "takes weights that are computed, not stored")
    }
    return constant
  }

  /// Weights of this shape.
  func weights(_ index: Int, _ shape: [Int]) throws(ImportProblem) -> [Float] {
    let constant = try constant(index)
    guard constant.shape == shape else {
      func text(_ shape: [Int]) -> String { shape.map { "\($0)" }.joined(separator: " x ") }
      throw ImportProblem(reason: "has weights \(text(constant.shape)); what it takes wants \(text(shape))")
    }
    return constant.values
  }

  func integers(_ index: Int) throws(ImportProblem) -> [Int] {
    guard case .sizes(_, let sizes) = try value(index) else { throw Self.computed }
    var integers: [Int] = []
    for size in sizes {
      guard case .known(let value) = size else { throw Self.computed }
      integers.append(value)
    }
    return integers
  }

  private static let computed = ImportProblem(reason: "takes whole numbers that depend on the input's size")

  // MARK: Attributes

  private func attribute(_ name: String) -> ONNXFile.Attribute.Value? {
    node.attributes.first { $0.name == name }?.value
  }
  func integer(_ name: String, default value: Int) -> Int {
    if case .integer(let value)? = attribute(name) { value } else { value }
  }
  func float(_ name: String, default value: Float) -> Float {
    if case .float(let value)? = attribute(name) { value } else { value }
  }
  func text(_ name: String, default value: String) -> String {
    if case .text(let value)? = attribute(name) { value } else { value }
  }
  func texts(_ name: String) -> [String]? { if case .texts(let values)? = attribute(name) { values } else { nil } }
  func integers(_ name: String) -> [Int]? { if case .integers(let values)? = attribute(name) { values } else { nil } }
  func tensor(_ name: String) -> ONNXFile.Tensor? {
    if case .tensor(let value)? = attribute(name) { value } else { nil }
  }
  func graph(_ name: String) -> ONNXFile? { if case .graph(let value)? = attribute(name) { value } else { nil } }
  func has(attribute name: String) -> Bool { attribute(name) != nil }

  /// Of an attribute, or since some opset of an input.
  func list(_ name: String, input index: Int) throws(ImportProblem) -> [Int] {
    if let values = integers(name) { return values }
    return try integers(index)
  }

  /// Of a slice.
  func steps() throws(ImportProblem) -> [Int] { has(4) ? try integers(4) : [] }

  /// Axes of an attribute, or since some opset of an input; nil where there are none.
  func axes(input index: Int) throws(ImportProblem) -> [Int]? {
    if let axes = integers("axes") { return axes }
    return has(index) ? try integers(index) : nil
  }
}

// MARK: Numbers that are known

extension ONNXNetwork.Constant {
  func transposed(_ order: [Int]) -> Self? {
    guard order.sorted() == Array(shape.indices) else { return nil }
    let steps = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    var places = [0]
    for axis in order { places = places.flatMap { place in (0..<shape[axis]).map { place + $0 * steps[axis] } } }
    return Self(shape: order.map { shape[$0] }, values: places.map { values[$0] })
  }

  /// The places `range` of an axis.
  func slice(_ axis: Int, _ range: Range<Int>) -> Self {
    let (inner, outer) = (shape[(axis + 1)...].reduce(1, *), shape[..<axis].reduce(1, *))
    var result = self
    result.shape[axis] = range.count
    result.values = (0..<outer).flatMap { row in
      let start = (row * shape[axis] + range.lowerBound) * inner
      return values[start..<start + range.count * inner]
    }
    return result
  }

  static func joined(_ parts: [Self], axis: Int) -> Self? {
    guard let first = parts.first, first.shape.indices.contains(axis) else { return nil }
    var shape = first.shape
    shape[axis] = 0
    for part in parts {
      var other = part.shape
      guard other.count == shape.count else { return nil }
      other[axis] = 0
      guard other.indices.allSatisfy({ $0 == axis || other[$0] == shape[$0] }) else { return nil }
    }
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let outer = shape[..<axis].reduce(1, *)
    var values: [Float] = []
    for row in 0..<outer {
      for part in parts {
        let size = part.values.count / max(1, outer)
        values += part.values[row * size..<(row + 1) * size]
      }
    }
    return Self(shape: shape, values: values)
  }

  /// All of one value; nil where they differ.
  var uniform: Float? { values.first.flatMap { first in values.allSatisfy { $0 == first } ? first : nil } }
}
