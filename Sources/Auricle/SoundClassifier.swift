import AuricleBase
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
    let bytes = UnsafeRawBufferPointer(start: auricle_bundled_model_bytes(), count: auricle_bundled_model_size())
    try self.init(ClassifierEnsemble(constant: bytes, path: "the bundled model"))
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

  /// What is heard in the file at `path` (`-` for standard input).
  ///
  /// Throws `AudioError`, `FeatureError` or `ModelError`.
  public func classify(_ path: String) throws -> Classification { try classify(SoundSpan(path)) }

  /// What is heard in a span of a file; in the classifier's channel, where the span names none. Throws as the other does.
  public func classify(_ span: SoundSpan) throws -> Classification {
    let blocks = try SoundBlocks(heard(span), sampleRate: extractor.configuration.sampleRate)
    if let classification = try classifyLong(blocks) { return classification }
    let sound = try extractor.features(of: blocks)
    return classification(of: sound, try model.probabilities(of: [sound.features])[0])
  }

  /// What is heard in sound in memory, of any sample rate. Throws as the others do.
  public func classify(_ waveform: Waveform) throws -> Classification {
    var waveform = waveform
    let (own, rate) = (waveform.sampleRate, extractor.configuration.sampleRate)
    if own != rate {
      waveform = Waveform(samples: try Resampler.resample(waveform.samples, from: own, to: rate), sampleRate: rate)
    }
    let features = try extractor.features(of: waveform)
    return Classification(
      model, try model.probabilities(of: [features])[0], duration: waveform.duration, sampleRate: own)
  }

  /// What is heard in one example; an error is in the prediction, with its stage.
  public func prediction(of example: Example) -> Prediction {
    Prediction(of: example) { Prediction(path: "", try classify(example.sound)) }
  }

  /// Classifies many examples on `jobs` threads and hands each prediction to `each`, in order. A file that fails gives a
  /// prediction with an `error` and its `stage`, and stops nothing. Each carries the time it took and the example's fields,
  /// its split among them; its path is the example's `identity`. When `stop` says so, those in flight are finished and
  /// handed to `each` too, and `CancellationError` is thrown.
  ///
  /// Small files are classified several at once, which is quicker; the answers are the same, bit for bit.
  public func classify(
    _ examples: [Example], jobs: Int, isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool = false, each: (Prediction) throws -> Void
  ) async throws {
    // A few files are shared out evenly.
    let size = min(Self.batchSize, max(1, examples.count / (4 * jobs)))
    let batches = stride(from: 0, to: examples.count, by: size).lazy.map {
      examples[$0..<min($0 + size, examples.count)]
    }
    try await orderedMap(Array(batches), jobs: jobs, until: stop()) { batch in
      predictions(of: batch)
    } each: { _, predictions in
      for prediction in predictions { try each(prediction) }
    }
  }

  /// Files up to this size (of their bytes) are classified together, so many at most.
  private static let (smallFile, batchSize) = (1 << 20, 16)

  /// What is heard in a few examples; see `classify(_:jobs:)`.
  func predictions(of examples: ArraySlice<Example>) -> [Prediction] {
    var predictions: [Prediction] = []
    var small: [Example] = []
    func finishSmall() {
      predictions += answers(to: small)
      small = []
    }
    for example in examples {
      if let size = FileAccess.size(of: example.path), size <= Self.smallFile {
        small.append(example)
      } else {
        finishSmall()
        predictions += answers(to: [example])
      }
    }
    finishSmall()
    return predictions
  }

  private func answers(to batch: [Example]) -> [Prediction] {
    if batch.isEmpty { return [] }
    let clock = ContinuousClock()
    var times: [Duration] = []
    // A single one may be long, and a stream.
    let sounds: [Result<SoundFeatures, any Error>]? =
      batch.count == 1
      ? nil
      : batch.map { example in
        var sound: Result<SoundFeatures, any Error>?
        times.append(clock.measure { sound = Result { try extractor.features(of: heard(example.sound)) } })
        return sound ?? .failure(CancellationError())
      }
    let start = clock.now
    let answers: [Result<Classification, any Error>]
    if let sounds {
      answers = classifications(of: sounds)
    } else {
      answers = batch.map { example in Result { try classify(example.sound) } }
    }
    let share = (clock.now - start) / batch.count
    return zip(batch, answers).enumerated().map { index, pair in
      var prediction = Prediction(of: pair.0) { Prediction(path: "", try pair.1.get()) }
      prediction.seconds = ((times.isEmpty ? .zero : times[index]) + share) / .seconds(1)
      return prediction
    }
  }

  /// Those that have features in one batch; one by one where that fails, so that each has its own error.
  private func classifications(
    of sounds: [Result<SoundFeatures, any Error>]
  ) -> [Result<Classification, any Error>] {
    let present = sounds.compactMap { try? $0.get() }
    var probabilities = (try? model.probabilities(of: present.map(\.features)))?.makeIterator()
    return sounds.map { sound in
      Result {
        let sound = try sound.get()
        let answer = try probabilities?.next() ?? model.probabilities(of: [sound.features])[0]
        return classification(of: sound, answer)
      }
    }
  }

  private func classification(of sound: SoundFeatures, _ probabilities: [Float]) -> Classification {
    Classification(
      model, probabilities, duration: sound.duration, sampleRate: sound.sampleRate, warnings: sound.warnings)
  }

  func heard(_ span: SoundSpan) -> SoundSpan {
    span.heard(in: channel)
  }

  /// Sounds of more samples than this, about a minute at 16 kHz, go through the networks as they come: memory grows with
  /// them only as the networks demand.
  private static let longestWhole = 1 << 20

  /// Nil for a sound that is not long, and for features that are not known before its end; nothing of it is read then.
  private func classifyLong(_ blocks: SoundBlocks) throws -> Classification? {
    let configuration = extractor.configuration
    guard blocks.expectedSamples > Self.longestWhole, !configuration.needsGreatest, model.input.waitsForEnd == nil
    else { return nil }
    let probabilities: [Float]
    let duration: Double
    if model.window == nil {
      var long = LongSequence(model, frames: blocks.expectedSamples / configuration.hopLength)
      (_, duration) = try extractor.features(of: blocks) { try long.append($0) }
      probabilities = ClassifierEnsemble.mean(of: try long.answers())
    } else {
      var stream = try ClassifierStream(model)
      (_, duration) = try extractor.features(of: blocks) { try stream.append($0) }
      probabilities = try stream.probabilities()
    }
    return Classification(
      model, probabilities, duration: duration, sampleRate: blocks.info.sampleRate, warnings: blocks.warnings)
  }
}
