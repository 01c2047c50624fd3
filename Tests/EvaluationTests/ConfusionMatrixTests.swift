import Evaluation
import Pictures
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
    #expect(matrix.correct == 2 && matrix.total == 3)
    #expect(matrix.supports == [2, 1, 0] && matrix.predictedCounts == [1, 2, 0])
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
    #expect(report.balancedAccuracy == nil && report.cohenKappa == nil && report.matthewsCorrelation == 0)
    #expect(report.interval == .wilson(0, of: 0) && report.interval.lower == 0 && report.interval.upper == 1)
  }

  @Test("mistakes come the most frequent first, ties in the order of the labels")
  func confusions() throws {
    let matrix = try ConfusionMatrix(labels: ["a", "b", "c"], counts: [[9, 1, 0], [4, 9, 1], [0, 2, 9]])
    #expect(matrix.confusions.map { "\($0.truth)\($0.predicted)\($0.count)" } == ["ba4", "cb2", "ab1", "bc1"])
    #expect(matrix.confusions[0].sentence == "'b' was taken for 'a' in 4 of 14 files (28.57%)")
  }

  @Test("shares are of the row, of the column or of everything; nothing divided by nothing is 0")
  func shares() throws {
    let matrix = try pets()
    #expect(matrix.values(.none) == [[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    #expect(matrix.values(.truth) == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]])
    #expect(matrix.values(.prediction) == [[1, 0.5, 0], [0, 0.5, 0], [0, 0, 0]])
    let third = 1 / 3.0
    #expect(matrix.values(.all) == [[third, third, 0], [0, third, 0], [0, 0, 0]])
  }

  @Test("classes are ordered by name, by files or by mistakes, and their counts go with them")
  func orders() throws {
    let matrix = try ConfusionMatrix(labels: ["10", "9", "b"], counts: [[1, 0, 2], [0, 6, 0], [1, 0, 7]])
    #expect(matrix.sorted(by: .model) == matrix)
    #expect(matrix.sorted(by: .class).labels == ["9", "10", "b"])
    #expect(matrix.sorted(by: .support).labels == ["b", "9", "10"])
    #expect(matrix.sorted(by: .confusion).labels == ["10", "b", "9"])
    #expect(matrix.sorted(by: .support).counts == [[7, 0, 1], [0, 6, 0], [2, 0, 1]])
  }

  @Test("shares are printed as percentages, and colours only when wanted")
  func textOfShares() throws {
    #expect(
      try pets().text(.truth) == """
        truth, %   cat    dog  owl
        --------  ----  -----  ---
        cat       50.0   50.0    .
        dog          .  100.0    .
        owl          .      .    .
        """)
    let colored = try pets().text(.truth, colored: true)
    #expect(colored.contains("\u{1B}[38;5;16;48;5;114m") && colored.contains("\u{1B}[38;5;16;48;5;210m"))
    let plain = try Regex("\u{1B}\\[[0-9;]*m")
    #expect(try colored.replacing(plain, with: "") == pets().text(.truth))
  }

  @Test("wide characters count as two columns")
  func wideCharacters() throws {
    let lines = try ConfusionMatrix(labels: ["犬", "b"], counts: [[1, 0], [0, 22]]).text().split(separator: "\n")
    #expect(lines == ["truth  犬   b", "-----  --  --", "犬      1   .", "b       .  22"])
  }

  @Test("the heat map has a cell for every count, labels on both sides, and is rendered as SVG and PNG")
  func picture() throws {
    let svg = try pets().picture(title: "Pets <&>").svg
    #expect(svg.contains("Pets &lt;&amp;&gt;"))
    for label in ["cat", "dog", "owl"] { #expect(svg.ranges(of: ">\(label)<").count == 2) }
    #expect(svg.ranges(of: ">1<").count == 3)
    #expect(try pets().picture(.truth).svg.contains(">50.0<"))
    #expect(try pets().picture().png().prefix(4) == [0x89, 0x50, 0x4E, 0x47])
    let many = (1...150).map { "class \($0)" }
    let large = try ConfusionMatrix(truth: many, predicted: many, labels: many).picture()
    #expect(large.width < 1500 && large.height < 1500)
  }

  @Test("a small matrix is a table with dots for zeros")
  func text() throws {
    #expect(
      try pets().text() == """
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
    let lines = matrix.text().split(separator: "\n")
    #expect(lines[0].split(separator: " ") == ["truth", "a", "b", "c", "d"])
    #expect(lines[2] == "a = a rather long name of a class 1  .  .  1  .")
  }

  @Test("of many classes the most frequent mistakes are listed")
  func manyClasses() throws {
    let labels = (1...30).map { "class \($0)" }
    // Every class is taken for the next one once; the first also three times for the third.
    let truth = labels + Array(repeating: labels[0], count: 3)
    let predicted = labels.dropFirst() + [labels[0]] + Array(repeating: labels[2], count: 3)
    let text = try ConfusionMatrix(truth: truth, predicted: Array(predicted), labels: labels).text()
    let lines = text.split(separator: "\n")
    #expect(lines[2].split(separator: " ") == ["class", "1", "class", "3", "3", "75.00%"])
    #expect(lines.count == 2 + 20 + 1)
    #expect(lines.last == "and 11 mistakes of 11 other kinds")
    #expect(try ConfusionMatrix(truth: labels, predicted: labels, labels: labels).text() == "no mistakes")
  }

  @Test("CSV has a header and quotes labels that need it")
  func csv() throws {
    let matrix = try ConfusionMatrix(
      truth: ["a,b", "say \"x\""], predicted: ["a,b", "a,b"], labels: ["a,b", "say \"x\""])
    #expect(matrix.csv() == "truth,\"a,b\",\"say \"\"x\"\"\"\n\"a,b\",1,0\n\"say \"\"x\"\"\",1,0\n")
    #expect(try pets().csv(.truth) == "truth,cat,dog,owl\ncat,0.5,0.5,0.0\ndog,0.0,1.0,0.0\nowl,0.0,0.0,0.0\n")
  }

  @Test("JSON has labels, what was divided by, and rows")
  func json() throws {
    struct Table: Decodable, Equatable {
      var labels: [String]
      var normalization: String
      var values: [[Double]]
    }
    let table = try JSONDecoder().decode(Table.self, from: Data(try pets().json(.prediction).utf8))
    #expect(
      table
        == Table(
          labels: ["cat", "dog", "owl"], normalization: "prediction", values: [[1, 0.5, 0], [0, 0.5, 0], [0, 0, 0]]))
  }
}
