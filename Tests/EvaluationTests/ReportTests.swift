import Evaluation
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite struct ReportTests {
  private func pets() throws -> ClassificationReport {
    ClassificationReport(
      try ConfusionMatrix(truth: ["cat", "cat", "dog"], predicted: ["cat", "dog", "dog"], labels: ["cat", "dog"]))
  }

  @Test("the report as text has classes, means, mistakes in words, and the accuracy last")
  func text() throws {
    #expect(
      try pets().text == """
        class          precision  recall      F1  files
        -------------  ---------  ------  ------  -----
        cat               1.0000  0.5000  0.6667      2
        dog               0.5000  1.0000  0.6667      1

        macro mean        0.7500  0.7500  0.6667      3
        weighted mean     0.8333  0.6667  0.6667      3

        balanced accuracy     75.00%
        Cohen's kappa         0.4000
        Matthews correlation  0.5000

        most often confused:
          'cat' was taken for 'dog' in 1 of 2 files (50.00%)

        accuracy 66.67% (2 of 3), 95% interval 20.77% to 93.85%
        """)
  }

  @Test("the report as CSV has one line per class, in full precision")
  func csv() throws {
    #expect(
      try pets().csv == """
        label,precision,recall,f1,rocAUC,averagePrecision,support
        cat,1.0,0.5,0.6666666666666666,,,2
        dog,0.5,1.0,0.6666666666666666,,,1

        """)
  }

  @Test("JSON gives the same report back, and its keys are sorted")
  func json() throws {
    let report = try pets()
    let text = try report.json()
    #expect(try JSONDecoder().decode(ClassificationReport.self, from: Data(text.utf8)) == report)
    let keys = ["accuracy", "confusion", "macroMean", "perClass", "weightedMean"]
    let places = try keys.map { try #require(text.firstRange(of: "\"\($0)\"")).lowerBound }
    #expect(places == places.sorted())
  }

  @Test("files that failed, or have no truth, are not in the report")
  func failures() throws {
    let report = try ClassificationReport(
      [
        Prediction(path: "1.wav", truth: "a", label: "a"), Prediction(path: "2.wav", truth: "a", error: "not audio"),
        Prediction(path: "3.wav", label: "b"),
      ], labels: ["a", "b"])
    #expect(report.confusion.total == 1 && report.accuracy == 1 && report.failed == 1)
  }

  @Test(
    "numbers are rounded half away from zero",
    arguments: [
      (0.0, 2, "0.00"), (0.125, 2, "0.13"), (-0.125, 2, "-0.13"), (-0.001, 2, "0.00"), (12.5, 0, "13"),
      (0.05, 1, "0.1"), (1e300, 2, "1e+300"), (.nan, 2, "nan"),
    ])
  func fixedDecimals(value: Double, decimals: Int, expected: String) {
    #expect(fixed(value, decimals: decimals) == expected)
  }

  @Test("a table aligns its columns, bears short rows and disarms control characters")
  func table() {
    var table = TextTable([.left("name"), .right("n")])
    table.append(["a\u{1B}[31m\n", "1"])
    table.append(["b"])
    table.append(["c", "1000", "too much"])
    #expect(
      table.text == """
        name        n
        -------  ----
        a?[31m?     1
        b
        c        1000
        """)
  }

  private func scored() throws -> EvaluationTally {
    var tally = try EvaluationTally(labels: ["a", "b", "c"], groupBy: ["speaker", "duration", "sample-rate", "label"])
    func add(_ truth: String, _ probabilities: [Float], _ speaker: String?, _ duration: Double) throws {
      let candidates = zip(["a", "b", "c"], probabilities).map { Prediction.Candidate(label: $0, probability: $1) }
      let best = candidates.max { $0.probability < $1.probability }
      try tally.add(
        Prediction(
          path: "x", truth: truth, label: best?.label, probability: best?.probability, probabilities: candidates,
          duration: duration, sampleRate: 8000, fields: speaker.map { ["speaker": $0] } ?? [:]))
    }
    try add("a", [0.75, 0.25, 0], "theo 10", 0.2)
    try add("b", [0.5, 0.25, 0.25], "theo 10", 0.5)
    try add("c", [0, 0, 1], "theo 9", 31)
    try add("a", [0.5, 0.5, 0], nil, 1)
    return tally
  }

  @Test("groups have their accuracy, in natural order, and the worst is named")
  func groups() throws {
    let groups = try scored().report().groups
    #expect(groups.map(\.field) == ["speaker", "duration", "sample-rate", "label"])
    #expect(groups[0].groups.map(\.value) == ["(none)", "theo 9", "theo 10"])
    #expect(groups[0].groups.map(\.accuracy) == [1, 1, 0.5] && groups[0].worst?.value == "theo 10")
    #expect(groups[0].groups[2].interval == .wilson(1, of: 2))
    #expect(groups[1].groups.map(\.value) == ["0 to 0.5 s", "0.5 to 1 s", "1 to 2 s", "30 s and more"])
    #expect(groups[1].worst?.value == "0.5 to 1 s")
    #expect(groups[2].groups.map(\.value) == ["8000 Hz"] && groups[2].worst == nil)
    #expect(groups[3].worst?.value == "b")
    #expect(groups[0].text.contains("worst: speaker theo 10, 50.00% (1 of 2), 95% interval 9.45% to 90.55%"))
  }

  @Test("numbers from probabilities are in the text, the CSV and the JSON, top k for the k asked for")
  func scores() throws {
    let tally = try scored()
    let report = tally.report(topK: [2, 7])
    #expect(report.scores?.topAccuracy.map(\.k) == [2])
    #expect(report.text.contains("among the first 2     75.00%") && report.text.contains("calibration error"))
    #expect(report.csv.contains("\na,0.6666666666666666,1.0,0.8,0.875,0.8333333333333333,2\n"))
    #expect(try JSONDecoder().decode(ClassificationReport.self, from: Data(report.json().utf8)) == report)
  }

  @Test("one prediction without probabilities, and there are no numbers from them")
  func withoutProbabilities() throws {
    var tally = try scored()
    try tally.add(Prediction(path: "y", truth: "a", label: "b"))
    let report = tally.report()
    #expect(report.scores == nil && report.confusion.total == 5)
  }

  @Test("a probability that is none is refused, with its file", arguments: [Float.nan, -0.1, 1.5])
  func invalidProbability(value: Float) throws {
    var outcomes = try Outcomes(labels: ["a"])
    let error = EvaluationError.invalidProbability(path: "x.wav", label: "a", value: "\(value)")
    #expect(throws: error) {
      try outcomes.append(
        Prediction(path: "x.wav", truth: "a", label: "a", probabilities: [.init(label: "a", probability: value)]))
    }
    #expect(outcomes.count == 0 && outcomes.probabilities.isEmpty)
  }

  @Test("a prediction that is refused leaves nothing, so the scores of the next are its own")
  func refused() throws {
    var outcomes = try Outcomes(labels: ["a", "b"])
    #expect(throws: EvaluationError.self) {
      try outcomes.append(
        Prediction(
          path: "x", truth: "a", label: "a",
          probabilities: [.init(label: "a", probability: 0.9), .init(label: "z", probability: 0.1)]))
    }
    try outcomes.append(
      Prediction(
        path: "y", truth: "b", label: "b",
        probabilities: [.init(label: "a", probability: 0.25), .init(label: "b", probability: 0.75)]))
    #expect(outcomes.count == 1 && outcomes.probabilities == [0.25, 0.75])
  }

  @Test("probabilities find their label in any order")
  func order() throws {
    var outcomes = try Outcomes(labels: ["a", "b", "c"])
    try outcomes.append(
      Prediction(
        path: "x", truth: "a", label: "b",
        probabilities: [.init(label: "c", probability: 0.25), .init(label: "b", probability: 0.75)]))
    #expect(outcomes.probabilities == [0, 0.75, 0.25] && outcomes.truth == [0] && outcomes.predicted == [1])
  }
}
