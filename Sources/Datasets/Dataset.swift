import AudioInput
import AuricleBase

/// Labelled sounds, found by looking at what a path points to.
///
///     let dataset = try Dataset(at: "fsdd/recordings", labelPattern: LabelPattern("{label}_{speaker}_{index}"))
///     dataset.labels      // ["0", "1", ..., "9"]
///     dataset.source      // "file names by the pattern '{label}_{speaker}_{index}'"
///
/// What is understood is listed in `Layouts`, a file each: folders with a sub-folder per class, file names by a
/// `LabelPattern`, the folders and tables of well-known data sets, and any other table, as CSV, TSV, JSON lines or a JSON
/// array. Hidden files and folders are not looked at; nor are folders whose name begins with `_`, unless it ends with it, too.
public struct Dataset: Sendable {
  /// Where a table says something.
  public struct Origin: Hashable, Sendable {
    public var path: String
    public var line: Int
  }

  /// In the order of their paths' bytes for a folder, of the lines for a manifest.
  public private(set) var examples: [Example]
  /// Every label once, in natural order ("2" before "10").
  public let labels: [String]
  /// What was found, for people: "folder per class", "manifest (CSV), labels from 'label'".
  public let source: String
  /// Recordings of noise that the data set holds beside its classes.
  public internal(set) var noiseFiles: [String] = []
  /// The files of a folder that were passed over.
  public internal(set) var leftOut = LeftOut()
  /// By the examples' identities.
  var origins: [String: Origin] = [:]

  public init(examples: [Example], source: String) {
    self.examples = examples
    self.source = source
    labels = Set(examples.flatMap(\.labels)).sorted(by: naturallyPrecedes)
  }

  /// The same, of a source told otherwise.
  func with(source: String) -> Dataset {
    var dataset = Dataset(examples: examples, source: source)
    (dataset.noiseFiles, dataset.leftOut, dataset.origins) = (noiseFiles, leftOut, origins)
    return dataset
  }

  /// The same with further examples.
  package func adding(_ examples: [Example], source: String) -> Dataset {
    var dataset = Dataset(examples: self.examples + examples, source: source)
    (dataset.noiseFiles, dataset.leftOut, dataset.origins) = (noiseFiles, leftOut, origins)
    return dataset
  }

  /// Looks at `path` and lists what is there; no audio file is opened.
  ///
  /// A pattern with `{label}` names the classes of a folder; one without adds fields to a folder per class. Either adds
  /// fields to a manifest, whose own columns come first. With a `root`, a manifest whose paths lead out of that folder, by
  /// `..` or through symbolic links, is refused. `table` says how a table is read whose names do not say it themselves,
  /// `decoding` how the sounds are decoded; the files that are looked for in folders are then those of
  /// `decoding.extensions`, unless others are asked for.
  public init(
    at path: String, labelPattern: LabelPattern? = nil, root: String? = nil, table: TableOptions = TableOptions(),
    decoding: SoundDecoding = SoundDecoding(), audioExtensions: Set<String>? = nil
  ) throws(DatasetError) {
    let request = Request(
      path: path, pattern: labelPattern, root: root, options: table,
      extensions: audioExtensions ?? decoding.extensions)
    self = try Layouts.dataset(request)
    guard !examples.isEmpty else { throw .noExamples(path: path) }
    if decoding != SoundDecoding() {
      for index in examples.indices { examples[index].sound = examples[index].sound.decoded(by: decoding) }
    }
  }

  /// Where a table lists the example; nil when none does.
  public func origin(of example: Example) -> Origin? { origins[example.identity] }

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
