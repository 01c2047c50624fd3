import AuricleBase
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

  struct Scores: Decodable {
    let topAccuracy: [[Double]]
    let logLoss: Double
    let rocAUC: [Double?]
    let averagePrecision: [Double]
    let macroROCAUC: Double?
    let weightedROCAUC: Double?
    let macroAveragePrecision: Double
    let weightedAveragePrecision: Double
    let calibrationFiles: [Int]
    let calibrationAccuracies: [Double]
    let calibrationConfidences: [Double]
    let calibrationError: Double
  }

  let truth: [String]?
  let predicted: [String]?
  let probabilities: [[Float]]?
  let labels: [String]
  let counts: [[Int]]
  let shares: [String: [[Double]]]
  let accuracy: Double
  let interval: [Double]
  let balancedAccuracy: Double
  let cohenKappa: Double?
  let matthewsCorrelation: Double
  let perClass: [Metrics]
  let macro: Metrics
  let weighted: Metrics
  let scores: Scores

  init(_ name: String) throws {
    self = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(filePath: goldenFile(name + ".json"))))
  }
}

private func goldenFile(_ name: String) -> String {
  String(#filePath.dropLast("GoldenTests.swift".count)) + "Goldens/" + name
}

@Suite struct GoldenTests {
  @Test(
    "the report agrees with scikit-learn",
    arguments: [
      "random", "two-classes", "absent-from-truth", "never-predicted", "absent-from-both", "perfect", "all-wrong",
      "one-file", "certain",
    ])
  func agrees(name: String) throws {
    let golden = try Golden(name)
    let (truth, predicted) = (try #require(golden.truth), try #require(golden.predicted))
    let rows = try #require(golden.probabilities)
    var tally = try EvaluationTally(labels: golden.labels)
    for (index, (truth, label)) in zip(truth, predicted).enumerated() {
      let candidates = zip(golden.labels, rows[index]).map { Prediction.Candidate(label: $0, probability: $1) }
      try tally.add(Prediction(path: "\(index)", truth: truth, label: label, probabilities: candidates))
    }
    expect(tally.report(), agreesWith: golden)
    #expect(try ConfusionMatrix(truth: truth, predicted: predicted, labels: golden.labels).counts == golden.counts)
  }

  @Test("the report on a trained model's answers, read from its predictions file, agrees with scikit-learn")
  func real() throws {
    let file = PredictionFile(path: goldenFile("real.jsonl"))
    var tally = try EvaluationTally(labels: file.labels())
    try file.read { try tally.add($0) }
    expect(tally.report(), agreesWith: try Golden("real"))
  }

  @Test("the report on 100,000 simulated files agrees with scikit-learn")
  func simulated() throws {
    let golden = try Golden("simulated")
    var tally = try EvaluationTally(labels: golden.labels)
    var generator = SeededGenerator(seed: 2026)
    for _ in 0..<100_000 {
      let truth = Int(generator.next() % 4)
      var weights = golden.labels.map { _ in Float(generator.next() % 256) }
      weights[truth] += 150
      let sum = weights.reduce(0, +)
      let best = weights.indices.max { weights[$0] < weights[$1] || (weights[$0] == weights[$1] && $0 > $1) } ?? 0
      try tally.add(
        Prediction(
          path: "", truth: golden.labels[truth], label: golden.labels[best],
          probabilities: zip(golden.labels, weights).map { .init(label: $0, probability: $1 / sum) }))
    }
    expect(tally.report(), agreesWith: golden)
  }

  private func expect(_ report: ClassificationReport, agreesWith golden: Golden) {
    #expect(report.confusion.counts == golden.counts)
    for normalization in ConfusionMatrix.Normalization.allCases where normalization != .none {
      let (ours, theirs) = (report.confusion.values(normalization), golden.shares[normalization.rawValue] ?? [])
      #expect(ours.count == theirs.count)
      for (ours, theirs) in zip(ours.joined(), theirs.joined()) {
        expect(ours, agreesWith: theirs, "share by \(normalization.rawValue)")
      }
    }
    expect(report.accuracy, agreesWith: golden.accuracy, "accuracy")
    expect(report.interval.lower, agreesWith: golden.interval[0], "lower end of the interval")
    expect(report.interval.upper, agreesWith: golden.interval[1], "upper end of the interval")
    expect(report.balancedAccuracy, agreesWith: golden.balancedAccuracy, "balanced accuracy")
    expect(report.cohenKappa, agreesWith: golden.cohenKappa, "kappa")
    expect(report.matthewsCorrelation, agreesWith: golden.matthewsCorrelation, "Matthews correlation")

    #expect(report.perClass.map(\.label) == golden.labels)
    #expect(report.perClass.map(\.support) == golden.perClass.map(\.support))
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
    expect(report.scores, agreesWith: golden.scores, labels: golden.labels)
  }

  private func expect(_ ours: ScoreMetrics?, agreesWith theirs: Golden.Scores, labels: [String]) {
    guard let ours else {
      Issue.record("no numbers from probabilities")
      return
    }
    #expect(ours.topAccuracy.map { Double($0.k) } == theirs.topAccuracy.map { $0[0] })
    for (ours, theirs) in zip(ours.topAccuracy, theirs.topAccuracy) {
      expect(ours.accuracy, agreesWith: theirs[1], "top \(ours.k) accuracy")
    }
    expect(ours.logLoss, agreesWith: theirs.logLoss, "log loss")
    #expect(ours.rankings.count == labels.count)
    for (index, label) in labels.enumerated() {
      expect(ours.rankings[index].rocAUC, agreesWith: theirs.rocAUC[index], "ROC AUC of \(label)")
      expect(
        ours.rankings[index].averagePrecision, agreesWith: theirs.averagePrecision[index],
        "average precision of \(label)")
    }
    expect(ours.macroROCAUC, agreesWith: theirs.macroROCAUC, "macro ROC AUC")
    expect(ours.weightedROCAUC, agreesWith: theirs.weightedROCAUC, "weighted ROC AUC")
    expect(ours.macroAveragePrecision, agreesWith: theirs.macroAveragePrecision, "macro average precision")
    expect(ours.weightedAveragePrecision, agreesWith: theirs.weightedAveragePrecision, "weighted average precision")

    #expect(ours.calibration.map(\.files) == theirs.calibrationFiles)
    let filled = ours.calibration.filter { $0.files > 0 }
    #expect(filled.count == theirs.calibrationAccuracies.count)
    for (index, bin) in filled.enumerated() {
      expect(bin.accuracy, agreesWith: theirs.calibrationAccuracies[index], "accuracy of bin \(index)")
      expect(bin.confidence, agreesWith: theirs.calibrationConfidences[index], "confidence of bin \(index)")
    }
    expect(ours.expectedCalibrationError, agreesWith: theirs.calibrationError, "calibration error")
  }

  private func expect(_ ours: Double?, agreesWith theirs: Double?, _ what: String) {
    switch (ours, theirs) {
    case (nil, nil): break
    case (let ours?, let theirs?):
      #expect(abs(ours - theirs) <= 1e-9 * max(1, abs(theirs)), "\(what): \(ours), the reference has \(theirs)")
    default: Issue.record("\(what): \(ours.debugDescription), the reference has \(theirs.debugDescription)")
    }
  }
}
