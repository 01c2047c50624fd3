import Auricle
import AuricleBase
import Pictures

/// A file that a report is written to, by its name's ending.
enum ReportFormat: String, CaseIterable {
  case html, json, csv

  init?(_ path: String) { self.init(rawValue: ending(of: path)) }

  static var endings: String { list(allCases.map(\.rawValue)) }
}

/// A file that a confusion matrix is written to, by its name's ending.
enum ConfusionFormat: String, CaseIterable {
  case csv, json, svg, png

  init?(_ path: String) { self.init(rawValue: ending(of: path)) }

  static var endings: String { list(allCases.map(\.rawValue)) }

  func write(_ matrix: ConfusionMatrix, _ normalization: ConfusionMatrix.Normalization, to path: String) throws {
    switch self {
    case .csv: try FileAccess.writeAtomically(matrix.csv(normalization), to: path)
    case .json: try FileAccess.writeAtomically(matrix.json(normalization), to: path)
    case .svg: try FileAccess.writeAtomically(matrix.picture(normalization).svg, to: path)
    case .png: try FileAccess.writeAtomically(matrix.picture(normalization).png(), to: path)
    }
  }
}

private func list(_ endings: [String]) -> String {
  endings.map { "." + $0 }.joined(separator: ", ")
}
