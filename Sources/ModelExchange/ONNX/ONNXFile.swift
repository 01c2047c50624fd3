/// The part of ONNX's file format (`onnx.proto`, IR version 4) that export and import need: a model as a value, and its
/// bytes as Protocol Buffers; `ONNXFile+Reading` is the way back. Numbers of fields are those of `onnx.proto`.
struct ONNXFile: Sendable {
  var graphName: String
  /// Of the default domain.
  var opset: Int
  var nodes: [Node] = []
  var initializers: [Tensor] = []
  var inputs: [Value] = []
  var outputs: [Value] = []
  /// In this order.
  var metadata: [(key: String, value: String)] = []

  struct Node: Sendable {
    /// Empty for ONNX's own operators.
    var domain = ""
    var operation: String
    var name: String
    var inputs: [String]
    var outputs: [String]
    var attributes: [Attribute]
  }

  struct Attribute: Sendable {
    enum Value: Sendable {
      case integer(Int)
      case float(Float)
      case text(String)
      case integers([Int])
      case floats([Float])
      case texts([String])
      case tensor(Tensor)
      /// The body of a loop; only read.
      case graph(ONNXFile)
    }
    var name: String
    var value: Value
  }

  struct Tensor: Sendable {
    enum Element: Int, Sendable {
      case float = 1
      case int32 = 6
      case int64 = 7
      case double = 11
      /// Any other, whose numbers are not read.
      case other = 0
    }
    var name: String
    var shape: [Int]
    var element: Element
    /// Little-endian, row-major.
    var data: [UInt8]
  }

  /// An input or output of the graph.
  struct Value: Sendable {
    enum Dimension: Sendable {
      case fixed(Int)
      /// Any size, the same wherever the name stands.
      case named(String)
    }
    var name: String
    var element: Tensor.Element
    var shape: [Dimension]
  }

  var bytes: [UInt8] {
    var model = ProtobufMessage()
    model.integer(1, 4)  // IR version
    model.text(2, "Auricle")
    model.message(7) { graph in
      for node in nodes { graph.message(1) { node.write(to: &$0) } }
      graph.text(2, graphName)
      for tensor in initializers { graph.message(5) { tensor.write(to: &$0) } }
      for value in inputs { graph.message(11) { value.write(to: &$0) } }
      for value in outputs { graph.message(12) { value.write(to: &$0) } }
    }
    model.message(8) { $0.integer(2, opset) }
    for (key, value) in metadata {
      model.message(14) {
        $0.text(1, key)
        $0.text(2, value)
      }
    }
    return model.bytes
  }
}

extension ONNXFile.Tensor {
  init(_ name: String, _ values: [Float], shape: [Int]) {
    self.init(
      name: name, shape: shape, element: .float,
      data: values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) })
  }

  init(_ name: String, _ values: [Int], shape: [Int]) {
    self.init(
      name: name, shape: shape, element: .int64,
      data: values.map { Int64($0).littleEndian }.withUnsafeBytes { Array($0) })
  }

  init(_ name: String, _ values: [Double], shape: [Int]) {
    self.init(
      name: name, shape: shape, element: .double,
      data: values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) })
  }

  fileprivate func write(to message: inout ProtobufMessage) {
    for size in shape { message.integer(1, size) }
    message.integer(2, element.rawValue)
    message.text(8, name)
    message.data(9, data)
  }
}

extension ONNXFile.Node {
  fileprivate func write(to message: inout ProtobufMessage) {
    for input in inputs { message.text(1, input) }
    for output in outputs { message.text(2, output) }
    message.text(3, name)
    message.text(4, operation)
    for attribute in attributes { message.message(5) { attribute.write(to: &$0) } }
  }
}

extension ONNXFile.Attribute {
  fileprivate func write(to message: inout ProtobufMessage) {
    message.text(1, name)
    let type: Int
    switch value {
    case .float(let value):
      message.float(2, value)
      type = 1
    case .integer(let value):
      message.integer(3, value)
      type = 2
    case .text(let value):
      message.text(4, value)
      type = 3
    case .tensor(let value):
      message.message(5) { value.write(to: &$0) }
      type = 4
    case .graph:
      type = 5
    case .floats(let values):
      for value in values { message.float(7, value) }
      type = 6
    case .integers(let values):
      for value in values { message.integer(8, value) }
      type = 7
    case .texts(let values):
      for value in values { message.text(9, value) }
      type = 8
    }
    message.integer(20, type)
  }
}

extension ONNXFile.Value {
  fileprivate func write(to message: inout ProtobufMessage) {
    message.text(1, name)
    message.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, element.rawValue)
        tensor.message(2) { dimensions in
          for size in shape {
            dimensions.message(1) { dimension in
              switch size {
              case .fixed(let size): dimension.integer(1, size)
              case .named(let name): dimension.text(2, name)
              }
            }
          }
        }
      }
    }
  }
}

/// A message of Protocol Buffers as it is written: fields one after the other, each with its number and wire type
/// (protobuf.dev, "Encoding").
private struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private mutating func variable(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  private mutating func key(_ field: Int, wireType: UInt64) { variable(UInt64(field) << 3 | wireType) }

  mutating func integer(_ field: Int, _ value: Int) {
    key(field, wireType: 0)
    variable(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ field: Int, _ value: Float) {
    key(field, wireType: 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func data(_ field: Int, _ value: [UInt8]) {
    key(field, wireType: 2)
    variable(UInt64(value.count))
    bytes += value
  }

  mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

  mutating func message(_ field: Int, _ write: (inout ProtobufMessage) -> Void) {
    var inner = ProtobufMessage()
    write(&inner)
    data(field, inner.bytes)
  }
}
