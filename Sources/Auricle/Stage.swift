/// The stage at which a file failed.
///
///     Stage(of: AudioError.missing(path: "seven.wav"))     // .audio
public enum Stage: String, Codable, Sendable {
  /// The line of a list names no file.
  case list
  /// The file could not be found, opened or decoded.
  case audio
  /// Its features could not be computed, for example because it is too short.
  case features
  /// The model has no answer to them.
  case model
  /// What was made of it could not be written.
  case output

  public init(of error: any Error) {
    switch error {
    case is AudioError: self = .audio
    case is FeatureError: self = .features
    case FeatureFileError.unusable, FeatureFileError.noLabels: self = .features
    case is FileError, is FeatureFileError: self = .output
    default: self = .model
    }
  }
}
