/// The tables of DESED and DCASE task 4 (Turpault et al., "Sound event detection in domestic environments with weakly
/// labeled data and soundscape synthesis", DCASE 2019): filename, onset, offset and event_label between tabs, under a
/// header. A row with a file name alone says that nothing is heard in it, and gives no event.
enum DESEDTable: StreamableAnnotationCoding {
  private static let columns = ["filename", "onset", "offset", "event_label"]

  static func recognizes(_ source: AnnotationSource) -> Bool {
    guard let (_, line) = source.filledLines.first else { return false }
    return Set(columns).isSubset(of: tabbed(line).map { trimmed($0) })
  }

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    // Files of the name .tsv that have other columns.
    if !recognizes(source) && EventCSV.recognizes(source) { return try EventCSV.events(source) }
    let lines = source.filledLines
    guard let header = lines.first else { return [] }
    let names = tabbed(header.text).map { trimmed($0) }
    var places: [Int] = []
    for column in columns {
      guard let place = names.firstIndex(of: column) else {
        throw source.malformed(header.number, "there is no column '\(column)' in the header; wanted \(columns)")
      }
      places.append(place)
    }
    var events: [SoundEvent] = []
    for (number, line) in lines.dropFirst() {
      let cells = tabbed(line)
      let row = places.map { $0 < cells.count ? trimmed(cells[$0]) : "" }
      if row[1...].allSatisfy({ $0.isEmpty || $0.lowercased() == "nan" }) { continue }
      events.append(
        try source.event(
          line: number, start: source.number(row[1], "the onset", line: number),
          end: source.number(row[2], "the offset", line: number), label: row[3], path: row[0].isEmpty ? nil : row[0]))
    }
    return events
  }

  static func check(label: String) throws(DetectionError) { try checkOneLine(label, "the label", .desed) }

  static func header(frequencies: Bool) -> String { columns.joined(separator: "\t") + "\n" }

  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String {
    if let path = event.path { try checkOneLine(path, "the path", .desed) }
    return "\(event.path ?? "")\t\(decimals(event.start))\t\(decimals(event.end))\t\(event.label)\n"
  }
}
