import AuricleBase

/// What can be wrong with a data set, each a sentence that names the file, and the line where there is one.
public enum DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
  case file(FileError)
  case notADataset(path: String)
  case notUTF8(path: String, line: Int)
  case noExamples(path: String)

  case noAudio(folder: String, extensions: Set<String>, leftOut: LeftOut = LeftOut())
  case missingFile(folder: String, wanted: [String], purpose: String)
  case emptyClass(label: String, folder: String, extensions: Set<String>)
  case emptyClasses(labels: [String], folder: String, extensions: Set<String>)
  case tablesInFolder(folder: String, tables: [String])
  case labelPatternNeeded(folder: String, file: String, suggestion: String)
  case mixedLayout(folder: String, file: String, subfolder: String, suggestion: String)
  case uselessList(path: String)
  case listedTwice(file: String, folder: String)

  case invalidPattern(String, reason: String)
  case patternMismatch(pattern: String, file: String, count: Int, total: Int)
  case invalidCondition(String, reason: String)
  case unknownField(String, condition: String, known: [String])

  /// A reason, and the lines of a file that it holds for.
  public struct LineProblem: Hashable, Sendable, CustomStringConvertible {
    public var lines: [Int]
    public var reason: String

    public var description: String {
      let first = lines.prefix(3).map { "\($0)" }.joined(separator: ", ")
      let rest = lines.count > 3 ? " and \(lines.count - 3) more" : ""
      return "line\(lines.count == 1 ? "" : "s") \(first)\(rest): \(reason)"
    }
  }

  case malformedLine(path: String, line: Int, reason: String)
  case severalLines(path: String, problems: [LineProblem])
  case noHeader(path: String, line: Int, cell: String)
  case ambiguousLabel(path: String, line: Int, columns: [String])
  case outside(root: String, path: String, line: Int, file: String)
  case missingColumn(path: String, line: Int, wanted: [[String]], found: [String])
  case contradiction(path: String, line: Int, earlier: Dataset.Origin, file: String, found: String, before: String)

  case sameName(String, path: String, earlier: String)

  case singleClass(label: String, source: String)
  case classesNotInTraining([Dataset.LostClass])
  case invalidFraction(Double)
  case groupsTooLarge(fraction: Double, groups: Int)
  case nothingHeldOut(conditions: [String])
  case noSplitGiven(source: String)
  case impossibleFolds(String)
  case invalidBatchSize(Int)

  public var description: String {
    switch self {
    case .file(let error): error.description
    case .notADataset(let path):
      "\(path): not a data set: wanted a folder, or a manifest (.csv, .tsv, .jsonl, .ndjson, .json)"
    case .notUTF8(let path, let line): "\(path), line \(line): not UTF-8 text; save it as UTF-8"
    case .noExamples(let path): "\(path): lists no files"

    case .noAudio(let folder, let extensions, let leftOut):
      "\(folder): no audio files in it (\(list(extensions)))"
        + (leftOut.soundCount == 0 ? "" : "; left out: \(leftOut)")
    case .missingFile(let folder, let wanted, let purpose):
      "\(folder): no file with \(purpose) in it; wanted '\(wanted.joined(separator: "' or '"))'"
    case .emptyClass(let label, let folder, let extensions):
      "\(folder): no audio files (\(list(extensions))) for class '\(label)'; remove the folder, or begin its name with '_'"
    case .emptyClasses(let labels, let folder, let extensions):
      "\(folder): no audio files (\(list(extensions))) for the classes \(labels.map { "'\($0)'" }.joined(separator: ", ")); "
        + "remove their folders, or begin their names with '_'"
    case .tablesInFolder(let folder, let tables):
      "\(folder): no audio files of its own and no data set of a known kind, but tables; give one of them: "
        + tables.map { "'\($0)'" }.joined(separator: ", ")
    case .labelPatternNeeded(let folder, let file, let suggestion):
      "\(folder): audio files stand directly in it ('\(file)'); say where in the name the label is, "
        + "for example with --label-pattern \(suggestion)"
    case .mixedLayout(let folder, let file, let subfolder, let suggestion):
      "\(folder): holds both audio files ('\(file)') and folders ('\(subfolder)'); move the files away for one folder "
        + "per class, or use --label-pattern, for example \(suggestion)"
    case .uselessList(let path):
      "\(path): none of its entries names a file of the data set (wanted 'label/file.wav' lines)"
    case .listedTwice(let file, let folder):
      "\(folder): '\(file)' is given two splits (a folder, validation_list.txt or testing_list.txt)"

    case .invalidPattern(let pattern, let reason): "label pattern '\(pattern)': \(reason)"
    case .patternMismatch(let pattern, let file, let count, let total):
      "\(file): does not match the label pattern '\(pattern)' (\(count) of \(total) files do not)"
    case .invalidCondition(let condition, let reason):
      "condition '\(condition)': \(reason); wanted something like 'index<10' or 'speaker=theo,jackson'"
    case .unknownField(let field, let condition, let known):
      "condition '\(condition)': no file has a field '\(field)'; there are: \(known.joined(separator: ", "))"

    case .malformedLine, .outside, .missingColumn, .contradiction, .noHeader, .ambiguousLabel:
      placed
    case .severalLines(let path, let problems):
      "\(path): \(problems.map(\.lines.count).reduce(0, +)) lines are wrong; "
        + problems.prefix(8).map(\.description).joined(separator: "; ")
        + (problems.count > 8 ? "; and \(problems.count - 8) reasons more" : "")

    case .sameName(let name, let path, let earlier):
      "\(path) and \(earlier) would both be named '\(name)'; rename one, or use a manifest with an 'id' column"

    case .singleClass(let label, let source):
      "only one class, '\(label)', was found (\(source)); there is nothing to tell apart"
    case .classesNotInTraining(let classes):
      classes.prefix(5).map(\.description).joined(separator: "; ")
        + (classes.count > 5 ? "; and \(classes.count - 5) classes more" : "")
    case .invalidFraction(let fraction): "validation fraction \(fraction): wanted at least 0 and less than 1"
    case .groupsTooLarge(let fraction, let groups):
      "each of the \(groups) groups is too large to hold out for a validation fraction of \(fraction); "
        + "hold one out by name, with a condition such as 'group=...'"
    case .nothingHeldOut(let conditions): "no file meets \(conditions.map { "'\($0)'" }.joined(separator: " and "))"
    case .noSplitGiven(let source): "the data set (\(source)) does not say which files are for validation"
    case .impossibleFolds(let reason): "cross-validation: \(reason)"
    case .invalidBatchSize(let size): "batch size \(size): wanted at least 1"
    }
  }

  private var placed: String {
    guard let path = pathOfLine, let (line, reason) = lineAndReason else { return "" }
    return "\(path), line \(line): \(reason)"
  }

  private var pathOfLine: String? {
    switch self {
    case .malformedLine(let path, _, _), .outside(_, let path, _, _), .missingColumn(let path, _, _, _),
      .contradiction(let path, _, _, _, _, _), .noHeader(let path, _, _), .ambiguousLabel(let path, _, _):
      path
    default: nil
    }
  }

  /// Of an error about one line: its number, and what is wrong there.
  var lineAndReason: (line: Int, reason: String)? {
    switch self {
    case .malformedLine(_, let line, let reason): (line, reason)
    case .outside(let root, _, let line, let file):
      (line, "'\(file)' leads out of \(root), which --root confines it to")
    case .missingColumn(_, let line, let wanted, let found):
      (
        line,
        wanted.map { "no '\($0.joined(separator: "' or '"))' column" }.joined(separator: " and ")
          + "; found: \(found.prefix(20).joined(separator: ", "))"
          + (found.count > 20 ? " and \(found.count - 20) more" : "")
      )
    case .contradiction(let path, let line, let earlier, let file, let found, let before):
      (
        line,
        "'\(file)' is \(found) here and \(before) in "
          + (earlier.path == path ? "line \(earlier.line)" : "\(earlier.path), line \(earlier.line)")
      )
    case .noHeader(_, let line, let cell):
      (line, "'\(cell)' stands where the names of the columns should; add a first line such as 'path,label'")
    case .ambiguousLabel(_, let line, let columns):
      (
        line,
        "the label might be any of the columns '\(columns.prefix(20).joined(separator: "', '"))'; name the one that is meant"
      )
    default: nil
    }
  }

  private func list(_ extensions: Set<String>) -> String {
    "." + extensions.sorted().joined(separator: " .")
  }
}
