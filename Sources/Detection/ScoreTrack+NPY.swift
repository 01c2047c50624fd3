import AuricleBase

extension ScoreTrack {
  /// The track as NumPy's format (NumPy Enhancement Proposal 1): a record a hop with the fields `onset` and `offset` (64
  /// bits, seconds) and one for each label (32 bits). Times and scores are exact.
  ///
  ///     >>> scores = numpy.load("scores.npy")
  ///     >>> scores["yes"][scores["onset"] < 10]
  ///
  /// Throws `DetectionError.invalidConfiguration` for a label that is empty, or called `onset` or `offset`.
  public func npy() throws(DetectionError) -> [UInt8] {
    var fields = [("onset", "<f8"), ("offset", "<f8")]
    for label in labels {
      guard !label.isEmpty, !["onset", "offset"].contains(label) else {
        throw .invalidConfiguration(name: "labels", reason: "'\(label)' cannot name a field beside onset and offset")
      }
      fields.append((label, "<f4"))
    }
    let description = fields.map { "(\(Self.quoted($0.0)), '\($0.1)')" }.joined(separator: ", ")
    var header = "{'descr': [\(description)], 'fortran_order': False, 'shape': (\(hops),), }"
    // Version 3 holds UTF-8; the numbers begin at a multiple of 64 bytes.
    header += String(repeating: " ", count: 63 - (12 + header.utf8.count) % 64) + "\n"
    var bytes: [UInt8] = [0x93] + "NUMPY".utf8 + [3, 0]
    func append<Value>(_ value: Value) { withUnsafeBytes(of: value) { bytes += $0 } }
    append(UInt32(header.utf8.count).littleEndian)
    bytes += header.utf8
    bytes.reserveCapacity(bytes.count + hops * (16 + 4 * labels.count))
    for hop in 0..<hops {
      append(boundaries[hop].bitPattern.littleEndian)
      append(boundaries[hop + 1].bitPattern.littleEndian)
      for score in row(hop) { append(score.bitPattern.littleEndian) }
    }
    return bytes
  }

  /// Reads what `npy()` writes; `path` names it in errors. Throws `DetectionError` with the reason.
  public init(npy bytes: some Collection<UInt8>, path: String) throws(DetectionError) {
    func refuse(_ reason: String) -> DetectionError { .malformed(path: path, line: 1, reason: reason) }
    let bytes = Array(bytes)
    guard bytes.count > 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)), (1...3).contains(bytes[6]) else {
      throw refuse("not an array of NumPy's format")
    }
    let start = bytes[6] == 1 ? 10 : 12
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start, let header = String(validating: bytes[start..<start + length], as: UTF8.self)
    else { throw refuse("its header is cut off") }
    guard let fields = Self.fields(header), fields.map(\.name).starts(with: ["onset", "offset"]),
      fields.prefix(2).allSatisfy({ $0.type == "<f8" }), fields.dropFirst(2).allSatisfy({ $0.type == "<f4" })
    else {
      throw refuse("wanted records of onset and offset ('<f8'), then a score for each label ('<f4')")
    }
    let width = 16 + 4 * (fields.count - 2)
    let content = bytes[(start + length)...]
    guard content.count % width == 0 else { throw refuse("its last record is cut off") }
    func integer<Number: FixedWidthInteger>(_ place: Int, _ type: Number.Type) -> Number {
      content.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Number.self)) }
    }
    var track = try ScoreTrack(labels: fields.dropFirst(2).map(\.name))
    for record in 0..<content.count / width {
      let place = record * width
      let onset = Double(bitPattern: integer(place, UInt64.self))
      if record == 0 { track = try ScoreTrack(labels: track.labels, startingAt: onset) }
      guard let last = track.boundaries.last, abs(last - onset) <= Self.tolerance else {
        throw refuse("record \(record + 1) begins at \(onset) s, but the one before it ends elsewhere")
      }
      let row = track.labels.indices.map { Float(bitPattern: integer(place + 16 + 4 * $0, UInt32.self)) }
      do {
        try track.append(row, until: Double(bitPattern: integer(place + 8, UInt64.self)))
      } catch {
        throw refuse("record \(record + 1): \(error.description)")
      }
    }
    self = track
  }

  /// A text as Python writes it.
  private static func quoted(_ text: String) -> String {
    var quoted = "'"
    for scalar in text.unicodeScalars {
      switch scalar {
      case "'", "\\": quoted += "\\\(scalar)"
      case _ where scalar.properties.generalCategory == .control:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "'"
  }

  /// The names and types of the fields in a header; nil for what is none.
  private static func fields(_ header: String) -> [(name: String, type: String)]? {
    guard let start = header.firstRange(of: "'descr': [") else { return nil }
    var texts: [String] = []
    var rest = Substring(header)[start.upperBound...]
    while let quote = rest.popFirst(), quote != "]" {
      guard quote == "'" || quote == "\"" else { continue }
      var text = ""
      while let next = rest.popFirst(), next != quote {
        if next != "\\" {
          text.append(next)
        } else if rest.first == "x", let code = UInt32(rest.dropFirst().prefix(2), radix: 16) {
          Unicode.Scalar(code).map { text.unicodeScalars.append($0) }
          rest = rest.dropFirst(3)
        } else if let escaped = rest.popFirst() {
          text.append(escaped)
        }
      }
      texts.append(text)
    }
    guard texts.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: texts.count, by: 2).map { (texts[$0], texts[$0 + 1]) }
  }
}
