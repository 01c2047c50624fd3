/// Praat's TextGrid as text, the long form and the short one (Boersma and Weenink, "TextGrid file formats",
/// https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html).
///
/// The text of an interval or a point is its label; intervals without text are gaps. All tiers are read. Written in the
/// long form, a tier for each label, further ones of the same name where events of one label overlap, and a tier of points
/// for events without length.
enum TextGrid: AnnotationCoding {
  static func recognizes(_ source: AnnotationSource) -> Bool {
    let first = source.filledLines.prefix(2).map(\.text)
    return first.first?.contains("ooTextFile") == true
  }

  // MARK: Reading

  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent] {
    if source.filledLines.isEmpty { return [] }
    var tokens = Tokens(source)
    guard case .text("ooTextFile")? = try tokens.next(), case .text("TextGrid")? = try tokens.next() else {
      throw source.malformed(1, "wanted a text file of Praat's that holds a TextGrid ('ooTextFile', 'TextGrid')")
    }
    _ = try tokens.number("where the TextGrid begins")
    _ = try tokens.number("where the TextGrid ends")
    guard case .flag("exists")? = try tokens.next() else { return [] }
    var events: [SoundEvent] = []
    for _ in 0..<(try tokens.count("how many tiers there are")) {
      let kind = try tokens.text("a tier's class")
      _ = try tokens.text("a tier's name")
      _ = try tokens.number("where a tier begins")
      _ = try tokens.number("where a tier ends")
      let count = try tokens.count("how many intervals or points a tier has")
      guard kind == "IntervalTier" || kind == "TextTier" else {
        throw source.malformed(tokens.line, "'\(kind)' is no class of tier; wanted IntervalTier or TextTier")
      }
      for _ in 0..<count {
        let start = try tokens.number(kind == "TextTier" ? "a point's time" : "an interval's beginning")
        let line = tokens.line
        let end = kind == "TextTier" ? start : try tokens.number("an interval's end")
        let label = try tokens.text("a label")
        if trimmed(label).isEmpty { continue }
        events.append(try source.event(line: line, start: start, end: end, label: label))
      }
    }
    return events
  }

  private enum Token {
    case number(Double)
    case text(String)
    case flag(String)
  }

  /// The numbers, the texts in quotation marks and the <flags> of a file; everything else is for people
  /// ("xmin =", "intervals [1]:", and what follows an exclamation mark).
  private struct Tokens {
    private let source: AnnotationSource
    private var bytes: [Substring.UTF8View]
    private var index = 0
    /// That of the last token, from 1.
    private(set) var line = 1

    init(_ source: AnnotationSource) {
      self.source = source
      bytes = source.lines.map(\.utf8)
    }

    mutating func next() throws(DetectionError) -> Token? {
      while index < bytes.count {
        line = index + 1
        bytes[index] = bytes[index].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = bytes[index].first, first != UInt8(ascii: "!") else {
          index += 1
          continue
        }
        if first == quote { return .text(try quoted()) }
        let word = bytes[index].prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        bytes[index] = bytes[index].dropFirst(word.count)
        let text = Substring(word)
        if text.hasPrefix("<"), text.hasSuffix(">") { return .flag(String(text.dropFirst().dropLast())) }
        if let number = finiteNumber(text) { return .number(number) }
      }
      return nil
    }

    /// A text in quotation marks, which stand in it twice; it may go over several lines.
    private mutating func quoted() throws(DetectionError) -> String {
      bytes[index].removeFirst()
      var text: [UInt8] = []
      while index < bytes.count {
        while let byte = bytes[index].popFirst() {
          guard byte == quote else {
            text.append(byte)
            continue
          }
          guard bytes[index].first == quote else { return String(decoding: text, as: UTF8.self) }
          bytes[index].removeFirst()
          text.append(quote)
        }
        text.append(UInt8(ascii: "\n"))
        index += 1
      }
      throw source.malformed(line, "a quotation mark is never closed")
    }

    mutating func number(_ what: String) throws(DetectionError) -> Double {
      guard case .number(let number)? = try next() else { throw missing(what) }
      return number
    }

    mutating func text(_ what: String) throws(DetectionError) -> String {
      guard case .text(let text)? = try next() else { throw missing(what) }
      return text
    }

    mutating func count(_ what: String) throws(DetectionError) -> Int {
      guard let count = Int(exactly: try number(what)), count >= 0 else { throw missing(what) }
      return count
    }

    private func missing(_ what: String) -> DetectionError { source.malformed(line, "wanted \(what)") }
  }

  // MARK: Writing

  static func check(label: String) throws(DetectionError) {
    guard trimmed(label) == label else {
      throw .unwritable(format: .textGrid, reason: "the label '\(oneLine(label))' has blanks at its ends")
    }
  }

  static func text(_ events: [SoundEvent], duration: Double?) throws(DetectionError) -> String {
    try checkAll(events)
    let end = max(events.map { microseconds($0.end) }.max() ?? 0, duration.map(whole) ?? 0)
    let tiers = tiers(events)
    var text = """
      File type = "ooTextFile"
      Object class = "TextGrid"

      xmin = 0
      xmax = \(decimals(microseconds: end))
      tiers? <\(tiers.isEmpty ? "absent" : "exists")>

      """
    if tiers.isEmpty { return text }
    text += "size = \(tiers.count)\nitem []:\n"
    for (index, tier) in tiers.enumerated() {
      text += "    item [\(index + 1)]:\n"
      text += tier.isPoints ? points(tier) : intervals(tier, end: end)
      func head(_ kind: String, _ items: String) -> String {
        "        class = \"\(kind)\"\n        name = \(quotedText(tier.label))\n        xmin = 0\n"
          + "        xmax = \(decimals(microseconds: end))\n        \(items)\n"
      }
      func points(_ tier: Tier) -> String {
        var text = head("TextTier", "points: size = \(tier.spans.count)")
        for (index, span) in tier.spans.enumerated() {
          text += "        points [\(index + 1)]:\n            number = \(decimals(microseconds: span.start))\n"
          text += "            mark = \(quotedText(tier.label))\n"
        }
        return text
      }
      func intervals(_ tier: Tier, end: Int) -> String {
        var pieces: [(start: Int, end: Int, label: String)] = []
        var last = 0
        for span in tier.spans {
          if span.start > last { pieces.append((last, span.start, "")) }
          pieces.append((span.start, span.end, tier.label))
          last = span.end
        }
        if last < end { pieces.append((last, end, "")) }
        var text = head("IntervalTier", "intervals: size = \(pieces.count)")
        for (index, piece) in pieces.enumerated() {
          text += "        intervals [\(index + 1)]:\n            xmin = \(decimals(microseconds: piece.start))\n"
          text += "            xmax = \(decimals(microseconds: piece.end))\n"
          text += "            text = \(quotedText(piece.label))\n"
        }
        return text
      }
    }
    return text
  }

  private struct Tier {
    let label: String
    let isPoints: Bool
    /// Microseconds; of intervals, none overlaps the next.
    var spans: [(start: Int, end: Int)]
  }

  private static func tiers(_ events: [SoundEvent]) -> [Tier] {
    var tiers: [Tier] = []
    for event in events.sorted(by: SoundEvent.precedes) {
      let span = (start: microseconds(event.start), end: microseconds(event.end))
      let isPoint = span.start == span.end
      let place = tiers.firstIndex { tier in
        tier.label == event.label && tier.isPoints == isPoint
          && (isPoint || tier.spans.last.map { $0.end <= span.start } ?? true)
      }
      if let place {
        tiers[place].spans.append(span)
      } else {
        tiers.append(Tier(label: event.label, isPoints: isPoint, spans: [span]))
      }
    }
    return tiers
  }

  private static func checkAll(_ events: [SoundEvent]) throws(DetectionError) {
    for event in events { try check(label: event.label) }
  }

  private static func whole(_ duration: Double) -> Int {
    duration.isFinite ? microseconds(min(max(0, duration), SoundEvent.latestTime)) : 0
  }

  private static func quotedText(_ text: String) -> String {
    "\"" + text.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
  }
}

private let quote = UInt8(ascii: "\"")
