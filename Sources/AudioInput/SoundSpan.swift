/// A span of a sound: a whole file or some seconds of it, and the channel that counts.
///
///     SoundSpan("meeting.flac", seconds: 61.5..<64)
public struct SoundSpan: Hashable, Sendable {
  /// Where the file is, ready to be opened; `-` is standard input.
  public var path: String
  /// The part that counts, in seconds from the beginning of the file; nil for the whole file.
  public var seconds: Range<Double>?
  public var channel: ChannelSelection
  /// How the bytes are samples, where they have no header; nil for a file that says so itself.
  public var raw: RawFormat?
  /// What decodes the file where libsndfile does not read its kind; nil for nothing.
  public var fallback: ExternalDecoder?

  public init(
    _ path: String, seconds: Range<Double>? = nil, channel: ChannelSelection = .mix, raw: RawFormat? = nil,
    fallback: ExternalDecoder? = nil
  ) {
    self.path = path
    self.seconds = seconds
    self.channel = channel
    self.raw = raw
    self.fallback = fallback
  }
}

/// How files are decoded that do not say so themselves, or that libsndfile does not read.
public struct SoundDecoding: Hashable, Sendable {
  /// How all files' bytes are samples, where they have no header.
  public var raw: RawFormat?
  public var fallback: ExternalDecoder?

  public init(raw: RawFormat? = nil, fallback: ExternalDecoder? = nil) {
    self.raw = raw
    self.fallback = fallback
  }

  /// The endings of files that are looked for in folders, in lower case.
  public var extensions: Set<String> {
    if raw != nil { return AudioFormats.rawExtensions }
    return fallback == nil ? AudioFormats.extensions : AudioFormats.extensions.union(AudioFormats.unreadExtensions)
  }
}

extension SoundSpan {
  /// The same span, decoded so.
  public func decoded(by decoding: SoundDecoding) -> SoundSpan {
    var span = self
    (span.raw, span.fallback) = (decoding.raw ?? raw, decoding.fallback ?? fallback)
    return span
  }

  /// The same span in `channel`, where it names none itself.
  package func heard(in channel: ChannelSelection) -> SoundSpan {
    var span = self
    if span.channel == .mix { span.channel = channel }
    return span
  }

  /// The path, with the seconds and the channel where only those count, as media fragments
  /// (https://www.w3.org/TR/media-frags/) name them: the same for two spans exactly when they are the same sound.
  ///
  ///     SoundSpan("a.wav", seconds: 0.5..<2).identity      // "a.wav#t=0.5,2.0"
  public var identity: String {
    var fragments: [String] = []
    if let seconds { fragments.append("t=\(seconds.lowerBound),\(seconds.upperBound)") }
    if case .channel(let number) = channel { fragments.append("track=\(number)") }
    return fragments.isEmpty ? path : path + "#" + fragments.joined(separator: "&")
  }

  /// The span with this `identity`; a name with a # that is none of these is a whole file.
  public init(identity: String) {
    self.init(identity)
    guard let mark = identity.lastIndex(of: "#") else { return }
    var span = SoundSpan(String(identity[..<mark]))
    for fragment in identity[identity.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false) {
      let numbers = fragment.drop { $0 != "=" }.dropFirst().split(separator: ",").map { Double($0) }
      if fragment.hasPrefix("t="), numbers.count == 2, let start = numbers[0], let end = numbers[1], start <= end {
        span.seconds = start..<end
      } else if fragment.hasPrefix("track="), numbers.count == 1, let number = numbers[0].flatMap({ Int(exactly: $0) })
      {
        span.channel = .channel(number)
      } else {
        return
      }
    }
    self = span
  }
}
