import CReportTemplate

/// Events of recordings as one HTML file: each recording a spectrogram that scrolls, with what was annotated and what was
/// found below each other; one can press an event to hear it. It needs no network; sound is linked, or in it.
///
///     var page = EventPage(title: "Words in day.flac", matching: metrics.matching.summary)
///     page.recordings = [EventPage.Recording(name: "day.flac", duration: 3600, truth: truth, found: found)]
///     try FileAccess.writeAtomically(page.html(), to: "events.html")
///
/// An hour takes some 4 MB.
public struct EventPage: Encodable, Sendable {
  /// Mel bands of the spectrograms.
  public static let spectrogramHeight = 40

  public struct Event: Encodable, Sendable {
    /// Seconds.
    public var start: Double
    public var end: Double
    public var label: String
    /// Whether it was missed, is extra, or was taken for another; and what is to be said of it.
    public var wrong: Bool
    public var note: String

    public init(start: Double, end: Double, label: String, wrong: Bool, note: String) {
      (self.start, self.end, self.label, self.wrong, self.note) = (start, end, label, wrong, note)
    }
  }

  public struct Recording: Encodable, Sendable {
    public var name: String
    /// Seconds.
    public var duration: Double
    /// In order of time.
    public var truth: [Event]
    public var found: [Event]
    public var note: String
    /// `frames x EventPage.spectrogramHeight` levels from 0 to 255 for the whole duration, the lowest frequency first, in
    /// Base64; nil where there is none.
    public private(set) var spectrogram: String?
    /// Where a browser finds the sound: a path relative to the page, or a data URL; nil for none.
    public var sound: String?

    public init(name: String, duration: Double, truth: [Event], found: [Event], note: String = "") {
      (self.name, self.duration, self.truth, self.found, self.note) = (name, duration, truth, found, note)
    }

    public mutating func setSpectrogram(_ levels: [UInt8]) { spectrogram = base64(levels) }

    /// Embeds the bytes of a sound file; `type` is its media type ("audio/flac").
    public mutating func embed(_ bytes: [UInt8], type: String) { sound = "data:\(type);base64,\(base64(bytes))" }
  }

  /// A row of the table of figures; nil where a figure is not defined.
  public struct Row: Encodable, Sendable {
    public var label: String
    public var truth: Int
    public var found: Int
    public var correct: Int
    public var f1: Double?
    public var precision: Double?
    public var recall: Double?

    public init(
      label: String, truth: Int, found: Int, correct: Int, f1: Double?, precision: Double?, recall: Double?
    ) {
      (self.label, self.truth, self.found, self.correct) = (label, truth, found, correct)
      (self.f1, self.precision, self.recall) = (f1, precision, recall)
    }
  }

  public var title: String
  public var subtitle = ""
  /// How events were matched, in words.
  public var matching: String
  public var rows: [Row] = []
  /// False alarms an hour, and the share of annotated events that is missed then.
  public var curve: [[Double]] = []
  public var recordings: [Recording] = []
  private let height = EventPage.spectrogramHeight

  public init(title: String, matching: String) {
    (self.title, self.matching) = (title, matching)
  }

  /// The page as UTF-8.
  public func html() throws -> [UInt8] {
    let page = UnsafeBufferPointer(start: auricle_report_events(), count: auricle_report_events_size())
    return try HTMLReport.filled(page, title: title, data: HTMLReport.json(self))
  }
}
