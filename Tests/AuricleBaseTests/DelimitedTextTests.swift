import AuricleBase
import Testing

@Suite struct DelimitedTextTests {
  @Test("cells, quotation marks, line ends and blanks as RFC 4180 and spreadsheets have them")
  func rows() throws {
    let rows = try DelimitedText().rows(of: "a, b ,\"c, \"\"d\"\"\ne\"\r\n\r\nf,g\"h,\ri")
    #expect(rows.map(\.cells) == [["a", "b", "c, \"d\"\ne"], ["f", "g\"h", ""], ["i"]])
    #expect(rows.map(\.line) == [1, 4, 5])
  }

  @Test("without quoting, quotation marks are data")
  func unquoted() throws {
    let dialect = DelimitedText(separator: UInt8(ascii: "\t"), isQuoted: false)
    let rows = try dialect.rows(of: "a\t\"b\n\tc\"\n")
    #expect(rows.map(\.cells) == [["a", "\"b"], ["", "c\""]])
  }

  @Test("a record keeps its blanks and its line ends")
  func record() throws {
    let dialect = DelimitedText(trimsBlanks: false)
    #expect(try dialect.cells(of: " a ,\"b\nc\",d\re\r".utf8) == [" a ", "b\nc", "d\re"])
    #expect(try dialect.cells(of: "".utf8) == [""])
  }

  @Test("quotation marks that do not pair are refused with their line")
  func malformed() {
    func complaint(_ text: String) -> String {
      do throws(DelimitedText.Malformed) {
        _ = try DelimitedText().rows(of: text)
        return "nothing thrown"
      } catch {
        return "\(error.line): \(error.reason)"
      }
    }
    #expect(complaint("a\n\"b\nc") == "2: a quotation mark is never closed")
    #expect(complaint("a\n\"b\" c\n") == "2: 'c' follows a closing quotation mark")
  }
}
