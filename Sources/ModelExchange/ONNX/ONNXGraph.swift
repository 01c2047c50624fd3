/// A graph under construction: each call adds a node and returns the name of what it computes.
///
/// All operators are those of opset 9 (December 2018), the first in which `Where`, `NonZero` and `ConstantOfShape`,
/// which masks of variable lengths need, are there; every runtime of today runs it.
struct ONNXGraph {
  static let opset = 9

  private(set) var nodes: [ONNXFile.Node] = []
  private(set) var initializers: [ONNXFile.Tensor] = []
  /// What the names of nodes begin with: the part of the model they belong to.
  var scope = ""
  private var integerConstants: [[Int]: String] = [:]
  private var scalars: [Float: String] = [:]

  /// Adds a node; what it gives beside its first output is named in `others`.
  mutating func add(
    _ operation: String, _ inputs: [String], _ attributes: [(String, ONNXFile.Attribute.Value)] = [],
    output: String? = nil, others: [String] = []
  ) -> String {
    let name = "\(scope)\(operation)_\(nodes.count)"
    nodes.append(
      ONNXFile.Node(
        operation: operation, name: name, inputs: inputs, outputs: [output ?? name] + others,
        attributes: attributes.map { ONNXFile.Attribute(name: $0.0, value: $0.1) }))
    return output ?? name
  }

  // MARK: Constants

  mutating func constant(_ name: String, _ values: [Float], shape: [Int]) -> String {
    let name = "\(scope)\(name)"
    initializers.append(ONNXFile.Tensor(name, values, shape: shape))
    return name
  }

  mutating func scalar(_ value: Float) -> String {
    if let name = scalars[value] { return name }
    let name = "scalar_\(scalars.count)"
    initializers.append(ONNXFile.Tensor(name, [value], shape: []))
    scalars[value] = name
    return name
  }

  mutating func double(_ value: Double) -> String {
    let name = "double_\(initializers.count)"
    initializers.append(ONNXFile.Tensor(name, [value], shape: []))
    return name
  }

  /// A list of whole numbers, one axis.
  mutating func integers(_ values: [Int]) -> String {
    if let name = integerConstants[values] { return name }
    let name = "integers_\(integerConstants.count)"
    initializers.append(ONNXFile.Tensor(name, values, shape: [values.count]))
    integerConstants[values] = name
    return name
  }

  // MARK: Shapes and indices

  mutating func transpose(_ x: String, _ order: [Int]) -> String {
    add("Transpose", [x], [("perm", .integers(order))])
  }

  /// A size of 0 stays as it is, -1 takes the rest.
  mutating func reshape(_ x: String, _ shape: [Int]) -> String { add("Reshape", [x, integers(shape)]) }

  mutating func unsqueeze(_ x: String, _ axes: [Int]) -> String { add("Unsqueeze", [x], [("axes", .integers(axes))]) }

  mutating func cast(_ x: String, to element: ONNXFile.Tensor.Element) -> String {
    add("Cast", [x], [("to", .integer(element.rawValue))])
  }

  /// The size of axis `axis` of `x`: one whole number, one axis.
  mutating func size(of x: String, axis: Int) -> String {
    let shape = add("Shape", [x])
    return add(
      "Slice", [shape],
      [("axes", .integers([0])), ("starts", .integers([axis])), ("ends", .integers([axis + 1]))])
  }

  /// 0, 1, ... `count` - 1.
  mutating func range(_ count: String) -> String {
    let ones = add(
      "ConstantOfShape", [count], [("value", .tensor(ONNXFile.Tensor("", [1], shape: [1])))])
    return reshape(add("NonZero", [ones]), [-1])
  }

  /// x / divisor of whole numbers that are not negative, rounded up.
  mutating func dividedUp(_ x: String, by divisor: Int) -> String {
    divisor == 1
      ? x : add("Div", [add("Add", [x, integers([divisor - 1])]), integers([divisor])])
  }

  /// The smaller (greater) of two whole numbers: `Min` and `Max` of this opset know no whole numbers.
  mutating func least(_ x: String, _ y: String) -> String { add("Where", [add("Less", [x, y]), x, y]) }
  mutating func greatest(_ x: String, _ y: String) -> String { add("Where", [add("Less", [x, y]), y, x]) }

  // MARK: Numbers

  mutating func reduce(_ operation: String, _ x: String, axis: Int, keeps: Bool = true) -> String {
    add("Reduce\(operation)", [x], [("axes", .integers([axis])), ("keepdims", .integer(keeps ? 1 : 0))])
  }
}
