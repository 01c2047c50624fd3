/// The columns of a CSV file of predictions: fixed ones, then `probability:LABEL` for each label in the model's order,
/// then `field:NAME` for each further field.
struct PredictionColumns: Equatable {
  private static let fixed = [
    "path", "truth", "label", "probability", "duration", "sampleRate", "seconds", "error", "stage", "model",
  ]
  private static let probabilityPrefix = "probability:"
  private static let fieldPrefix = "field:"

  let names: [String]

  init(labels: [String], fields: [String]) {
    names = Self.fixed + labels.map { Self.probabilityPrefix + $0 } + fields.map { Self.fieldPrefix + $0 }
  }

  /// Columns as found; nil without a `path` among them.
  init?(names: [String]) {
    guard names.contains("path") else { return nil }
    self.names = names
  }

  /// The row of `prediction`, a cell a column; what is nil is empty.
  func row(_ prediction: Prediction) -> [String] {
    let probabilities = Dictionary(prediction.probabilities.map { ($0.label, $0.probability) }) { first, _ in first }
    return names.map { name in
      switch name {
      case "path": prediction.path
      case "truth": prediction.truth ?? ""
      case "label": prediction.label ?? ""
      case "probability": prediction.probability?.description ?? ""
      case "duration": prediction.duration?.description ?? ""
      case "sampleRate": prediction.sampleRate?.description ?? ""
      case "seconds": prediction.seconds?.description ?? ""
      case "error": prediction.error ?? ""
      case "stage": prediction.stage ?? ""
      case "model": prediction.model ?? ""
      default:
        if let label = name.suffix(after: Self.probabilityPrefix) {
          probabilities[label]?.description ?? ""
        } else {
          name.suffix(after: Self.fieldPrefix).flatMap { prediction.fields[$0] } ?? ""
        }
      }
    }
  }

  /// Reads a row back; an empty cell is nil. Throws the reason when it does not fit.
  func prediction(_ cells: [String]) throws(MalformedPrediction) -> Prediction {
    guard cells.count == names.count else {
      throw MalformedPrediction(reason: "\(cells.count) cells, but the header has \(names.count)")
    }
    var prediction = Prediction(path: "")
    for (name, cell) in zip(names, cells) where !cell.isEmpty {
      func number<Number: LosslessStringConvertible>() throws(MalformedPrediction) -> Number {
        guard let number = Number(cell) else {
          throw MalformedPrediction(reason: "'\(cell)' in column '\(name)' is not a number")
        }
        return number
      }
      switch name {
      case "path": prediction.path = cell
      case "truth": prediction.truth = cell
      case "label", "prediction": prediction.label = cell
      case "probability": prediction.probability = try number()
      case "duration": prediction.duration = try number()
      case "sampleRate": prediction.sampleRate = try number()
      case "seconds": prediction.seconds = try number()
      case "error": prediction.error = cell
      case "stage": prediction.stage = cell
      case "model": prediction.model = cell
      default:
        if let label = name.suffix(after: Self.probabilityPrefix) {
          prediction.probabilities.append(.init(label: label, probability: try number()))
        } else {
          prediction.fields[name.suffix(after: Self.fieldPrefix) ?? name] = cell
        }
      }
    }
    return prediction
  }
}

extension String {
  fileprivate func suffix(after prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
