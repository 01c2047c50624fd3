/// The text of an annotation file, in lines, with the name that errors give it.
struct AnnotationSource {
  let path: String
  /// Without their line ends, which may be LF, CR LF or CR.
  let lines: [Substring]

  /// Decodes UTF-8, or UTF-16 with a byte order mark. Throws `DetectionError.notText` for anything else.
  init(_ bytes: some Collection<UInt8>, path: String) throws(DetectionError) {
    guard let text = decoded(Array(bytes)), !text.utf8.contains(0) else { throw .notText(path: path) }
    self.path = path
    lines = splitLines(text)
  }

  /// The lines that are not blank, numbered from 1.
  var filledLines: [(number: Int, text: Substring)] {
    lines.enumerated().filter { !trimmed($1).isEmpty }.map { ($0 + 1, $1) }
  }

  func malformed(_ line: Int, _ reason: String) -> DetectionError {
    .malformed(path: path, line: line, reason: reason)
  }

  /// The number in `text`, which may have blanks around it.
  func number(_ text: some StringProtocol, _ what: String, line: Int) throws(DetectionError) -> Double {
    guard let number = finiteNumber(text) else {
      throw malformed(line, "\(what) is '\(trimmed(text))'; wanted a number")
    }
    return number
  }

  /// An event, or an error that names the line.
  func event(
    line: Int, start: Double, end: Double, label: some StringProtocol, probability: Float? = nil, path: String? = nil,
    channel: Int? = nil, lowFrequency: Double? = nil, highFrequency: Double? = nil
  ) throws(DetectionError) -> SoundEvent {
    do {
      return try SoundEvent(
        start: start, end: end, label: trimmed(label), probability: probability, path: path, channel: channel,
        lowFrequency: lowFrequency, highFrequency: highFrequency)
    } catch .invalidEvent(let reason) {
      throw malformed(line, reason)
    }
  }
}

private func decoded(_ bytes: [UInt8]) -> String? {
  func units(_ high: Int, _ low: Int) -> [UInt16]? {
    guard bytes.count % 2 == 0 else { return nil }
    return stride(from: 2, to: bytes.count, by: 2).map { UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + low]) }
  }
  if bytes.starts(with: [0xFE, 0xFF]) { return units(0, 1).flatMap { String(validating: $0, as: UTF16.self) } }
  if bytes.starts(with: [0xFF, 0xFE]) { return units(1, 0).flatMap { String(validating: $0, as: UTF16.self) } }
  return String(validating: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...], as: UTF8.self)
}

/// By bytes: to Swift, CR LF is one character.
private func splitLines(_ text: String) -> [Substring] {
  var lines: [Substring] = []
  let bytes = text.utf8
  var start = bytes.startIndex
  var index = start
  while index < bytes.endIndex {
    let next = bytes.index(after: index)
    guard bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r") else {
      index = next
      continue
    }
    lines.append(text[start..<index])
    let isPair = bytes[index] == UInt8(ascii: "\r") && next < bytes.endIndex && bytes[next] == UInt8(ascii: "\n")
    index = isPair ? bytes.index(after: next) : next
    start = index
  }
  if start < bytes.endIndex { lines.append(text[start...]) }
  return lines
}

/// `text` without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text).unicodeScalars
  while rest.first?.properties.isWhitespace == true { rest.removeFirst() }
  while rest.last?.properties.isWhitespace == true { rest.removeLast() }
  return String(rest)
}

/// The decimal number in `text`; nil for anything else, infinities and hexadecimal among it.
func finiteNumber(_ text: some StringProtocol) -> Double? {
  let text = trimmed(text)
  guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text), number.isFinite
  else { return nil }
  return number
}

/// The cells of a line between tabs.
func tabbed(_ line: Substring) -> [Substring] {
  line.split(separator: "\t", omittingEmptySubsequences: false)
}
