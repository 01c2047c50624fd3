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
  /// A `container` ("WAV") that is read, but not with sound of this `codec` ("G.726").
  case unsupportedCodec(path: String, container: String, codec: String)
  /// A sound format that is not read; `name` is a phrase ("AMR audio").
  case unsupportedFormat(path: String, name: String)
  /// No program `name` ("ffmpeg") was found to decode it.
  case noExternalDecoder(path: String, name: String)
  /// The program `name` did not decode it.
  case externalDecoder(path: String, name: String, reason: String)
  /// Live sound that is neither WAV nor bare samples; `what` is what it looks like ("FLAC", "text"), or nil.
  case unsuitableForLive(path: String, what: String?)
  /// A part of a file, from a byte `offset` on, that is not as it was written.
  case damagedPart(path: String, container: String, offset: Int)
  /// A header whose parts cannot all be true.
  case contradiction(path: String, reason: String)
  /// Several files in one, as `cat a.wav b.wav` makes, of a container that cannot hold that.
  case severalSounds(path: String, container: String)
  /// A chain of sounds that cannot be one: their rates or channels differ.
  case unevenChain(path: String, seconds: Double, reason: String)
  case noSamples(path: String)
  case unsupportedSampleRate(path: String, sampleRate: Int)
  case noSuchChannel(path: String, channel: Int, channels: Int)
  /// `value` is what was found, as text: "nan", "-inf", "1e+38".
  case invalidSample(path: String, seconds: Double, value: String)
  case undecodable(path: String, seconds: Double, reason: String)
  /// A span of seconds that is empty, negative or endless.
  case invalidSpan(path: String, start: Double, end: Double)
  /// A span that begins where the file, of `duration` seconds, has ended.
  case spanAfterEnd(path: String, start: Double, duration: Double)
  /// A span that ends long after the file, of `duration` seconds, does.
  case spanPastEnd(path: String, end: Double, duration: Double)
  /// A rate that was asked for, not one found in a file.
  case invalidSampleRate(Int)

  public var description: String {
    switch self {
    case .missing(let path) where path.contains("\u{FFFD}"):
      "\(Self.name(path)): no such file"
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
    case .unsupportedCodec(let path, "NIST SPHERE", let codec):
      "\(Self.name(path)): a NIST SPHERE file of \(codec), which libsndfile does not read; convert it with: sph2pipe -f wav"
    case .unsupportedCodec(let path, let container, let codec):
      "\(Self.name(path)): a \(container) file of \(codec), which libsndfile does not read; \(Self.remedy(path))"
    case .unsupportedFormat(let path, let name):
      "\(Self.name(path)): not an audio file libsndfile can read (it looks like \(name)); \(Self.remedy(path))"
    case .noExternalDecoder(let path, let name):
      "\(Self.name(path)): libsndfile does not read it, and there is no program '\(name)'; install that (apt-get install ffmpeg)"
    case .externalDecoder(let path, let name, let reason):
      "\(Self.name(path)): neither libsndfile nor \(name) reads it: \(reason)"
    case .unsuitableForLive(let path, let what):
      "\(Self.name(path)): live sound must come as raw samples that are described, or as WAV of PCM, floats, A-law or mu-law"
        + (what.map { "; this looks like \($0)" } ?? "")
    case .damagedPart(let path, let container, let offset):
      "\(Self.name(path)): the \(container) file is damaged, or lacks a part, at byte \(offset)"
    case .contradiction(let path, let reason):
      "\(Self.name(path)): \(reason), which cannot both be true; save it anew from the program that made it"
    case .severalSounds(let path, let container):
      "\(Self.name(path)): holds several \(container) files one after the other; cut it, or join them with: sox a.wav b.wav out.wav"
    case .unevenChain(let path, let seconds, let reason):
      "\(Self.name(path)): several sounds one after the other, and that at \(Self.rounded(seconds)) s has \(reason); \(Self.remedy(path))"
    case .noSamples(let path): "\(Self.name(path)): holds no samples"
    case .unsupportedSampleRate(let path, let rate):
      "\(Self.name(path)): its sample rate is \(rate) Hz; \(Self.rates) Hz can be read"
    case .noSuchChannel(let path, let channel, let channels):
      "\(Self.name(path)): there is no channel \(channel); it has \(channels == 1 ? "one" : "1 to \(channels)")"
    case .invalidSample(let path, let seconds, let value):
      "\(Self.name(path)): the sample at \(Self.rounded(seconds)) s is \(value); samples must be within ±\(Int(AudioFile.largestMagnitude))"
    case .undecodable(let path, let seconds, let reason):
      "\(Self.name(path)): cannot be decoded after \(Self.rounded(seconds)) s: \(reason)"
    case .invalidSpan(let path, let start, let end):
      "\(Self.name(path)): there is no sound from \(Self.rounded(start)) s to \(Self.rounded(end)) s; a span begins at 0 or later and ends after it begins"
    case .spanAfterEnd(let path, let start, let duration):
      "\(Self.name(path)): nothing begins at \(Self.rounded(start)) s; it is \(Self.rounded(duration)) s long"
    case .spanPastEnd(let path, let end, let duration):
      "\(Self.name(path)): nothing ends at \(Self.rounded(end)) s; it is \(Self.rounded(duration)) s long"
    case .invalidSampleRate(let rate): "cannot resample to or from \(rate) Hz; \(Self.rates) Hz is possible"
    }
  }

  private static let rates = "\(AudioFile.sampleRates.lowerBound) to \(AudioFile.sampleRates.upperBound)"

  /// Whether another decoder may read the file: it is of a kind that libsndfile does not read, not one that is damaged.
  var isOfKind: Bool {
    switch self {
    case .unsupportedCodec, .unsupportedFormat, .damaged, .notAudio(_, nil): true
    default: false
    }
  }

  /// What makes a readable file of one that is not.
  private static func remedy(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      byte >= 0x80 || "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+,:@%".utf8.contains(byte)
    }
    let name =
      isPlain
      ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    return "let ffmpeg decode it (--ffmpeg), or convert it to WAV or FLAC, for example with: ffmpeg -i \(name) out.wav"
  }

  static func name(_ path: String) -> String {
    path == "-" ? "standard input" : path
  }

  /// To the microsecond: shorter than one sample at any rate that can be read.
  static func rounded(_ seconds: Double) -> Double {
    (seconds * 1e6).rounded() / 1e6
  }
}
