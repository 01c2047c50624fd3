/// What can be wrong with features: each case carries what a person needs to mend it.
public enum FeatureError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A configuration that cannot be computed.
  case configuration(String)
  /// Sound of another rate than the configuration's.
  case sampleRate(found: Int, wanted: Int)
  /// A sound too short to hold one frame, and how many samples one takes.
  case tooShort(samples: Int, wanted: Int)
  /// A sound whose features are too many to be held in memory.
  case tooLong(frames: Int, coefficients: Int)
  /// Samples that are not numbers, or so large that their power overflows.
  case notFinite
  /// One of the above, in a file.
  case file(path: String, reason: String)
  /// Numbers that are no whole matrix of features.
  case shape(frames: Int, coefficients: Int, values: Int)
  /// FFTW could not plan a transform of this length.
  case transform(length: Int)

  public var description: String {
    switch self {
    case .configuration(let reason): "impossible features: \(reason)"
    case .sampleRate(let found, let wanted): "the sound is at \(found) Hz; these features are of \(wanted) Hz"
    case .tooShort(let samples, let wanted):
      "\(samples) samples are too few for one frame, which takes \(wanted); choose shorter frames or a framing that pads"
    case .tooLong(let frames, let coefficients):
      "\(frames) frames of \(coefficients) coefficients or more are too much to hold in memory; cut the sound into pieces"
    case .notFinite: "a sample is not a number, or so large that its power overflows; scale the sound to [-1, 1]"
    case .file(let path, let reason): "\(path): \(reason)"
    case .shape(let frames, let coefficients, let values):
      "\(values) numbers are not a matrix of \(frames) frames x \(coefficients) coefficients"
    case .transform(let length): "FFTW cannot plan a transform of \(length) points"
    }
  }
}
