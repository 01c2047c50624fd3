import Auricle
import AuricleBase
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite("Training examples from annotated recordings")
struct AnnotatedRecordingsTests {
  private func event(_ start: Double, _ end: Double, _ label: String) throws -> SoundEvent {
    try SoundEvent(start: start, end: end, label: label)
  }

  private func recordings() throws -> AnnotatedRecordings {
    AnnotatedRecordings([
      .init(
        path: "day.wav", duration: 300,
        events: try (0..<20).map { try event(10 * Double($0) + 1, 10 * Double($0) + 1.8, $0 % 2 == 0 ? "a" : "b") }
          + [event(250, 258, "long")])
    ])
  }

  @Test("windows hold their event, background touches none, and all are as long")
  func windows() throws {
    let recordings = try recordings()
    let dataset = recordings.dataset(TrainingWindows(seconds: 1), seed: 3)
    #expect(dataset.labels == ["_background_", "a", "b", "long"])
    let counts = Dictionary(grouping: dataset.examples, by: \.label).mapValues(\.count)
    // Two a short event (one where both fall together), one every half second of 8, and half as many from between.
    let short = [counts["a"] ?? 0, counts["b"] ?? 0]
    #expect(short.allSatisfy { (15...20).contains($0) } && counts["long"] == 15)
    #expect(counts["_background_"] == Int((0.5 * Double(short[0] + short[1] + 15)).rounded()))
    for example in dataset.examples {
      let seconds = try #require(example.sound.seconds)
      #expect(abs(seconds.upperBound - seconds.lowerBound - 1) < 1e-9)
      let touching = recordings.recordings[0].events.filter {
        $0.start < seconds.upperBound && $0.end > seconds.lowerBound
      }
      if example.label == "_background_" {
        #expect(touching.isEmpty, "\(seconds)")
      } else {
        #expect(touching.map(\.label) == [example.label])
        let event = try #require(touching.first)
        let held = min(event.end, seconds.upperBound) - max(event.start, seconds.lowerBound)
        #expect(held > min(event.duration, 1) - 2e-3)
      }
      #expect(example.fields["group"] == "day.wav#\(Int(seconds.lowerBound / 60))")
    }
    #expect(recordings.dataset(TrainingWindows(seconds: 1), seed: 3).examples == dataset.examples)
    #expect(recordings.dataset(TrainingWindows(seconds: 1), seed: 4).examples != dataset.examples)
  }

  @Test("a window holds nine of ten events whole")
  func length() throws {
    #expect(try TrainingWindows.length(for: recordings()) == 0.8)
    let steps = try (1...10).map { try event(20 * Double($0), 20 * Double($0) + Double($0), "a") }
    #expect(TrainingWindows.length(for: AnnotatedRecordings([.init(path: "a", duration: 300, events: steps)])) == 10)
    #expect(TrainingWindows.length(for: AnnotatedRecordings([])) == 1)
  }

  @Test("windows at the ends of a recording, and a recording shorter than a window")
  func ends() throws {
    let events = try [event(0, 0.2, "a"), event(9.9, 12, "b")]
    let dataset = AnnotatedRecordings([.init(path: "x", duration: 10, events: events)])
      .dataset(TrainingWindows(seconds: 1), seed: 1)
    for example in dataset.examples {
      let seconds = try #require(example.sound.seconds)
      #expect(seconds.lowerBound >= 0 && seconds.upperBound <= 10)
    }
    let short = AnnotatedRecordings([.init(path: "x", duration: 0.4, events: try [event(0.1, 0.2, "a")])])
      .dataset(TrainingWindows(seconds: 1), seed: 1)
    #expect(short.examples.map(\.sound.seconds) == [0..<0.4])
  }

  @Test("a window that another label's event shares is left out, but for the one around the event")
  func shared() throws {
    let events = try [event(5, 5.4, "a"), event(5.4, 6.4, "b")]
    var windows = TrainingWindows(seconds: 1)
    windows.perEvent = 50
    let dataset = AnnotatedRecordings([.init(path: "x", duration: 10, events: events)]).dataset(windows, seed: 1)
    let ofA = dataset.examples.filter { $0.label == "a" }.compactMap(\.sound.seconds)
    #expect(ofA.count > 1 && ofA.dropFirst().allSatisfy { $0.upperBound - 5.4 <= 0.25 })
  }

