import AudioInput

/// The features of a sound, and what is to be known of it.
public struct SoundFeatures: Sendable {
  public var features: FeatureMatrix
  /// Of the sound, in seconds.
  public var duration: Double
  /// The file's own, in Hz.
  public var sampleRate: Int
  public var warnings: [AudioWarning]
  /// What decoded the file instead of libsndfile, if anything did.
  public var decodedBy: ExternalDecoder?
}

extension FeatureExtractor {
  /// Sounds up to this many samples, about a minute at 16 kHz, are read whole.
  private static let longestWhole = 1 << 20

  /// Features of the sound of `span`: decoded, mixed down and resampled to the configuration's rate. The one way from a file to features, in training as in use. Of long
  /// sounds, only the features are held in memory.
  ///
  /// Throws `AudioError`, or `FeatureError.file`, also for features of more than 1 GiB (a day's, 39 every 10 ms, are 1.3).
  public func features(of span: SoundSpan) throws -> SoundFeatures {
    try features(of: SoundBlocks(span, sampleRate: configuration.sampleRate))
  }

  /// The same of a sound that is open, from its beginning.
  package func features(of blocks: SoundBlocks) throws -> SoundFeatures {
    let expected = blocks.expectedSamples
    if expected == 0 || expected > FeatureExtractor.longestWhole {
      var values: [Float] = []
      let frames = min(expected / configuration.hopLength + 1, configuration.mostFrames)
      values.reserveCapacity(expected == 0 ? 0 : frames * configuration.coefficientCount)
      let (_, duration) = try streamed(blocks) { rows in
        values += rows.values
        try naming(blocks.span.path) { () throws(FeatureError) in
          try configuration.requireRoom(frames: values.count / rows.coefficients)
        }
      }
      let features = FeatureMatrix(coefficients: configuration.coefficientCount, values: values)
      return SoundFeatures(
        features: features, duration: duration, sampleRate: blocks.info.sampleRate, warnings: blocks.warnings,
        decodedBy: blocks.decodedBy)
    }
    let waveform = try Waveform(reading: blocks)
    let features = try naming(blocks.span.path) { () throws(FeatureError) in try self.features(of: waveform) }
    return SoundFeatures(
      features: features, duration: waveform.duration, sampleRate: blocks.info.sampleRate,
      warnings: blocks.warnings, decodedBy: blocks.decodedBy)
  }

  /// The same features, handed to `body` in blocks of whole frames, in order of time; returns their number and the
  /// duration in seconds. Memory does not grow with the sound. Where features depend on the whole of it, by a logarithm's
  /// `range` or normalisation by the utterance, it is decoded once more for each of the two.
  ///
  /// Throws what `body` throws, too.
  public func features(
    of span: SoundSpan, each body: (FeatureMatrix) throws -> Void
  ) throws -> (frames: Int, duration: Double) {
    try streamed(SoundBlocks(span, sampleRate: configuration.sampleRate), each: body)
  }

  /// The same of a sound that is open, from its beginning.
  public func features(
    of blocks: SoundBlocks, each body: (FeatureMatrix) throws -> Void
  ) throws -> (frames: Int, duration: Double) {
    try streamed(blocks, each: body)
  }

  /// Features of a whole file; see `features(of:)`.
  public func features(ofFile path: String, channel: ChannelSelection = .mix) throws -> SoundFeatures {
    try features(of: SoundSpan(path, channel: channel))
  }

  /// Features of a whole file in blocks; see `features(of:each:)`.
  public func features(
    ofFile path: String, channel: ChannelSelection = .mix, each body: (FeatureMatrix) throws -> Void
  ) throws -> (frames: Int, duration: Double) {
    try features(of: SoundSpan(path, channel: channel), each: body)
  }

  private func streamed(
    _ blocks: SoundBlocks, each body: (FeatureMatrix) throws -> Void
  ) throws -> (frames: Int, duration: Double) {
    var greatest = -Float.infinity
    if configuration.needsGreatest {
      let stream = FeatureStream(self, purpose: .greatest)
      try run(stream, blocks) { _ in }
      greatest = stream.greatest
      try blocks.rewind()
    }
    var normalizer: FeatureNormalizer?
    if configuration.needsStatistics {
      var statistics = FeatureStatistics(coefficients: configuration.coefficientCount)
      try run(FeatureStream(self, purpose: .rows, greatest: greatest), blocks) { statistics.add($0) }
      normalizer = statistics.normalizer
      try blocks.rewind()
    }
    var frames = 0
    let stream = FeatureStream(self, purpose: .rows, greatest: greatest, normalizer: normalizer)
    let samples = try run(stream, blocks) {
      frames += $0.frames
      try body($0)
    }
    return (frames, Double(samples) / Double(configuration.sampleRate))
  }

  /// Sends a sound through a stream; returns the number of its samples at the configuration's rate.
  @discardableResult
  private func run(
    _ stream: FeatureStream, _ blocks: SoundBlocks, each body: (FeatureMatrix) throws -> Void
  ) throws -> Int {
    var block: [Float] = []
    var count = 0
    while try blocks.next(into: &block) {
      count += block.count
      if let rows = try naming(blocks.span.path, { () throws(FeatureError) in try stream.process(block.span) }) {
        try body(rows)
      }
      block.removeAll(keepingCapacity: true)
    }
    if let rows = try naming(blocks.span.path, { () throws(FeatureError) in try stream.finish() }) { try body(rows) }
    return count
  }

  /// Names the file in errors.
  private func naming<Result>(
    _ path: String, _ body: () throws(FeatureError) -> Result
  ) throws(FeatureError) -> Result {
    do {
      return try body()
    } catch {
      throw .file(path: path, reason: error.description)
    }
  }
}
