import Auricle
import RealModule
import Testing

/// The path of a file of Fixtures.
func fixture(_ name: String) -> String {
  #filePath.replacing("Tests/AuricleTests/SoundClassifierTests.swift", with: "Fixtures/\(name)")
}

@Suite("Classifying sound")
struct SoundClassifierTests {
  @Test("the bundled model hears a seven, spoken by a voice it has never heard")
  func seven() throws {
    let prediction = try SoundClassifier().classify(fixture("seven.wav"))
    #expect(prediction.label == "7")
    #expect(prediction.probabilities.count == 11)
    #expect(abs(prediction.probabilities.reduce(0) { $0 + Double($1.probability) } - 1) < 1e-6)
    #expect(prediction.probability == prediction.probabilities.map(\.probability).max())
  }

  @Test(
    "the bundled model hears no digit in digital silence, in noise or in a tone",
    arguments: ["silence", "noise", "tone"])
  func background(kind: String) throws {
    var generator = SeededGenerator(seed: 1)
    let samples = (0..<16_000).map { i in
      switch kind {
      case "noise": Float(0.2 * (generator.uniform() - 0.5))
      case "tone": Float(0.5 * Double.sin(2 * Double.pi * 440 * Double(i) / 16_000))
      default: Float(0)
      }
    }
    let answer = try SoundClassifier().classify(Waveform(samples: samples, sampleRate: 16_000))
    #expect(answer.label == "_background_" && answer.probability > 0.9)
  }

  @Test(
    "the same word in any format gives the same label",
    arguments: [
      "word.wav", "word.flac", "word.aiff", "word.caf", "word.w64", "word.rf64", "word.au", "word-24-bit.wav",
      "word-float.wav", "word-a-law.wav", "word-mu-law.wav", "word-8k.wav", "word-stereo-44k.wav", "word.ogg",
      "word.opus", "word.mp3",
    ])
  func formats(name: String) throws {
    let prediction = try SoundClassifier().classify(fixture("audio/\(name)"))
    let reference = try SoundClassifier().classify(fixture("audio/word.wav"))
    #expect(prediction.label == reference.label)
    #expect(abs(prediction.duration - reference.duration) < 0.1)
  }

  @Test("sound in memory gives what its file gives, at any sample rate")
  func memory() throws {
    let classifier = try SoundClassifier()
    let waveform = try Waveform(contentsOf: fixture("seven.wav"))
    #expect(try waveform.sampleRate != classifier.model.features.sampleRate)
    #expect(try classifier.classify(waveform).probabilities == classifier.classify(fixture("seven.wav")).probabilities)
  }

  @Test("one bad file among many stops nothing, and the order is that of the files")
  func badFile() async throws {
    let names = ["seven.wav", "audio/text.wav", "audio/word.flac", "audio/empty.wav", "audio/missing.wav"]
    let examples = names.map { Example(path: fixture($0), label: "7") }
    for jobs in [1, 2] {
      var predictions: [Prediction] = []
      try await SoundClassifier().classify(examples, jobs: jobs) { predictions.append($0) }
      #expect(predictions.map(\.path) == examples.map(\.path))
      #expect(predictions.map { $0.error == nil } == [true, false, true, false, false])
      #expect(predictions[0].label == "7" && predictions[1].label == nil)
    }
  }

  @Test("where the network overflows, the error names the file and the stage")
  func overflow() throws {
    var bytes = try SoundClassifier().model.fileBytes()
    let header = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    for start in stride(from: 8 + header, to: bytes.count, by: 4) {
      for byte in 0..<4 { bytes[start + byte] = UInt8(truncatingIfNeeded: Float(3e38).bitPattern >> (8 * byte)) }
    }
    let classifier = try SoundClassifier(ClassifierEnsemble(bytes: bytes, path: "huge"))
    let prediction = classifier.prediction(of: Example(SoundSpan(fixture("seven.wav")), labels: []))
    #expect(prediction.label == nil && prediction.stage == "model")
    #expect(prediction.error == "\(fixture("seven.wav")): \(ModelError.overflow)")
  }

  @Test("a model survives its file: the same bytes, the same answers")
  func roundTrip() throws {
    let classifier = try SoundClassifier()
    let bytes = try classifier.model.fileBytes()
    let copy = try SoundClassifier(ClassifierEnsemble(bytes: bytes, path: "copy"))
    #expect(try copy.model.fileBytes() == bytes)
    #expect(
      try copy.classify(fixture("seven.wav")).probabilities
        == classifier.classify(fixture("seven.wav")).probabilities)
  }

  @Test("a file that is no model is refused, naming it", arguments: ["seven.wav", "audio/text.wav", "audio/empty.wav"])
  func notAModel(name: String) {
    #expect { try SoundClassifier(contentsOf: fixture(name)) } throws: { error in
      "\(error)".contains(name) && !"\(error)".contains("\n")
    }
  }

  @Test("a model file cut anywhere is refused")
  func cutModel() throws {
    let bytes = try SoundClassifier().model.fileBytes()
    for length in [0, 1, 7, 8, 9, 100, 5000, bytes.count / 2, bytes.count - 1] {
      #expect(throws: ModelError.self) {
        try ClassifierEnsemble(bytes: Array(bytes[..<length]), path: "cut")
      }
    }
  }
}
