import CBundledModel

/// Sound in, label out.
///
///     let classifier = try SoundClassifier()                    // the bundled model: spoken digits
///     let prediction = try classifier.classify("seven.wav")
///     print(prediction.label, prediction.probability)           // 7 0.99
///
/// A value that any number of threads share.
public struct SoundClassifier: Sendable {
  public let model: ClassifierEnsemble
  /// Which channel is listened to in files of several.
  public var channel: ChannelSelection
  private let extractor: FeatureExtractor

  /// The bundled model, which knows the spoken digits zero to nine.
  public init() throws {
    let bytes = UnsafeBufferPointer(start: auricle_bundled_model_bytes(), count: auricle_bundled_model_size())
    try self.init(ClassifierEnsemble(bytes: Array(bytes), path: "the bundled model"))
  }

  /// The model file at `path`. Throws `FileError`, `ModelError` or `FeatureError`.
  public init(contentsOf path: String, channel: ChannelSelection = .mix) throws {
    try self.init(ClassifierEnsemble(contentsOf: path), channel: channel)
  }

  /// Throws `FeatureError` when the model's features cannot be computed.
  public init(_ model: ClassifierEnsemble, channel: ChannelSelection = .mix) throws {
    self.model = model
    self.channel = channel
    extractor = try FeatureExtractor(model.features)
  }

  /// The most probable label of the file at `path` (`-` for standard input), and the probability of every other.
  ///
  /// Throws `AudioError`, `FeatureError` or `ModelError`.
  public func classify(_ path: String) throws -> Prediction {
    let (features, duration, sampleRate) = try extractor.features(ofFile: path, channel: channel)
    var prediction = try model.prediction(of: features, path: path, duration: duration)
    prediction.sampleRate = sampleRate
    return prediction
  }

  /// The same, for one of many: a file that fails gives a prediction with an `error` and its `stage`.
  public func prediction(of path: String) -> Prediction {
    do {
      return try classify(path)
    } catch {
      let stage = Stage(of: error)
      let reason = stage == .model ? "\(path): \(error)" : "\(error)"  // the model knows no files
      return Prediction(path: path, error: reason, stage: stage.rawValue)
    }
  }

  /// The most probable label of sound in memory, of any sample rate; `path` names it in the result.
  public func classify(_ waveform: Waveform, path: String = "") throws -> Prediction {
    var waveform = waveform
    let rate = extractor.configuration.sampleRate
    if waveform.sampleRate != rate {
      waveform = Waveform(
        samples: try Resampler.resample(waveform.samples, from: waveform.sampleRate, to: rate), sampleRate: rate)
    }
    return try model.prediction(of: extractor.features(of: waveform), path: path, duration: waveform.duration)
  }

  /// Classifies many examples on `jobs` threads and hands each prediction to `each`, in order. A file that fails gives a
  /// prediction with an `error` and stops nothing. Each carries the time it took and the example's fields, its split among
  /// them. When `stop` says so, those in flight are finished and handed to `each` too, and `CancellationError` is thrown.
  public func classify(
    _ examples: [Example], jobs: Int, isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool = false, each: (Prediction) throws -> Void
  ) async throws {
    try await predictions(of: examples, jobs: jobs, until: stop(), each: each) { prediction(of: $0.path) }
  }
}

/// The class with the greatest of `probabilities`, the last of several.
func mostProbable(_ probabilities: [Float]) -> Int {
  probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
}
