import AudioInput
import AuricleBase

extension FeatureExtractor {
  /// Sounds up to this many samples, about a minute at 16 kHz, are read whole.
  private static let longestWhole = 1 << 20

  /// The most frames that a file's features, where they are held in memory, may have: 2.9 hours at 10 ms. A network needs
  /// some gigabytes for them.
  private static let mostFrames = 1 << 20

  /// Features of the audio file at `path`, its duration in seconds and its own sample rate in Hz: decoded, mixed down and
  /// resampled to the configuration's rate. The one way from a file to features, in training as in use. Of long files,
  /// only the features are held in memory.
  ///
  /// Throws `AudioError`, or `FeatureError.file`, also for a file of more than 1,048,576 frames.
  public func features(
    ofFile path: String, channel: ChannelSelection = .mix
  ) throws -> (features: FeatureMatrix, duration: Double, sampleRate: Int) {
    let file = try AudioFile(path: path, channel: channel)
    let mayBeLong = file.info.frames == 0 || file.info.frames > FeatureExtractor.longestWhole
    if mayBeLong && FileAccess.size(of: path) != nil {
      var values: [Float] = []
      let (_, duration) = try streamed(path, channel) { rows in
        values += rows.values
        try naming(path) { () throws(FeatureError) in
          let frames = values.count / rows.coefficients
          guard frames <= FeatureExtractor.mostFrames else {
            throw .tooLong(frames: frames, coefficients: rows.coefficients)
          }
          try configuration.requireRoom(frames: frames)
        }
      }
      let features = FeatureMatrix(coefficients: configuration.coefficientCount, values: values)
      return (features, duration, file.info.sampleRate)
    }
    let waveform = try Waveform(reading: file, sampleRate: configuration.sampleRate)
    let features = try naming(path) { () throws(FeatureError) in try self.features(of: waveform) }
    return (features, waveform.duration, file.info.sampleRate)
  }

  /// The same features, handed to `body` in blocks of whole frames, in order of time; returns their number and the
  /// duration in seconds. Memory does not grow with the file. Where features depend on the whole sound, by a logarithm's
  /// `range` or normalisation by the utterance, the file is read once more for each of the two; a pipe is then read into
  /// memory.
  ///
  /// Throws what `body` throws, too.
  public func features(
    ofFile path: String, channel: ChannelSelection = .mix, each body: (FeatureMatrix) throws -> Void
  ) throws -> (frames: Int, duration: Double) {
    if FileAccess.size(of: path) == nil && (configuration.needsGreatest || configuration.needsStatistics) {
      let (features, duration, _) = try features(ofFile: path, channel: channel)
      try body(features)
      return (features.frames, duration)
    }
    return try streamed(path, channel, each: body)
  }

  private func streamed(
    _ path: String, _ channel: ChannelSelection, each body: (FeatureMatrix) throws -> Void
  ) throws -> (frames: Int, duration: Double) {
    var greatest = -Float.infinity
    if configuration.needsGreatest {
      let stream = FeatureStream(self, purpose: .greatest)
      try run(stream, path, channel) { _ in }
      greatest = stream.greatest
    }
    var normalizer: FeatureNormalizer?
    if configuration.needsStatistics {
      var statistics = FeatureStatistics(coefficients: configuration.coefficientCount)
      try run(FeatureStream(self, purpose: .rows, greatest: greatest), path, channel) { statistics.add($0) }
      normalizer = statistics.normalizer
    }
    var frames = 0
    let stream = FeatureStream(self, purpose: .rows, greatest: greatest, normalizer: normalizer)
    let samples = try run(stream, path, channel) {
      frames += $0.frames
      try body($0)
    }
    return (frames, Double(samples) / Double(configuration.sampleRate))
  }

  /// Sends a file through a stream; returns the number of samples at the configuration's rate.
  @discardableResult
  private func run(
    _ stream: FeatureStream, _ path: String, _ channel: ChannelSelection, each body: (FeatureMatrix) throws -> Void
  ) throws -> Int {
    let file = try AudioFile(path: path, channel: channel)
    var resampler = try Resampler(from: file.info.sampleRate, to: configuration.sampleRate)
    var block: [Float] = []
    var resampled: [Float] = []
    var count = 0
    func send() throws {
      count += resampled.count
      if let rows = try naming(path, { () throws(FeatureError) in try stream.process(resampled.span) }) {
        try body(rows)
      }
      resampled.removeAll(keepingCapacity: true)
    }
    while try file.read(frames: 32_768, into: &block) > 0 {
      resampler.process(block.span, into: &resampled)
      block.removeAll(keepingCapacity: true)
      try send()
    }
    resampler.finish(into: &resampled)
    try send()
    if let rows = try naming(path, { () throws(FeatureError) in try stream.finish() }) { try body(rows) }
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
