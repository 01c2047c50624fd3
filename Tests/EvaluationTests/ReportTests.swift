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

  @Test("the report as text has classes, means and accuracy")
  func text() throws {
    #expect(
      try pets().text == """
        class          precision  recall      F1  files
        -------------  ---------  ------  ------  -----
        cat               1.0000  0.5000  0.6667      2
        dog               0.5000  1.0000  0.6667      1

        macro mean        0.7500  0.7500  0.6667      3
        weighted mean     0.8333  0.6667  0.6667      3

        accuracy 66.67% (2 of 3)
        """)
  }

  @Test("the report as CSV has one line per class, in full precision")
  func csv() throws {
    #expect(
      try pets().csv == """
        label,precision,recall,f1,support
        cat,1.0,0.5,0.6666666666666666,2
        dog,0.5,1.0,0.6666666666666666,1

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
    #expect(report.confusion.total == 1 && report.accuracy == 1)
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
}
