import AuricleBase

extension ScoreTrack {
  /// The track as a table: onset, offset and a column for each label between tabs, under a header; what sed_scores_eval
  /// reads (`io.read_sed_scores`). Times and scores are exact.
  ///
  /// Throws for labels with control characters.
  public func tsv() throws(DetectionError) -> String {
    var text = try Self.tsvHeader(labels)
    for hop in 0..<hops { text += Self.tsvLine(row(hop), from: boundaries[hop], until: boundaries[hop + 1]) }
    return text
  }

  /// The first line of a table with columns for `labels`, with its line end.
  public static func tsvHeader(_ labels: [String]) throws(DetectionError) -> String {
    for label in labels where oneLine(label) != label || trimmed(label) != label {
      throw .invalidConfiguration(
        name: "labels",
        reason: "'\(oneLine(label))' has control characters, or blanks at its ends; a table cannot hold it")
    }
    return (["onset", "offset"] + labels).joined(separator: "\t") + "\n"
  }

  /// One hop's line of a table, with its line end.
  public static func tsvLine(_ row: some Collection<Float>, from start: Double, until end: Double) -> String {
    ([start.description, end.description] + row.map(\.description)).joined(separator: "\t") + "\n"
  }

  /// Reads a table back, what `tsv()` writes, or sed_scores_eval; or, where the bytes begin so, what `npy()` does.
  ///
  /// Throws `FileError`, and `DetectionError` with file and line for what is neither.
  public init(contentsOf path: String) throws {
    let bytes = try FileAccess.read(path, limit: AnnotationFormat.byteLimit)
    self = bytes.first == 0x93 ? try ScoreTrack(npy: bytes, path: path) : try ScoreTrack(tsv: bytes, path: path)
  }

  /// Reads the bytes of a table; `path` names it in errors.
  public init(tsv bytes: some Collection<UInt8>, path: String) throws(DetectionError) {
    let source = try AnnotationSource(bytes, path: path)
    let lines = source.filledLines
    guard let header = lines.first else { throw source.malformed(1, "wanted a header: onset, offset and labels") }
    let names = tabbed(header.text).map { trimmed($0) }
    guard names.starts(with: ["onset", "offset"]) else {
      throw source.malformed(header.number, "wanted the columns onset and offset first, then the labels, between tabs")
    }
    func located<Value>(_ line: Int, _ body: () throws(DetectionError) -> Value) throws(DetectionError) -> Value {
      do { return try body() } catch {
        if case .malformed = error { throw error }
        throw source.malformed(line, error.description)
      }
    }
    var track = try located(header.number) { () throws(DetectionError) in
      try ScoreTrack(labels: Array(names.dropFirst(2)))
    }
    for (number, line) in lines.dropFirst() {
      let cells = tabbed(line)
      guard cells.count == names.count else {
        throw source.malformed(number, "\(cells.count) cells, but the header has \(names.count)")
      }
      let onset = try source.number(cells[0], "the onset", line: number)
      let offset = try source.number(cells[1], "the offset", line: number)
      var row: [Float] = []
      for cell in cells.dropFirst(2) {
        guard let score = Float(trimmed(cell)), !score.isNaN else {
          throw source.malformed(number, "'\(trimmed(cell))' is not a score")
        }
        row.append(score)
      }
      if track.hops == 0 {
        track = try located(number) { () throws(DetectionError) in
          try ScoreTrack(labels: track.labels, startingAt: onset)
        }
      }
      guard let last = track.boundaries.last, abs(last - onset) <= Self.tolerance else {
        throw source.malformed(number, "it begins at \(onset) s, but the line before it ends elsewhere")
      }
      try located(number) { () throws(DetectionError) in try track.append(row, until: offset) }
    }
    self = track
  }
}
