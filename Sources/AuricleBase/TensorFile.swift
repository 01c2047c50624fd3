#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What is wrong with a safetensors file.
public struct TensorFileError: Error, Hashable, CustomStringConvertible {
  public let path: String
  public let reason: String
  public var description: String { "\(path): not a file of tensors that Auricle can use: \(reason)" }
}

/// Named tensors and text in one file: the safetensors format of Hugging Face
/// (https://huggingface.co/docs/safetensors), readable by its Python package.
///
/// A file is an 8-byte little-endian length, a JSON header of that length, and the tensors' bytes. Everything a header
/// claims is checked against the bytes that are there before it is used.
public struct TensorFile: Sendable {
  public enum Kind: String, Codable, Sendable {
    case float32 = "F32"
    case float64 = "F64"
    case int64 = "I64"
    case int8 = "I8"

    var size: Int {
      switch self {
      case .float32: 4
      case .float64, .int64: 8
      case .int8: 1
      }
    }
  }

  public struct Tensor: Sendable, Equatable {
    public let kind: Kind
    public let shape: [Int]
    /// Row-major, little-endian.
    let bytes: TensorBytes

    /// A single-precision tensor; `values` fill `shape`.
    public init(_ values: [Float], shape: [Int]) {
      precondition(values.count == shape.reduce(1, *), "values must fill the shape")
      kind = .float32
      self.shape = shape
      bytes = .owned(values.withUnsafeBytes { [UInt8]($0)[...] })
    }

    /// A tensor of whole numbers of 8 bits; `values` fill `shape`.
    public init(_ values: [Int8], shape: [Int]) {
      precondition(values.count == shape.reduce(1, *), "values must fill the shape")
      kind = .int8
      self.shape = shape
      bytes = .owned(values.withUnsafeBytes { [UInt8]($0)[...] })
    }

    init(kind: Kind, shape: [Int], bytes: TensorBytes) {
      self.kind = kind
      self.shape = shape
      self.bytes = bytes
    }

    /// The elements of a `float32` or `float64` tensor, row-major; empty for other kinds.
    public var values: [Double] {
      switch kind {
      case .float32: floats.map { Double($0) }
      case .float64: elements(of: Double.self)
      case .int64, .int8: []
      }
    }

    /// The elements of an `int8` tensor, row-major; empty for other kinds.
    public var wholeNumbers: [Int8] { kind == .int8 ? elements(of: Int8.self) : [] }

    /// The elements of a `float32` tensor, row-major; empty for other kinds.
    public var floats: [Float] { kind == .float32 ? elements(of: Float.self) : [] }

    /// Adds the elements of a `float32` tensor, row-major, to `floats`; nothing for other kinds.
    public func append(to floats: inout [Float]) {
      guard kind == .float32 else { return }
      bytes.withUnsafeBytes { bytes in
        if Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0 {
          floats.append(contentsOf: bytes.bindMemory(to: Float.self))
        } else {
          floats += self.floats
        }
      }
    }

