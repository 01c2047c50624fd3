import Auricle
import AuricleBase
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite("Finding events in sound")
struct SoundDetectorTests {
  /// Spoken digits with quiet noise between them, at 16 kHz, and where each begins.
  private func stream(_ digits: [String], gap: Double = 0.8) throws -> (waveform: Waveform, starts: [Double]) {
    var generator = SeededGenerator(seed: 5)
    var samples: [Float] = []
    var starts: [Double] = []
    func rest() { for _ in 0..<Int(gap * 16_000) { samples.append(Float(1e-4 * generator.normal())) } }
    for digit in digits {
      rest()
      starts.append(Double(samples.count) / 16_000)
      samples += try Waveform(contentsOf: fixture("digits/\(digit).wav"), sampleRate: 16_000).samples
    }
    rest()
    return (Waveform(samples: samples, sampleRate: 16_000), starts)
  }

  private let digits = ["1_en-linda_0", "7_en-us-f1_0", "3_flite-slt_1", "9_en-rp-m5_0", "0_en-linda_1"]

  /// A file of 32-bit float samples, which is read back exactly.
  private func file(_ waveform: Waveform) throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString).raw"
    try FileAccess.writeAtomically(waveform.samples.withUnsafeBytes { Array($0) }, to: path)
    return path
  }

  private func random(
    _ features: FeatureConfiguration, _ layers: [Layer], labels: Int = 3
  ) throws -> SoundClassifier {
    let network = try NetworkConfiguration(input: features.coefficientCount, layers + [.dense(labels)])
    let layout = ParameterLayout(network)
    let normalizer = try FeatureNormalizer(
      mean: Array(repeating: 0.5, count: features.coefficientCount),
      standardDeviation: Array(repeating: 2, count: features.coefficientCount))
    return try SoundClassifier(
      ClassifierEnsemble(
        SequenceClassifier(
          configuration: network, features: features, labels: (0..<labels).map { "class \($0)" },
          normalizer: features.normalization == .global ? normalizer : nil,
          parameters: layout.initialParameters(seed: 4).map { 3 * $0 })))
  }

  /// Scores and events of a live detector that is fed pieces of random sizes.
  private func heard(
    _ detector: SoundDetector, _ waveform: Waveform, seed: UInt64
  ) throws -> (scores: [HopScores], events: [SoundEvent]) {
    var generator = SeededGenerator(seed: seed)
    var live = try detector.live(sampleRate: waveform.sampleRate)
    var (scores, events, place): ([HopScores], [SoundEvent], Int) = ([], [], 0)
    while place < waveform.samples.count {
      let end = min(place + Int.random(in: 0...9_000, using: &generator), waveform.samples.count)
      events += try live.append(Array(waveform.samples[place..<end])) { scores.append($0) }
      place = end
    }
    events += try live.finish { scores.append($0) }
    return (scores, events)
  }

  @Test("a detector finds the digits where they are spoken")
  func finds() throws {
    let (waveform, starts) = try stream(digits)
    let detector = try SoundDetector(
      SoundClassifier(), window: 0.7, hop: 0.1, events: .init(threshold: .init(on: 0.9, off: 0.5), minimumDuration: 0.2)
    )
    let events = try heard(detector, waveform, seed: 1).events
    for (digit, start) in zip(digits, starts) {
      #expect(
        events.contains { $0.label == String(digit.prefix(1)) && abs($0.start - start) < 0.5 }, "\(digit) at \(start)")
    }
  }

  @Test(
    "pieces, cores and the whole give the same scores and events, bit for bit",
    arguments: [
      "the bundled model", "windows", "normalised over the utterance", "a logarithm's range", "shared", "running",
      "running, the final state",
    ], [16_000, 11_025])
  func pieces(kind: String, rate: Int) async throws {
    var waveform = try stream(digits).waveform
    waveform.samples = try Resampler.resample(waveform.samples, from: 16_000, to: rate)
    waveform.sampleRate = rate
    let gru: [Layer] = [.recurrent(.gru, units: 12)]
    var features = FeatureConfiguration.kaldi(sampleRate: 16_000)
    let classifier: SoundClassifier
    switch kind {
    case "windows":
      features.normalization = .global
      classifier = try random(features, [.recurrent(.gru, units: 9, directions: 2), .pooling(.attention())])
    case "normalised over the utterance":
      features.normalization = .utteranceMeanVariance
      classifier = try random(features, gru + [.pooling(.max)])
    case "a logarithm's range":
      classifier = try random(.librosa(sampleRate: 16_000), gru + [.pooling(.mean)])
    case "running", "shared":
      features.normalization = .global
      classifier = try random(
        features,
        [.convolution(filters: 8, frames: 5), .maxPooling(frames: 3)] + gru
          + [.recurrent(.gru, units: 6, directions: 2), .pooling(.attention())])
    case "running, the final state": classifier = try random(features, gru + [.pooling(.last)])
    default: classifier = try SoundClassifier()
    }
    let detector = try SoundDetector(
      classifier, window: 0.63, hop: 0.11, overlap: kind.hasPrefix("running") ? .running : nil,
      events: .init(smoothing: .median, smoothingHops: 3, threshold: .init(on: 0.4)))
    #expect(
      detector.overlap == (kind.hasPrefix("running") ? .running : kind == "shared" ? .shared : .separate))
    let whole = try heard(detector, waveform, seed: 1)
    let path = try file(waveform)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let span = SoundSpan(path, raw: RawFormat(.f32le, sampleRate: rate, channels: 1))

    // A hop lies beside the next, from the beginning to the end.
    #expect(whole.scores.first?.start == 0)
    #expect(zip(whole.scores, whole.scores.dropFirst()).allSatisfy { $0.end == $1.start })
    #expect(abs((whole.scores.last?.end ?? 0) - waveform.duration) < 1e-3)
    #expect(whole.scores.count > 30 && Set(whole.scores.map(\.scores)).count > 30)
    let again = try heard(detector, waveform, seed: 2)
    #expect(again.scores == whole.scores && again.events == whole.events)
    for jobs in [1, 3] {
      var (scores, events): ([HopScores], [SoundEvent]) = ([], [])
      let summary = try await detector.detect(
        in: span, jobs: jobs, scores: { scores.append($0) }, each: { events.append($0) })
      #expect(scores == whole.scores && abs(summary.duration - waveform.duration) < 1e-3)
      #expect(events == whole.events.map { $0.located(in: path) })
    }
    var events: [SoundEvent] = []
    for try await event in detector.events(in: span) { events.append(event) }
    #expect(events == whole.events.map { $0.located(in: path) })
  }

  @Test("a sound no longer than a window has the scores that classifying it gives", arguments: [0.3, 1])
  func short(seconds: Double) throws {
    let classifier = try SoundClassifier()
    let waveform = try Waveform(contentsOf: fixture("seven.wav"), sampleRate: 16_000)
    let start = Waveform(samples: Array(waveform.samples.prefix(Int(seconds * 16_000))), sampleRate: 16_000)
    let scores = try heard(SoundDetector(classifier, window: 1, hop: 0.25), start, seed: 1).scores
    #expect(scores.count == 1 && scores[0].start == 0)
    #expect(try scores[0].scores == classifier.classify(start).probabilities.map(\.probability))
  }

  @Test("every window has the scores that its features have by themselves, at the time of its middle")
  func windows() throws {
    let waveform = try stream(digits).waveform
    let classifier = try random(
      .kaldi(sampleRate: 16_000, kind: .logMel), [.recurrent(.gru, units: 7), .pooling(.mean)])
    // Without deltas and padding, a window's features are those of its samples.
    let detector = try SoundDetector(classifier, window: 0.5, hop: 0.2)
    let scores = try heard(detector, waveform, seed: 1).scores
    let extractor = try FeatureExtractor(classifier.model.features)
    for hop in [0, 1, 7] {
      let samples = waveform.samples[hop * 3_200..<hop * 3_200 + 8_000]
      let features = try extractor.features(of: Waveform(samples: Array(samples), sampleRate: 16_000))
      #expect(try scores[hop].scores == classifier.model.probabilities(of: [features])[0])
      #expect(abs(scores[hop].end - (Double(hop) * 0.2 + 0.35)) < 1e-9)
    }
  }

  @Test("events in a span of a file have the file's times")
  func span() async throws {
    let (waveform, starts) = try stream(digits)
    let path = try file(waveform)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let detector = try SoundDetector(SoundClassifier(), window: 0.7, hop: 0.1)
    let raw = RawFormat(.f32le, sampleRate: 16_000, channels: 1)
    let from = starts[2] - 0.3
    var scores: [HopScores] = []
    _ = try await detector.detect(
      in: SoundSpan(path, seconds: from..<from + 2, raw: raw), scores: { scores.append($0) }, each: { _ in })
    #expect(scores.first?.start == from && abs((scores.last?.end ?? 0) - (from + 2)) < 1e-9)
    #expect(scores.contains { $0.scores[3] > 0.9 && $0.start > starts[2] - 0.3 && $0.end < starts[2] + 1 })
  }

  @Test("an event is known with the row after its last one, while the sound goes on")
  func asSoonAsKnown() throws {
    let (waveform, _) = try stream(Array(digits.prefix(2)), gap: 2)
    let detector = try SoundDetector(SoundClassifier(), window: 0.7, hop: 0.1, events: .init(threshold: .init(on: 0.9)))
    var live = try detector.live(sampleRate: 16_000)
    var count = 0
    for start in stride(from: 0, to: waveform.samples.count, by: 160) {
      let block = Array(waveform.samples[start..<min(start + 160, waveform.samples.count)])
      for event in try live.append(block) {
        // The next row's window ends half a window after that row's middle; deltas look a few frames further ahead.
        let known = event.end + detector.hop / 2 + detector.window / 2
        #expect(live.duration >= known && live.duration < known + 0.1)
        count += 1
      }
    }
    #expect(count > 0)
  }

  @Test("settings that cannot be are refused")
  func settings() throws {
    let classifier = try SoundClassifier()
    for (window, hop) in [
      (0.0, 0.1), (.nan, 0.1), (1e9, 1), (1, 0), (1, 2), (1, 0.001), (.infinity, 1),
    ] {
      #expect(throws: DetectionError.self) { try SoundDetector(classifier, window: window, hop: hop) }
    }
    #expect(throws: DetectionError.self) {
      try SoundDetector(classifier, events: .init(ignoredLabels: ["no such label"]))
    }
    #expect(throws: (any Error).self, "a network that looks at the whole") {
      try SoundDetector(classifier, overlap: .running)
    }
    let framed = try random(.kaldi(sampleRate: 16_000), [.recurrent(.gru, units: 4), .pooling(.mean)])
    #expect(throws: DetectionError.self, "a window without a frame") {
      try SoundDetector(framed, window: 0.02, hop: 0.01)
    }
    let pooled = try random(.kaldi(sampleRate: 16_000), [.pooling(.mean)])
    #expect(throws: DetectionError.self, "nothing can run on") { try SoundDetector(pooled, overlap: .running) }
    let short = try SoundClassifier(ClassifierEnsemble(members: framed.model.members, window: 20))
    #expect(throws: DetectionError.self, "windows that the model never hears") {
      try SoundDetector(short, window: 0.5, overlap: .running)
    }
    #expect(throws: DetectionError.self) { try SoundDetector(framed, window: 0.5, hop: 0.6, overlap: .running) }
  }

  @Test(
    "a running network answers as its windows would where they remember and see no more",
    arguments: [
      // Framewise layers before a bidirectional one: nothing differs.
      ([.dense(9, .tanh), .recurrent(.gru, units: 6, directions: 2), .pooling(.attention(heads: 2))], 0),
      // Filters see a frame beyond each end of a window.
      ([.convolution(filters: 8, frames: 3), .pooling(.mean)], 0.1),
      // Rows that stand for three frames.
      ([.maxPooling(frames: 3), .pooling(.max)], 0.02),
    ] as [([Layer], Float)])
  func running(layers: [Layer], tolerance: Float) throws {
    let waveform = try stream(digits).waveform
    let classifier = try random(.kaldi(sampleRate: 16_000, kind: .logMel), layers)
    func scores(_ overlap: SoundDetector.Overlap) throws -> [HopScores] {
      try heard(SoundDetector(classifier, window: 0.625, hop: 0.12, overlap: overlap), waveform, seed: 1).scores
    }
    let (windows, running) = (try scores(.separate), try scores(.running))
    #expect(windows.map(\.end) == running.map(\.end))
    let differences = zip(windows, running).flatMap { zip($0.scores, $1.scores).map { abs($0 - $1) } }
    #expect((differences.max() ?? 1) <= tolerance)
    // A sound no longer than a window has the same answer, whatever the layers.
    var short = waveform
    short.samples.removeSubrange(9_000...)
    let (one, whole) = (
      try heard(SoundDetector(classifier, window: 0.625, overlap: .running), short, seed: 1).scores,
      try classifier.model.probabilities(of: [FeatureExtractor(classifier.model.features).features(of: short)])[0]
    )
    #expect(one.count == 1 && zip(one[0].scores, whole).allSatisfy { abs($0 - $1) <= 1e-6 })
  }

  @Test("a file that cannot be read ends the sequence with an error that names it")
  func badFile() async throws {
    let path = fixture("audio/text.wav")
    let error = await #expect(throws: AudioError.self) {
      for try await _ in try SoundClassifier().events(in: path) {}
    }
    #expect(error?.description.contains("text.wav") == true)
    let frame = FeatureConfiguration.kaldi(sampleRate: 16_000).frameLength
    let tooShort = try file(Waveform(samples: [Float](repeating: 0, count: frame - 1), sampleRate: 16_000))
    defer { try? FileManager.default.removeItem(atPath: tooShort) }
    let classifier = try random(.kaldi(sampleRate: 16_000), [.recurrent(.gru, units: 4), .pooling(.mean)])
    let span = SoundSpan(tooShort, raw: RawFormat(.f32le, sampleRate: 16_000, channels: 1))
    let short = await #expect(throws: FeatureError.self) {
      for try await _ in try SoundDetector(classifier).events(in: span) {}
    }
    #expect(short?.description.hasPrefix(tooShort) == true)
  }
}
