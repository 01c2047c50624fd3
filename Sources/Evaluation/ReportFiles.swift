#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

// What other programs read: CSV (RFC 4180, lines ending in LF) and JSON, in full precision.

extension ClassificationReport {
  /// One line per class: `label,precision,recall,f1,rocAUC,averagePrecision,support`; the two of probabilities are empty
  /// where they are not known.
  public var csv: String {
    CSVText.text(
      [["label", "precision", "recall", "f1", "rocAUC", "averagePrecision", "support"]]
        + perClass.enumerated().map { index, metrics in
          [
            metrics.label, "\(metrics.precision)", "\(metrics.recall)", "\(metrics.f1)",
            scores?.rankings[index].rocAUC?.description ?? "",
            scores?.rankings[index].averagePrecision.description ?? "",
            "\(metrics.support)",
          ]
        })
  }

  /// The whole report, keys sorted, indented; `JSONDecoder` gives the same report back.
  public func json() throws -> String {
    try indentedJSON(self)
  }
}

extension ConfusionMatrix {
  private struct Table: Encodable {
    let labels: [String]
    let normalization: Normalization
    /// Rows the truth, columns the prediction.
    let values: [[Double]]
  }

  /// A header of `truth` and the predicted labels, then one line per true label.
  public func csv(_ normalization: Normalization = .none) -> String {
    let rows =
      normalization == .none
      ? counts.map { $0.map(String.init) } : values(normalization).map { $0.map(\.description) }
    return CSVText.text([["truth"] + labels] + zip(labels, rows).map { label, row in [label] + row })
  }

  /// `labels`, `normalization` and `values`, rows the truth and columns the prediction.
  public func json(_ normalization: Normalization = .none) throws -> String {
    try indentedJSON(Table(labels: labels, normalization: normalization, values: values(normalization)))
  }
}

private func indentedJSON(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
}
