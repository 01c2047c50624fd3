import Evaluation
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite struct PredictionTests {
  private let full = Prediction(
    path: "a/7_theo.wav", truth: "7", label: "2", probability: 0.75,
    probabilities: [.init(label: "10", probability: 0.25), .init(label: "2", probability: 0.75)], duration: 0.5,
    sampleRate: 8000, seconds: 0.125, model: "1f", fields: ["speaker": "theo", "index": "3"])

  @Test("a line of JSON keeps the order of the labels and leaves out what is missing")
  func line() {
    #expect(
      full.jsonLine == #"{"path":"a/7_theo.wav","truth":"7","label":"2","probability":0.75,"#
        + #""probabilities":{"10":0.25,"2":0.75},"duration":0.5,"sampleRate":8000,"seconds":0.125,"model":"1f","#
        + #""fields":{"index":"3","speaker":"theo"}}"#)
    #expect(Prediction(path: "x", error: "gone").jsonLine == #"{"path":"x","error":"gone"}"#)
  }

  @Test(
    "the line is read back, by us and by other decoders",
    arguments: ["plain", "q\"b\\s/", "tab\tline\nreturn\r", "\u{0}\u{1F}\u{7F}é\u{2028}🎧"])
  func roundTrip(path: String) throws {
    struct Row: Decodable {
      let path: String
      let probabilities: [String: Float]
    }
    var prediction = full
    prediction.path = path
    let line = prediction.jsonLine
    #expect(!line.contains { $0.isNewline })
    #expect(try Prediction(jsonLine: line.utf8) == prediction)
    let row = try JSONDecoder().decode(Row.self, from: Data(line.utf8))
    #expect(row.path == path && row.probabilities == ["2": 0.75, "10": 0.25])
  }

  @Test("what other programs write is read: spaces, escapes, numbers for labels, keys nobody knows")
  func foreign() throws {
    let line = #"""
       { "other" : [1, {"a": "]"}, null] , "path" : "\u00e9\ud83c\udfa7\/\b\ud83c", "truth":7, "prediction" : "x",
      "probabilities": {"x": 1e-1}, "seconds": null, "fields": {"n": 1.50, "yes": true, "no": null}}
      """#
    let prediction = try Prediction(jsonLine: line.utf8)
    #expect(prediction.path == "é🎧/\u{8}\u{FFFD}" && prediction.truth == "7" && prediction.label == "x")
    #expect(prediction.probabilities == [.init(label: "x", probability: 0.1)] && prediction.seconds == nil)
    #expect(prediction.fields == ["n": "1.50", "yes": "true"])
  }

  @Test(
    "what is no prediction is refused with a reason",
    arguments: [
      ("", "no '{' at byte 1"), ("[]", "no '{' at byte 1"), (#"{"path":"a""#, "no '}' at byte 12"),
      (#"{"path":"a"} x"#, "text follows the object at byte 14"), (#"{"path":"a"#, "a string is never closed"),
      (#"{"path":"\x"}"#, "a backslash before something that needs none at byte 11"),
      (#"{"path":"\u12"}"#, "no four hexadecimal digits at byte 12"), (#"{"truth":"a"}"#, "it has no 'path'"),
      (#"{"path":"a","probability":"b"}"#, "no value that is wanted here at byte 27"),
      (#"{"path":"a","duration":1-2}"#, "'1-2' is not a number that is wanted here"),
      (#"{"path":"a","x":}"#, "no value that is wanted here at byte 17"),
      (#"{"path":"a","x":,}"#, "no value that is wanted here at byte 17"),
    ])
  func malformed(line: String, reason: String) {
    let error = #expect(throws: MalformedPrediction.self) { try Prediction(jsonLine: line.utf8) }
    #expect(error?.reason == reason)
  }

  @Test("a number that is not finite becomes null and is read as missing")
  func notANumber() throws {
    let line = Prediction(path: "x", label: "a", probability: .nan).jsonLine
    #expect(line == #"{"path":"x","label":"a","probability":null}"#)
    #expect(try Prediction(jsonLine: line.utf8).probability == nil)
  }

  @Test("a prediction is right, wrong, or neither")
  func correctness() {
    #expect(full.isCorrect == false)
    #expect(Prediction(path: "x", truth: "a", label: "a").isCorrect == true)
    #expect(Prediction(path: "x", label: "a").isCorrect == nil)
  }
}
