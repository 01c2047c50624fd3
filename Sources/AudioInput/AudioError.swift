/// Why a file did not become a waveform. `path` is as it was given; sentences call `-` "standard input".
public enum AudioError: Error, Equatable, Sendable, CustomStringConvertible {
  case missing(path: String)
  case unreadable(path: String, reason: String)
  case isDirectory(path: String)
  case emptyFile(path: String)
  case tooLarge(path: String, limit: Int)
  /// No audio format libsndfile knows. `resemblance` is a phrase ("text", "a PNG image"), or nil.
  case notAudio(path: String, resemblance: String?)
  /// Begins as a `container` does ("WAV"), but could not be opened.
  case damaged(path: String, container: String)
  case noSamples(path: String)
  case unsupportedSampleRate(path: String, sampleRate: Int)
  case noSuchChannel(path: String, channel: Int, channels: Int)
  /// `value` is what was found, as text: "nan", "-inf", "1e+38".
  case invalidSample(path: String, seconds: Double, value: String)
  case undecodable(path: String, seconds: Double, reason: String)
  /// A rate that was asked for, not one found in a file.
  case invalidSampleRate(Int)

  public var description: String {
    switch self {
    case .missing(let path) where path.contains("\u{FFFD}"):
      "\(Self.name(path)): no such file, or one whose name is not UTF-8; rename it"
    case .missing(let path): "\(Self.name(path)): no such file"
    case .unreadable(let path, let reason): "\(Self.name(path)): cannot be read: \(reason)"
    case .isDirectory(let path): "\(Self.name(path)): is a folder, not an audio file"
    case .emptyFile(let path): "\(Self.name(path)): is empty (0 bytes)"
    case .tooLarge(let path, let limit):
      "\(Self.name(path)): more than \(limit) bytes, the most that is read from a pipe or device; save it to a file"
    case .notAudio(let path, nil): "\(Self.name(path)): not an audio file libsndfile can read"
    case .notAudio(let path, let resemblance?):
      "\(Self.name(path)): not an audio file libsndfile can read (it looks like \(resemblance))"
    case .damaged(let path, let container):
      "\(Self.name(path)): begins as \(container) files do, but is damaged or of an encoding libsndfile does not read"
    case .noSamples(let path): "\(Self.name(path)): holds no samples"
    case .unsupportedSampleRate(let path, let rate):
      "\(Self.name(path)): its sample rate is \(rate) Hz; \(Self.rates) Hz can be read"
    case .noSuchChannel(let path, let channel, let channels):
      "\(Self.name(path)): there is no channel \(channel); it has \(channels == 1 ? "one" : "1 to \(channels)")"
    case .invalidSample(let path, let seconds, let value):
      "\(Self.name(path)): the sample at \(Self.rounded(seconds)) s is \(value); samples must be within ±\(Int(AudioFile.largestMagnitude))"
    case .undecodable(let path, let seconds, let reason):
      "\(Self.name(path)): cannot be decoded after \(Self.rounded(seconds)) s: \(reason)"
    case .invalidSampleRate(let rate): "cannot resample to or from \(rate) Hz; \(Self.rates) Hz is possible"
    }
  }

  private static let rates = "\(AudioFile.sampleRates.lowerBound) to \(AudioFile.sampleRates.upperBound)"

  private static func name(_ path: String) -> String {
    path == "-" ? "standard input" : path
  }

  /// To the microsecond: shorter than one sample at any rate that can be read.
  private static func rounded(_ seconds: Double) -> Double {
    (seconds * 1e6).rounded() / 1e6
  }
}
