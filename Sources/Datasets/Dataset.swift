import AuricleBase

/// Labelled audio files, found by looking at what a path points to.
///
///     let dataset = try Dataset(at: "fsdd/recordings", labelPattern: LabelPattern("{label}_{speaker}_{index}"))
///     dataset.labels      // ["0", "1", ..., "9"]
///     dataset.source      // "file names by the pattern '{label}_{speaker}_{index}'"
///
/// What is understood:
/// - a folder with a sub-folder per class (anything deeper belongs to the class); `validation_list.txt` and
///   `testing_list.txt` in it assign files to splits, as in Speech Commands (Warden, arXiv:1804.03209);
/// - a folder with `train`, `validation`, `test` (or the like) in it, and a sub-folder per class in each;
/// - a folder of files whose names carry the label, with a `LabelPattern`;
/// - a manifest: CSV or TSV with a header (`path,label[,split][,group]`), or JSON lines.
///
/// Hidden files and folders, and folders whose name begins with `_`, are not looked at.
public struct Dataset: Sendable {
  /// In the order of their paths' bytes for a folder, of the lines for a manifest.
  public let examples: [Example]
  /// Every label once, in natural order ("2" before "10").
  public let labels: [String]
  /// What was found, for people: "folder per class", "manifest (CSV)".
  public let source: String

  public init(examples: [Example], source: String) {
    self.examples = examples
    self.source = source
    labels = Set(examples.map(\.label)).sorted(by: naturallyPrecedes)
  }

  /// Looks at `path` and lists what is there; no audio file is opened.
  ///
  /// A pattern with `{label}` names the classes of a folder; one without adds fields to a folder per class. Either adds
  /// fields to a manifest, whose own columns come first. With a `root`, a manifest whose paths lead out of that folder, by
  /// `..` or through symbolic links, is refused.
  public init(
    at path: String, labelPattern: LabelPattern? = nil, root: String? = nil,
    audioExtensions: Set<String> = AudioFiles.extensions
  ) throws(DatasetError) {
    guard let kind = FileKind(path) else { throw .file(.unreadable(path: path, reason: systemReason())) }
    if case .folder = kind {
      let layout = FolderLayout(root: path, pattern: labelPattern, extensions: audioExtensions)
      self = try layout.dataset()
    } else if let format = Manifest.Format(fileExtension: fileExtension(of: path)) {
      self = try Manifest(path: path, format: format, pattern: labelPattern, root: root).dataset()
    } else {
      throw .notADataset(path: path)
    }
    guard !examples.isEmpty else { throw .noExamples(path: path) }
  }

  /// The examples for which every condition holds; an example without the field is not among them.
  ///
  /// Throws `DatasetError.unknownField` for a field no example has.
  public func examples(where conditions: [FieldCondition]) throws(DatasetError) -> [Example] {
    for condition in conditions where !examples.contains(where: { $0.value(of: condition.field) != nil }) {
      let known = Set(examples.flatMap(\.fields.keys)).union(["label"])
      throw .unknownField(condition.field, condition: condition.text, known: known.sorted(by: naturallyPrecedes))
    }
    return examples.filter { example in conditions.allSatisfy { $0.matches(example) } }
  }
}
