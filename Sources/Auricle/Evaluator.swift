import AuricleBase

/// Judges models by labelled examples, and keeps what they answered.
///
///     let data = LabeledData(try Dataset(at: "recordings"))
///     let tally = try await Evaluator().evaluate(SoundClassifier().model, on: data)
///     print(tally.report().accuracy)
///
/// Of the answers only what a report needs is kept: 100,000 files take megabytes.
public struct Evaluator: Sendable {
  /// Only examples that fulfil all of these, and that the data set puts in this split.
  public var conditions: [FieldCondition] = []
  public var split: Split?
  /// Fields by whose values accuracy is told apart; or `label`, `sample-rate`, `duration`.
  public var groupBy: [String] = []
  /// Whether paths and groups are kept, for an `HTMLReport`.
  public var keepsFiles = false
  /// Which channel is listened to in files of several.
  public var channel = ChannelSelection.mix
  /// Answers of less probability count as `Prediction.unknown`; nil to take them all. The rows that are written keep the
  /// label.
  public var reject: Double?
  /// Threads to use.
  public var jobs = 1
  /// The part of the examples that is this process's. Its predictions are written to `PATH.part`, which is continued, and
  /// gets its own name when it is whole; a part that has it is read, not done again.
  public var shard: Shard?

  public init() {}

  /// What happens as it goes.
  public enum Progress: Sendable {
    /// What a person should know, as a sentence.
    case warning(String)
    /// How many examples there are, and how many of them an earlier run had answered.
    case begins(examples: Int, resumed: Int)
    /// The next answer, and the number of answers so far.
    case prediction(Prediction, done: Int)
  }

  /// A file that predictions are written to as they come, a row each, and whether it is continued where it is there.
  public struct PredictionOutput: Sendable {
    public var path: String
    public var resumes: Bool

    public init(path: String, resumes: Bool = false) {
      (self.path, self.resumes) = (path, resumes)
    }
  }

  /// What `model` answers to the examples of `data`. When `stop` says so, those in flight are finished and kept, and
  /// `CancellationError` is thrown.
  ///
  /// Throws `EvaluationError` where nothing can be judged or `output` cannot be continued, `FeatureError` and `ModelError`
  /// for a model that cannot take these examples, and `FileError`. A file that cannot be read is an answer with an error.
  public func evaluate(
    _ model: ClassifierEnsemble, on data: LabeledData, writing output: PredictionOutput? = nil,
    isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool = false, progress: (Progress) throws -> Void = { _ in }
  ) async throws -> EvaluationTally {
    let classifier = data.sequences == nil ? try SoundClassifier(model, channel: channel) : nil
    let all = try chosen(of: data.dataset)
    if let warning = try unknownClasses(in: all, model.labels) { try progress(.warning(warning)) }
    let fields = try fields(of: all)
    var output = output
    if shard != nil, let whole = output?.path {
      if PartFile.isFinished(whole) { return try evaluate(predictionsAt: whole) { _ in } }
      output = PredictionOutput(path: PartFile.temporaryPath(of: whole), resumes: true)
    }
    let rows = shard.map { shard in all.indices.filter { shard.contains(all[$0].path) } }
    let examples = rows.map { $0.map { all[$0] } } ?? all
    let lacking = Set(all.map(\.label)).subtracting(model.labels).sorted(by: naturallyPrecedes)
    var tally = try EvaluationTally(
      labels: model.labels + lacking, groupBy: groupBy, keepsFiles: keepsFiles, reject: reject)
    let fingerprint =
      try output == nil ? nil : classifier?.fingerprint() ?? model.fingerprint(listeningTo: "sequences")
    let writer = try output.map { output in
      try output.resumes && FileAccess.exists(output.path)
        ? resumedWriter(output.path, &tally, examples, fields, labels: model.labels, model: fingerprint)
        : PredictionWriter(to: output.path, labels: model.labels, fields: fields)
    }
    let done = tally.count
    try progress(.begins(examples: examples.count, resumed: done))
    func take(_ prediction: Prediction) throws {
      var prediction = prediction
      prediction.model = fingerprint
      if let shard, let rows { (prediction.shard, prediction.row) = (shard.description, rows[tally.count] + 1) }
      try writer?.write(prediction)
      try tally.add(prediction)
      try progress(.prediction(prediction, done: tally.count))
    }
    let rest = Array(examples[done...])
    try await classifier?.classify(rest, jobs: jobs, until: stop(), each: take)
    try await data.sequences?.classify(rest, with: model, jobs: jobs, until: stop(), each: take)
    if shard != nil, let part = output?.path { try writer?.rename(to: String(part.dropLast(".part".count))) }
    return tally
  }

