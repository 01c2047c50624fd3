/// Rich Transcription Time Marked files (NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan",
/// appendix A): type, file, channel, onset, duration, two fields that are <NA> here, name, confidence, lookahead, between
/// blanks. `SPEAKER` lines are events, their name the label; the other types are passed over.
///
/// A file is named by its name without folder and ending, white space in it as "_". Labels with white space are refused.
enum RTTM: StreamableAnnotationCoding {
  private static let missing = "<NA>"
  private static let otherTypes: Set<String> = [
    "SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT", "SU", "IP", "CB",
    "A/P", "SPKR-INFO",
  ]

  private static func fields(_ line: Substring) -> [Substring] {
    line.split { $0 == " " || $0 == "\t" }
  }

  static func recognizes(_ source: AnnotationSource) -> Bool {
    for (_, line) in source.filledLines where !line.hasPrefix(";;") {
      let fields = fields(line)
      return fields.count >= 8 && (fields[0] == "SPEAKER" || otherTypes.contains(String(fields[0])))
    }
    return false
  }

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    var events: [SoundEvent] = []
    for (number, line) in source.filledLines where !line.hasPrefix(";;") {
      let fields = fields(line)
      guard fields[0] == "SPEAKER" else {
        guard otherTypes.contains(String(fields[0])) else {
          throw source.malformed(number, "'\(fields[0])' is no type of RTTM; wanted SPEAKER")
        }
        continue
      }
      guard (8...10).contains(fields.count) else {
        throw source.malformed(number, "\(fields.count) fields; wanted 9 or 10")
      }
      let start = try source.number(fields[3], "the onset", line: number)
      let duration = try source.number(fields[4], "the duration", line: number)
      guard duration >= 0 else { throw source.malformed(number, "the duration is \(duration) s") }
      var probability: Float?
      if fields.count > 8, fields[8] != missing {
        probability = Float(try source.number(fields[8], "the confidence", line: number))
      }
      guard fields[7] != missing else { throw source.malformed(number, "the name, which is the label, is <NA>") }
      let channel = fields[2] == missing ? nil : Int(fields[2])
      guard fields[2] == missing || channel != nil else {
        throw source.malformed(number, "the channel is '\(fields[2])'; wanted a whole number")
      }
      // Whole microseconds, as they are written: 0.1 + 0.2 is 0.3.
      let end = start + duration
      let rounded = end < SoundEvent.latestTime ? Double(microseconds(end)) / 1e6 : end
      events.append(
        try source.event(
          line: number, start: start, end: abs(rounded - end) < 1e-9 ? max(start, rounded) : end, label: fields[7],
          probability: probability, path: String(fields[1]), channel: channel))
    }
    return events
  }

  static func check(label: String) throws(DetectionError) {
    guard !label.unicodeScalars.contains(where: \.properties.isWhitespace), label != missing else {
      throw .unwritable(format: .rttm, reason: "the label '\(oneLine(label))' has white space, or is <NA>")
    }
    try checkOneLine(label, "the label", .rttm)
  }

  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String {
    guard let path = event.path, let file = fileName(path) else {
      throw .unwritable(format: .rttm, reason: "an event has no file, which RTTM has to name")
    }
    let start = microseconds(event.start)
    let duration = decimals(microseconds: microseconds(event.end) - start)
    return "SPEAKER \(file) \(event.channel ?? 1) \(decimals(microseconds: start)) \(duration) \(missing) \(missing) "
      + "\(event.label) \(event.probability?.description ?? missing) \(missing)\n"
  }

  private static func fileName(_ path: String) -> String? {
    guard let name = path.split(separator: "/").last else { return nil }
    var stem = name
    if let dot = name.lastIndex(of: "."), dot > name.startIndex { stem = name[..<dot] }
    return String(
      String.UnicodeScalarView(
        stem.unicodeScalars.map { $0.properties.isWhitespace || $0.properties.generalCategory == .control ? "_" : $0 }))
  }
}
