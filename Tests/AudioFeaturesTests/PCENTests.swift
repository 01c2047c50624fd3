import AudioFeatures
import AudioInput
import Foundation
import Testing

@Suite("Per-channel energy normalisation")
struct PCENTests {
  private struct Golden: Decodable {
    struct Run: Decodable {
      let settings: [String: Double]
      let frames: Int
      let values: [Double]
    }
    let runs: [Run]
  }

  private func configuration(_ settings: [String: Double] = [:]) -> FeatureConfiguration {
    var configuration = FeatureConfiguration.librosa(sampleRate: 8000, kind: .mel)
    configuration.inputScale = .int16
    (configuration.frameLength, configuration.fftLength, configuration.hopLength) = (256, 256, 80)
    configuration.mel.count = 20
    var pcen = FeatureConfiguration.PCEN()
    for (name, value) in settings {
      switch name {
      case "gain": pcen.gain = value
      case "bias": pcen.bias = value
      case "power": pcen.power = value
      case "time_constant": pcen.timeConstant = value
      default: pcen.epsilon = value
      }
    }
    configuration.pcen = pcen
    return configuration
  }

  @Test("agrees with librosa's", arguments: 0..<3)
  func librosa(run: Int) throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/pcen.json")
    let wanted = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: path)).runs[run]
    let features = try FeatureExtractor(configuration(wanted.settings)).features(of: Goldens.waveform("word.8000"))
    #expect(features.frames == wanted.frames && features.values.count == wanted.values.count)
    let worst = zip(features.values, wanted.values).map { abs(Double($0) - $1) / (1 + abs($1)) }.max() ?? .infinity
    #expect(worst < 2e-5, "\(worst)")
  }

  @Test("a stream gives what the whole sound gives, bit for bit")
  func stream() throws {
    let sound = noise(24_000)
    var configuration = configuration()
    configuration.sampleRate = sound.sampleRate
    #expect(
      try StreamTests.rows(configuration, sound.samples) == FeatureExtractor(configuration).features(of: sound).values)
  }

  @Test("survives its JSON form, which is as it was without it")
  func json() throws {
    var configuration = configuration(["gain": 0.5])
    #expect(try FeatureConfiguration(json: configuration.json) == configuration)
    #expect(try FeatureConfiguration(json: #"{"kind": "mel", "pcen": {"bias": 3}}"#).pcen == .init(bias: 3))
    configuration.pcen = nil
    #expect(!configuration.json.contains("pcen"))
  }

  @Test("is refused for what is no mel energy, and with numbers that cannot be")
  func refused() {
    var configuration = configuration()
    configuration.kind = .logMel
    #expect(throws: FeatureError.self) { try FeatureExtractor(configuration) }
    for settings in [["gain": -1.0], ["time_constant": 0], ["eps": 0]] {
      #expect(throws: FeatureError.self) { try FeatureExtractor(self.configuration(settings)) }
    }
  }
}

@Suite("Features that suit a sound")
struct FittingTests {
  @Test(
    "every rate from 1 kHz to 384 kHz has frames and filters, none of them empty",
    arguments: [1_000, 2_000, 4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000, 256_000, 384_000])
  func everyRate(_ rate: Int) throws {
    for seconds in [0.1, 1, 5, 60] {
      let configuration = FeatureConfiguration.fitting(sampleRate: rate, seconds: seconds)
      let features = try FeatureExtractor(configuration).features(of: noise(rate, rate: rate))
      #expect(configuration.mel.count >= 16 && configuration.mel.emptyFilters == .refused)
      #expect((20...600).contains(features.frames), "\(features.frames) frames a second")
    }
  }
}
