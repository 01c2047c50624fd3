/// What can be wrong with what is to be evaluated.
public enum EvaluationError: Error, Hashable, Sendable, CustomStringConvertible {
  case noLabels
  case duplicateLabel(String)
  case unknownLabel(String, known: [String])
  case unequalCounts(truth: Int, predicted: Int)
  case malformedCounts(labels: Int)
  case invalidProbability(path: String, label: String, value: String)

  case malformedRow(path: String, line: Int, reason: String)
  case otherColumns(path: String, found: [String], wanted: [String])
  case unequalTruths(path: String, first: String, second: String)
  case nothingInCommon(first: String, second: String)

  public var description: String {
    switch self {
    case .noLabels: "no labels were given to evaluate with"
    case .duplicateLabel(let label): "label '\(label)' was given twice"
    case .unknownLabel(let label, let known):
      "label '\(label)' is not one of the \(known.count) known: \(known.joined(separator: ", "))"
    case .unequalCounts(let truth, let predicted): "\(truth) true labels, but \(predicted) predicted ones"
    case .malformedCounts(let labels):
      "the counts of a confusion matrix of \(labels) labels must be \(labels) rows of \(labels) numbers, none negative"
    case .invalidProbability(let path, let label, let value):
      "\(path): the probability of '\(label)' is \(value); it must be 0 to 1"
    case .malformedRow(let path, let line, let reason): "\(path), line \(line): not a prediction: \(reason)"
    case .otherColumns(let path, let found, let wanted):
      "\(path): its columns are \(found.joined(separator: ", ")); this run writes \(wanted.joined(separator: ", "))"
    case .unequalTruths(let path, let first, let second):
      "\(path): its true label is '\(first)' in the first file and '\(second)' in the second"
    case .nothingInCommon(let first, let second):
      "\(first) and \(second): no file was answered, with a known truth, in both"
    }
  }
}
