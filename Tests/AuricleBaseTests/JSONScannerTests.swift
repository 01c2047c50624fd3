import AuricleBase
import Testing

@Suite struct JSONScannerTests {
  private func skips(_ text: String) -> Bool {
    var scanner = JSONScanner(text.utf8)
    do {
      try scanner.skipValue()
      try scanner.end()
      return true
    } catch {
      return false
    }
  }

  @Test(
    "what RFC 8259 calls JSON is passed over",
    arguments: [
      "{}", "[]", "null", "true", "false", "0", "-0", "1.5", "-12e3", "1E+2", "1e-2", "0.0", #""""#, #""\u00e9\n\\""#,
      " [ 1 , [ ] , { } , [ [ ] ] ] ", #"{"a":{"b":[{"c":null}]},"d":[1,2]}"#, "\t\r\n[true]\n",
      #"{"a":1,"a":2}"#, "[\"\u{7F}\"]",
    ])
  func valid(text: String) {
    #expect(skips(text))
  }

  @Test(
    "what it does not is refused",
    arguments: [
      "[}", "{]", "[1}", #"{"a":1]"#, "[1,]", "[,1]", "[1 2]", "[1,,2]", "[", "{", "]", "}", "", " ", #"{"a"}"#,
      #"{"a":}"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, "{1:2}", #"{"a":1:2}"#, "[:]", "{,}", "01", "+1", "1.", ".5", "-",
      "1e", "1e+", "--1", "1.5.2", "0x10", "NaN", "tru", "nulls", "[true false]", "\u{B}[]", "[]\u{C}", "[\"a\nb\"]",
      "[\"\t\"]", #"["\x"]"#, #"["\u12"]"#, #"["\u+123"]"#, #"["a]"#, "[[[]]", "[]]", "'a'", "[1]//",
    ])
  func invalid(text: String) {
    #expect(!skips(text))
  }

  @Test("a million open brackets neither crash nor pass")
  func deep() {
    #expect(!skips(String(repeating: "[", count: 1_000_000)))
    #expect(skips(String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)))
  }

  @Test("values are read in their order, with their kinds")
  func values() throws {
    var scanner = JSONScanner(#"{"t":"é😀","n":-1.5e2,"b":true,"z":null,"a":[1,2],"o":{}}"#.utf8)
    var found: [String] = []
    try scanner.object { (scanner, key) throws(MalformedJSON) in
      let kind = scanner.kind()
      switch kind {
      case .array:
        var sum = 0
        try scanner.array { (scanner) throws(MalformedJSON) in sum += try scanner.number() ?? 0 }
        found.append("\(key) \(sum)")
      case .object:
        try scanner.skipValue()
        found.append("\(key) object")
      default:
        let text = try scanner.text()
        found.append("\(key) \(kind.map { "\($0)" } ?? "") \(text ?? "nil")")
      }
    }
    try scanner.end()
    #expect(
      found == ["t string é😀", "n number -1.5e2", "b boolean true", "z null nil", "a 3", "o object"])
    var none = JSONScanner("]".utf8)
    #expect(none.kind() == nil)
  }

  @Test("the reason says where or what")
  func reasons() {
    func reason(_ text: String) -> String {
      var scanner = JSONScanner(text.utf8)
      do {
        try scanner.skipValue()
        return "nothing thrown"
      } catch {
        return error.reason
      }
    }
    #expect(reason("[}") == "no value that is wanted here at byte 2")
    #expect(reason("[007]") == "'007' is not a number that is wanted here")
    #expect(reason("[\"a\tb\"]") == "a control character in a string at byte 4")
  }
}
