import AudioFeatures

/// An array of NumPy's format (NumPy Enhancement Proposal 1), versions 1 to 3, its numbers in C order.
///
/// Numbers of any size and byte order, floating or integer, and texts are understood, Fortran's order is turned into C's.
/// Python's objects, which only Python can read, and complex numbers are refused.
struct NumpyArray: Sendable {
  /// Why bytes are not an array that can be used, as a clause.
  struct Unusable: Error {
    let reason: String
  }

  enum Element: Equatable {
    case float(bytes: Int)
    case signed(bytes: Int)
    case unsigned(bytes: Int)
    case bool
    /// UTF-32, or bytes.
    case text(bytes: Int, isUnicode: Bool)

    var size: Int {
      switch self {
      case .float(let bytes), .signed(let bytes), .unsigned(let bytes), .text(let bytes, _): bytes
      case .bool: 1
      }
    }
  }

  /// What stands before the numbers.
  struct Header {
    var element: Element
    var isBigEndian: Bool
    var isFortranOrder: Bool
    var shape: [Int]
    /// Bytes of the header.
    var length: Int
    /// Of all numbers.
    var count: Int

    /// The longest header that is read, in bytes.
    static let limit = 1 << 16

    /// `start`: the first bytes of the array, as many as `limit` or all there are.
    init(_ start: [UInt8]) throws(Unusable) {
      var reader = ByteReader(start)
      guard reader.take(6)?.elementsEqual([0x93] + Array("NUMPY".utf8)) == true, let version = reader.number(1),
        reader.number(1) != nil, (1...3).contains(version), let size = reader.number(version == 1 ? 2 : 4)
      else { throw Unusable(reason: "it does not begin as NumPy's format does") }
      guard let header = reader.take(size), let text = String(validating: header, as: UTF8.self) else {
        throw Unusable(reason: "its header is cut off")
      }
      length = start.count - reader.count
      guard let descriptor = Header.value(of: "descr", in: text), descriptor.first == "'" || descriptor.first == "\""
      else {
        throw Unusable(reason: "it holds records, not numbers")
      }
      let order = Header.value(of: "fortran_order", in: text)
      guard order?.hasPrefix("True") == true || order?.hasPrefix("False") == true,
        let sizes = Header.value(of: "shape", in: text), sizes.first == "(", let end = sizes.firstIndex(of: ")")
      else { throw Unusable(reason: "its header is damaged") }
      isFortranOrder = order?.hasPrefix("True") == true
      let type = descriptor.dropFirst().prefix { $0 != "'" && $0 != "\"" }
      (element, isBigEndian) = try Header.element(type)
      let numbers = sizes[..<end].dropFirst().split(separator: ",").map { $0.filter { $0 != " " && $0 != "L" } }
      shape = []
      count = 1
      for number in numbers where !number.isEmpty {
        guard let size = Int(number), size >= 0 else { throw Unusable(reason: "its header is damaged") }
        let (product, overflows) = count.multipliedReportingOverflow(by: size)
        guard !overflows, product < 1 << 48 else { throw Unusable(reason: "its shape \(sizes[...end]) is impossible") }
        shape.append(size)
        count = product
      }
    }

    /// Bytes after the header.
    var size: Int { count * element.size }

    /// What follows a key of the dictionary in the header.
    private static func value(of key: String, in text: String) -> Substring? {
      for quote in ["'", "\""] {
        guard let range = text.firstRange(of: quote + key + quote) else { continue }
        return text[range.upperBound...].drop { $0 == " " || $0 == ":" }
      }
      return nil
    }

    private static func element(_ type: Substring) throws(Unusable) -> (Element, isBigEndian: Bool) {
      let kind = type.dropFirst().first
      guard let order = type.first, "<>|=".contains(order), let kind else {
        throw Unusable(reason: "its type '\(type)' is unknown")
      }
      let size = Int(type.dropFirst(2)) ?? 0
      let isBigEndian = order == ">"
      switch (kind, size) {
      case ("f", 2), ("f", 4), ("f", 8): return (.float(bytes: size), isBigEndian)
      case ("i", 1), ("i", 2), ("i", 4), ("i", 8): return (.signed(bytes: size), isBigEndian)
      case ("u", 1), ("u", 2), ("u", 4), ("u", 8): return (.unsigned(bytes: size), isBigEndian)
      case ("b", 1): return (.bool, isBigEndian)
      case ("U", 1...4096): return (.text(bytes: 4 * size, isUnicode: true), isBigEndian)
      case ("S", 1...4096): return (.text(bytes: size, isUnicode: false), isBigEndian)
      case ("O", _):
        throw Unusable(
          reason: "it holds Python objects, as arrays of unequal lengths do; save each sequence as an array of its own")
      default: throw Unusable(reason: "its type '\(type)' is not one of real numbers or text")
      }
    }
  }

