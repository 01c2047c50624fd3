import Auricle
import Testing

@Suite("What README shows")
struct ReadmeTests {
  @Test("three lines say what is heard, without an optional")
  func threeLines() throws {
    let file = #filePath.replacing("Tests/AuricleTests/ReadmeTests.swift", with: "Fixtures/seven.wav")
    // As in README, with the bundled model.
    let classifier = try SoundClassifier()
    let answer = try classifier.classify(file)
    let (label, probability): (String, Float) = (answer.label, answer.probability)
    #expect(label == "7" && probability > 0.5)
  }
}
