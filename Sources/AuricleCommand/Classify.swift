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
  @OptionGroup var jobOptions: JobOptions
  @Argument(help: ArgumentHelp("Audio files, folders of them, or - for standard input.", valueName: "file"))
  var files: [String]

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top); it must be at least 1.") }
  }

  func run() async throws {
    let classifier = try modelOptions.classifier(channelOptions)
    let paths = try AudioFiles.expand(paths: files)
    let labelWidth = classifier.model.labels.map(\.count).max() ?? 0
    let pathWidth = paths.map(\.count).max() ?? 0
    var failed = 0
    try await orderedMap(paths, jobs: jobOptions.jobs) { path in
      Result { try classifier.classify(path) }
    } each: { index, result in
      switch result {
      case .failure(let error):
        failed += 1
        StandardError.write("auricle: \(error)")
        if output.json { try StandardOutput.write(Prediction(path: paths[index], error: "\(error)").jsonLine) }
      case .success(let prediction) where output.json:
        try StandardOutput.write(prediction.jsonLine)
      case .success(let prediction):
        let best = prediction.probabilities.sorted { $0.probability > $1.probability }.prefix(top)
        let candidates = best.map { padded($0.label, labelWidth) + "  " + fixed(Double($0.probability), decimals: 4) }
        try StandardOutput.write(padded(prediction.path, pathWidth) + "  " + candidates.joined(separator: "   "))
      }
    }
    try ExitStatus.check(failed: failed, of: paths.count)
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
