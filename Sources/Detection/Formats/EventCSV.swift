import AuricleBase

/// Comma-separated values (RFC 4180) under a header, written as file,start,end,label,probability.
///
/// Read with commas, semicolons or tabs between the cells, and columns in any order, found by name in any case: file, path
/// or filename; start, onset or begin; end or offset, or duration; label, event_label, event or class; probability,
/// confidence or score; channel; low_frequency and high_frequency. Other columns are passed over.
enum EventCSV: StreamableAnnotationCoding {
  private static let files = ["file", "path", "filename", "audio_filepath"]
  private static let starts = ["start", "onset", "begin", "start_time", "start (s)"]
  private static let ends = ["end", "offset", "end_time", "end (s)"]
  private static let labels = ["label", "event_label", "event", "class", "common name"]
  private static let probabilities = ["probability", "confidence", "score"]

  static func recognizes(_ source: AnnotationSource) -> Bool {
    guard let (_, line) = source.filledLines.first else { return false }
    let names = Set(header(line).names)
    return !names.isDisjoint(with: starts) && !names.isDisjoint(with: ends + ["duration"])
      && !names.isDisjoint(with: labels)
  }

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    guard let first = source.filledLines.first else { return [] }
    let (separator, names) = header(first.text)
    func place(_ wanted: [String]) -> Int? { wanted.lazy.compactMap { names.firstIndex(of: $0) }.first }
    func place(_ wanted: [String], needed what: String) throws(DetectionError) -> Int {
      guard let place = place(wanted) else { throw source.malformed(first.number, "there is no column '\(what)'") }
      return place
    }
    let start = try place(starts, needed: "start")
    let end = place(ends)
    let stop = try place(ends + ["duration"], needed: "end")
    let label = try place(labels, needed: "label")
    let (file, probability, channel) = (place(files), place(probabilities), place(["channel"]))
    let (low, high) = (place(["low_frequency", "low_freq"]), place(["high_frequency", "high_freq"]))

    var events: [SoundEvent] = []
    var records = CSVRecords(lines: source.lines, separator: separator)
    while let (line, cells) = records.next() {
      guard let cells else { throw source.malformed(line, "a quotation mark is not closed, or text follows it") }
      if line == first.number || cells.allSatisfy(\.isEmpty) { continue }
      guard cells.count == names.count else {
        throw source.malformed(line, "\(cells.count) cells, but the header has \(names.count)")
      }
      func value(_ place: Int?, _ what: String) throws(DetectionError) -> Double? {
        guard let place, !cells[place].isEmpty else { return nil }
        return try source.number(cells[place], what, line: line)
      }
      let from = try source.number(cells[start], "the start", line: line)
      let last = try source.number(cells[stop], end == nil ? "the duration" : "the end", line: line)
      let number = try value(channel, "the channel")
      guard number == nil || number.flatMap({ Int(exactly: $0) }) != nil else {
        throw source.malformed(line, "the channel is '\(plain(number ?? 0))'; wanted a whole number")
      }
      events.append(
        try source.event(
          line: line, start: from, end: end == nil ? from + last : last, label: cells[label],
          probability: value(probability, "the probability").map { Float($0) },
          path: file.map { cells[$0] }.flatMap { $0.isEmpty ? nil : $0 }, channel: number.map { Int($0) },
          lowFrequency: value(low, "the low frequency"), highFrequency: value(high, "the high frequency")))
    }
    return events
  }

  static func check(label: String) throws(DetectionError) {
    // Cells lose blanks at their ends when they are read.
    guard trimmed(label) == label else {
      throw .unwritable(format: .csv, reason: "the label '\(oneLine(label))' has blanks at its ends")
    }
  }

  static func header(frequencies: Bool) -> String { "file,start,end,label,probability\n" }

  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String {
    let cells = [
      event.path ?? "", event.start.description, event.end.description, event.label,
      event.probability?.description ?? "",
    ]
    return cells.map(cell).joined(separator: ",") + "\n"
  }

  private static func cell(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { ",;\t\"\n\r".unicodeScalars.contains($0) }) else { return text }
    return "\"" + text.replacingScalars { $0 == "\"" ? "\"\"" : nil } + "\""
  }

  private static func header(_ line: Substring) -> (separator: UInt8, names: [String]) {
    let separators = [",", "\t", ";"].map { UInt8(ascii: $0) }
    let separator = separators.first { line.utf8.contains($0) } ?? UInt8(ascii: ",")
    var records = CSVRecords(lines: [line], separator: separator)
    return (separator, (records.next()?.cells ?? []).map { $0.lowercased() })
  }
}

/// The records of delimited text: cells in quotation marks may go over several lines.
struct CSVRecords {
  private let lines: [Substring]
  private let separator: UInt8
  private var position = 0

  init(lines: [Substring], separator: UInt8) {
    self.lines = lines
    self.separator = separator
  }

  /// The next record and the line, from 1, on which it begins; its cells are nil when a quotation mark is not closed, or
  /// is followed by more text. Blanks around cells without quotation marks are dropped.
  mutating func next() -> (line: Int, cells: [String]?)? {
    guard position < lines.count else { return nil }
    let first = position + 1
    var record = Array(lines[position].utf8)
    var isOpen = isOdd(lines[position])
    position += 1
    while isOpen && position < lines.count {
      record += [UInt8(ascii: "\n")] + lines[position].utf8
      isOpen = isOpen != isOdd(lines[position])
      position += 1
    }
    return (first, cells(record[...]))
  }

  /// Whether the quotation marks of a line leave one open that was not, or close one.
  private func isOdd(_ line: Substring) -> Bool {
    line.utf8.count { $0 == quote } % 2 == 1
  }

  private func cells(_ record: ArraySlice<UInt8>) -> [String]? {
    var rest = record
    var cells: [String] = []
    while true {
      var cell: [UInt8] = []
      if rest.first == quote {
        rest.removeFirst()
        while true {
          guard let byte = rest.popFirst() else { return nil }
          if byte == quote {
            guard rest.first == quote else { break }
            rest.removeFirst()
          }
          cell.append(byte)
        }
        guard rest.isEmpty || rest.first == separator else { return nil }
        cells.append(String(decoding: cell, as: UTF8.self))
      } else {
        let plain = rest.prefix { $0 != separator }
        rest = rest.dropFirst(plain.count)
        cells.append(trimmed(String(decoding: plain, as: UTF8.self)))
      }
      if rest.popFirst() == nil { return cells }
    }
  }
}

private let quote = UInt8(ascii: "\"")
