/// Sound that comes in blocks, at the model's rate, as one piece of work a hop: the same however it is cut into blocks, and
/// in bounded memory.
///
/// Features are computed once, and windows are slices of them. Only those that depend on the loudest moment of a sound (a
/// logarithm's `range`) are computed for each window anew.
struct SoundHops {
  /// What is to become the scores of the sound up to `end` seconds.
  struct Hop: Sendable {
    let work: Work
    let end: Double
  }

  enum Work: Sendable {
    case window(FeatureMatrix)
    case scores([Float])
  }

  private enum Source {
    case windows(FeatureStream)
    case wholeWindows(FeatureExtractor)
    case running(FeatureStream, ClassifierStream)
  }

  private let detector: SoundDetector
  private var source: Source
  private let offset: Double
  /// Units are frames, or samples where each window has features of its own.
  private let unitWidth: Int
  private let (windowUnits, hopUnits): (Int, Int)
  /// Units from `first` on.
  private var buffer: [Float] = []
  private var first = 0
  private var units: Int { first + buffer.count / unitWidth }
  /// Hops that have been given, and where the last of them ends, in half samples.
  private var given = 0
  private var boundary = 0
  private var samples = 0

  /// Of sound that begins `offset` seconds after the time 0.
  init(_ detector: SoundDetector, startingAt offset: Double) throws {
    self.detector = detector
    self.offset = offset
    let configuration = detector.extractor.configuration
    if detector.isRunning {
      source = .running(try FeatureStream(detector.extractor), try ClassifierStream(detector.classifier.model))
    } else if configuration.needsGreatest {
      source = .wholeWindows(detector.extractor)
    } else {
      source = .windows(try FeatureStream(FeatureExtractor(configuration.withoutUtteranceNormalization)))
    }
    if case .wholeWindows = source {
      unitWidth = 1
      (windowUnits, hopUnits) = (detector.windowSamples, detector.hopSamples)
    } else {
      unitWidth = configuration.coefficientCount
      hopUnits = detector.hopSamples / configuration.hopLength
      windowUnits = detector.isRunning ? hopUnits : configuration.frames(ofSamples: detector.windowSamples)
    }
  }

  /// Of the sound so far, in seconds.
  var duration: Double { Double(samples) / Double(detector.extractor.configuration.sampleRate) }

  /// Takes the next samples; gives the hops that are complete. Throws `FeatureError` and `ModelError`.
  mutating func append(_ block: [Float]) throws -> [Hop] {
    samples += block.count
    switch source {
    case .wholeWindows: buffer += block
    case .windows(let stream), .running(let stream, _):
      if let rows = try stream.process(block.span) { buffer += rows.values }
    }
    return try cut(isLast: false)
  }

  /// The rest, now that the sound has ended: the last window ends where the sound does, and stands for all that follows the
  /// middles of those before it.
  mutating func finish() throws -> [Hop] {
    switch source {
    case .wholeWindows: break
    case .windows(let stream), .running(let stream, _):
      if let rows = try stream.finish() { buffer += rows.values }
    }
    var hops = try cut(isLast: true)
    let end = 2 * samples
    if end > boundary, units > first {
      let isRunning = detector.isRunning
      let start = isRunning ? given * hopUnits : max(0, units - windowUnits)
      if start < units || !isRunning { hops.append(try hop(start..<max(start, units), end: end)) }
    }
    return hops
  }

  private mutating func cut(isLast: Bool) throws -> [Hop] {
    var hops: [Hop] = []
    while given * hopUnits + windowUnits <= units {
      let start = given * hopUnits
      // A window stands for the hop in its middle; a running answer for the hop that it ends with.
      let middle =
        detector.isRunning
        ? 2 * (given + 1) * detector.hopSamples
        : 2 * given * detector.hopSamples + detector.windowSamples + detector.hopSamples
      let end = isLast ? min(middle, 2 * samples) : middle
      guard end > boundary else { break }
      hops.append(try hop(start..<start + windowUnits, end: end))
      given += 1
    }
    // The last window may begin after the one before it, and before the next.
    let needed = min(max(0, given - (detector.isRunning ? 0 : 1)) * hopUnits, units)
    if needed - first > buffer.count / unitWidth / 2 {
      buffer.removeFirst((needed - first) * unitWidth)
      first = needed
    }
    return hops
  }

  private mutating func hop(_ range: Range<Int>, end: Int) throws -> Hop {
    let values = Array(buffer[(range.lowerBound - first) * unitWidth..<(range.upperBound - first) * unitWidth])
    boundary = end
    let rate = detector.extractor.configuration.sampleRate
    let end = offset + Double(end) / Double(2 * rate)
    switch source {
    case .wholeWindows(let extractor):
      return Hop(work: .window(try extractor.features(of: Waveform(samples: values, sampleRate: rate))), end: end)
    case .windows:
      var features = FeatureMatrix(coefficients: unitWidth, values: values)
      detector.extractor.configuration.normalizeUtterance(&features)
      return Hop(work: .window(features), end: end)
    case .running(let frames, var stream):
      try stream.append(FeatureMatrix(coefficients: unitWidth, values: values))
      source = .running(frames, stream)
      return Hop(work: .scores(try stream.probabilities()), end: end)
    }
  }
}
