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
    probabilities: [.init(label: "2", probability: 0.75), .init(label: "10", probability: 0.25)], duration: 0.5,
    fields: ["speaker": "theo", "index": "3"])

  @Test("a line of JSON keeps the order of the labels and leaves out what is missing")
  func line() {
    #expect(
      full.jsonLine == #"{"path":"a/7_theo.wav","truth":"7","label":"2","probability":0.75,"#
        + #""probabilities":{"2":0.75,"10":0.25},"duration":0.5,"fields":{"index":"3","speaker":"theo"}}"#)
    #expect(Prediction(path: "x", error: "gone").jsonLine == #"{"path":"x","error":"gone"}"#)
  }

  @Test(
    "any decoder reads the line back",
    arguments: ["plain", "q\"b\\s/", "tab\tline\nreturn\r", "\u{0}\u{1F}\u{7F}é\u{2028}🎧"])
  func roundTrip(path: String) throws {
    var prediction = full
    prediction.path = path
    let line = prediction.jsonLine
    #expect(!line.contains { $0.isNewline })
    #expect(try JSONDecoder().decode(Prediction.self, from: Data(line.utf8)) == prediction)
    #expect(try JSONDecoder().decode(Prediction.self, from: JSONEncoder().encode(prediction)) == prediction)
  }

  @Test("a number that is not finite becomes null and still decodes")
  func notANumber() throws {
    let line = Prediction(path: "x", label: "a", probability: .nan).jsonLine
    #expect(line == #"{"path":"x","label":"a","probability":null}"#)
    #expect(try JSONDecoder().decode(Prediction.self, from: Data(line.utf8)).probability == nil)
  }

  @Test("a prediction is right, wrong, or neither")
  func correctness() {
    #expect(full.isCorrect == false)
    #expect(Prediction(path: "x", truth: "a", label: "a").isCorrect == true)
    #expect(Prediction(path: "x", label: "a").isCorrect == nil)
  }
}
