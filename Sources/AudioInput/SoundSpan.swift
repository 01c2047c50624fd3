/// A span of a sound: a whole file or some seconds of it, and the channel that counts.
///
///     SoundSpan("meeting.flac", seconds: 61.5..<64)
public struct SoundSpan: Hashable, Sendable {
  /// Where the file is, ready to be opened; `-` is standard input.
  public var path: String
  /// The part that counts, in seconds from the beginning of the file; nil for the whole file.
  public var seconds: Range<Double>?
  public var channel: ChannelSelection

  public init(_ path: String, seconds: Range<Double>? = nil, channel: ChannelSelection = .mix) {
    self.path = path
    self.seconds = seconds
    self.channel = channel
  }
}
