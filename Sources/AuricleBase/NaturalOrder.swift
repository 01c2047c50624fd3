/// Whether `a` comes before `b` for a person: runs of digits compare as numbers ("take 2" before "take 10"), everything
/// else by its UTF-8 bytes.
public func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
  var (left, right) = (Substring(a).utf8, Substring(b).utf8)
  while let first = left.first, let second = right.first {
    if isDigit(first) && isDigit(second) {
      let (m, n) = (takeNumber(from: &left), takeNumber(from: &right))
      if m.count != n.count { return m.count < n.count }
      if !m.elementsEqual(n) { return m.lexicographicallyPrecedes(n) }
    } else {
      if first != second { return first < second }
      left.removeFirst()
      right.removeFirst()
    }
  }
  // Alike but for leading zeros ("02", "2"): the bytes decide, so that the order is total.
  return left.isEmpty && right.isEmpty ? bytesPrecede(a, b) : left.isEmpty
}

/// Whether `a` comes before `b` by its UTF-8 bytes, whatever the locale or the Unicode version.
public func bytesPrecede(_ a: String, _ b: String) -> Bool {
  a.utf8.lexicographicallyPrecedes(b.utf8)
}

private func isDigit(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// Takes the digits at the front and returns them without leading zeros, as many as there are.
private func takeNumber(from text: inout Substring.UTF8View) -> Substring.UTF8View {
  let digits = text.prefix(while: isDigit)
  text = text.dropFirst(digits.count)
  return digits.drop { $0 == UInt8(ascii: "0") }
}
