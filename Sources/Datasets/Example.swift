/// Which part of the work a file serves.
///
///     Split("dev")        // .validation
///     Split("fold 3")     // nil
public enum Split: String, Codable, Sendable, CaseIterable {
  case training, validation, testing

  /// Reads the names data sets use, in any case: `train`, `training`; `val`, `valid`, `validation`, `dev`; `test`,
  /// `testing`.
  public init?(_ text: some StringProtocol) {
    switch text.lowercased() {
    case "train", "training": self = .training
    case "val", "valid", "validation", "dev": self = .validation
    case "test", "testing": self = .testing
    default: return nil
    }
  }
}

/// One labelled audio file.
public struct Example: Codable, Hashable, Sendable {
  /// Where the file is, ready to be opened.
  public var path: String
  public var label: String
  /// The part the data set itself assigns the file to, if it does.
  public var split: Split?
  /// What else is known: captures of the label pattern, further columns of the manifest.
  public var fields: [String: String]

  public init(path: String, label: String, split: Split? = nil, fields: [String: String] = [:]) {
    self.path = path
    self.label = label
    self.split = split
    self.fields = fields
  }
}