  /// What an earlier run predicted: the rows of the file at `path`. It is read twice. Throws `EvaluationError` and
  /// `FileError`.
  public func evaluate(predictionsAt path: String, warn: (String) -> Void = { _ in }) throws -> EvaluationTally {
    let file = PredictionFile(path: path)
    let labels = try file.labels()
    guard !labels.isEmpty else { throw EvaluationError.noLabelInFile(path: path) }
    var fields: Set<String> = []
    var tally = try EvaluationTally(labels: labels, groupBy: groupBy, keepsFiles: keepsFiles, reject: reject)
    var unequal = 0
    let end = try file.read { prediction in
      let sum = prediction.probabilities.reduce(0) { $0 + Double($1.probability) }
      if !prediction.probabilities.isEmpty && abs(sum - 1) > 0.01 { unequal += 1 }
      let example = Example(path: prediction.path, label: prediction.truth ?? "", fields: prediction.fields)
      guard conditions.allSatisfy({ $0.matches(example) }),
        split == nil || prediction.fields["split"].flatMap({ Split($0) }) == split
      else { return }
      fields.formUnion(prediction.fields.keys)
      try tally.add(prediction)
    }
    if unequal > 0 {
      warn(
        "\(path): the probabilities of \(unequal) rows do not sum to 1; figures that use them mean little, unless each "
          + "label was judged by itself")
    }
    if end.isCutOff { warn("\(path): its last row is cut off; it does not count") }
    try checkGroups(known: fields)
    return tally
  }

  // MARK: Which examples

  private func chosen(of dataset: Dataset) throws -> [Example] {
    var examples = try dataset.examples(where: conditions)
    if let split { examples = examples.filter { $0.split == split } }
    guard !examples.isEmpty else { throw EvaluationError.nothingChosen }
    return examples
  }

  /// What to say of classes that the model lacks; nil where there are none. Throws where it lacks all.
  private func unknownClasses(in examples: [Example], _ labels: [String]) throws(EvaluationError) -> String? {
    let known = Set(labels)
    let lacking = examples.filter { !known.contains($0.label) }
    guard let odd = lacking.first else { return nil }
    guard lacking.count < examples.count else {
      throw .onlyUnknownLabels(path: odd.path, label: odd.label, known: labels)
    }
    let counts = lacking.reduce(into: [String: Int]()) { $0[$1.label, default: 0] += 1 }
    let classes = counts.sorted { naturallyPrecedes($0.key, $1.key) }.map { "'\($0.key)' \($0.value)" }
    return "\(lacking.count) of \(examples.count) files are of classes that the model lacks "
      + "(\(classes.joined(separator: ", "))); they count as wrong"
  }

  /// The names of all fields.
  private func fields(of examples: [Example]) throws(EvaluationError) -> [String] {
    var fields: Set<String> = []
    for example in examples {
      fields.formUnion(example.fields.keys)
      if example.split != nil { fields.insert("split") }
    }
    try checkGroups(known: fields)
    return fields.sorted(by: naturallyPrecedes)
  }

  private func checkGroups(known fields: Set<String>) throws(EvaluationError) {
    let known = fields.union(["label", "sample-rate", "duration"])
    if let field = groupBy.first(where: { !known.contains($0) }) {
      throw .unknownField(field, known: known.sorted(by: naturallyPrecedes))
    }
  }

  /// Takes over what a stopped run wrote: the same model's answers to the first of the same files.
  private func resumedWriter(
    _ path: String, _ tally: inout EvaluationTally, _ examples: [Example], _ fields: [String], labels: [String],
    model: String?
  ) throws -> PredictionWriter {
    let end = try PredictionFile(path: path).read(linesMustEnd: true) { prediction in
      let row = tally.count
      guard prediction.model == model else {
        throw EvaluationError.notResumed(
          path: path,
          reason:
            "\(prediction.path) was answered by another model or channel (\(prediction.model ?? "unknown"); this is "
            + "\(model ?? "unknown")); resume with the same, or write to another file")
      }
      guard row < examples.count, examples[row].identity == prediction.path, examples[row].label == prediction.truth
      else {
        throw EvaluationError.notResumed(
          path: path,
          reason: "row \(row + 1) is \(prediction.path) with truth '\(prediction.truth ?? "")', but this run has "
            + (row < examples.count
              ? "\(examples[row].identity) with '\(examples[row].label)' there" : "only \(examples.count) files")
            + "; resume with the same data set and choice of files")
      }
      try tally.add(prediction)
    }
    return try PredictionWriter(resuming: path, at: end, labels: labels, fields: fields)
  }
}
