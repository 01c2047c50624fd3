/// SubRip subtitles: a number, "start --> end" as hours:minutes:seconds,milliseconds, the label, and a blank line.
enum SubRip: StreamableAnnotationCoding {
  static func recognizes(_ source: AnnotationSource) -> Bool {
    source.filledLines.prefix(2).contains { times($0.text) != nil }
  }

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    var events: [SoundEvent] = []
    var rest = source.lines.enumerated().map { (number: $0 + 1, text: trimmed($1)) }[...]
    while true {
      rest = rest.drop { $0.text.isEmpty }
      guard var line = rest.popFirst() else { return events }
      if line.text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let next = rest.popFirst()
      {
        line = next
      }
      guard let (start, end) = times(line.text[...]) else {
        throw source.malformed(line.number, "'\(line.text)'; wanted times as 00:00:01,500 --> 00:00:02,000")
      }
      let label = rest.prefix { !$0.text.isEmpty }
      rest = rest.dropFirst(label.count)
      events.append(
        try source.event(
          line: line.number, start: start, end: end, label: label.map(\.text).joined(separator: " ")))
    }
  }

  static func check(label: String) throws(DetectionError) { try checkOneLine(label, "the label", .srt) }

  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String {
    "\(number)\n\(clock(event.start)) --> \(clock(event.end))\n\(event.label)\n\n"
  }

  private static func clock(_ seconds: Double) -> String {
    func padded(_ value: Int, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
    }
    let milliseconds = Int((seconds * 1000).rounded())
    let (hours, minutes) = (milliseconds / 3_600_000, milliseconds / 60_000 % 60)
    return
      "\(padded(hours, 2)):\(padded(minutes, 2)):\(padded(milliseconds / 1000 % 60, 2)),\(padded(milliseconds % 1000, 3))"
  }

  /// Both times of a line; what follows them is where on the screen the text stands.
  private static func times(_ line: Substring) -> (Double, Double)? {
    let fields = line.split { $0 == " " || $0 == "\t" }
    guard fields.count >= 3, fields[1] == "-->", let start = seconds(fields[0]), let end = seconds(fields[2]) else {
      return nil
    }
    return (start, end)
  }

  private static func seconds(_ clock: Substring) -> Double? {
    let parts = clock.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "," || $0 == "." }
    let numbers = parts.compactMap { UInt32($0) }
    guard parts.count == 4, numbers.count == 4, numbers[1] < 60, numbers[2] < 60, parts[3].utf8.count <= 3 else {
      return nil
    }
    let scale = [1000, 100, 10, 1][parts[3].utf8.count]
    let whole = (Int(numbers[0]) * 60 + Int(numbers[1])) * 60 + Int(numbers[2])
    return Double(whole * 1000 + Int(numbers[3]) * scale) / 1000
  }
}
