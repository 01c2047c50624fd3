/// Selection tables of Raven (Cornell Lab of Ornithology; K. Lisa Yang Center for Conservation Bioacoustics, "Raven Pro
/// User's Manual"): columns between tabs under a header, found by name.
///
/// Where several sounds are open as one, `Begin Time (s)` counts from the first one's beginning; with a path and a
/// `File Offset (s)` the event begins at that offset in its own file. The two rows of a selection, one for each view, are
/// one event. Labels are looked for in the columns Annotation, Species, Common Name, Label, Class, Tags, in any case.
enum RavenTable: StreamableAnnotationCoding {
  private static let labels = ["annotation", "species", "common name", "label", "class", "tags"]
  private static let paths = ["begin path", "begin file"]

  static func recognizes(_ source: AnnotationSource) -> Bool {
    guard let (_, line) = source.filledLines.first else { return false }
    let names = tabbed(line).map { trimmed($0).lowercased() }
    return names.contains("begin time (s)") && names.contains("end time (s)")
  }

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    let lines = source.filledLines
    guard let header = lines.first else { return [] }
    let names = tabbed(header.text).map { trimmed($0).lowercased() }
    func column(_ name: String) throws(DetectionError) -> Int {
      guard let column = names.firstIndex(of: name) else {
        throw source.malformed(header.number, "there is no column '\(name)' in the header")
      }
      return column
    }
    let (begin, end) = (try column("begin time (s)"), try column("end time (s)"))
    guard let label = Self.labels.lazy.compactMap({ names.firstIndex(of: $0) }).first else {
      throw source.malformed(header.number, "there is no column 'Annotation', 'Species' or another for labels")
    }
    let path = Self.paths.lazy.compactMap { names.firstIndex(of: $0) }.first

    var events: [SoundEvent] = []
    var selections: [String: SoundEvent] = [:]
    for (number, line) in lines.dropFirst() {
      let cells = tabbed(line)
      func text(_ column: Int?) -> String? {
        guard let column, column < cells.count else { return nil }
        let text = trimmed(cells[column])
        return text.isEmpty ? nil : text
      }
      func value(_ wanted: String...) throws(DetectionError) -> Double? {
        for name in wanted {
          if let text = text(names.firstIndex(of: name)) {
            return try source.number(text, "'\(name)'", line: number)
          }
        }
        return nil
      }
      var start = try source.number(text(begin) ?? "", "'Begin Time (s)'", line: number)
      var stop = try source.number(text(end) ?? "", "'End Time (s)'", line: number)
      if text(path) != nil, let offset = try value("file offset (s)") {
        stop = offset + (stop - start)
        start = offset
      }
      let channel = try value("channel")
      let probability = try value("confidence", "score")
      guard channel == nil || channel.flatMap({ Int(exactly: $0) }) != nil else {
        throw source.malformed(number, "'Channel' is '\(plain(channel ?? 0))'; wanted a whole number")
      }
      let event = try source.event(
        line: number, start: start, end: stop, label: text(label) ?? "",
        probability: probability.map { Float($0) }, path: text(path),
        channel: channel.map { Int($0) }, lowFrequency: value("low freq (hz)"), highFrequency: value("high freq (hz)"))
      if let selection = text(names.firstIndex(of: "selection")), text(names.firstIndex(of: "view")) != nil {
        if let earlier = selections[selection], (earlier.start, earlier.end) == (event.start, event.end),
          earlier.label == event.label, earlier.path == event.path
        {
          continue
        }
        selections[selection] = event
      }
      events.append(event)
    }
    return events
  }

  static func check(label: String) throws(DetectionError) { try checkOneLine(label, "the label", .raven) }

  static func header(frequencies: Bool) -> String {
    let band = frequencies ? "\tLow Freq (Hz)\tHigh Freq (Hz)" : ""
    return "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\(band)\tBegin Path\tFile Offset (s)"
      + "\tAnnotation\tConfidence\n"
  }

  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String {
    if let path = event.path { try checkOneLine(path, "the path", .raven) }
    var cells = ["\(number)", "Spectrogram 1", "\(event.channel ?? 1)", decimals(event.start), decimals(event.end)]
    if frequencies {
      // With a decimal, as Raven has it: some readers take the column for integers otherwise.
      cells += [event.lowFrequency, event.highFrequency].map { $0?.description ?? "" }
    }
    cells += [event.path ?? "", decimals(event.start), event.label, event.probability?.description ?? ""]
    return cells.joined(separator: "\t") + "\n"
  }
}
