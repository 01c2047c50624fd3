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

  public init(
    _ path: String, seconds: Range<Double>? = nil, channel: ChannelSelection = .mix, raw: RawFormat? = nil
  ) {
    self.path = path
    self.seconds = seconds
    self.channel = channel
    self.raw = raw
  }
}
