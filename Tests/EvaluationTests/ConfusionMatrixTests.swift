import Evaluation
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite struct ConfusionMatrixTests {
  private func pets() throws -> ConfusionMatrix {
    try ConfusionMatrix(
      truth: ["cat", "cat", "dog"], predicted: ["cat", "dog", "dog"], labels: ["cat", "dog", "owl"])
  }

  @Test("rows are the truth, columns the prediction")
  func orientation() throws {
    let matrix = try pets()
    #expect(matrix.counts == [[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    #expect(matrix.normalized == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]])
    #expect(matrix.correct == 2 && matrix.total == 3)
    #expect(matrix.support(of: "cat") == 2 && matrix.support(of: "owl") == 0 && matrix.support(of: "cow") == 0)
  }

  @Test("a label nobody knows is refused, in the truth and in the prediction")
  func unknownLabel() {
    let expected = EvaluationError.unknownLabel("cow", known: ["cat", "dog"])
    #expect(throws: expected) { try ConfusionMatrix(truth: ["cow"], predicted: ["cat"], labels: ["cat", "dog"]) }
    #expect(throws: expected) { try ConfusionMatrix(truth: ["cat"], predicted: ["cow"], labels: ["cat", "dog"]) }
    #expect(expected.description == "label 'cow' is not one of the 2 known: cat, dog")
  }

  @Test("lists of unequal length, repeated labels and no labels are refused")
  func refusals() {
    #expect(throws: EvaluationError.unequalCounts(truth: 1, predicted: 0)) {
      try ConfusionMatrix(truth: ["a"], predicted: [], labels: ["a"])
    }
    #expect(throws: EvaluationError.duplicateLabel("a")) {
      try ConfusionMatrix(truth: [], predicted: [], labels: ["a", "b", "a"])
    }
    #expect(throws: EvaluationError.noLabels) { try ConfusionMatrix(truth: [], predicted: [], labels: []) }
  }

  @Test(
    "counts that are no square of counts are refused, from JSON too",
    arguments: ["[[1,2]]", "[[1,2],[3]]", "[[1,2],[3,-4]]", "[[1,2],[3,9223372036854775807]]"])
  func malformedCounts(counts: String) throws {
    let json = Data(#"{"labels":["a","b"],"counts":\#(counts)}"#.utf8)
    #expect(throws: (any Error).self) { try JSONDecoder().decode(ConfusionMatrix.self, from: json) }
    let rows = try JSONDecoder().decode([[Int]].self, from: Data(counts.utf8))
    #expect(throws: EvaluationError.malformedCounts(labels: 2)) {
      try ConfusionMatrix(labels: ["a", "b"], counts: rows)
    }
  }

  @Test("without any file every number is 0")
  func nothing() throws {
    let report = ClassificationReport(try ConfusionMatrix(truth: [], predicted: [], labels: ["a", "b"]))
    #expect(report.accuracy == 0 && report.macroMean.f1 == 0 && report.weightedMean.precision == 0)
  }

  @Test("mistakes come the most frequent first, ties in the order of the labels")
  func confusions() throws {
    let matrix = try ConfusionMatrix(labels: ["a", "b", "c"], counts: [[9, 1, 0], [4, 9, 1], [0, 2, 9]])
    #expect(matrix.confusions.map { "\($0.truth)\($0.predicted)\($0.count)" } == ["ba4", "cb2", "ab1", "bc1"])
  }

  @Test("a small matrix is a table with dots for zeros")
  func text() throws {
    #expect(
      try pets().text == """
        truth  cat  dog  owl
        -----  ---  ---  ---
        cat      1    1    .
        dog      .    1    .
        owl      .    .    .
        """)
  }

  @Test("labels too long for a line are lettered")
  func lettered() throws {
    let labels = (1...4).map { "a rather long name of a class \($0)" }
    let matrix = try ConfusionMatrix(truth: [labels[0]], predicted: [labels[2]], labels: labels)
    let lines = matrix.text.split(separator: "\n")
    #expect(lines[0].split(separator: " ") == ["truth", "a", "b", "c", "d"])
    #expect(lines[2] == "a = a rather long name of a class 1  .  .  1  .")
  }

  @Test("of many classes the most frequent mistakes are listed")
  func manyClasses() throws {
    let labels = (1...30).map { "class \($0)" }
    // Every class is taken for the next one once; the first also three times for the third.
    let truth = labels + Array(repeating: labels[0], count: 3)
    let predicted = labels.dropFirst() + [labels[0]] + Array(repeating: labels[2], count: 3)
    let text = try ConfusionMatrix(truth: truth, predicted: Array(predicted), labels: labels).text
    let lines = text.split(separator: "\n")
    #expect(lines[2].split(separator: " ") == ["class", "1", "class", "3", "3", "75.00%"])
    #expect(lines.count == 2 + 20 + 1)
    #expect(lines.last == "and 11 mistakes of 11 other kinds")
    #expect(try ConfusionMatrix(truth: labels, predicted: labels, labels: labels).text == "no mistakes")
  }

  @Test("CSV has a header and quotes labels that need it")
  func csv() throws {
    let matrix = try ConfusionMatrix(
      truth: ["a,b", "say \"x\""], predicted: ["a,b", "a,b"], labels: ["a,b", "say \"x\""])
    #expect(matrix.csv == "truth,\"a,b\",\"say \"\"x\"\"\"\n\"a,b\",1,0\n\"say \"\"x\"\"\",1,0\n")
  }
}
