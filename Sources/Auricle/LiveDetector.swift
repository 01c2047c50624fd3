/// Finds events in sound as it comes, for days if need be: clock by samples, in bounded memory.
///
///     var live = try classifier.liveDetector(sampleRate: 48_000)
///     for block in microphone {
///       for event in try live.append(block) { print(event.label, event.start) }
///     }
///     for event in try live.finish() { print(event.label, event.start) }
///
/// The events are those of the same sound in a file, however it is cut into blocks. A score is known when the last sample
/// of its window is there, and an event as soon as `EventDetector` says: with the default settings, when the window after
/// its last one is there. Resampling and features that look ahead add some milliseconds.
public struct LiveDetector: ~Copyable {
  private let detector: SoundDetector
  private var resampler: Resampler
  private var hops: SoundHops
  private var events: EventDetector
  private let batch: Int
  private var waiting: [SoundHops.Hop] = []
  private var samples: [Float] = []
  /// The scores that were known last; nil before the first.
  public private(set) var latest: HopScores?
  private var end: Double

  init(_ detector: SoundDetector, sampleRate: Int, startingAt start: Double, batch: Int) throws {
    // What may throw comes first: no part of a type without copies may be left.
    let resampler = try Resampler(from: sampleRate, to: detector.extractor.configuration.sampleRate)
    let hops = try SoundHops(detector, startingAt: start)
    let events = try EventDetector(
      labels: detector.classifier.model.labels, configuration: detector.events, startingAt: start)
    (self.detector, self.batch, end) = (detector, batch, start)
    (self.resampler, self.hops, self.events) = (resampler, hops, events)
  }

  /// Takes the next samples, any number of them; gives the events that are now known, and hands the scores that are to
  /// `scores`.
  ///
  /// Throws `FeatureError.notFinite` for samples that are no numbers, `ModelError`, and what `scores` throws.
  public mutating func append(
    _ block: [Float], scores: (HopScores) throws -> Void = { _ in }
  ) throws -> [SoundEvent] {
    samples.removeAll(keepingCapacity: true)
    resampler.process(block.span, into: &samples)
    waiting += try hops.append(samples)
    return waiting.count < batch ? [] : try answer(scores)
  }

  /// Ends the sound; gives the events that were waiting for more. The detector is of no use afterwards.
  ///
  /// Throws `FeatureError.tooShort` where the sound was too short for one frame.
  public mutating func finish(scores: (HopScores) throws -> Void = { _ in }) throws -> [SoundEvent] {
    samples.removeAll(keepingCapacity: true)
    resampler.finish(into: &samples)
    if !samples.isEmpty { waiting += try hops.append(samples) }
    waiting += try hops.finish()
    return try answer(scores) + events.finish()
  }

  /// Of the sound so far, in seconds.
  public var duration: Double { hops.duration }

  /// The events that have begun and may go on.
  public var running: [SoundEvent] { events.running }

  private mutating func answer(_ scores: (HopScores) throws -> Void) throws -> [SoundEvent] {
    var found: [SoundEvent] = []
    for (hop, row) in zip(waiting, try detector.scores(of: waiting)) {
      let hopScores = HopScores(start: end, end: hop.end, scores: row)
      try scores(hopScores)
      found += try events.append(row, until: hop.end)
      (end, latest) = (hop.end, hopScores)
    }
    waiting.removeAll(keepingCapacity: true)
    return found
  }
}

/// The events of a sound, in the order in which they come to be known: `for try await event in detector.events(in: span)`.
public struct DetectedEvents: AsyncSequence, Sendable {
  let detector: SoundDetector
  let span: SoundSpan

  public func makeAsyncIterator() -> Iterator { Iterator(detector: detector, span: span) }

  /// Reads on when it is asked for the next event.
  public struct Iterator: AsyncIteratorProtocol {
    private final class Sound {
      let blocks: SoundBlocks
      var live: LiveDetector

      init(_ detector: SoundDetector, _ span: SoundSpan) throws {
        blocks = try detector.blocks(span)
        live = try LiveDetector(
          detector, sampleRate: blocks.sampleRate, startingAt: span.seconds?.lowerBound ?? 0,
          batch: SoundDetector.batch)
      }
    }

    let detector: SoundDetector
    let span: SoundSpan
    private var sound: Sound?
    private var found: ArraySlice<SoundEvent> = []
    private var isFinished = false

    init(detector: SoundDetector, span: SoundSpan) {
      self.detector = detector
      self.span = span
    }

    public mutating func next() async throws -> SoundEvent? {
      do {
        while found.isEmpty && !isFinished {
          try Task.checkCancellation()
          let sound = try sound ?? Sound(detector, span)
          self.sound = sound
          var block: [Float] = []
          isFinished = try !sound.blocks.next(into: &block)
          found = try isFinished ? sound.live.finish()[...] : sound.live.append(block)[...]
        }
      } catch {
        isFinished = true
        throw naming(span.path, error)
      }
      return found.popFirst()?.located(in: span.path)
    }
  }
}
