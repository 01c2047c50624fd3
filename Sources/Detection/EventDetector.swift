/// Makes events of scores, a row at a time: the same for a live microphone and for hours on disk.
///
///     var detector = try EventDetector(labels: ["cat", "dog"])
///     try detector.append([0.9, 0.1], until: 0.5)      // []
///     try detector.append([0.2, 0.8], until: 1.0)      // [cat from 0 to 0.5 s, probability 0.9]
///     detector.finish()                                // [dog from 0.5 to 1 s, probability 0.8]
///
/// Each event is given as soon as it can be known: with the row whose end is `max(minimumGap, one hop)` plus
/// `configuration.lookahead` hops after the event's end, or by `finish()`; where the score then lies between a class's two
/// thresholds, when it has left them, since an event may have begun there. Events come in the order in which they are
/// known, of one row in the order of the labels, the same however a caller cuts the stream. An event's probability is
/// the highest smoothed score in it. Memory is bounded by the hops looked at, and does not grow with the stream.
public struct EventDetector: Sendable {
  public let labels: [String]
  public let configuration: Configuration

  private var smoother: ScoreSmoother
  private var columns: [(index: Int, machine: LabelDetector)]

  /// A detector for a stream that begins `start` seconds into the sound.
  ///
  /// Throws when a label stands in `labels` twice, or when `configuration` names one that does not stand there.
  public init(
    labels: [String], configuration: Configuration, startingAt start: Double = 0
  ) throws(DetectionError) {
    try checkUnique(labels)
    try checkStart(start)
    for label in configuration.thresholds.keys.sorted() + configuration.ignoredLabels.sorted()
    where !labels.contains(label) {
      throw .unknownLabel(label, known: labels)
    }
    self.labels = labels
    self.configuration = configuration
    smoother = ScoreSmoother(
      kind: configuration.smoothing, hops: configuration.smoothingHops, classes: labels.count, start: start)
    columns = labels.enumerated().filter { !configuration.ignoredLabels.contains($1) }.map { index, label in
      (index, LabelDetector(label: label, configuration: configuration))
    }
  }

  /// A detector with the default configuration.
  public init(labels: [String]) throws(DetectionError) {
    try self.init(labels: labels, configuration: Configuration())
  }

  /// Takes the scores of the next hop, which ends `end` seconds into the sound, one a label; gives the events that are
  /// now known.
  ///
  /// Throws for another number of scores, one that is not a number, or an `end` not after the last hop's; the detector
  /// is then as it was before.
  public mutating func append(
    _ row: some Collection<Float>, until end: Double
  ) throws(DetectionError) -> [SoundEvent] {
    try checkRow(row, labels: labels.count, from: smoother.end, until: end)
    return smoother.append(row, until: end) ? step() : []
  }

  /// Ends the stream; gives the events that were waiting for more. Nothing may be appended afterwards.
  public mutating func finish() -> [SoundEvent] {
    var events: [SoundEvent] = []
    while smoother.flush() { events += step() }
    for index in columns.indices { columns[index].machine.finish(into: &events) }
    return events
  }

  /// The events that have begun and are long enough to be some, but may go on: what to show while they last.
  public var running: [SoundEvent] {
    columns.compactMap { $0.machine.running }
  }

  private mutating func step() -> [SoundEvent] {
    var events: [SoundEvent] = []
    for index in columns.indices {
      let score = smoother.output[columns[index].index]
      let hop = LabelDetector.Hop(start: smoother.outputStart, end: smoother.outputEnd, score: score)
      columns[index].machine.append(hop, into: &events)
    }
    return events
  }
}

extension ScoreTrack {
  /// All events of the track, in order of time. Throws what `EventDetector` throws.
  public func events(_ configuration: EventDetector.Configuration) throws(DetectionError) -> [SoundEvent] {
    var detector = try EventDetector(labels: labels, configuration: configuration, startingAt: boundaries.first ?? 0)
    var events: [SoundEvent] = []
    for hop in 0..<hops { events += try detector.append(row(hop), until: boundaries[hop + 1]) }
    events += detector.finish()
    return events.sorted(by: SoundEvent.precedes)
  }
}
