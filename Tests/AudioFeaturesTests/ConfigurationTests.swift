import AudioFeatures
import AudioInput
import Foundation
import Testing

@Suite("Configurations")
struct ConfigurationTests {
  typealias Configuration = FeatureConfiguration

  @Test("what is written as JSON is read back the same", arguments: Configuration.Preset.allCases)
  func roundTrip(_ preset: Configuration.Preset) throws {
    for kind in Configuration.Kind.allCases {
      let configuration = preset.configuration(sampleRate: 11_025, kind: kind)
      #expect(try Configuration(json: configuration.json) == configuration)
    }
  }

  @Test("missing members come from the preset, at the rate that is given")
  func defaults() throws {
    #expect(try Configuration(json: "{}") == .speech(sampleRate: 16_000))
    #expect(
      try Configuration(json: #"{"preset": "kaldi", "kind": "logmel"}"#, sampleRate: 8_000)
        == .kaldi(sampleRate: 8_000, kind: .logMel))
    var wanted = Configuration.kaldi(sampleRate: 16_000)
    (wanted.frameLength, wanted.fftLength, wanted.mel.count, wanted.mel.highFrequency) = (640, 1024, 30, 7000)
    #expect(
      try Configuration(
        json: #"{"preset": "kaldi", "frameLength": "40 ms", "mel": {"count": 30, "highFrequency": 7000}}"#) == wanted)
  }

  @Test("the JSON of model files written before there were presets is still read")
  func oldFiles() throws {
    let old =
      #"{"cepstrum":{"count":13,"energy":"none","lifter":0,"lifterConvention":"htk","normalization":"orthonormal"},"deltas":{"halfWidth":2,"method":"regression","order":2},"fftLength":256,"frameLength":200,"framing":"center-reflect","hopLength":80,"inputScale":"unit","kind":"mfcc","logarithm":{"floor":1e-08,"offset":0,"reference":1,"unit":"natural"},"mel":{"count":40,"edges":"mel","lowFrequency":20,"normalization":"none","scale":"htk"},"normalization":"global","preEmphasis":{"coefficient":0.97,"scope":"signal"},"removesOffset":false,"sampleRate":8000,"usesPower":true,"window":{"isPeriodic":true,"shape":"hamming"}}"#
    #expect(try Configuration(json: old) == .speech(sampleRate: 8_000))
    let frame = try Configuration(json: #"{"preEmphasis": {"coefficient": 0.5, "scope": "frame"}}"#)
    #expect(frame.preEmphasis == .init(0.5, scope: .frame, firstSample: .repeated))
  }

  @Test(
    "unknown members and wrong values are refused by name",
    arguments: [
      (#"{"melz": {}}"#, "there is no field 'melz'"), (#"{"mel": {"counts": 3}}"#, "there is no field 'mel.counts'"),
      (#"{"mel": {"count": "many"}}"#, "'mel.count' is \"many\"; it must be a whole number"),
      (#"{"mel": {"scale": "bark"}}"#, "'mel.scale' is \"bark\"; it must be htk or slaney"),
      (#"{"mel": 3}"#, "'mel' must be an object"),
      (#"{"frameLength": "25 s"}"#, "'frameLength' is \"25 s\""),
      (#"{"usesPower": 1}"#, "'usesPower' is 1.0; it must be true or false"),
      (#"{"preset": "matlab"}"#, "'preset' is \"matlab\""), ("[]", "must be an object"), ("{", "not JSON"),
      (#"{"sampleRate": -5}"#, "a sample rate of -5 Hz"),
    ])
  func refusesJSON(_ json: String, _ reason: String) {
    do {
      _ = try Configuration(json: json)
      Issue.record("accepted \(json)")
    } catch {
      #expect(error.description.contains(reason))
    }
  }

  @Test("what cannot be computed is refused with the reason")
  func refusesImpossible() throws {
    func refused(_ reason: String, _ change: (inout Configuration) -> Void) {
      var configuration = Configuration.speech(sampleRate: 16_000)
      change(&configuration)
      do {
        _ = try FeatureExtractor(configuration)
        Issue.record("accepted, though \(reason)")
      } catch {
        #expect(error.description.contains(reason))
      }
    }
    refused("there is nothing above 8000.0 Hz") { $0.mel.highFrequency = 8001 }
    refused("a rate of nan Hz for the bins") { $0.mel.binRate = .nan }
    refused("it must be at least as long") { $0.fftLength = 256 }
    refused("of 200 covers no bin") { $0.mel.count = 200 }
    refused("300 mel filters on 257 bins") { $0.mel.count = 300 }
    refused("50 cepstra of 40 mel filters") { $0.cepstrum.count = 50 }
    refused("mel filters from 5000.0 Hz to 4000.0 Hz") { ($0.mel.lowFrequency, $0.mel.highFrequency) = (5000, 4000) }
    refused("one must be positive") { $0.logarithm.floor = 0 }
    refused("a dither of -1.0") { $0.dither.amount = -1 }
    refused("an energy floor of 0.0") { $0.cepstrum.energyFloor = 0 }
    refused("deltas of order 3") { $0.deltas.order = 3 }
  }

  /// Each convention alone must change the features of a sound.
  static let changes: [(String, @Sendable (inout Configuration) -> Void)] = [
    ("inputScale", { $0.inputScale = .int16 }), ("dither", { $0.dither.amount = 1e-3 }),
    ("frameLength", { $0.frameLength = 390 }),
    ("hopLength", { $0.hopLength = 150 }), ("fftLength", { $0.fftLength = 1024 }),
    (
      "truncatesFrames",
      {
        $0.frameLength = 600
        $0.truncatesFrames = true
      }
    ),
    ("center-zero", { $0.framing = .centerZero }), ("snip-edges", { $0.framing = .snipEdges }),
    ("pad-end", { $0.framing = .padEnd }),
    ("kaldi-center", { $0.framing = .kaldiCenter }), ("removesOffset", { $0.removesOffset = true }),
    ("pre-emphasis", { $0.preEmphasis.coefficient = 0.9 }), ("pre-emphasis scope", { $0.preEmphasis.scope = .frame }),
    ("first sample", { $0.preEmphasis.firstSample = .repeated }), ("hann", { $0.window.shape = .hann }),
    ("povey", { $0.window.shape = .povey }), ("blackman", { $0.window.shape = .blackman }),
    ("rectangular", { $0.window.shape = .rectangular }),
    ("isPeriodic", { $0.window.isPeriodic = false }), ("usesPower", { $0.usesPower = false }),
    ("spectrum by length", { $0.spectrumNormalization = .length }),
    ("spectrum by window", { $0.spectrumNormalization = .window }),
    ("mel count", { $0.mel.count = 30 }), ("low", { $0.mel.lowFrequency = 100 }),
    ("high", { $0.mel.highFrequency = 7000 }),
    ("limits", { $0.mel.roundsLimits = true }), ("bin rate", { $0.mel.binRate = 16_100 }),
    ("slaney scale", { $0.mel.scale = .slaney }), ("edges in Hz", { $0.mel.edges = .hertz }),
    ("edges in bins", { $0.mel.edges = .bins }),
    ("area", { $0.mel.normalization = .slaney }), ("decimal", { $0.logarithm.unit = .decimal }),
    ("decibels", { $0.logarithm.unit = .decibels }),
    ("floor", { $0.logarithm.floor = 1 }), ("offset", { $0.logarithm.offset = 1e-3 }),
    ("range", { $0.logarithm.range = 1 }),
    (
      "reference",
      {
        $0.logarithm.unit = .decibels
        $0.logarithm.reference = 2
      }
    ),
    ("count", { $0.cepstrum.count = 12 }), ("dct htk", { $0.cepstrum.normalization = .htk }),
    ("dct none", { $0.cepstrum.normalization = .none }),
    ("lifter", { $0.cepstrum.lifter = 22 }),
    (
      "lifter of librosa",
      {
        $0.cepstrum.lifter = 22
        $0.cepstrum.lifterConvention = .librosa
      }
    ),
    ("raw energy", { $0.cepstrum.energy = .raw }), ("windowed energy", { $0.cepstrum.energy = .windowed }),
    ("energy of the spectrum", { $0.cepstrum.energy = .spectrum }),
    (
      "energy floor",
      {
        $0.cepstrum.energy = .raw
        $0.cepstrum.energyFloor = 1e6
      }
    ),
    ("zeroth last", { $0.cepstrum.zerothPosition = .last }), ("order", { $0.deltas.order = 1 }),
    ("half width", { $0.deltas.halfWidth = 3 }),
    ("savitzky-golay", { $0.deltas.method = .savitzkyGolay }),
    ("extends the end", { $0.deltas.extendsEnd = true }),
    ("utterance mean", { $0.normalization = .utteranceMean }),
    ("utterance variance", { $0.normalization = .utteranceMeanVariance }),
  ]

  @Test("no convention is without effect, and no two have the same")
  func everyFieldMatters() throws {
    let sound = noise(5_000)
    let base = try FeatureExtractor(.speech(sampleRate: 16_000)).features(of: sound)
    var seen: [FeatureMatrix] = [base]
    for (name, change) in ConfigurationTests.changes {
      var configuration = Configuration.speech(sampleRate: 16_000)
      change(&configuration)
      let features = try FeatureExtractor(configuration).features(of: sound)
      #expect(!seen.contains(features), "\(name)")
      #expect(!features.values.contains { !$0.isFinite }, "\(name)")
      seen.append(features)
    }
  }

  @Test("filters by the million, and features that memory has no room for, are refused before they are made")
  func tooMuch() throws {
    var configuration = Configuration.speech(sampleRate: 16_000, kind: .logMel)
    (configuration.fftLength, configuration.mel.count, configuration.mel.emptyFilters) = (1 << 20, 60_000, .zero)
    #expect(throws: FeatureError.self) { try configuration.validate() }
    configuration.mel.count = 32
    #expect(throws: FeatureError.self) { try configuration.validate() }
    configuration.mel.count = 31
    #expect(throws: Never.self) { try configuration.validate() }

    configuration = Configuration.speech(sampleRate: 16_000, kind: .spectrogram)
    (configuration.deltas.order, configuration.fftLength, configuration.hopLength) = (0, 1 << 16, 1)
    let extractor = try FeatureExtractor(configuration)
    let sound = Waveform(samples: Array(repeating: 0, count: 10_000), sampleRate: 16_000)
    let error = #expect(throws: FeatureError.self) { try extractor.features(of: sound) }
    #expect(error?.description.contains("of 32769 coefficients or more are too much to hold in memory") == true)
  }
}