  @Test("negatives are spread over all of the sound, and the last are for validation where there is a split")
  func negatives() throws {
    let noise = AnnotatedRecordings([.init(path: "n", duration: 100, events: [])])
    let clips = Dataset(
      examples: ["a", "b"].map { Example(path: $0, label: $0, split: $0 == "a" ? .training : .validation) }, source: "")
    let all = noise.adding(negatives: 20, to: clips, TrainingWindows(seconds: 1)).examples.dropFirst(2)
    #expect(all.count == 20 && all.allSatisfy { $0.label == "_background_" })
    #expect(all.map(\.split) == Array(repeating: .training, count: 18) + [.validation, .validation])
    let starts = all.compactMap { $0.sound.seconds?.lowerBound }
    #expect(starts == starts.sorted() && (starts.last ?? 0) > 90)
    #expect(noise.adding(negatives: 1000, to: clips, TrainingWindows(seconds: 1)).examples.count == 2 + 199)
  }

  @Test(
    "annotations of every kind find their sounds",
    arguments: [
      ("one.txt", "0.1\t0.2\tx\n"), ("one.selections.txt", nil),
      ("all.csv", "file,start,end,label\none.wav,0.1,0.2,x\n"),
      ("all.csv", "file,start,end,label\nelsewhere/one.flac,0.1,0.2,x\n"),
      ("one.TextGrid", nil), ("all.rttm", "SPEAKER one 1 0.1 0.1 <NA> <NA> x <NA> <NA>\n"),
      ("all.tsv", "filename\tonset\toffset\tevent_label\none.wav\t0.1\t0.2\tx\n"),
    ])
  func formats(name: String, text: String?) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)"
    try FileAccess.makeFolder(folder + "/sounds")
    try FileAccess.makeFolder(folder + "/labels")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for sound in ["one", "one.more"] {
      try FileAccess.writeAtomically(
        FileAccess.read(fixture("digits/1_en-linda_0.wav")), to: "\(folder)/sounds/\(sound).wav")
    }
    let event = try SoundEvent(start: 0.1, end: 0.2, label: "x")
    let path = "\(folder)/labels/\(name)"
    if let text {
      try FileAccess.writeAtomically(text, to: path)
    } else {
      try #require(AnnotationFormat(name: name)).write([event], to: path)
    }
    for annotations in [path, folder + "/labels"] {
      let found = try AnnotatedRecordings(sounds: [folder + "/sounds"], annotations: [annotations])
      #expect(found.recordings.map(\.path) == ["\(folder)/sounds/one.wav"])
      let span = try #require(found.recordings.first?.events.first)
      #expect(span.label == "x" && abs(span.start - 0.1) < 1e-6 && abs(span.end - 0.2) < 1e-6)
      #expect(abs((found.recordings.first?.duration ?? 0) - 0.5) < 0.5)
      #expect(found.withoutAnnotations == ["\(folder)/sounds/one.more.wav"])
    }
    try FileAccess.writeAtomically("0.1\t0.2\tx\n", to: "\(folder)/other.txt")
    #expect(throws: DetectionError.unknownSound("other", annotations: "\(folder)/other.txt", candidates: [])) {
      try AnnotatedRecordings(sounds: [folder + "/sounds"], annotations: ["\(folder)/other.txt"])
    }
    try FileAccess.writeAtomically("99\t100\tx\n", to: "\(folder)/one.txt")
    #expect(throws: DetectionError.self) {
      try AnnotatedRecordings(sounds: [folder + "/sounds"], annotations: ["\(folder)/one.txt"])
    }
  }
}

@Suite("What a model says of how it detects")
struct DetectionSettingsTests {
  @Test("settings are kept in the model's file, and are what a detector does")
  func kept() throws {
    var model = try SoundClassifier().model
    let plain = try model.fileBytes()
    let events = try EventDetector.Configuration(
      smoothing: .median, smoothingHops: 3, thresholds: ["7": .init(on: 0.9, off: 0.4)], ignoredLabels: ["0"])
    let settings = DetectionSettings(window: 0.7, hop: 0.1, events: events, falseAlarmsPerHour: 2)
    try model.setDetectionSettings(settings)
    let read = try ClassifierEnsemble(bytes: model.fileBytes(), path: "memory")
    #expect(try read.detectionSettings() == settings)
    let detector = try SoundDetector(SoundClassifier(read))
    #expect(detector.window == 0.7 && detector.hop == 0.1 && detector.events == events)
    let others = try EventDetector.Configuration()
    let other = try SoundDetector(SoundClassifier(read), window: 2, events: others)
    #expect(other.window == 2 && other.hop == 0.1 && other.events == others)
    #expect(try SoundClassifier().model.fileBytes() == plain)
  }

  @Test("settings of classes that the model does not know are refused")
  func unknown() throws {
    var model = try SoundClassifier().model
    let before = try model.detectionSettings()
    #expect(throws: DetectionError.self) {
      try model.setDetectionSettings(DetectionSettings(events: .init(thresholds: ["dog": .init(on: 0.5)])))
    }
    #expect(try model.detectionSettings() == before)
  }
}
