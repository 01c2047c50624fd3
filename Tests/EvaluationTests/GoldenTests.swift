import Evaluation
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A case and what scikit-learn made of it; see Goldens/make_goldens.py.
private struct Golden: Decodable {
  struct Metrics: Decodable {
    let precision: Double
    let recall: Double
    let f1: Double
    let support: Int
  }

  let truth: [String]
  let predicted: [String]
  let labels: [String]
  let counts: [[Int]]
  let accuracy: Double
  let perClass: [Metrics]
  let macro: Metrics
  let weighted: Metrics
}

@Suite struct GoldenTests {
  @Test(
    "the report agrees with scikit-learn",
    arguments: [
      "random", "absent-from-truth", "never-predicted", "absent-from-both", "perfect", "all-wrong", "one-file",
    ])
  func agrees(name: String) throws {
    let folder = String(#filePath.dropLast("GoldenTests.swift".count)) + "Goldens/"
    let data = try Data(contentsOf: URL(filePath: folder + name + ".json"))
    let golden = try JSONDecoder().decode(Golden.self, from: data)
    let matrix = try ConfusionMatrix(truth: golden.truth, predicted: golden.predicted, labels: golden.labels)
    let report = ClassificationReport(matrix)

    #expect(matrix.counts == golden.counts)
    #expect(matrix.total == golden.truth.count)
    #expect(report.perClass.map(\.label) == golden.labels)
    #expect(report.perClass.map(\.support) == golden.perClass.map(\.support))
    expect(report.accuracy, agreesWith: golden.accuracy, "accuracy")
    try #require(report.perClass.count == golden.perClass.count)
    for (ours, theirs) in zip(report.perClass, golden.perClass) {
      expect(ours.precision, agreesWith: theirs.precision, "precision of \(ours.label)")
      expect(ours.recall, agreesWith: theirs.recall, "recall of \(ours.label)")
      expect(ours.f1, agreesWith: theirs.f1, "F1 of \(ours.label)")
    }
    for (name, ours, theirs) in [
      ("macro", report.macroMean, golden.macro), ("weighted", report.weightedMean, golden.weighted),
    ] {
      expect(ours.precision, agreesWith: theirs.precision, "\(name) precision")
      expect(ours.recall, agreesWith: theirs.recall, "\(name) recall")
      expect(ours.f1, agreesWith: theirs.f1, "\(name) F1")
    }
  }

  private func expect(_ ours: Double, agreesWith theirs: Double, _ what: String) {
    #expect(abs(ours - theirs) <= 1e-9, "\(what): \(ours), scikit-learn has \(theirs)")
  }
}
