import ArgumentParser
import Auricle
import AuricleBase

/// Makes an error of `check` wrong usage, with the error's reason after `option`.
func checkUsage(_ option: String? = nil, _ check: () throws -> Void) throws {
  do { try check() } catch { throw ValidationError((option.map { "\($0): " } ?? "") + "\(error).") }
}

struct JobOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Threads to use; as a rule, all cores that Slurm and the control group allow.", valueName: "n"))
  var jobs: Int = ProcessorCount.available

  func validate() throws {
    guard (1...4096).contains(jobs) else { throw ValidationError("--jobs is \(jobs); it must be 1 to 4096.") }
  }
}

struct FailureOptions: ParsableArguments {
  @Flag(help: "Stop at the first file that fails, instead of doing all others.")
  var failFast = false
}

struct RootOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Refuse a manifest whose paths lead out of this folder, by .. or through links.", valueName: "folder"))
  var root: String?
}

struct OutputOptions: ParsableArguments {
  @Flag(help: "Write JSON lines instead of tables for people.")
  var json = false
}

struct RejectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Answer 'unknown' where no label is as probable as this, for example 0.5.", valueName: "probability"))
  var reject: Double?

  func validate() throws {
    if let reject, !(0...1).contains(reject) { throw ValidationError("--reject is \(reject); it must be 0 to 1.") }
  }
}

struct ChannelOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Use one channel, 1 being the first, instead of the mean of all.", valueName: "n"))
  var channel: Int?

  var selection: ChannelSelection { channel.map { .channel($0) } ?? .mix }

  func validate() throws {
    if let channel, channel < 1 { throw ValidationError("--channel is \(channel); 1 is the first.") }
  }
}

/// How sound is decoded that does not say so itself, or that libsndfile does not read.
struct DecodingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The sound has no header: encoding (\(RawFormat.Encoding.allCases.map(\.rawValue).joined(separator: ", "))), rate and "
        + "channels, for example s16le:16000:1.", valueName: "format"))
  var raw: RawFormat?
  @Flag(
    name: .customLong("ffmpeg"),
    help: "Let an installed ffmpeg decode what libsndfile does not read (m4a, webm, AMR, film).")
  var usesFFmpeg = false

  func validate() throws {
    if raw != nil && usesFFmpeg { throw ValidationError("--raw and --ffmpeg exclude each other.") }
  }

  var decoding: SoundDecoding { SoundDecoding(raw: raw, fallback: usesFFmpeg ? .ffmpeg : nil) }
}

extension RawFormat: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

struct ModelOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The model file (default: the bundled model of spoken digits).", valueName: "file"))
  var model: String?

  func load() throws -> ClassifierEnsemble {
    try model.map { try ClassifierEnsemble(contentsOf: $0) } ?? SoundClassifier().model
  }
}

struct DatasetOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A folder with a folder per class, a folder of files named by a pattern, or a manifest (.csv, .tsv, .jsonl); or features (.npz, .npy, .ark, .scp).",
      valueName: "dataset"))
  var dataset = ""
  @OptionGroup var labels: LabelOptions
  @Flag(help: "Do not train on data in which something is suspicious, such as one sound in two classes.")
  var strict = false
  @Flag(help: "Leave classes that only files for testing have out of the model, instead of refusing the data set.")
  var allowTestOnlyClasses = false

  func load() throws -> LabeledData { try labels.load(dataset) }

  /// Divides the data set, and says which of its classes the model will lack.
  func split(_ dataset: Dataset, validation choice: ValidationChoice, seed: UInt64) throws -> DatasetSplit {
    let split: DatasetSplit
    do {
      split = try dataset.split(
        validation: choice, seed: seed, allowingClassesOnlyInTesting: allowTestOnlyClasses)
    } catch {
      guard case .classesNotInTraining(let classes) = error, classes.allSatisfy({ $0.split == .testing }) else {
        throw error
      }
      throw CommandError("\(error); --allow-test-only-classes leaves such classes out of the model")
    }
    let lacking = split.testingByUnknownLabel.sorted { naturallyPrecedes($0.key, $1.key) }
    if !lacking.isEmpty {
      let counts = lacking.map { "'\($0.key)' \($0.value)" }.joined(separator: ", ")
      StandardError.report(
        "warning: the model will lack the classes of \(lacking.map(\.value).reduce(0, +)) files for testing (\(counts)), "
          + "which count as wrong")
    }
    return split
  }
}

