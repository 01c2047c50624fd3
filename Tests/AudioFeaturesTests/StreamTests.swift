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

  /// Rows that no continuation of the first `count` samples changes: those that the sound has if it ends there, if it goes
  /// on one way, and if it goes on another.
  static func settled(_ extractor: FeatureExtractor, _ samples: [Float], _ count: Int) throws -> Int {
    let width = extractor.configuration.coefficientCount
    let heard = Array(samples[..<count])
    let futures = [heard, samples, heard + noise(samples.count - count, seed: 9).samples].compactMap {
      try? extractor.features(of: Waveform(samples: $0, sampleRate: extractor.configuration.sampleRate)).values
    }
    guard futures.count == 3 else { return 0 }
    let alike = zip(zip(futures[0], futures[1]), futures[2]).prefix { $0.0 == $0.1 && $0.1 == $1 }.count
    return alike / width
  }

  @Test(
    "a stream that is fed 10 ms at a time gives each row as soon as nothing can change it any more",
    arguments: FeatureConfiguration.Framing.allCases,
    [
      FeatureConfiguration.Deltas(order: 0), .init(order: 1, halfWidth: 2), .init(order: 2, halfWidth: 2),
      .init(order: 2, halfWidth: 3, extendsEnd: true), .init(order: 2, halfWidth: 4, method: .savitzkyGolay),
    ])
  func prompt(_ framing: FeatureConfiguration.Framing, _ deltas: FeatureConfiguration.Deltas) throws {
    for (frame, hop, fft) in [(400, 160, 512), (160, 400, 256), (400, 160, 256)] {
      var configuration = FeatureConfiguration.speech(sampleRate: 16_000)
      (configuration.frameLength, configuration.hopLength, configuration.fftLength) = (frame, hop, fft)
      configuration.truncatesFrames = fft < frame
      configuration.window = .init(.rectangular, isPeriodic: false)
      (configuration.framing, configuration.deltas) = (framing, deltas)
      let extractor = try FeatureExtractor(configuration)
      let sound = noise(8_000)
      let stream = try FeatureStream(extractor)
      var rows = 0
      for start in stride(from: 0, to: 6_400, by: 160) {
        rows += try stream.process(Array(sound.samples[start..<start + 160]).span)?.frames ?? 0
        #expect(
          try rows == StreamTests.settled(extractor, sound.samples, start + 160),
          "after \(start + 160) samples, frames of \(frame) every \(hop)")
      }
    }
  }

  @Test(
    "the last row after n blocks of 10 ms, frames of 25 ms: its own window, then those of the slopes",
    arguments: [
      // The frame that ends at or before the last sample; two rows less for the slopes, four for the slopes' slopes.
      (FeatureConfiguration.Framing.snipEdges, 0, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
      (.snipEdges, 1, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]),
      (.snipEdges, 2, [0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
      // Centred on every tenth millisecond, so that half a frame comes after.
      (.centerZero, 0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
      (.centerReflect, 2, [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]),
    ])
  func latency(_ framing: FeatureConfiguration.Framing, order: Int, wanted: [Int]) throws {
    var configuration = FeatureConfiguration.speech(sampleRate: 16_000)
    (configuration.frameLength, configuration.hopLength, configuration.fftLength) = (400, 160, 512)
    (configuration.framing, configuration.deltas) = (framing, .init(order: order, halfWidth: 2))
    let stream = try FeatureStream(FeatureExtractor(configuration))
    var rows = 0
    let found = try (0..<10).map { block in
      rows += try stream.process(noise(160, seed: UInt64(block)).samples.span)?.frames ?? 0
      return rows
    }
    #expect(found == wanted)
  }
}
