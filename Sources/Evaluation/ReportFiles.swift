#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

// What other programs read: CSV (RFC 4180, lines ending in LF) and JSON, in full precision.

extension ClassificationReport {
  /// One line per class: `label,precision,recall,f1,support`.
  public var csv: String {
    csvText(
      [["label", "precision", "recall", "f1", "support"]]
        + perClass.map { [$0.label, "\($0.precision)", "\($0.recall)", "\($0.f1)", "\($0.support)"] })
  }

  /// The whole report, keys sorted, indented; `JSONDecoder` gives the same report back.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }
}

extension ConfusionMatrix {
  /// A header of `truth` and the predicted labels, then one line per true label.
  public var csv: String {
    csvText([["truth"] + labels] + zip(labels, counts).map { label, row in [label] + row.map(String.init) })
  }
}

private func csvText(_ rows: [[String]]) -> String {
  rows.map { $0.map(csvCell).joined(separator: ",") + "\n" }.joined()
}

private func csvCell(_ text: String) -> String {
  let needsQuotes = text.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) }
  guard needsQuotes || text.first == " " || text.last == " " else { return text }
  return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
