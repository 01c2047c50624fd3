import AudioInput

/// Which part of the work a file serves.
///
///     Split("dev")        // .validation
///     Split("fold 3")     // nil
public enum Split: String, Codable, Sendable, CaseIterable {
  case training, validation, testing

  /// Reads the names data sets use, in any case: `train`, `training`; `val`, `valid`, `validation`, `dev`; `test`,
  /// `testing`, `eval`, `evaluation`.
  public init?(_ text: some StringProtocol) {
    switch text.lowercased() {
    case "train", "training": self = .training
    case "val", "valid", "validation", "dev": self = .validation
    case "test", "testing", "eval", "evaluation": self = .testing
    default: return nil
    }
  }
}

/// One labelled sound: an audio file, or some seconds of one.
public struct Example: Hashable, Sendable {
  public var sound: SoundSpan
  /// One label, or as many as there are where a data set was read with `TableOptions.LabelCells.list`.
  public var labels: [String]
  /// The part the data set itself assigns the sound to, if it does.
  public var split: Split?
  /// What else is known: captures of the label pattern, further columns of the manifest.
  public var fields: [String: String]

  public init(_ sound: SoundSpan, labels: [String], split: Split? = nil, fields: [String: String] = [:]) {
    self.sound = sound
    self.labels = labels
    self.split = split
    self.fields = fields
  }

  public init(path: String, label: String, split: Split? = nil, fields: [String: String] = [:]) {
    self.init(SoundSpan(path), labels: [label], split: split, fields: fields)
  }

  /// Where the file is, ready to be opened.
  public var path: String {
    get { sound.path }
    set { sound.path = newValue }
  }

  /// The label; the first of several, and empty where there is none.
  public var label: String {
    get { labels.first ?? "" }
    set { labels = [newValue] }
  }

  /// The same for two examples exactly when they are the same sound: the path, with the seconds and the channel, where
  /// only those count, as media fragments (https://www.w3.org/TR/media-frags/) name them.
  ///
  ///     Example(SoundSpan("a.wav", seconds: 0.5..<2), labels: ["x"]).identity      // "a.wav#t=0.5,2.0"
  public var identity: String { sound.identity }
}
