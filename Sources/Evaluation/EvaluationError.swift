/// What can be wrong with what is to be evaluated.
public enum EvaluationError: Error, Hashable, Sendable, CustomStringConvertible {
  case noLabels
  case duplicateLabel(String)
  case unknownLabel(String, known: [String])
  case unequalCounts(truth: Int, predicted: Int)
  case malformedCounts(labels: Int)

  public var description: String {
    switch self {
    case .noLabels: "no labels were given to evaluate with"
    case .duplicateLabel(let label): "label '\(label)' was given twice"
    case .unknownLabel(let label, let known):
      "label '\(label)' is not one of the \(known.count) known: \(known.joined(separator: ", "))"
    case .unequalCounts(let truth, let predicted): "\(truth) true labels, but \(predicted) predicted ones"
    case .malformedCounts(let labels):
      "the counts of a confusion matrix of \(labels) labels must be \(labels) rows of \(labels) numbers, none negative"
    }
  }
}
