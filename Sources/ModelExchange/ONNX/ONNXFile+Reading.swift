extension ONNXFile {
  /// Reads a file's `bytes`, which may be damaged or hostile: every length is checked against what is there. `external` gives
  /// the bytes of the file of that name beside it, in which weights may lie. Throws the reason.
  init(reading bytes: [UInt8], external: (String) throws -> [UInt8]) throws {
    let model = try ProtobufReader(bytes[...])
    guard let graph = try model.messages(7).last, try model.integer(1) != nil else {
      throw ImportProblem(reason: "it is no ONNX file, or has lost its end")
    }
    var files: [String: [UInt8]] = [:]
    func file(_ name: String) throws -> [UInt8] {
      if let known = files[name] { return known }
      let bytes = try external(name)
      files[name] = bytes
      return bytes
    }
    let opset = try model.messages(8).first { try ["", "ai.onnx"].contains($0.text(1)) }?.integer(2)
    guard let opset else { throw ImportProblem(reason: "it does not say which opset it has, or has lost its end") }
    self = try Self.graph(graph, opset: opset, depth: 0, file)
    metadata = try model.messages(14).map { (try $0.text(1), try $0.text(2)) }
  }

  private static func graph(
    _ graph: ProtobufReader, opset: Int, depth: Int, _ external: (String) throws -> [UInt8]
  ) throws -> ONNXFile {
    guard depth < 4 else { throw ImportProblem(reason: "graphs within graphs, more than three deep") }
    var file = ONNXFile(graphName: try graph.text(2), opset: opset)
    file.nodes = try graph.messages(1).map { node in
      Node(
        domain: try node.text(7), operation: try node.text(4), name: try node.text(3), inputs: try node.texts(1),
        outputs: try node.texts(2),
        attributes: try node.messages(5).compactMap { try attribute($0, opset: opset, depth: depth, external) })
    }
    file.initializers = try graph.messages(5).map { try Tensor(reading: $0, external) }
    file.inputs = try graph.messages(11).map { try Value(reading: $0) }
    file.outputs = try graph.messages(12).map { try Value(reading: $0) }
    return file
  }

  /// Nil for kinds that no operator of a network has.
  private static func attribute(
    _ message: ProtobufReader, opset: Int, depth: Int, _ external: (String) throws -> [UInt8]
  ) throws -> Attribute? {
    let name = try message.text(1)
    var kind = try message.integer(20) ?? 0
    // Old writers leave the kind out.
    if kind == 0 { kind = [2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7, 9: 8][message.fields.first { $0 > 1 } ?? 0] ?? 0 }
    let value: Attribute.Value
    switch kind {
    case 1: value = .float(try message.floats(2).last ?? 0)
    case 2: value = .integer(try message.integer(3) ?? 0)
    case 3: value = .text(try message.text(4))
    case 4:
      guard let tensor = try message.messages(5).last else { return nil }
      value = .tensor(try Tensor(reading: tensor, external))
    case 5:
      guard let body = try message.messages(6).last else { return nil }
      value = .graph(try graph(body, opset: opset, depth: depth + 1, external))
    case 6: value = .floats(try message.floats(7))
    case 7: value = .integers(try message.integers(8))
    case 8: value = .texts(try message.texts(9))
    default: return nil
    }
    return Attribute(name: name, value: value)
  }
}

extension ONNXFile.Tensor {
  fileprivate init(reading message: ProtobufReader, _ external: (String) throws -> [UInt8]) throws {
    let name = try message.text(8)
    func refuse(_ reason: String) -> ImportProblem { ImportProblem(reason: "its tensor '\(name)' \(reason)") }
    let shape = try message.integers(1)
    let element = Element(rawValue: try message.integer(2) ?? 0) ?? .other
    self.init(name: name, shape: shape, element: element, data: [])
    guard element != .other else { return }
    guard shape.count <= 8, let count = Self.count(shape), count <= 1 << 29 else {
      throw refuse("has the impossible shape \(shape.map { "\($0)" }.joined(separator: " x "))")
    }
    let size = element == .float || element == .int32 ? 4 : 8
    if try message.integer(14) == 1 {
      var place: [String: String] = [:]
      for entry in try message.messages(13) { place[try entry.text(1)] = try entry.text(2) }
      let file = place["location"] ?? ""
      guard !file.isEmpty, !file.contains("/"), !file.contains("\\"), file != "..", file != "." else {
        throw refuse("lies in '\(file)', which is no file beside it")
      }
      let bytes = try external(file)
      let (offset, length) = (Int(place["offset"] ?? "0") ?? -1, Int(place["length"] ?? "\(count * size)") ?? -1)
      guard length == count * size, offset >= 0, offset <= bytes.count, length <= bytes.count - offset else {
        throw refuse("lies beyond the end of '\(file)'")
      }
      data = Array(bytes[offset..<offset + length])
    } else if let raw = message.data(9).last {
      data = Array(raw)
    } else {
      switch element {
      case .float: data = Self(name, try message.floats(4), shape: shape).data
      case .double: data = Self(name, try message.doubles(10), shape: shape).data
      case .int64: data = Self(name, try message.integers(7), shape: shape).data
      case .int32:
        data = try message.integers(5).map { Int32(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes { Array($0) }
      case .other: break
      }
    }
    guard data.count == count * size else {
      throw refuse("has \(data.count) bytes; its shape wants \(count * size)")
    }
  }

  /// How many numbers a shape has; nil where that cannot be.
  private static func count(_ shape: [Int]) -> Int? {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { return nil }
      count = product
    }
    return count
  }

  private func words<Word: FixedWidthInteger & UnsignedInteger>(_ type: Word.Type) -> [Word] {
    let size = Word.bitWidth / 8
    return stride(from: 0, to: data.count - data.count % size, by: size).map { place in
      (0..<size).reduce(0) { $0 | Word(data[place + $1]) << Word(8 * $1) }
    }
  }

  /// Of floating-point tensors; nil of others.
  var floats: [Float]? {
    switch element {
    case .float: words(UInt32.self).map { Float(bitPattern: $0) }
    case .double: words(UInt64.self).map { Float(Double(bitPattern: $0)) }
    case .int32, .int64, .other: nil
    }
  }

  /// Of tensors of whole numbers; nil of others.
  var wholeNumbers: [Int]? {
    switch element {
    case .int32: words(UInt32.self).map { Int(Int32(bitPattern: $0)) }
    case .int64: words(UInt64.self).map { Int(Int64(bitPattern: $0)) }
    case .float, .double, .other: nil
    }
  }
}

extension ONNXFile.Value {
  fileprivate init(reading message: ProtobufReader) throws {
    let tensor = try message.messages(2).last?.messages(1).last
    let dimensions = try tensor?.messages(2).last?.messages(1) ?? []
    self.init(
      name: try message.text(1), element: ONNXFile.Tensor.Element(rawValue: try tensor?.integer(1) ?? 0) ?? .other,
      shape: try dimensions.map { size in try size.integer(1).map { .fixed($0) } ?? .named(try size.text(2)) })
  }
}

/// A message of Protocol Buffers as it is read: its fields by their numbers.
private struct ProtobufReader {
  private enum Field {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
  }
  private var contents: [Int: [Field]] = [:]

