import ArgumentParser
import Auricle

struct Classify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is heard in audio files.",
    discussion: """
      Examples:
        auricle classify seven.wav
        auricle classify --model birds.safetensors --top 3 --json recordings/
      """)

  @OptionGroup var modelOptions: ModelOptions
  @Option(help: ArgumentHelp("How many labels to show, the most probable first.", valueName: "n"))
  var top = 1
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions
  @Argument(help: ArgumentHelp("Audio files, folders of them, or - for standard input.", valueName: "file"))
  var files: [String]

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top); it must be at least 1.") }
  }

  func run() async throws {
    let classifier = try modelOptions.classifier(channelOptions)
    let (paths, leftOut) = try AudioFiles.find(paths: files)
    if leftOut.soundCount > 0 { StandardError.report("left out: \(leftOut)") }
    let labelWidth = classifier.model.labels.map(\.count).max() ?? 0
    let pathWidth = paths.map { printable($0).count }.max() ?? 0
    var (done, failed) = (0, 0)
    // Standard input may be waited for; then Ctrl-C ends the program at once.
    if !paths.contains("-") { Interruption.listen() }
    let examples = paths.map { Example(SoundSpan($0), labels: []) }
    try await classifier.classify(examples, jobs: jobOptions.jobs, until: Interruption.isRequested) { prediction in
      for warning in prediction.warnings { StandardError.report("warning: \(warning)") }
      if prediction.error == nil { done += 1 } else { failed += 1 }
      if let error = prediction.error { StandardError.report(error) }
      if output.json {
        try StandardOutput.write(prediction.jsonLine)
      } else if prediction.error == nil {
        let best = prediction.probabilities.sorted { $0.probability > $1.probability }.prefix(top)
        let candidates = best.map { padded($0.label, labelWidth) + "  " + fixed(Double($0.probability), decimals: 4) }
        let path = padded(printable(prediction.path), pathWidth)
        try StandardOutput.write(path + "  " + candidates.joined(separator: "   "))
      }
      if failed > 0 && failureOptions.failFast { throw ExitStatus.failFast(done: done, of: paths.count) }
    }
    try ExitStatus.check(failed: failed, of: paths.count)
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