/// How a table is read whose names do not say it themselves.
struct TableColumnOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Column of a manifest that names the audio file.", valueName: "name"))
  var pathColumn: String?
  @Option(
    help: ArgumentHelp(
      "Column of a manifest that holds the label (of a Kaldi directory, the file).", valueName: "name"))
  var labelColumn: String?
  @Option(
    help: ArgumentHelp("Folder that the paths of a manifest are relative to, instead of its own.", valueName: "folder"))
  var audioRoot: String?
  @Option(
    help: ArgumentHelp(
      "What stands between the cells of a manifest, or tab (default: what its first line shows).",
      valueName: "character"
    ))
  var separator: String?

  func validate() throws {
    if let separator, separatorCharacter == nil {
      throw ValidationError("--separator is '\(separator)'; it must be one ASCII character, or tab.")
    }
  }

  private var separatorCharacter: Character? {
    guard let separator else { return nil }
    if separator == "tab" || separator == "\\t" { return "\t" }
    return separator.count == 1 ? separator.first { $0.isASCII && !"\"\r\n".contains($0) } : nil
  }

  var options: TableOptions {
    var options = TableOptions()
    (options.pathColumn, options.labelColumn, options.audioRoot) = (pathColumn, labelColumn, audioRoot)
    options.separator = separatorCharacter
    return options
  }
}

struct LabelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How file names carry labels, for example '{label}_{speaker}_{index}'; '*' stands for anything.",
      valueName: "pattern"))
  var labelPattern: String?
  @OptionGroup var table: TableColumnOptions
  @Option(
    help: ArgumentHelp(
      "Labels of features, by name: a CSV file (name,label[,split]), lines of a name and a label, or what the features were made from, such as a manifest.",
      valueName: "file"))
  var labels: String?
  @OptionGroup var confinement: RootOptions
  @OptionGroup var decodingOptions: DecodingOptions

  func validate() throws {
    try checkUsage("--label-pattern") { _ = try labelPattern.map { try LabelPattern($0) } }
  }

  /// Sound, or features of it, or other sequences: what `dataset` is shows which.
  func load(_ dataset: String) throws -> LabeledData {
    let pattern = try labelPattern.map { try LabelPattern($0) }
    if SequenceDataset.isArchive(dataset) || labels != nil && FileAccess.isFolder(dataset) {
      return LabeledData(try sequences(dataset, pattern))
    }
    if labels != nil { throw CommandError("\(dataset): not a file or folder of features, which alone take --labels") }
    let found = Result { () throws(DatasetError) in
      try Dataset(
        at: dataset, labelPattern: pattern, root: confinement.root, table: table.options,
        decoding: decodingOptions.decoding)
    }
    switch found {
    case .success(let found) where !SequenceDataset.isSequences(found): return LabeledData(found)
    case .failure(.noAudio) where SequenceDataset.isFolderOfSequences(dataset), .success:
      return LabeledData(try sequences(dataset, pattern))
    case .failure(let error): throw CommandError("\(error)\(hint(for: error))")
    }
  }

  private func sequences(_ path: String, _ pattern: LabelPattern?) throws -> SequenceDataset {
    do {
      let data = try SequenceDataset(at: path, labels: labels, labelPattern: pattern, root: confinement.root)
      if data.unlabeled > 0 {
        StandardError.write("auricle: \(path): \(data.unlabeled) sequences have no label; they are left out")
      }
      return data
    } catch FeatureFileError.noLabels(let path) {
      throw CommandError(
        "\(path): its sequences have no labels; say them with --labels, or --label-pattern for their names")
    }
  }

  /// Which option helps.
  private func hint(for error: DatasetError) -> String {
    switch error {
    case .missingColumn: "; --path-column and --label-column name others"
    case .ambiguousLabel: ", with --label-column"
    default: ""
    }
  }
}

extension Recurrent.Cell: ExpressibleByArgument {}
extension ClassicNetwork.Pooling: ExpressibleByArgument {}
extension ClassicNetwork.InputNormalization: ExpressibleByArgument {}
extension LearningRateSchedule: ExpressibleByArgument {}
extension Optimizer.Kind: ExpressibleByArgument {}
extension NetworkName: ExpressibleByArgument {}

/// `filters:frames`, `filters:frames/stride` or, in two dimensions, `filters:framesxbins/stridexstride`.
extension Convolution: ExpressibleByArgument {
  public init?(argument: String) {
    func numbers(_ text: Substring) -> [Int]? {
      let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      return parts.contains(nil) || parts.count > 2 ? nil : parts.compactMap { $0 }
    }
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let filters = Int(parts[0]) else { return nil }
    let halves = parts[1].split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count <= 2, let size = numbers(halves[0]) else { return nil }
    guard let stride = halves.count == 2 ? numbers(halves[1]) : [], stride.count <= size.count else { return nil }
    self.init(
      filters: filters, frames: size[0], frameStride: stride.first ?? 1, bins: size.count == 2 ? size[1] : nil,
      binStride: stride.count == 2 ? stride[1] : 1)
  }
}