  let header: Header
  private let bytes: [UInt8]

  var shape: [Int] { header.shape }

  /// `bytes`: a whole `.npy` file.
  init(_ bytes: [UInt8]) throws(Unusable) {
    header = try Header(bytes)
    self.bytes = bytes
    guard bytes.count - header.length == header.size else {
      throw Unusable(
        reason:
          "its header says \(header.size) bytes of shape \(Self.text(header.shape)), and \(bytes.count - header.length) are there"
      )
    }
  }

  static func text(_ shape: [Int]) -> String { shape.map { "\($0)" }.joined(separator: " x ") }

  /// Numbers `range` in C order, as the nearest float; nil for texts.
  func floats(_ range: Range<Int>) -> [Float]? {
    switch header.element {
    case .float(2): numbers(range) { Self.half(UInt16(truncatingIfNeeded: $0)) }
    case .float(4): numbers(range) { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
    case .float: numbers(range) { Float(Double(bitPattern: $0)) }
    case .signed(let size): numbers(range) { Float(Self.signed($0, size)) }
    case .unsigned, .bool: numbers(range) { Float($0) }
    case .text: nil
    }
  }

  var floats: [Float]? { floats(0..<header.count) }

  /// All of them, where they are whole numbers (as floating numbers, too); nil where one is not, and for texts.
  var integers: [Int]? {
    let values: [Int?]
    switch header.element {
    case .float:
      values = (floats ?? []).map { Int(exactly: $0) }
    case .signed(let size): values = numbers(0..<header.count) { Int(exactly: Self.signed($0, size)) }
    case .unsigned, .bool: values = numbers(0..<header.count) { Int(exactly: $0) }
    case .text: return nil
    }
    return values.contains(nil) ? nil : values.compactMap { $0 }
  }

  /// All of them, where they are texts of UTF-8 or UTF-32.
  var texts: [String]? {
    guard case .text(let size, let isUnicode) = header.element else { return nil }
    let texts = (0..<header.count).map { index -> String? in
      let start = header.length + place(index) * size
      let text = bytes[start..<start + size]
      guard isUnicode else { return String(validating: text.prefix { $0 != 0 }, as: UTF8.self) }
      var scalars = String.UnicodeScalarView()
      for place in stride(from: text.startIndex, to: text.endIndex, by: 4) {
        let code =
          header.isBigEndian
          ? text[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
          : text[place..<place + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if code == 0 { break }
        guard let scalar = Unicode.Scalar(code) else { return nil }
        scalars.append(scalar)
      }
      return String(scalars)
    }
    return texts.contains(nil) ? nil : texts.compactMap { $0 }
  }

  /// Where the number stands that is number `index` in C order.
  private func place(_ index: Int) -> Int {
    guard header.isFortranOrder else { return index }
    var (rest, place, stride) = (index, 0, header.count)
    for size in shape.reversed() {
      stride /= size
      place += rest % size * stride
      rest /= size
    }
    return place
  }

  private func numbers<Number>(_ range: Range<Int>, _ number: (UInt64) -> Number) -> [Number] {
    let size = header.element.size
    return bytes.withUnsafeBytes { bytes in
      range.map { index in
        let start = header.length + place(index) * size
        var value: UInt64 = 0
        for offset in 0..<size {
          value = value << 8 | UInt64(bytes[header.isBigEndian ? start + offset : start + size - 1 - offset])
        }
        return number(value)
      }
    }
  }

  private static func signed(_ value: UInt64, _ size: Int) -> Int64 {
    let shift = UInt64(64 - 8 * size)
    return Int64(bitPattern: value << shift) >> Int64(shift)
  }

  /// IEEE 754's binary16, for Swift has no such number on every platform.
  private static func half(_ bits: UInt16) -> Float {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(bits >> 10 & 31), Float(bits & 1023))
    switch exponent {
    case 0: return sign * fraction / 16_777_216
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return Float(sign: sign < 0 ? .minus : .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
    }
  }
}
