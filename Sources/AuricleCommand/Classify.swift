import ArgumentParser
import Auricle
import AuricleBase

struct Classify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Say what is heard in audio files, or what sequences are.",
    discussion: """
      Examples:
        auricle classify seven.wav
        auricle classify --model birds.safetensors --top 3 --json recordings/
        auricle classify --model motion.safetensors sequences.npz
        find recordings -name '*.wav' | auricle classify --files-from - \\
          --errors-as-rows
        auricle classify --files-from list.txt --shard 3/8 -o part-3.jsonl
      """)

  @OptionGroup var modelOptions: ModelOptions
  @Option(help: ArgumentHelp("How many labels to show, the most probable first.", valueName: "n"))
  var top = 1
  @OptionGroup var rejection: RejectionOptions
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var decodingOptions: DecodingOptions
  @OptionGroup var batch: BatchOptions
  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "Write a JSON line for each file here. Until it is whole it is called FILE.part; a run that was stopped goes on, and "
        + "one that is finished is not done again.", valueName: "file"))
  var rows: String?
  @OptionGroup var output: OutputOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions
  @Argument(
    help: ArgumentHelp(
      "Audio files, folders of them, or - for standard input; or features (.npz, .npy, .ark, .scp, .htk, .csv).",
      valueName: "file"))
  var files: [String] = []

  func validate() throws {
    try batch.check(files)
    if rejection.reject != nil && (batch.isUsed || rows != nil) {
      throw ValidationError(
        "--reject does not go with --files-from, --shard and -o, whose rows keep the probabilities.")
    }
    if top < 1 { throw ValidationError("--top is \(top); it must be at least 1.") }
  }

  func run() async throws {
    if batch.isUsed || rows != nil { return try await runBatch() }
    let model = try modelOptions.load()
    let questions = try Question.all(about: files, decodingOptions.decoding)
    let classifier =
      questions.contains { $0.stored == nil } ? try SoundClassifier(model, channel: channelOptions.selection) : nil
    for case let stored? in questions.map(\.stored) { try stored.check(suits: model) }
    let labelWidth = model.labels.map(\.count).max() ?? 0
    let pathWidth = questions.map { printable($0.path).count }.max() ?? 0
    var (done, failed) = (0, 0)
    // Standard input may be waited for; then Ctrl-C ends the program at once.
    if !questions.contains(where: { $0.path == "-" }) { Interruption.listen() }
    func show(_ answer: Prediction) throws {
      var prediction = answer
      if let reject = rejection.reject { prediction.reject(below: reject) }
      for warning in prediction.warnings { StandardError.report("warning: \(warning)") }
      if prediction.error == nil { done += 1 } else { failed += 1 }
      if let error = prediction.error { StandardError.report(error) }
      if output.json {
        try StandardOutput.write(prediction.jsonLine)
      } else if prediction.error == nil {
        let best = prediction.probabilities.sorted { $0.probability > $1.probability }.prefix(top)
        var candidates = best.map { padded($0.label, labelWidth) + "  " + fixed(Double($0.probability), decimals: 4) }
        if prediction.label == Prediction.unknown, answer.label != Prediction.unknown {
          candidates.insert(Prediction.unknown, at: 0)
        }
        let path = padded(printable(prediction.path), pathWidth)
        try StandardOutput.write(path + "  " + candidates.joined(separator: "   "))
      }
      if failed > 0 && failureOptions.failFast { throw ExitStatus.failFast(done: done, of: questions.count) }
    }
    if let classifier, questions.allSatisfy({ $0.stored == nil }) {
      let examples = questions.map { $0.example }
      try await classifier.classify(examples, jobs: jobOptions.jobs, until: Interruption.isRequested, each: show)
    } else {
      try await orderedMap(questions, jobs: jobOptions.jobs, until: Interruption.isRequested) { question in
        if let stored = question.stored { return stored.prediction(of: question.name, by: model, path: question.path) }
        return classifier?.prediction(of: question.example) ?? Prediction(path: question.path)
      } each: { _, prediction in
        try show(prediction)
      }
    }
    try ExitStatus.check(failed: failed, of: questions.count)
  }

  private func runBatch() async throws {
    let answers = try ListClassifier(
      modelOptions.load(), channel: channelOptions.selection, shard: batch.chosenShard(), isMarked: rows != nil)
    let run = BatchRun(
      options: batch, failureOptions: failureOptions, jobs: jobOptions.jobs, output: rows, model: answers.fingerprint,
      decoding: decodingOptions.decoding)
    if run.isFinished() { return }
    try await run.run(files) { files, _ in answers.rows(for: files) }
  }
}

/// A sound, or a sequence of a file: what `classify` gives a line.
private struct Question: Sendable {
  var path: String
  var decoding = SoundDecoding()
  var stored: StoredFeatures?
  var name = ""

  var example: Example { Example(SoundSpan(path).decoded(by: decoding), labels: []) }

  /// Files, and what is in folders and in files of several sequences, in this order.
  static func all(about files: [String], _ decoding: SoundDecoding) throws -> [Question] {
    try files.flatMap { file -> [Question] in
      guard !FileAccess.isFolder(file) else {
        do {
          let (paths, leftOut) = try AudioFiles.find(paths: [file], extensions: decoding.extensions)
          if leftOut.soundCount > 0 { StandardError.report("left out: \(leftOut)") }
          return paths.map { Question(path: $0, decoding: decoding) }
        } catch let error as DatasetError {
          guard case .noAudio = error,
            let found = try? AudioFiles.expand(paths: [file], extensions: ["npy", "htk"])
          else { throw error }
          return try all(about: found, decoding)
        }
      }
      guard decoding.raw == nil, StoredFeatures.endings.contains(ending(of: file)) else {
        return [Question(path: file, decoding: decoding)]
      }
      let stored = try StoredFeatures(at: file)
      return stored.names.map {
        Question(path: stored.names.count == 1 ? file : "\(file):\($0)", stored: stored, name: $0)
      }
    }
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
