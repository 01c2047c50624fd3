import AudioInput

extension FeatureExtractor {
  /// Features of the audio file at `path`, and its duration in seconds: decoded, mixed down and resampled to the
  /// configuration's rate. The one way from a file to features, in training as in use.
  ///
  /// Throws `AudioError`, or `FeatureError.file`.
  public func features(
    ofFile path: String, channel: ChannelSelection = .mix
  ) throws -> (features: FeatureMatrix, duration: Double) {
    let waveform = try Waveform(contentsOf: path, sampleRate: configuration.sampleRate, channel: channel)
    do {
      return (try features(of: waveform), waveform.duration)
    } catch {
      throw FeatureError.file(path: path, reason: error.description)
    }
  }

  /// The same features, handed to `body` in blocks of whole frames, in order of time; returns their number and the
  /// duration in seconds. Throws what `body` throws, too.
  public func features(
    ofFile path: String, channel: ChannelSelection = .mix, each body: (FeatureMatrix) throws -> Void
  ) throws -> (frames: Int, duration: Double) {
    let (features, duration) = try features(ofFile: path, channel: channel)
    try body(features)
    return (features.frames, duration)
  }
}
