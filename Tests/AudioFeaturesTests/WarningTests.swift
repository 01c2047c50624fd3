import AudioFeatures
import AudioInput
import Testing

@Suite("Warnings of features")
struct WarningTests {
  @Test("mel filters that hold no bin are counted")
  func emptyFilters() {
    var configuration = FeatureConfiguration.Preset.librosa.configuration(sampleRate: 8000)
    #expect(configuration.warnings().isEmpty)
    (configuration.fftLength, configuration.frameLength) = (256, 256)
    let sentence = configuration.warnings().first ?? ""
    #expect(sentence.contains("of 128 hold no bin of the 256-point spectrum"), "\(sentence)")
    #expect(FeatureConfiguration.speech(sampleRate: 16_000).warnings(preset: .speech).isEmpty)
  }

  @Test(
    "a preset whose filters end above half the rate says where they end now",
    arguments: [(FeatureConfiguration.Preset.opensmile, 8000), (.tensorflow, 7600)])
  func edges(preset: FeatureConfiguration.Preset, edge: Int) {
    func warnings(_ rate: Int) -> [String] { preset.configuration(sampleRate: rate).warnings(preset: preset) }
    #expect(warnings(16_000).allSatisfy { !$0.contains("go up to") } && !warnings(8000).isEmpty)
    #expect(
      warnings(8000).contains(
        "the preset's mel filters go up to \(edge) Hz; at 8000 Hz they end at 4000 Hz, and are others"))
  }

  @Test("frames that are longer than their transform are told")
  func truncated() {
    let configuration = FeatureConfiguration.Preset.pythonSpeechFeatures.configuration(sampleRate: 44_100)
    #expect(configuration.warnings().first?.contains("of which the transform takes the first 512") == true)
  }

  @Test("kaldi-center has Kaldi's number of frames, (samples + hop / 2) / hop, down to none")
  func kaldiCenter() throws {
    var configuration = FeatureConfiguration.Preset.kaldi.configuration(sampleRate: 8000)
    configuration.framing = .kaldiCenter
    let extractor = try FeatureExtractor(configuration)
    for (samples, frames) in [(40, 1), (119, 1), (120, 2), (200, 3)] {
      let sound = Waveform(samples: (0..<samples).map { Float($0 % 7) / 7 }, sampleRate: 8000)
      #expect(try extractor.features(of: sound).frames == frames)
    }
    #expect(throws: FeatureError.tooShort(samples: 39, wanted: 40)) {
      try extractor.features(of: Waveform(samples: [Float](repeating: 0.5, count: 39), sampleRate: 8000))
    }
  }
}
