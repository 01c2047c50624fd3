import Testing

@testable import Auricle

@Suite("Augmented training examples")
struct AugmentedSourceTests {
  private func source(
    normalization: FeatureConfiguration.Normalization = .global, seed: UInt64 = 1,
    _ change: (inout Augmentation) -> Void
  ) throws -> (plain: [LabeledFeatures], augmented: AugmentedSource) {
    var features = FeatureConfiguration.speech(sampleRate: 8000)
    features.normalization = normalization
    let extractor = try FeatureExtractor(features.withoutUtteranceNormalization)
    let paths = ["3_flite-slt_1", "7_flite-rms_0"].map { fixture("digits/\($0).wav") }
    let plain = try paths.enumerated().map {
      try LabeledFeatures(features: extractor.features(ofFile: $1).features, label: $0, of: 2)
    }
    var augmentation = Augmentation.none
    change(&augmentation)
    let augmented = try AugmentedSource(
      plain, features: features, waveformAugmenter: WaveformAugmenter(augmentation, sampleRate: 8000), seed: seed
    ) { index, _ in try Waveform(contentsOf: paths[index], sampleRate: 8000) }
    return (plain, augmented)
  }

  @Test("the same draw for the same seed, epoch and example; another for any other")
  func draws() throws {
    let source = try source { $0 = .strong }.augmented
    let first = try source.example(0, epoch: 1).features
    #expect(try source.example(0, epoch: 1).features == first)
    #expect(try source.example(0, epoch: 2).features != first)
    #expect(try self.source(seed: 2) { $0 = .strong }.augmented.example(0, epoch: 1).features != first)
  }

  @Test("a change of the waveform reaches the features: more gain, more of coefficient 0")
  func waveform() throws {
    let (plain, augmented) = try source { $0.gain = 12 }
    let (before, after) = (plain[0].features, try augmented.example(0, epoch: 1).features)
    #expect(before.frames == after.frames)
    let differences = (0..<before.frames).map { after.values[$0 * 39] - before.values[$0 * 39] }
    let middle = differences.sorted()[differences.count / 2]
    #expect(middle != 0 && differences.count { abs($0 - middle) < 0.05 * abs(middle) } > differences.count / 2)
  }

  @Test(
    "every field changes what training sees",
    arguments: [
      ("none", "gain=6"), ("none", "shift=0.1"), ("none", "speed=0.2"), ("none", "tilt=20"), ("none", "cut=0.2"),
      ("none", "ends=0.2"), ("none", "noise=1"), ("noise=1", "noise-lowest-ratio=-20"),
      ("noise=1", "noise-highest-ratio=60"), ("none", "room=1"), ("none", "sound-mixup=1"),
      ("none", "frequency-warp=0.2"), ("none", "filter=10"),
      ("none", "level=6"), ("none", "move=0.3"), ("none", "roll=0.3"), ("none", "tempo=0.2"), ("none", "time-warp=0.2"),
      ("none", "time-masks=2"),
      ("time-masks=2", "time-mask-share=0.5"), ("none", "frequency-masks=2"),
      ("frequency-masks=2", "frequency-mask-share=0.5"), ("none", "mixup=1"),
    ])
  func everyField(with: String, field: String) throws {
    let (without, changed) = (try Augmentation(with), try Augmentation("\(with),\(field)"))
    let before = try source { $0 = without }.augmented
    let after = try source { $0 = changed }.augmented
    #expect(
      try (1...8).contains {
        try after.example(0, epoch: $0).features != before.example(0, epoch: $0).features
      })
  }

  @Test("utterance normalisation comes last")
  func normalization() throws {
    let augmented = try source(normalization: .utteranceMeanVariance) { $0.filter = 20 }.augmented
    let features = try augmented.example(1, epoch: 1).features
    let column = (0..<features.frames).map { Double(features.values[$0 * 39 + 2]) }
    let mean = column.reduce(0, +) / Double(column.count)
    let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(column.count)
    #expect(abs(mean) < 1e-4 && abs(variance - 1) < 1e-3)
  }

  @Test("mixing gives a second class a share of at most a half", arguments: [\Augmentation.mixup, \.soundMixup])
  func mixing(kind: WritableKeyPath<Augmentation, Double> & Sendable) throws {
    let augmented = try source { $0[keyPath: kind] = 1 }.augmented
    let targets = try (1...20).map { try augmented.example(0, epoch: $0).target }
    #expect(targets.allSatisfy { $0.label == 0 && (0...0.5).contains($0.probabilities[1]) })
    #expect(targets.contains { $0.probabilities[1] > 0.05 })
  }

  @Test("of longer examples training sees spans, each time another; of the others all")
  func crop() throws {
    let (plain, _) = try source { _ in }
    let crop = plain[0].features.frames - 5
    let features = FeatureConfiguration.speech(sampleRate: 8000)
    let source = try AugmentedSource(
      plain, features: features, waveformAugmenter: WaveformAugmenter(.none, sampleRate: 8000), seed: 1, crop: crop
    ) { _, _ in throw CancellationError() }
    let spans = try (1...30).map { try source.example(0, epoch: $0).features }
    let all = (0...5).map { plain[0].features.slice($0..<$0 + crop) }
    #expect(spans.allSatisfy { all.contains($0) } && all.allSatisfy { spans.contains($0) })
    #expect(source.lengths == plain.map { min($0.features.frames, crop) })
    let long = MiddleSource(whole: plain, crop: crop)
    #expect(try long.example(0, epoch: 0).features == all[2] && long.lengths == source.lengths)
  }

  @Test("a change of the waveform of a span reads that span alone")
  func cropsWaveform() throws {
    let (plain, _) = try source { _ in }
    let crop = plain[0].features.frames / 2
    var augmentation = Augmentation.none
    augmentation.gain = 6
    let source = try AugmentedSource(
      plain, features: .speech(sampleRate: 8000),
      waveformAugmenter: WaveformAugmenter(augmentation, sampleRate: 8000), seed: 1, crop: crop
    ) { _, seconds in
      let seconds = try #require(seconds)
      #expect(abs(seconds.upperBound - seconds.lowerBound - 0.01 * Double(crop)) < 1e-9 && seconds.lowerBound >= 0)
      return Waveform(samples: [Float](repeating: 0.1, count: 80 * crop), sampleRate: 8000)
    }
    #expect(try source.example(0, epoch: 1).features.frames == crop + 1)
  }

  @Test("without augmentation examples are as they are")
  func none() throws {
    let (plain, augmented) = try source { _ in }
    #expect(try augmented.example(0, epoch: 3).features == plain[0].features)
    #expect(augmented.labels == [0, 1] && augmented.lengths == plain.lengths)
  }
}
