/// How much is done for a good model, so that nobody needs to know the rest: it chooses network, epochs, recipe,
/// augmentation and the number of networks by the data.
///
///     let survey = try SoundSurvey(of: split.training)
///     let trainer = SoundTrainer(effort: .normal, survey: survey)
public enum Effort: String, CaseIterable, Sendable {
  /// A sixth of the epochs.
  case quick
  /// One `crnn`, in about twenty minutes on two cores for three quarters of an hour of sound.
  case normal
  /// Three of them, each for half as many epochs again.
  case best

  /// Networks in the model.
  public var members: Int { self == .best ? 3 : 1 }

  public var network: NetworkName { .crnn }

  public var augmentation: Augmentation { .normal }

  /// AdamW with one cycle of the learning rate, and the moving average of the weights at its end, which has seen no
  /// validation data.
  ///
  /// - Parameters:
  ///   - examples: to learn from.
  ///   - frames: of an example, as a rule.
  ///   - coefficients: of a frame.
  public func training(examples: Int, frames: Int, coefficients: Int) -> TrainingConfiguration {
    var training = TrainingConfiguration()
    training.batchSize = examples >= 1500 ? 64 : examples >= 200 ? 32 : 16
    training.optimizer = .adamW
    training.weightDecay = 0.01
    training.learningRate = training.batchSize == 64 ? 3e-3 : 2e-3
    training.schedule = .oneCycle
    training.clipNorm = 5
    training.keeps = .last
    let share =
      switch self {
      case .quick: 1 / 6.0
      case .normal: 1.0
      case .best: 1.5
      }
    // As many numbers to look at as 120 times 2,661 seconds of speech have, however long the sounds are.
    let budget = 120 * 2661 * 100 * 40.0
    let cost = Double(max(1, examples)) * Double(max(1, frames)) * Double(max(1, coefficients))
    training.epochs = max(4, Int((min(200, max(12, budget / cost)) * share).rounded()))
    // The last fortieth of the batches counts, as a rule.
    let batches = training.epochs * ((examples + training.batchSize - 1) / training.batchSize)
    training.averageDecay = min(0.999, max(0.9, 1 - 40 / Double(max(1, batches))))
    return training
  }
}

/// What a data set's sounds are like, by the headers of some of its files.
public struct SoundSurvey: Hashable, Sendable {
  /// The commonest, in Hz.
  public var sampleRate: Int
  /// Seconds that nine of ten sounds do not exceed, and that half of them do not.
  public var long: Double
  public var median: Double
  /// Sounds to learn from.
  public var count: Int

  public init(sampleRate: Int, long: Double, median: Double, count: Int) {
    (self.sampleRate, self.long, self.median, self.count) = (sampleRate, long, median, count)
  }

  /// Looks at 200 of `examples`. Throws `AudioError` where none of them can be read.
  public init(of examples: [Example]) throws {
    var rates: [Int: Int] = [:]
    var durations: [Double] = []
    var failure: (any Error)?
    for place in stride(from: 0, to: examples.count, by: max(1, examples.count / 200)) {
      do {
        let span = examples[place].sound
        let info = try SoundBlocks(span).info
        rates[info.sampleRate, default: 0] += 1
        // A header may not say how long the sound is.
        let own = Double(info.frames) / Double(info.sampleRate)
        let whole = info.frames > 0 ? own : span.seconds == nil ? try Self.duration(of: span) : .infinity
        let end = min(whole, span.seconds?.upperBound ?? whole)
        durations.append(max(0, end - (span.seconds?.lowerBound ?? 0)))
      } catch {
        failure = failure ?? error
      }
    }
    guard let rate = rates.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else {
      throw failure ?? TrainingError.noExamples
    }
    durations.sort()
    self.init(
      sampleRate: rate, long: durations[durations.count * 9 / 10], median: durations[durations.count / 2],
      count: examples.count)
  }

  private static func duration(of span: SoundSpan) throws -> Double {
    let blocks = try SoundBlocks(span)
    var (samples, count): ([Float], Int) = ([], 0)
    while try blocks.next(into: &samples) {
      count += samples.count
      samples.removeAll(keepingCapacity: true)
    }
    return Double(count) / Double(blocks.sampleRate)
  }

  /// The rate that a model should hear at: the commonest, above 32 kHz its half or fourth, where it is not ultrasound that
  /// was recorded. What lies above 12 kHz tells recorders apart rather than sounds (22,050 Hz is librosa's rate, too).
  public var modelRate: Int {
    var rate = sampleRate
    while (32_001...100_000).contains(rate), rate.isMultiple(of: 2) { rate /= 2 }
    return rate
  }

  /// Features that suit the sounds; see `FeatureConfiguration.fitting`.
  public func features(sampleRate: Int? = nil) -> FeatureConfiguration {
    .fitting(sampleRate: sampleRate ?? modelRate, seconds: long)
  }

  /// Frames of `features` that the spans to train on should have, where sounds are too long to be learned whole; nil
  /// where they are not.
  public func crop(_ features: FeatureConfiguration) -> Int? { frames(long, features) > 800 ? 400 : nil }

  /// Frames of a sound as a rule.
  public func typicalFrames(_ features: FeatureConfiguration, crop: Int?) -> Int {
    min(max(1, frames(median, features)), crop ?? .max)
  }

  private func frames(_ seconds: Double, _ features: FeatureConfiguration) -> Int {
    Int(min(1e9, seconds * Double(features.sampleRate) / Double(features.hopLength)))
  }
}
