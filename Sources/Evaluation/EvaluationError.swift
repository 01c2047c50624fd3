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

  /// Conditions that no example fulfils.
  case nothingChosen
  case noLabelInFile(path: String)
  /// A field to group by that no file has.
  case unknownField(String, known: [String])
  /// Examples of which none is of a class that the model knows; the path and the label of the first.
  case onlyUnknownLabels(path: String, label: String, known: [String])
  /// Predictions that are not those that this run would write; the reason is a clause.
  case notResumed(path: String, reason: String)
  /// A part that does not belong to the others; the reason is a clause.
  case notMerged(path: String, reason: String)

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
    case .nothingChosen: "no file is left to evaluate"
    case .noLabelInFile(let path):
      "\(path): holds no label, neither a true one nor an answer: rows want 'truth' and 'label', as 'auricle evaluate "
        + "--predictions' writes them"
    case .unknownField(let field, let known):
      "no file has a field '\(field)'; there are: \(known.joined(separator: ", "))"
    case .onlyUnknownLabels(let path, let label, let known):
      "\(path): its label '\(label)' is not one of the model's (\(known.joined(separator: ", "))), and neither is that of "
        + "any other file"
    case .notResumed(let path, let reason), .notMerged(let path, let reason): "\(path): \(reason)"
    }
  }
}
