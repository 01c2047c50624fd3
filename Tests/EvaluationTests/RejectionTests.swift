import Evaluation
import Testing

@Suite("Answers that are not sure enough")
struct RejectionTests {
  private func prediction(_ truth: String, _ label: String, _ probability: Float) -> Prediction {
    Prediction(
      path: "a.wav", truth: truth, label: label, probability: probability,
      probabilities: [
        Prediction.Candidate(label: "cat", probability: label == "cat" ? probability : 1 - probability),
        Prediction.Candidate(label: "dog", probability: label == "dog" ? probability : 1 - probability),
      ])
  }

  @Test("below the least probability the answer is unknown, and the probabilities stay")
  func reject() {
    var prediction = prediction("cat", "cat", 0.6)
    prediction.reject(below: 0.6)
    #expect(prediction.label == "cat")
    prediction.reject(below: 0.7)
    #expect(prediction.label == "unknown" && prediction.probability == 0.6 && prediction.probabilities.count == 2)
  }

  @Test("a tally counts them as unknown, which is wrong unless it is the truth")
  func tally() throws {
    var tally = try EvaluationTally(labels: ["cat", "dog"], reject: 0.7)
    for (truth, label, probability) in [
      ("cat", "cat", 0.9), ("cat", "cat", 0.6), ("dog", "cat", 0.55), ("dog", "dog", 1),
    ] {
      try tally.add(prediction(truth, label, Float(probability)))
    }
    let confusion = tally.outcomes.confusion
    #expect(confusion.labels == ["cat", "dog", "unknown"] && confusion.counts == [[1, 0, 1], [0, 1, 1], [0, 0, 0]])
    #expect(confusion.accuracy == 0.5)
    // A class of that name takes them.
    #expect(try EvaluationTally(labels: ["cat", "unknown"], reject: 0.5).outcomes.labels == ["cat", "unknown"])
  }
}
