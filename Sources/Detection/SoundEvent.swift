import AudioInput

/// Something that was heard: a label with a beginning and an end.
///
///     let event = try SoundEvent(start: 1.5, end: 2.25, label: "dog", probability: 0.93)
///     event.duration     // 0.75
public struct SoundEvent: Hashable, Sendable {
  /// The latest time an event may have, in seconds: more than thirty years.
  public static let latestTime = 1e9

  /// Seconds from the beginning of the sound; `0 <= start <= end <= latestTime`.
  public let start: Double
  public let end: Double
  /// Never empty.
  public let label: String
  /// How sure the detector was, in [0, 1] for a classifier's probabilities; nil for what people annotated.
  public let probability: Float?
  /// The sound, as it was named; nil where an annotation file does not say.
  public let path: String?
  /// The channel the event was heard in, from 1; nil for all.
  public let channel: Int?
  /// The band of frequencies, in Hz, as annotators of spectrograms draw it.
  public let lowFrequency: Double?
  public let highFrequency: Double?

  /// Throws `DetectionError.invalidEvent` for times out of order or range, an empty label, a channel below 1, or numbers
  /// that are not finite.
  public init(
    start: Double, end: Double, label: String, probability: Float? = nil, path: String? = nil, channel: Int? = nil,
    lowFrequency: Double? = nil, highFrequency: Double? = nil
  ) throws(DetectionError) {
    guard start.isFinite, end.isFinite else { throw .invalidEvent(reason: "its times are not finite") }
    guard start >= 0 else { throw .invalidEvent(reason: "it begins at \(start) s, before the sound does") }
    guard end >= start else { throw .invalidEvent(reason: "it ends at \(end) s, before it begins at \(start) s") }
    guard end <= Self.latestTime else {
      throw .invalidEvent(reason: "it ends at \(end) s; no sound is longer than \(Int(Self.latestTime)) s")
    }
    guard !label.isEmpty else { throw .invalidEvent(reason: "its label is empty") }
    guard probability?.isFinite != false, lowFrequency?.isFinite != false, highFrequency?.isFinite != false else {
      throw .invalidEvent(reason: "its probability or frequencies are not finite")
    }
    if let channel, channel < 1 { throw .invalidEvent(reason: "its channel is \(channel); the first is 1") }
    self.start = start
    self.end = end
    self.label = label
    self.probability = probability
    self.path = path
    self.channel = channel
    self.lowFrequency = lowFrequency
    self.highFrequency = highFrequency
  }

  /// Seconds.
  public var duration: Double { end - start }

  /// Where the event can be heard; nil without a path.
  public var span: SoundSpan? {
    path.map { SoundSpan($0, seconds: start..<end, channel: channel.map(ChannelSelection.channel) ?? .mix) }
  }

  /// The same event, said to be in the sound at `path`.
  public func located(in path: String?) -> SoundEvent {
    SoundEvent(
      checkedStart: start, end: end, label: label, probability: probability, path: path, channel: channel,
      lowFrequency: lowFrequency, highFrequency: highFrequency)
  }

  /// The same event, said to fill the frequencies from 0 to `highest` Hz, unless it says itself which.
  public func filling(to highest: Double) -> SoundEvent {
    guard lowFrequency == nil, highFrequency == nil, highest > 0, highest.isFinite else { return self }
    return SoundEvent(
      checkedStart: start, end: end, label: label, probability: probability, path: path, channel: channel,
      lowFrequency: 0, highFrequency: highest)
  }

  /// Order by path, start, end, then label.
  public static func precedes(_ a: SoundEvent, _ b: SoundEvent) -> Bool {
    (a.path ?? "", a.start, a.end, a.label) < (b.path ?? "", b.start, b.end, b.label)
  }

  /// For values already known to be in range.
  init(
    checkedStart start: Double, end: Double, label: String, probability: Float?, path: String? = nil,
    channel: Int? = nil, lowFrequency: Double? = nil, highFrequency: Double? = nil
  ) {
    self.start = start
    self.end = end
    self.label = label
    self.probability = probability
    self.path = path
    self.channel = channel
    self.lowFrequency = lowFrequency
    self.highFrequency = highFrequency
  }
}
