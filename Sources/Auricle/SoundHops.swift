/// Sound that comes in blocks, at the model's rate, as one piece of work a hop: the same however it is cut into blocks, and
/// in bounded memory.
///
/// Features are computed once, and windows are slices of them, or of what the layers of a running network make of them.
/// Only features that depend on the loudest moment of a sound (a logarithm's `range`) are computed for each window anew.
struct SoundHops {
  /// What is to become the scores of the sound up to `end` seconds.
  struct Hop: Sendable {
    let work: Work
    let end: Double
  }

  enum Work: Sendable {
    case features(FeatureMatrix)
    /// Of each member's `RunningNetwork`.
    case rows([FeatureMatrix])
  }

  private enum Source {
    case windows(FeatureStream)
    case wholeWindows(FeatureExtractor)
    case running(FeatureStream)
  }

  private let detector: SoundDetector
  private let source: Source
  private var networks: [RunningNetwork] = []
  /// Of features, of samples where each window has features of its own, or of each running network.
  private var windows: [SlidingWindows] = []
  private let offset: Double
  /// Hops that have been given, and where the last of them ends, in half samples.
  private var given = 0
  private var boundary = 0
  private var samples = 0

  /// Of sound that begins `offset` seconds after the time 0.
  init(_ detector: SoundDetector, startingAt offset: Double) throws {
    self.detector = detector
    self.offset = offset
    let configuration = detector.extractor.configuration
    let hop = detector.hopSamples / configuration.hopLength
    let window = detector.answersAtEnd ? hop : configuration.frames(ofSamples: detector.windowSamples)
    if let layers = detector.runningLayers {
      source = .running(try FeatureStream(detector.extractor))
      networks = zip(detector.classifier.model.members, layers).map { RunningNetwork($0, layers: $1) }
      windows = networks.map { SlidingWindows(width: $0.width, units: window, hop: hop, stride: $0.stride) }
    } else if configuration.needsGreatest {
      source = .wholeWindows(detector.extractor)
      windows = [SlidingWindows(width: 1, units: detector.windowSamples, hop: detector.hopSamples)]
    } else {
      source = .windows(try FeatureStream(FeatureExtractor(configuration.withoutUtteranceNormalization)))
      windows = [SlidingWindows(width: configuration.coefficientCount, units: window, hop: hop)]
    }
  }

  /// Of the sound so far, in seconds.
  var duration: Double { Double(samples) / Double(detector.extractor.configuration.sampleRate) }

  /// Takes the next samples; gives the hops that are complete. Throws `FeatureError` and `ModelError`.
  mutating func append(_ block: [Float]) throws -> [Hop] {
    samples += block.count
    switch source {
    case .wholeWindows: windows[0].append(block)
    case .windows(let stream): if let rows = try stream.process(block.span) { windows[0].append(rows.values) }
    case .running(let stream): if let rows = try stream.process(block.span) { try run(rows, isLast: false) }
    }
    return try cut(isLast: false)
  }

  /// The rest, now that the sound has ended: the last window ends where the sound does, and stands for all that follows the
  /// middles of those before it.
  mutating func finish() throws -> [Hop] {
    switch source {
    case .wholeWindows: break
    case .windows(let stream): if let rows = try stream.finish() { windows[0].append(rows.values) }
    case .running(let stream):
      let none = FeatureMatrix(coefficients: detector.extractor.configuration.coefficientCount, values: [])
      try run(try stream.finish() ?? none, isLast: true)
    }
    var hops = try cut(isLast: true)
    let end = 2 * samples
    if end > boundary, windows.allSatisfy({ $0.count > 0 }) { hops.append(try hop(windows.map(\.last), end: end)) }
    return hops
  }

  private mutating func run(_ features: FeatureMatrix, isLast: Bool) throws(ModelError) {
    for index in networks.indices {
      windows[index].append(try networks[index].append(features, isLast: isLast).values)
    }
  }

  private mutating func cut(isLast: Bool) throws -> [Hop] {
    var hops: [Hop] = []
    while windows.allSatisfy({ $0.has(given) }) {
      // A window stands for the hop in its middle; a final state for the hop that it ends with.
      let middle =
        detector.answersAtEnd
        ? 2 * (given + 1) * detector.hopSamples
        : 2 * given * detector.hopSamples + detector.windowSamples + detector.hopSamples
      let end = isLast ? min(middle, 2 * samples) : middle
      guard end > boundary else { break }
      hops.append(try hop(windows.map { $0.window(given) }, end: end))
      given += 1
    }
    // The last window may begin after the one before it, and before the next.
    for index in windows.indices { windows[index].drop(before: given - 1) }
    return hops
  }

  private mutating func hop(_ rows: [FeatureMatrix], end: Int) throws -> Hop {
    boundary = end
    let rate = detector.extractor.configuration.sampleRate
    let end = offset + Double(end) / Double(2 * rate)
    switch source {
    case .running: return Hop(work: .rows(rows), end: end)
    case .wholeWindows(let extractor):
      let waveform = Waveform(samples: rows[0].values, sampleRate: rate)
      return Hop(work: .features(try extractor.features(of: waveform)), end: end)
    case .windows:
      var features = rows[0]
      detector.extractor.configuration.normalizeUtterance(&features)
      return Hop(work: .features(features), end: end)
    }
  }
}

/// Rows that come one after the other, and windows of them: those that no window will need are dropped.
private struct SlidingWindows {
  private let width: Int
  /// Rows in a window.
  private let rows: Int
  /// From one window to the next, in units of which a row stands for `stride`.
  private let hop: Int
  private let stride: Int
  /// Rows from `first` on.
  private var values: [Float] = []
  private var first = 0

  /// - Parameter units: in a window.
  init(width: Int, units: Int, hop: Int, stride: Int = 1) {
    (self.width, self.hop, self.stride) = (width, hop, stride)
    rows = max(1, (units + stride / 2) / stride)
  }

  /// Rows so far.
  var count: Int { first + values.count / width }

  mutating func append(_ values: [Float]) { self.values += values }

  /// Whether all rows of the window of this number are there.
  func has(_ number: Int) -> Bool { start(number) + rows <= count }
  func window(_ number: Int) -> FeatureMatrix { slice(start(number)..<start(number) + rows) }
  /// That which ends with the last row, or all rows where they are fewer.
  var last: FeatureMatrix { slice(max(first, count - rows)..<count) }

  mutating func drop(before number: Int) {
    let needed = min(start(max(0, number)), count)
    // Half of them at a time: each is moved but once or twice.
    if needed - first > values.count / width / 2 {
      values.removeFirst((needed - first) * width)
      first = needed
    }
  }

  private func start(_ number: Int) -> Int { (number * hop + stride / 2) / stride }

  private func slice(_ range: Range<Int>) -> FeatureMatrix {
    FeatureMatrix(
      coefficients: width,
      values: Array(values[(range.lowerBound - first) * width..<(range.upperBound - first) * width]))
  }
}
