import AuricleBase

/// Finds events in sound of any length: slides a classifier over it, and makes events of the scores.
///
///     let detector = try SoundDetector(SoundClassifier(contentsOf: "birds.safetensors"), window: 2, hop: 0.5)
///     for try await event in detector.events(in: SoundSpan("day.flac")) {
///       print(event.start, event.end, event.label, event.probability ?? 0)
///     }
///
/// Every `hop` seconds, the `window` seconds around them are classified as if they were a sound of their own: the scores of
/// the hop in the window's middle. The first window's scores hold from the beginning of the sound, those of the last,
/// which ends where the sound does, to its end; a sound shorter than a window is one window. Normalisation over the
/// utterance is over the window.
///
/// Memory does not grow with the sound. A value that any number of threads share.
public struct SoundDetector: Sendable {
  /// Classes that are no events, where a model knows them and nothing else is said.
  public static let backgroundLabels: Set<String> = [
    "_silence_", "_unknown_", "_background_", "_background_noise_", "background",
  ]

  public let classifier: SoundClassifier
  /// How scores become events.
  public let events: EventDetector.Configuration
  /// How windows that overlap are heard.
  public enum Overlap: String, CaseIterable, Sendable {
    /// Each by itself, as a sound of its own.
    case separate
    /// Layers before the first recurrent one see each frame of the sound once, and windows are of what they give: several
    /// times as quick. A window's outermost frames see what lies beyond it, where by itself they would see nothing.
    case shared
    /// As `shared`, and recurrent layers that go forward go on through the sound, too: quicker still, and right for a
    /// network that forgets. One that answers by its final state (`last` pooling) has no windows: every `hop` it answers by
    /// all that it has heard.
    case running
  }

  public let overlap: Overlap
  /// With `running`, whether an answer is of the hop that it ends with.
  let answersAtEnd: Bool
  /// Of each network, how many layers see each frame once; nil with `separate`.
  let runningLayers: [Int]?
  let extractor: FeatureExtractor
  let windowSamples: Int
  let hopSamples: Int
  private let scratch: Pool<ClassifierScratch>

  /// Windows that are classified together.
  static let batch = 32

  /// The seconds that a window may have.
  static let windows = 0.01...600.0

  /// `window` and `hop` are seconds; they are rounded to whole frames. What is not given is as the model's
  /// `detectionSettings()` say, or else as in `DetectionSettings.complete`. Overlapping windows are `shared` where they can
  /// be.
  ///
  /// Throws `DetectionError.invalidConfiguration` for a window that is not 10 minutes or less, a hop longer than it or
  /// shorter than a frame's, and, for windows that are to share work, where no layer can run on or the model hears none so
  /// long; `DetectionError.unknownLabel`; `ModelError.stream` for those of features that depend on the whole sound, and
  /// `ModelError` and `FeatureError` for a model that is not for sound.
  public init(
    _ classifier: SoundClassifier, window: Double? = nil, hop: Double? = nil, overlap: Overlap? = nil,
    events: EventDetector.Configuration? = nil
  ) throws {
    let labels = classifier.model.labels
    let settings = try classifier.model.detectionSettings().complete(window: window, hop: hop, labels: labels)
    let (window, hop) = (settings.window, settings.hop)
    let features = try classifier.model.features
    self.classifier = classifier
    extractor = try FeatureExtractor(features)
    self.events = events ?? settings.events
    guard Self.windows.contains(window) else {
      throw DetectionError.invalidConfiguration(name: "window", reason: "\(window) s; wanted 0.01 to 600")
    }
    answersAtEnd = overlap == .running && classifier.model.members.allSatisfy(\.configuration.keepsLast)
    guard hop > 0, answersAtEnd ? hop <= 600 : hop <= window else {
      throw DetectionError.invalidConfiguration(
        name: "hop", reason: "\(hop) s; wanted more than 0, and at most the window's \(window) s")
    }
    let rate = Double(features.sampleRate)
    hopSamples = Int((hop * rate / Double(features.hopLength)).rounded()) * features.hopLength
    windowSamples = max(Int((window * rate).rounded()), hopSamples)
    guard hopSamples > 0 else {
      throw DetectionError.invalidConfiguration(
        name: "hop", reason: "\(hop) s; the model's frames are \(Double(features.hopLength) / rate) s apart")
    }
    guard features.frames(ofSamples: windowSamples) > 0 else {
      throw DetectionError.invalidConfiguration(
        name: "window", reason: "\(window) s; one frame of the model takes \(Double(features.frameLength) / rate) s")
    }
    _ = try EventDetector(labels: labels, configuration: self.events)
    let layers = Result { [frames = features.frames(ofSamples: windowSamples)] in
      try Self.runningLayers(classifier.model, overlap ?? .shared, window: frames)
    }
    runningLayers = overlap == nil ? try? layers.get() : try layers.get()
    self.overlap = runningLayers == nil ? .separate : overlap ?? .shared
    scratch = Pool { [model = classifier.model, runningLayers] in ClassifierScratch(model, after: runningLayers) }
  }

