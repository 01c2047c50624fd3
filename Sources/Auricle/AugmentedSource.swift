/// Training examples changed at random, afresh in every epoch: a span of each, then the waveform, then the features, then
/// mixing.
///
/// Features are computed anew only where the waveform changes; otherwise those of `plain` are changed. Both come without
/// utterance normalisation, which is applied last, as it would be to a sound that was recorded so.
struct AugmentedSource: TrainingSource {
  /// The examples as they are, without utterance normalisation.
  let plain: any TrainingSource
  let features: FeatureConfiguration
  /// Frames of a random span that is taken of longer examples.
  let crop: Int?
  let seed: UInt64
  private let waveformAugmenter: WaveformAugmenter
  private let featureAugmenter: FeatureAugmenter
  private let extractor: FeatureExtractor
  private let waveform: @Sendable (_ index: Int, _ seconds: Range<Double>?) throws -> Waveform

  var labels: [Int] { plain.labels }
  var lengths: [Int] { plain.lengths.map { min($0, crop ?? .max) } }

  private var augmentation: Augmentation { waveformAugmenter.augmentation }

  /// - Parameters:
  ///   - backgrounds: features of recordings of noise.
  ///   - waveform: reads the waveform of an example, at the rate of the features; of a part of it, if given.
  init(
    _ plain: any TrainingSource, features: FeatureConfiguration, waveformAugmenter: WaveformAugmenter, seed: UInt64,
    crop: Int? = nil, backgrounds: [FeatureMatrix] = [],
    waveform: @escaping @Sendable (_ index: Int, _ seconds: Range<Double>?) throws -> Waveform
  ) throws {
    self.plain = plain
    self.features = features
    self.crop = crop
    self.seed = seed
    self.waveformAugmenter = waveformAugmenter
    featureAugmenter = try FeatureAugmenter(
      waveformAugmenter.augmentation, features, backgrounds: backgrounds)
    extractor = try FeatureExtractor(features.withoutUtteranceNormalization)
    self.waveform = waveform
  }

  func example(_ index: Int, epoch: Int) throws -> LabeledFeatures {
    var generator = SeededGenerator.augmentation(seed: seed, epoch: epoch, example: index)
    var example = try changed(index, using: &generator)
    if augmentation.mixup > 0 {
      let share = generator.mixingShare(augmentation.mixup)
      let partner = try changed(generator.index(labels.count), using: &generator)
      example.features = FeatureAugmenter.mixed(example.features, partner.features, share: share)
      example.target = example.target.mixed(with: partner.target, share: Float(1 - share))
    }
    features.normalizeUtterance(&example.features)
    return example
  }

  private func changed(_ index: Int, using generator: inout SeededGenerator) throws -> LabeledFeatures {
    var example = try plain.example(index, epoch: 0)
    let seconds = crop(&example, using: &generator)
    if augmentation.changesWaveform {
      var changed = try waveformAugmenter.augmented(waveform(index, seconds), using: &generator)
      if augmentation.soundMixup > 0 {
        let share = generator.mixingShare(augmentation.soundMixup)
        let other = generator.index(labels.count)
        var partner = try plain.example(other, epoch: 0)
        let seconds = crop(&partner, using: &generator)
        let sound = try waveformAugmenter.augmented(waveform(other, seconds), using: &generator)
        changed = WaveformAugmenter.mixed(changed, sound, share: share)
        example.target = example.target.mixed(with: partner.target, share: Float(1 - share))
      }
      do {
        example.features = try extractor.features(of: changed)
      } catch FeatureError.tooShort {
        // so fast that no frame is left
      }
    }
    example.features = featureAugmenter.augmented(example.features, using: &generator)
    return example
  }

  /// Leaves a random span of a longer example; which, in seconds.
  private func crop(_ example: inout LabeledFeatures, using generator: inout SeededGenerator) -> Range<Double>? {
    guard let crop, example.features.frames > crop else { return nil }
    let start = generator.index(example.features.frames - crop + 1)
    example.features = example.features.slice(start..<start + crop)
    let second = Double(features.hopLength) / Double(features.sampleRate)
    return Double(start) * second..<Double(start + crop) * second
  }
}

/// Examples of which only the middle counts where they are longer than `crop` frames: what the epochs are validated on.
struct MiddleSource: TrainingSource {
  let whole: any TrainingSource
  let crop: Int

  var labels: [Int] { whole.labels }
  var lengths: [Int] { whole.lengths.map { min($0, crop) } }

  func example(_ index: Int, epoch: Int) throws -> LabeledFeatures {
    var example = try whole.example(index, epoch: epoch)
    let start = (example.features.frames - crop) / 2
    if start > 0 { example.features = example.features.slice(start..<start + crop) }
    return example
  }
}

extension FeatureConfiguration {
  /// The same, but for what is done over a whole utterance at the end.
  var withoutUtteranceNormalization: FeatureConfiguration {
    var configuration = self
    if normalization == .utteranceMean || normalization == .utteranceMeanVariance {
      configuration.normalization = .none
    }
    return configuration
  }
}
