import AuricleBase
import Evaluation
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite struct PredictionFileTests {
  private let rows = [
    Prediction(
      path: "a,\"b\"\nc.wav", truth: "x", label: "x, y", probability: 0.1,
      probabilities: [.init(label: "x, y", probability: 0.9), .init(label: "x", probability: 0.1)], duration: 0.25,
      sampleRate: 16000, seconds: 1e-5, model: "ab", fields: ["mic \"1\"": " far\r\n"]),
    Prediction(path: "b.wav", truth: "x", error: "no sound,\nnone at all", model: "ab", fields: ["split": "testing"]),
    Prediction(path: " 犬\t.wav", truth: "x", label: "x", fields: ["split": "testing"]),
    Prediction(path: "c.wav", truth: "x", error: "a mark under an accent: \"\u{301}", fields: ["split": "testing"]),
  ]
  private let labels = ["x, y", "x"]
  private let fields = ["mic \"1\"", "split"]

  private func read(_ path: String) throws -> (rows: [Prediction], end: PredictionFile.End) {
    var rows: [Prediction] = []
    let end = try PredictionFile(path: path).read { rows.append($0) }
    return (rows, end)
  }

  @Test("what was written is read back, whatever characters it holds", arguments: ["p.jsonl", "p.csv", "p.CSV"])
  func roundTrip(name: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/\(name)"
    let writer = try PredictionWriter(to: path, labels: labels, fields: fields)
    for row in rows { try writer.write(row) }
    let (found, end) = try read(path)
    #expect(found == rows)
    let text = try folder.text(name)
    #expect(end.rows == 4 && !end.isCutOff && end.byteCount == text.utf8.count)
    #expect(try PredictionFile(path: path).labels() == labels)
    #expect(text.hasPrefix("path,truth,label,") == name.lowercased().hasSuffix("csv"))
  }

  @Test("each row is in the file as soon as it is written", arguments: ["p.jsonl", "p.csv"])
  func flushed(name: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/\(name)"
    let writer = try PredictionWriter(to: path, labels: labels, fields: fields)
    for (index, row) in rows.enumerated() {
      try writer.write(row)
      #expect(try read(path).rows == Array(rows[...index]))
    }
  }

  @Test(
    "a file cut anywhere is read up to its last whole row, and continued to the same bytes",
    arguments: ["p.jsonl", "p.csv"])
  func resume(name: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/\(name)"
    let writer = try PredictionWriter(to: path, labels: labels, fields: fields)
    for row in rows { try writer.write(row) }
    let whole = Data(try folder.text(name).utf8)
    for length in 0...whole.count {
      _ = try folder.write(name, whole.prefix(length))
      var done = 0
      let end = try PredictionFile(path: path).read(linesMustEnd: true) { row in
        #expect(row == rows[done])
        done += 1
      }
      #expect(end.rows == done && (end.byteCount < length) == end.isCutOff)
      let resumed = try PredictionWriter(resuming: path, at: end, labels: labels, fields: fields)
      for row in rows[done...] { try resumed.write(row) }
      #expect(Data(try folder.text(name).utf8) == whole, "cut after \(length) bytes")
    }
  }

  @Test("a CSV file with other columns is not continued")
  func otherColumns() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/p.csv"
    try PredictionWriter(to: path, labels: ["a"]).write(Prediction(path: "x"))
    let end = try read(path).end
    #expect(throws: EvaluationError.self) { try PredictionWriter(resuming: path, at: end, labels: ["a", "b"]) }
  }

  @Test("a last row without a line end counts if it is whole, and is passed over if it is not")
  func lastRow() throws {
    let folder = try TemporaryFolder()
    let whole = try read(folder.write("a.jsonl", #"{"path":"1"}"# + "\r\n\n" + #"{"path":"2"}"#))
    #expect(whole.rows.map(\.path) == ["1", "2"] && !whole.end.isCutOff && whole.end.rows == 2)
    let cut = try read(folder.write("b.jsonl", #"{"path":"1"}"# + "\n" + #"{"path":"2"#))
    #expect(cut.rows.map(\.path) == ["1"] && cut.end.isCutOff)
    let csv = try read(folder.write("c.csv", "path,label\r\n1,x\r\n2,\"y"))
    #expect(csv.rows.map(\.label) == ["x"] && csv.end.isCutOff)
  }

  @Test("a row that cannot be read is refused with its line")
  func malformed() throws {
    let folder = try TemporaryFolder()
    func refuses(_ name: String, _ text: String, line: Int, _ reason: String) throws {
      let path = try folder.write(name, text)
      #expect(throws: EvaluationError.malformedRow(path: path, line: line, reason: reason)) { try read(path) }
    }
    try refuses("a.jsonl", "{\"path\":\"1\"}\n\nnonsense\n", line: 3, "no '{' at byte 1")
    try refuses("b.csv", "label\nx\n", line: 1, "no column 'path' in the header")
    try refuses("c.csv", "path,truth\n\"a\nb\",x\n1,2,3\n", line: 4, "3 cells, but the header has 2")
    try refuses("d.csv", "path,duration\na,long\n", line: 2, "'long' in column 'duration' is not a number")
    try refuses("e.csv", "path,truth\n\"a\"b,\n", line: 2, "'b' follows a closing quotation mark")
    #expect(throws: FileError.self) { try read("\(folder.path)/missing.jsonl") }
  }

  @Test("bytes that are not UTF-8 are read as replacement characters")
  func invalidBytes() throws {
    let folder = try TemporaryFolder()
    var bytes = Data(#"{"path":"a"#.utf8)
    bytes.append(0xFF)
    bytes.append(Data(#"b","label":"x"}"#.utf8))
    bytes.append(0x0A)
    #expect(try read(folder.write("a.jsonl", bytes)).rows == [Prediction(path: "a\u{FFFD}b", label: "x")])
    let csv = try folder.write("a.csv", Data("path\na".utf8) + [0xFF, 0x0A])
    #expect(try read(csv).rows.map(\.path) == ["a\u{FFFD}"])
  }

  @Test("labels come in the order of the probabilities, others after them in natural order")
  func labelOrder() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "a.jsonl",
      """
      {"path":"1","truth":"10","label":"9"}
      {"path":"2","truth":"z","label":"b","probabilities":{"z":0.5,"b":0.5}}

      """)
    #expect(try PredictionFile(path: path).labels() == ["z", "b", "9", "10"])
  }
}
