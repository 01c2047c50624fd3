import AudioFeatures
import AudioInput
import Foundation
import Testing

@Suite("Streams")
struct StreamTests {
  /// Blocks of all sizes, from one sample up.
  static func rows(_ configuration: FeatureConfiguration, _ samples: [Float]) throws -> [Float] {
    let stream = try FeatureStream(FeatureExtractor(configuration))
    var values: [Float] = []
    var (position, size) = (0, 1)
    while position < samples.count {
      let block = Array(samples[position..<min(samples.count, position + size)])
      if let rows = try stream.process(block.span) { values += rows.values }
      position += block.count
      size = size * 7 % 4099 + 1
    }
    if let rows = try stream.finish() { values += rows.values }
    return values
  }

  @Test(
    "a stream gives, bit for bit, what the whole sound gives, in every framing and with every slope",
    arguments: FeatureConfiguration.Framing.allCases, FeatureConfiguration.Deltas.Method.allCases)
  func equalsWhole(_ framing: FeatureConfiguration.Framing, _ method: FeatureConfiguration.Deltas.Method) throws {
    for count in [700, 1_600, 24_000, 150_001] {
      for (order, extendsEnd) in [(0, false), (1, false), (2, false), (2, true)] {
        var configuration = FeatureConfiguration.speech(sampleRate: 16_000)
        configuration.framing = framing
        configuration.deltas = .init(order: order, halfWidth: 3, method: method, extendsEnd: extendsEnd)
        let sound = noise(count)
        let whole = try FeatureExtractor(configuration).features(of: sound)
        let streamed = try StreamTests.rows(configuration, sound.samples)
        #expect(streamed == whole.values, "\(count) samples, order \(order)")
      }
    }
  }

  @Test(
    "so it does for the presets that need no second look",
    arguments: [FeatureConfiguration.Preset.kaldi, .htk, .opensmile, .pythonSpeechFeatures, .tensorflow])
  func presets(_ preset: FeatureConfiguration.Preset) throws {
    let sound = noise(20_011)
    let configuration = preset.configuration(sampleRate: 16_000)
    #expect(
      try StreamTests.rows(configuration, sound.samples) == FeatureExtractor(configuration).features(of: sound).values)
  }

  @Test("dither is the same in a stream, and the same in every run")
  func dither() throws {
    var configuration = FeatureConfiguration.kaldi()
    configuration.dither = .init(1, seed: 3)
    let sound = Waveform(samples: [Float](repeating: 0, count: 5_000), sampleRate: 16_000)
    let first = try FeatureExtractor(configuration).features(of: sound)
    #expect(try StreamTests.rows(configuration, sound.samples) == first.values)
    configuration.dither.seed = 4
    #expect(try FeatureExtractor(configuration).features(of: sound) != first)
    configuration.dither.amount = 0
    #expect(try FeatureExtractor(configuration).features(of: sound)[0].first == log(Float.ulpOfOne))
  }

  @Test("a stream refuses what depends on the whole sound; a file is read as often as it takes")
  func wholeSound() throws {
    #expect(throws: FeatureError.self) { try FeatureStream(FeatureExtractor(.librosa())) }
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../Fixtures/audio/word-stereo-44k.wav"
    ).path
    for normalization in FeatureConfiguration.Normalization.allCases {
      for rate in [16_000, 44_100] {
        var configuration = FeatureConfiguration.torchaudio(sampleRate: rate)
        configuration.deltas.order = 1
        configuration.normalization = normalization
        let extractor = try FeatureExtractor(configuration)
        var values: [Float] = []
        let (frames, duration) = try extractor.features(ofFile: path) { values += $0.values }
        let whole = try extractor.features(ofFile: path)
        #expect(values == whole.features.values)
        #expect(frames == whole.features.frames && duration == whole.duration)
      }
    }
  }

  @Test("an empty sound and a sound too short for a frame are errors in a stream, too")
  func tooShort() throws {
    for count in [0, 399] {
      #expect(throws: FeatureError.tooShort(samples: count, wanted: 400)) {
        try StreamTests.rows(.kaldi(), noise(count).samples)
      }
    }
  }
}
