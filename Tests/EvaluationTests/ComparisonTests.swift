import Evaluation
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite struct ComparisonTests {
  private struct Golden: Decodable {
    struct Case: Decodable {
      let counts: [Int]
      let pValue: Double
      let interval: [Double]
    }
    let cases: [Case]
  }

  @Test("McNemar's test agrees with statsmodels, the interval with Newcombe's paper; see Goldens/make_goldens.py")
  func goldens() throws {
    let path = String(#filePath.dropLast("ComparisonTests.swift".count)) + "Goldens/comparisons.json"
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(filePath: path)))
    #expect(golden.cases.count > 10)
    for golden in golden.cases {
      let counts = golden.counts
      let comparison = Comparison(
        bothRight: counts[0], onlyFirstRight: counts[1], onlySecondRight: counts[2], bothWrong: counts[3])
      let (p, interval) = (comparison.pValue, comparison.interval)
      #expect(
        abs(p - golden.pValue) <= 1e-9 * golden.pValue, "\(counts): p is \(p), the reference has \(golden.pValue)")
      #expect(
        abs(interval.lower - golden.interval[0]) <= 1e-9, "\(counts): \(interval), the reference has \(golden.interval)"
      )
      #expect(
        abs(interval.upper - golden.interval[1]) <= 1e-9, "\(counts): \(interval), the reference has \(golden.interval)"
      )
    }
  }

  private func write(_ name: String, _ rows: [Prediction], in folder: TemporaryFolder) throws -> String {
    try folder.write(name, rows.map { $0.jsonLine + "\n" }.joined())
  }

  @Test("files are matched by path; those that changed sides are listed, those without two answers counted")
  func matching() throws {
    let folder = try TemporaryFolder()
    func row(_ path: String, _ label: String?, error: String? = nil) -> Prediction {
      Prediction(path: path, truth: "x", label: label, error: error)
    }
    let first = try write(
      "a.jsonl",
      [row("1", "x"), row("2", "x"), row("3", "y"), row("4", "z"), row("5", nil, error: "gone"), row("6", "x")],
      in: folder)
    let second = try write(
      "b.jsonl",
      [row("4", "z"), row("3", "x"), row("2", "y"), row("1", "x"), row("5", "x"), row("7", "x"), row("8", "x")],
      in: folder)
    let comparison = try PredictionComparison(first: first, second: second)
    #expect(comparison.counts == Comparison(bothRight: 1, onlyFirstRight: 1, onlySecondRight: 1, bothWrong: 1))
    #expect(comparison.changed.map(\.path) == ["3", "2"] && comparison.changed.map(\.isGained) == [true, false])
    #expect(comparison.onlyInFirst == 1 && comparison.onlyInSecond == 3)
  }

  @Test("a file that has another truth in the second, and nothing in common, are refused")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let first = try write("a.jsonl", [Prediction(path: "1", truth: "x", label: "x")], in: folder)
    let second = try write("b.jsonl", [Prediction(path: "1", truth: "y", label: "x")], in: folder)
    let third = try write("c.jsonl", [Prediction(path: "2", truth: "y", label: "x")], in: folder)
    #expect(throws: EvaluationError.unequalTruths(path: "1", first: "x", second: "y")) {
      try PredictionComparison(first: first, second: second)
    }
    #expect(throws: EvaluationError.nothingInCommon(first: first, second: third)) {
      try PredictionComparison(first: first, second: third)
    }
  }

  @Test("the text has both accuracies, the difference with its interval, and the verdict of the test")
  func text() {
    let comparison = Comparison(bothRight: 900, onlyFirstRight: 10, onlySecondRight: 60, bothWrong: 30)
    #expect(
      comparison.text(first: "a.jsonl", second: "b.jsonl") == """
        first       91.00% (910 of 1000)  a.jsonl
        second      96.00% (960 of 1000)  b.jsonl
        difference  +5.00 points, 95% interval 3.42 to 6.72
        changed     60 only the second has right, 10 only the first; both right 900, both wrong 30
        McNemar     p = 8.00e-10 (exact, two-sided): unlikely to be chance
        """)
    let equal = Comparison(bothRight: 5, onlyFirstRight: 1, onlySecondRight: 1, bothWrong: 0)
    #expect(equal.text(first: "a", second: "b").contains("p = 1.0000 (exact, two-sided): may be chance"))
  }
}
