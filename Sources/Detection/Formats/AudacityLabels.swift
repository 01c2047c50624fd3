/// Audacity's label tracks: start, end and label between tabs, a line each; a line that begins with a backslash holds the
/// low and high frequency of the label before it, -1 for none
/// (https://manual.audacityteam.org/man/importing_and_exporting_labels.html).
enum AudacityLabels: StreamableAnnotationCoding {
  static func recognizes(_ source: AnnotationSource) -> Bool {
    guard let (_, line) = source.filledLines.first else { return false }
    let cells = tabbed(line)
    return cells.count >= 3 && finiteNumber(cells[0]) != nil && finiteNumber(cells[1]) != nil
      && finiteNumber(cells[2]) == nil
  }

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    var events: [SoundEvent] = []
    for (number, line) in source.filledLines {
      let cells = tabbed(line)
      if cells[0] == "\\" {
        guard cells.count == 3 else { throw source.malformed(number, "wanted a low and a high frequency after '\\'") }
        let low = try source.number(cells[1], "the low frequency", line: number)
        let high = try source.number(cells[2], "the high frequency", line: number)
        guard let event = events.popLast() else { throw source.malformed(number, "frequencies before any label") }
        events.append(
          try source.event(
            line: number, start: event.start, end: event.end, label: event.label, lowFrequency: low < 0 ? nil : low,
            highFrequency: high < 0 ? nil : high))
        continue
      }
      guard cells.count >= 3 else {
        throw source.malformed(number, "\(cells.count) cells; wanted a start, an end and a label between tabs")
      }
      events.append(
        try source.event(
          line: number, start: source.number(cells[0], "the start", line: number),
          end: source.number(cells[1], "the end", line: number), label: cells[2...].joined(separator: " ")))
    }
    return events
  }

  static func check(label: String) throws(DetectionError) { try checkOneLine(label, "the label", .audacity) }

  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String {
    let line = "\(decimals(event.start))\t\(decimals(event.end))\t\(event.label)\n"
    if event.lowFrequency == nil && event.highFrequency == nil { return line }
    return line + "\\\t\(plain(event.lowFrequency ?? -1))\t\(plain(event.highFrequency ?? -1))\n"
  }
}