  /// Of each network, how many layers see each frame once; nil for none of any. Throws where that cannot be.
  private static func runningLayers(_ model: ClassifierEnsemble, _ overlap: Overlap, window: Int) throws -> [Int]? {
    if overlap == .separate { return nil }
    if let reason = model.input.waitsForEnd { throw ModelError.stream(reason) }
    if try model.features.needsGreatest {
      throw ModelError.stream("its features depend on the loudest moment of a sound")
    }
    if let most = model.window, window > most {
      throw DetectionError.invalidConfiguration(
        name: "window",
        reason: "\(window) frames; the model hears \(most) at a time, and longer windows only separately")
    }
    return try model.members.map(\.configuration).map { network in
      let layers = overlap == .running ? network.runningLayers : network.memorylessLayers
      if layers == 0 {
        throw DetectionError.invalidConfiguration(
          name: overlap.rawValue,
          reason: "the network's first layer is a recurrent one, or the pooling: no work of windows is the same")
      }
      return layers
    }
  }

  /// Seconds, in whole frames of the model's features.
  public var window: Double { Double(windowSamples) / Double(extractor.configuration.sampleRate) }
  public var hop: Double { Double(hopSamples) / Double(extractor.configuration.sampleRate) }

  /// The events of the sound of a span, as they come to be known; their times are the file's. One after the other on one
  /// core; nothing is read ahead of what is asked for.
  ///
  /// Throws, while iterating, `AudioError`, `FeatureError` and `ModelError`.
  public func events(in span: SoundSpan) -> DetectedEvents { DetectedEvents(detector: self, span: span) }

  /// A detector of sound that comes in blocks of mono samples at `sampleRate` (Hz).
  ///
  /// Throws `AudioError.invalidSampleRate`.
  public func live(sampleRate: Int) throws -> LiveDetector {
    try LiveDetector(self, sampleRate: sampleRate, startingAt: 0, batch: 1)
  }

  /// What is known of a sound when all of it has been heard.
  public struct Summary: Hashable, Sendable {
    /// Seconds.
    public let duration: Double
    public let warnings: [AudioWarning]
  }

  /// Hands the events of the sound of a span to `each`, and the scores of every hop to `scores`, windows being classified
  /// on `jobs` cores: the same as of one. When `stop` says so, `CancellationError` is thrown.
  ///
  /// Throws as `events(in:)` does, and what the two throw.
  public func detect(
    in span: SoundSpan, jobs: Int = 1, isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool = false,
    scores: (HopScores) throws -> Void = { _ in }, each: (SoundEvent) throws -> Void
  ) async throws -> Summary {
    let start = span.seconds?.lowerBound ?? 0
    var detector = try EventDetector(
      labels: classifier.model.labels, configuration: events, startingAt: start)
    var (end, summary) = (start, Summary(duration: 0, warnings: []))
    try await orderedMap(HopBatches(self, span), jobs: jobs, window: 2, until: stop()) { batch in
      Result { try batch.get().answered(by: self) }
    } each: { _, batch in
      let batch = try batch.get()
      for (hop, row) in zip(batch.hops, batch.scores) {
        try scores(HopScores(start: end, end: hop.end, scores: row))
        for event in try detector.append(row, until: hop.end) { try each(event.located(in: span.path)) }
        end = hop.end
      }
      if let last = batch.summary { summary = last }
    }
    for event in detector.finish() { try each(event.located(in: span.path)) }
    return summary
  }