    private func elements<Element: BitwiseCopyable>(of type: Element.Type) -> [Element] {
      bytes.withUnsafeBytes { bytes in
        let count = bytes.count / MemoryLayout<Element>.size
        return [Element](unsafeUninitializedCapacity: count) { elements, initialized in
          UnsafeMutableRawBufferPointer(elements).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[..<(count * MemoryLayout<Element>.size)]))
          initialized = count
        }
      }
    }
  }

  public var metadata: [String: String]
  public var tensors: [String: Tensor]

  public init(metadata: [String: String] = [:], tensors: [String: Tensor] = [:]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  private struct Entry: Encodable {
    var dtype = ""
    var shape: [Int] = []
    var dataOffsets: [Int] = []

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  private struct Header: Encodable {
    var metadata: [String: String] = [:]
    var entries: [String: Entry] = [:]

    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(_ string: String) { stringValue = string }
      init?(stringValue: String) { self.init(stringValue) }
      init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(metadata, forKey: Key("__metadata__"))
      for (name, entry) in entries { try container.encode(entry, forKey: Key(name)) }
    }

    init() {}

    /// Reads a header; a name that stands in it twice is refused, since programs differ on which of the two counts.
    init(json: [UInt8]) throws(MalformedJSON) {
      var scanner = JSONScanner(json)
      var names: Set<[String]> = []
      func note(_ name: String...) throws(MalformedJSON) {
        if !names.insert(name).inserted {
          throw MalformedJSON(reason: "'\(name.joined(separator: "' of '"))' is in it twice")
        }
      }
      func numbers(_ scanner: inout JSONScanner) throws(MalformedJSON) -> [Int] {
        var numbers: [Int] = []
        try scanner.array { (scanner) throws(MalformedJSON) in
          guard let number: Int = try scanner.number() else { throw MalformedJSON(reason: "null in place of a number") }
          numbers.append(number)
        }
        return numbers
      }
      try scanner.object { (scanner, name) throws(MalformedJSON) in
        try note(name)
        var entry = Entry()
        try scanner.object { (scanner, member) throws(MalformedJSON) in
          try note(member, name)
          switch member {
          case _ where name == "__metadata__": metadata[member] = try scanner.text()
          case "dtype": entry.dtype = try scanner.text() ?? ""
          case "shape": entry.shape = try numbers(&scanner)
          case "data_offsets": entry.dataOffsets = try numbers(&scanner)
          default: throw MalformedJSON(reason: "'\(member)' of '\(name)' is not part of the format")
          }
        }
        if name != "__metadata__" { entries[name] = entry }
      }
      try scanner.end()
    }
  }

  /// The longest header that is read, in bytes: a model's labels and the course of its training, many times over.
  private static let longestHeader = 1 << 24

  /// Reads a file's `bytes`; `path` is for error messages. Throws `TensorFileError`.
  public init(bytes: [UInt8], path: String) throws(TensorFileError) {
    try self.init(.owned(bytes[...]), path: path)
  }

  /// The same without a copy, for bytes that stay where they are for as long as the program runs.
  public init(constant bytes: UnsafeRawBufferPointer, path: String) throws(TensorFileError) {
    try self.init(.constant(bytes), path: path)
  }

  private init(_ bytes: TensorBytes, path: String) throws(TensorFileError) {
    func refuse(_ reason: String) -> TensorFileError { TensorFileError(path: path, reason: reason) }
    guard bytes.count >= 8 else { throw refuse("it is too short (\(bytes.count) bytes) to be a safetensors file") }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(bytes.count - 8), bytes.count > 8,
      bytes.withUnsafeBytes({ $0[8] }) == UInt8(ascii: "{")
    else {
      throw refuse("it is not a safetensors file")
    }
    guard length <= TensorFile.longestHeader else {
      throw refuse(
        "the header of its safetensors file is \(length) bytes; at most \(TensorFile.longestHeader) are read")
    }
    let start = 8 + Int(length)
    let header: Header
    do {
      header = try Header(json: bytes[8..<start].array)
    } catch {
      throw refuse("the header of its safetensors file cannot be read: \(error)")
    }
    metadata = header.metadata
    tensors = [:]
    var covered = 0
    for (name, entry) in header.entries.sorted(by: {
      $0.value.dataOffsets.lexicographicallyPrecedes($1.value.dataOffsets)
    }) {
      guard let kind = Kind(rawValue: entry.dtype) else { throw refuse("tensor '\(name)' is of type '\(entry.dtype)'") }
      var size: Int? = kind.size
      for count in entry.shape { size = count < 0 ? nil : size.flatMap { checkedProduct($0, count) } }
      guard let size, entry.dataOffsets.count == 2 else { throw refuse("tensor '\(name)' has an impossible shape") }
      let (first, end) = (entry.dataOffsets[0], entry.dataOffsets[1])
      // Tensors must follow each other without gap or overlap, as the format demands.
      guard first == covered, end >= first, end - first == size, end <= bytes.count - start else {
        throw refuse("tensor '\(name)' does not lie where its header says; the file may be cut short")
      }
      covered = end
      tensors[name] = Tensor(kind: kind, shape: entry.shape, bytes: bytes[start + first..<start + end])
    }
    guard covered == bytes.count - start else { throw refuse("bytes are left over after its last tensor") }
  }

  /// The file's bytes: tensors in the order of their names, the header padded so that they are aligned.
  ///
  /// Throws `TensorFileError` for names or text that cannot be written as JSON.
  public func bytes() throws(TensorFileError) -> [UInt8] {
    var header = Header()
    header.metadata = metadata
    var offset = 0
    let ordered = tensors.sorted { $0.key < $1.key }
    for (name, tensor) in ordered {
      header.entries[name] = Entry(
        dtype: tensor.kind.rawValue, shape: tensor.shape, dataOffsets: [offset, offset + tensor.bytes.count])
      offset += tensor.bytes.count
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var text = try? [UInt8](encoder.encode(header)) else {
      throw TensorFileError(path: "-", reason: "its description cannot be written as JSON")
    }
    text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    var result = withUnsafeBytes(of: UInt64(text.count).littleEndian) { [UInt8]($0) }
    result += text
    for (_, tensor) in ordered { tensor.bytes.withUnsafeBytes { result += $0 } }
    return result
  }
}

/// Bytes of an array, or a program's constants.
///
/// `@unchecked Sendable` because constants are never written and never freed.
enum TensorBytes: @unchecked Sendable, Equatable {
  case owned(ArraySlice<UInt8>)
  case constant(UnsafeRawBufferPointer)

  var count: Int {
    switch self {
    case .owned(let bytes): bytes.count
    case .constant(let bytes): bytes.count
    }
  }

  var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

  /// Offsets are those of the whole.
  subscript(range: Range<Int>) -> TensorBytes {
    switch self {
    case .owned(let bytes): .owned(bytes[range])
    case .constant(let bytes): .constant(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
  }

  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    switch self {
    case .owned(let bytes): bytes.withUnsafeBytes(body)
    case .constant(let bytes): body(bytes)
    }
  }

  static func == (a: TensorBytes, b: TensorBytes) -> Bool {
    a.withUnsafeBytes { a in b.withUnsafeBytes { b in a.elementsEqual(b) } }
  }
}

private func checkedProduct(_ a: Int, _ b: Int) -> Int? {
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? nil : product
}
