/// What is odd about a data set and may spoil training, though it can be read; each a sentence.
public enum Suspicion: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    case folds, actors, splits
  }

  /// Classes that look as if folders that are none were taken for them. The pattern, in words, would take the label from
  /// the file names.
  case classesNamedLike(Kind, labels: [String], pattern: String?)
  /// Classes that look like several labels of one sound each, such as "dog;rain".
  case severalLabels([String])
  /// The same content in several parts: `count` sounds, and two files of the first.
  case leak(count: Int, path: String, other: String)
  /// The same content in several classes: `count` sounds, and two files of the first with their labels.
  case contradiction(count: Int, path: String, label: String, other: String, otherLabel: String)
  /// Segments of one file in several parts.
  case segmentsApart(files: Int, path: String)
  /// Classes of fewer than ten files, with their counts.
  case fewFiles([DatasetReport.ClassCount])
  /// Classes of training that a part has no file of.
  case partWithoutClasses(Split, labels: [String], of: Int)
  case nothingToValidate
  /// Seconds.
  case unequalLengths(shortest: Double, path: String, longest: Double, longestPath: String)

  public var description: String {
    switch self {
    case .classesNamedLike(let kind, let labels, let pattern):
      "the classes are named like \(kind.rawValue) (\(list(labels))); are they what is to be told apart?"
        + (pattern.map { " The file names may carry the label: pattern \($0)" } ?? "")
    case .severalLabels(let labels):
      "\(labels.count == 1 ? "one class looks" : "\(labels.count) classes look") like several labels (\(list(labels))), each of "
        + "which is learned as one; a sound has one label here"
    case .leak(let count, let path, let other):
      "\(sounds(count)) in several parts, so that a model is judged by what it learned (\(path) is \(other))"
    case .contradiction(let count, let path, let label, let other, let otherLabel):
      "\(sounds(count)) in several classes (\(path), '\(label)', is \(other), '\(otherLabel)')"
    case .segmentsApart(let files, let path):
      "segments of \(files == 1 ? "one file are" : "\(files) files are each") in several parts (\(path)); a column 'group' keeps "
        + "together what belongs together"
    case .fewFiles(let classes):
      "\(classes.count == 1 ? "one class has" : "\(classes.count) classes have") fewer than \(DatasetReport.fewFiles) files: "
        + classes.prefix(5).map { "'\($0.label)' \($0.total)" }.joined(separator: ", ")
        + (classes.count > 5 ? " and \(classes.count - 5) more" : "")
    case .partWithoutClasses(let split, let labels, let count):
      "\(split.rawValue) has no file of \(labels.count) of the \(count) classes (\(list(labels)))"
    case .nothingToValidate: "no file is left for validation; the last epoch will be kept, good or bad"
    case .unequalLengths(let shortest, let path, let longest, let longestPath):
      "lengths differ by a factor of \(Int((longest / shortest).rounded())): \(path) has \(rounded(shortest)) s, "
        + "\(longestPath) \(rounded(longest)) s"
    }
  }

  private func sounds(_ count: Int) -> String { count == 1 ? "one sound is" : "\(count) sounds are each" }

  private func list(_ labels: [String]) -> String {
    labels.prefix(3).map { "'\($0)'" }.joined(separator: ", ") + (labels.count > 3 ? ", ..." : "")
  }

  private func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}