  /// Throws the reason where the bytes are no message.
  init(_ bytes: ArraySlice<UInt8>) throws(ImportProblem) {
    var rest = bytes
    while !rest.isEmpty {
      let key = try Self.variable(&rest)
      guard let field = Int(exactly: key >> 3), field > 0 else { throw Self.damaged }
      switch key & 7 {
      case 0: contents[field, default: []].append(.number(try Self.variable(&rest)))
      case 1: contents[field, default: []].append(.number(try Self.fixed(&rest, 8)))
      case 2:
        guard let count = Int(exactly: try Self.variable(&rest)), count <= rest.count else { throw Self.damaged }
        contents[field, default: []].append(.bytes(rest.prefix(count)))
        rest = rest.dropFirst(count)
      case 5: contents[field, default: []].append(.number(try Self.fixed(&rest, 4)))
      default: throw Self.damaged
      }
    }
  }

  private static var damaged: ImportProblem { ImportProblem(reason: "it is no ONNX file, or is damaged") }

  private static func variable(_ rest: inout ArraySlice<UInt8>) throws(ImportProblem) -> UInt64 {
    var (value, shift): (UInt64, UInt64) = (0, 0)
    while let byte = rest.popFirst(), shift < 64 {
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw damaged
  }

  private static func fixed(_ rest: inout ArraySlice<UInt8>, _ size: Int) throws(ImportProblem) -> UInt64 {
    guard rest.count >= size else { throw damaged }
    defer { rest = rest.dropFirst(size) }
    return rest.prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  var fields: [Int] { contents.keys.sorted() }

  func data(_ field: Int) -> [ArraySlice<UInt8>] {
    (contents[field] ?? []).compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } }
  }

  func messages(_ field: Int) throws(ImportProblem) -> [ProtobufReader] {
    var messages: [ProtobufReader] = []
    for bytes in data(field) { messages.append(try ProtobufReader(bytes)) }
    return messages
  }

  func texts(_ field: Int) throws(ImportProblem) -> [String] { data(field).map { String(decoding: $0, as: UTF8.self) } }
  /// Empty where it is not there.
  func text(_ field: Int) throws(ImportProblem) -> String { try texts(field).last ?? "" }

  /// Numbers one by one or packed into bytes.
  private func numbers(
    _ field: Int, _ next: (inout ArraySlice<UInt8>) throws(ImportProblem) -> UInt64
  ) throws(ImportProblem) -> [UInt64] {
    var numbers: [UInt64] = []
    for part in contents[field] ?? [] {
      switch part {
      case .number(let number): numbers.append(number)
      case .bytes(var rest): while !rest.isEmpty { numbers.append(try next(&rest)) }
      }
    }
    return numbers
  }

  func integers(_ field: Int) throws(ImportProblem) -> [Int] {
    try numbers(field, Self.variable).map { Int(Int64(bitPattern: $0)) }
  }
  func integer(_ field: Int) throws(ImportProblem) -> Int? { try integers(field).last }

  func floats(_ field: Int) throws(ImportProblem) -> [Float] {
    try numbers(field) { rest throws(ImportProblem) in try Self.fixed(&rest, 4) }
      .map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
  }

  func doubles(_ field: Int) throws(ImportProblem) -> [Double] {
    try numbers(field) { rest throws(ImportProblem) in try Self.fixed(&rest, 8) }.map { Double(bitPattern: $0) }
  }
}
