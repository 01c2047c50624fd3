/// Training examples changed at random, afresh in every epoch: the waveform, then the features, then mixing.
///
/// Features are computed anew only where the waveform changes; otherwise those of `plain` are changed. Both come without
/// utterance normalisation, which is applied last, as it would be to a sound that was recorded so.
struct AugmentedSource: TrainingSource {
  /// The examples as they are, without utterance normalisation.
  let plain: any TrainingSource
  let features: FeatureConfiguration
  let seed: UInt64
  private let waveformAugmenter: WaveformAugmenter
  private let featureAugmenter: FeatureAugmenter
  private let extractor: FeatureExtractor
  private let waveform: @Sendable (_ index: Int) throws -> Waveform

  var labels: [Int] { plain.labels }
  var lengths: [Int] { plain.lengths }

  private var augmentation: Augmentation { waveformAugmenter.augmentation }

  /// - Parameter waveform: reads the waveform of an example, at the rate of the features.
  init(
    _ plain: any TrainingSource, features: FeatureConfiguration, waveformAugmenter: WaveformAugmenter, seed: UInt64,
    waveform: @escaping @Sendable (_ index: Int) throws -> Waveform
  ) throws {
    self.plain = plain
    self.features = features
    self.seed = seed
    self.waveformAugmenter = waveformAugmenter
    featureAugmenter = try FeatureAugmenter(waveformAugmenter.augmentation, features)
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
    var example: LabeledFeatures
    if augmentation.changesWaveform {
      let changed = try waveformAugmenter.augmented(waveform(index), using: &generator)
      do {
        example = try plain.example(index, epoch: 0)
        example.features = try extractor.features(of: changed)
      } catch FeatureError.tooShort {
        example = try plain.example(index, epoch: 0)  // so fast that no frame is left
      }
    } else {
      example = try plain.example(index, epoch: 0)
    }
    example.features = featureAugmenter.augmented(example.features, using: &generator)
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
