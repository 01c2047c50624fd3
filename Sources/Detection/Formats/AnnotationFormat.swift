/// The forms in which events are kept in files.
///
/// | format | holds | read and written by |
/// |---|---|---|
/// | `audacity` | times, labels, frequencies | Audacity's label tracks |
/// | `raven` | times, labels, probabilities, channels, frequencies, paths | Raven's selection tables |
/// | `rttm` | times, labels, probabilities, channels, names of files | NIST's scoring tools, pyannote |
/// | `textGrid` | times, labels | Praat |
/// | `desed` | times, labels, paths | DESED and DCASE, sed_eval, sed_scores_eval |
/// | `srt` | times to the millisecond, labels | video players |
/// | `csv` | times, labels, probabilities, paths | spreadsheets, pandas |
/// | `jsonLines` | everything | programs |
///
/// What a format does not hold is left out when it is written. Times are kept to the microsecond, in CSV and JSON
/// exactly.
public enum AnnotationFormat: String, CaseIterable, Codable, Sendable {
  case audacity
  case raven
  case rttm
  case textGrid = "textgrid"
  case desed
  case srt
  case csv
  case jsonLines = "jsonl"

  /// What people call it.
  public var title: String {
    switch self {
    case .audacity: "Audacity labels"
    case .raven: "Raven selection table"
    case .rttm: "RTTM"
    case .textGrid: "TextGrid"
    case .desed: "DESED TSV"
    case .srt: "SRT"
    case .csv: "CSV"
    case .jsonLines: "JSON lines"
    }
  }

  /// The ending of a file's name, with its dot, that writing it should give it.
  public var fileExtension: String {
    switch self {
    case .audacity: ".txt"
    case .raven: ".selections.txt"
    case .rttm: ".rttm"
    case .textGrid: ".TextGrid"
    case .desed: ".tsv"
    case .srt: ".srt"
    case .csv: ".csv"
    case .jsonLines: ".jsonl"
    }
  }

  /// The format that the ending of a name tells, in any case; nil for `.txt`, which may be several, and for all others.
  public init?(name: String) {
    let name = name.lowercased()
    let endings: [(String, AnnotationFormat)] = [
      (".selections.txt", .raven), (".selection.table.1.txt", .raven), (".rttm", .rttm), (".textgrid", .textGrid),
      (".tsv", .desed), (".srt", .srt), (".csv", .csv), (".jsonl", .jsonLines), (".ndjson", .jsonLines),
    ]
    guard let format = endings.first(where: { name.hasSuffix($0.0) })?.1 else { return nil }
    self = format
  }

  /// Whether events of several sounds can stand in one file.
  public var holdsPaths: Bool {
    switch self {
    case .audacity, .textGrid, .srt: false
    case .raven, .rttm, .desed, .csv, .jsonLines: true
    }
  }

  var coding: any AnnotationCoding.Type {
    switch self {
    case .audacity: AudacityLabels.self
    case .raven: RavenTable.self
    case .rttm: RTTM.self
    case .textGrid: TextGrid.self
    case .desed: DESEDTable.self
    case .srt: SubRip.self
    case .csv: EventCSV.self
    case .jsonLines: EventJSON.self
    }
  }
}

/// A format's reader and writer.
protocol AnnotationCoding {
  /// Whether the content shows this format; false for a file without content.
  static func recognizes(_ source: AnnotationSource) -> Bool

  /// The events, in the order of the file.
  static func events(_ source: AnnotationSource) throws(DetectionError) -> [SoundEvent]

  /// Throws when the format cannot hold `label`.
  static func check(label: String) throws(DetectionError)

  /// A whole file. `duration` is the sound's, in seconds.
  static func text(_ events: [SoundEvent], duration: Double?) throws(DetectionError) -> String
}

/// A format that is written an event at a time.
protocol StreamableAnnotationCoding: AnnotationCoding {
  /// The lines before the first event, with line ends. `frequencies` says whether events may have a band.
  static func header(frequencies: Bool) -> String

  /// The lines of the event that is the `number`th, from 1, with line ends.
  static func lines(_ event: SoundEvent, number: Int, frequencies: Bool) throws(DetectionError) -> String
}

extension StreamableAnnotationCoding {
  static func header(frequencies: Bool) -> String { "" }

  static func text(_ events: [SoundEvent], duration: Double?) throws(DetectionError) -> String {
    let frequencies = events.contains { $0.lowFrequency != nil || $0.highFrequency != nil }
    var text = header(frequencies: frequencies)
    for (index, event) in events.enumerated() {
      try check(label: event.label)
      text += try lines(event, number: index + 1, frequencies: frequencies)
    }
    return text
  }
}

extension AnnotationCoding {
  /// The rule of formats whose cells have no way to hold a line end or a tab.
  static func checkOneLine(_ text: String, _ what: String, _ format: AnnotationFormat) throws(DetectionError) {
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control || $0 == "\u{2028}" }),
      trimmed(text) == text
    else {
      throw .unwritable(
        format: format, reason: "\(what) '\(oneLine(text))' has control characters, or blanks at its ends")
    }
  }
}

/// `text` with control characters as "?".
func oneLine(_ text: String) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
}
