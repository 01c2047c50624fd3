import AuricleBase

/// One JSON object a line: file, start, end, label, probability, channel, lowFrequency, highFrequency; what is nil is left
/// out. Read in any order of members, with `path` for `file`; members that are not known are passed over.
enum EventJSON: StreamableAnnotationCoding {
  static func recognizes(_ source: AnnotationSource) -> Bool {
    source.filledLines.first.map { trimmed($0.text).hasPrefix("{") } ?? false
  }

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    var events: [SoundEvent] = []
    for (number, line) in source.filledLines {
      var (start, end): (Double?, Double?)
      var (label, path): (String?, String?)
      var probability: Float?
      var channel: Int?
      var (low, high): (Double?, Double?)
      do {
        var scanner = JSONScanner(line.utf8)
        try scanner.object { (scanner, key) throws(MalformedJSON) in
          switch key {
          case "file", "path": path = try scanner.text()
          case "start": start = try scanner.number()
          case "end": end = try scanner.number()
          case "label": label = try scanner.text()
          case "probability": probability = try scanner.number()
          case "channel": channel = try scanner.number()
          case "lowFrequency": low = try scanner.number()
          case "highFrequency": high = try scanner.number()
          default: try scanner.skipValue()
          }
        }
        try scanner.end()
      } catch {
        throw source.malformed(number, error.reason)
      }
      guard let start, let end, let label else {
        let missing = start == nil ? "start" : end == nil ? "end" : "label"
        throw source.malformed(number, "there is no '\(missing)'")
      }
      do {
        events.append(
          try SoundEvent(
            start: start, end: end, label: label, probability: probability, path: path, channel: channel,
            lowFrequency: low, highFrequency: high))
      } catch .invalidEvent(let reason) {
        throw source.malformed(number, reason)
      }
    }
    return events
  }

  static func check(label: String) throws(DetectionError) {}

  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String {
    event.jsonLine + "\n"
  }
}

extension SoundEvent {
  /// The event as one line of JSON without its line end.
  public var jsonLine: String {
    var members: [String] = []
    if let path { members.append("\"file\":\(jsonString(path))") }
    members += ["\"start\":\(start)", "\"end\":\(end)", "\"label\":\(jsonString(label))"]
    if let probability { members.append("\"probability\":\(probability)") }
    if let channel { members.append("\"channel\":\(channel)") }
    if let lowFrequency { members.append("\"lowFrequency\":\(lowFrequency)") }
    if let highFrequency { members.append("\"highFrequency\":\(highFrequency)") }
    return "{" + members.joined(separator: ",") + "}"
  }
}