  /// The scores of hops, one row each.
  func scores(of hops: [SoundHops.Hop]) throws(ModelError) -> [[Float]] {
    if hops.isEmpty { return [] }
    var (windows, rows): ([FeatureMatrix], [[FeatureMatrix]]) = ([], [])
    for hop in hops {
      switch hop.work {
      case .features(let features): windows.append(features)
      case .rows(let members): rows.append(members)
      }
    }
    return try scratch.withValue { scratch throws(ModelError) in
      runningLayers != nil
        ? try scratch.probabilities(classifier.model, ofRows: rows)
        : try scratch.probabilities(classifier.model, of: windows)
    }
  }

  /// The blocks of a span, in the classifier's channel where it names none.
  func blocks(_ span: SoundSpan) throws(AudioError) -> SoundBlocks {
    try SoundBlocks(classifier.heard(span), sampleRate: extractor.configuration.sampleRate)
  }
}

/// The scores of every class, in the order of the model's labels, for the sound from `start` to `end` seconds.
public struct HopScores: Hashable, Sendable {
  public let start: Double
  public let end: Double
  public let scores: [Float]
}

extension SoundClassifier {
  /// The events in the file at `path`, found with the default settings of `SoundDetector`.
  public func events(in path: String) throws -> DetectedEvents { try SoundDetector(self).events(in: SoundSpan(path)) }

  /// A detector of sound that comes in blocks, with the default settings of `SoundDetector`.
  public func liveDetector(sampleRate: Int) throws -> LiveDetector {
    try SoundDetector(self).live(sampleRate: sampleRate)
  }
}

/// The hops of a span in batches, which end with a summary or an error.
private struct HopBatches: Sequence, IteratorProtocol {
  struct Batch: Sendable {
    var hops: [SoundHops.Hop]
    var scores: [[Float]] = []
    var summary: SoundDetector.Summary?

    func answered(by detector: SoundDetector) throws(ModelError) -> Batch {
      var batch = self
      batch.scores = try detector.scores(of: hops)
      return batch
    }
  }

  private let detector: SoundDetector
  private let span: SoundSpan
  private var sound: (blocks: SoundBlocks, hops: SoundHops)?
  /// Those that the next batch begins with.
  private var waiting: [SoundHops.Hop] = []
  private var summary: SoundDetector.Summary?
  /// What ended the sound, to be thrown when the hops before it have been given.
  private var failure: (any Error)?
  private var isFinished = false

  init(_ detector: SoundDetector, _ span: SoundSpan) {
    self.detector = detector
    self.span = span
  }

  mutating func next() -> Result<Batch, any Error>? {
    guard !isFinished else { return nil }
    do {
      return .success(try batch())
    } catch {
      isFinished = true
      return .failure(naming(span.path, error))
    }
  }

  private mutating func batch() throws -> Batch {
    while waiting.count < SoundDetector.batch, summary == nil, failure == nil {
      do { try read() } catch { failure = error }
    }
    if let failure, waiting.isEmpty { throw failure }
    var batch = Batch(hops: Array(waiting.prefix(SoundDetector.batch)))
    waiting.removeFirst(batch.hops.count)
    if waiting.isEmpty, let summary { (batch.summary, isFinished) = (summary, true) }
    return batch
  }

  /// Some seconds at once, which is quicker than block by block.
  private mutating func read() throws {
    var (blocks, hops) =
      try sound ?? (detector.blocks(span), SoundHops(detector, startingAt: span.seconds?.lowerBound ?? 0))
    sound = nil
    var block: [Float] = []
    var isThere = true
    do {
      while isThere, block.count < 1 << 16 { isThere = try blocks.next(into: &block) }
    } catch {
      failure = error
    }
    if !block.isEmpty { waiting += try hops.append(block) }
    if isThere {
      sound = (blocks, hops)
    } else {
      waiting += try hops.finish()
      summary = .init(duration: hops.duration, warnings: blocks.warnings)
    }
  }
}

/// Names the file in errors of stages that know none.
func naming(_ path: String, _ error: any Error) -> any Error {
  if case .file? = error as? FeatureError { return error }
  return (error as? FeatureError).map { FeatureError.file(path: path, reason: $0.description) } ?? error
}
