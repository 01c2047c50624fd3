import ArgumentParser
import Auricle

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a model is made of, or what an audio file holds.",
    discussion: """
      Examples:
        auricle inspect digits.safetensors
        auricle inspect seven.wav --json
      """)

  @OptionGroup var output: OutputOptions
  @Argument(help: ArgumentHelp("A model or an audio file; nothing for the bundled model.", valueName: "model|file"))
  var path: String?

  func run() throws {
    if let path, !Inspect.looksLikeModel(path) {
      try inspectAudio(path)
    } else {
      try inspectModel(path.map { try SequenceClassifier(contentsOf: $0) } ?? SoundClassifier().model)
    }
  }

  /// By name, or by the first bytes of a safetensors file: a length, then JSON.
  private static func looksLikeModel(_ path: String) -> Bool {
    if path.hasSuffix(".safetensors") { return true }
    return path != "-" && FileAccess.hasPrefix(path, at: 8, [UInt8(ascii: "{"), UInt8(ascii: "\"")])
  }

  private struct ModelDescription: Encodable {
    var layers: [ModelSummary.Layer]
    var parameters: Int
    var labels: [String]
    var model: ModelConfiguration
    var features: FeatureConfiguration
    var training: TrainingRecord?
  }

  private func inspectModel(_ model: SequenceClassifier) throws {
    let summary = ModelSummary(model.configuration)
    if output.json {
      try StandardOutput.write(
        jsonLine(
          ModelDescription(
            layers: summary.layers, parameters: summary.parameters, labels: model.labels, model: model.configuration,
            features: model.features, training: model.record)))
      return
    }
    var table = TextTable([.left("layer"), .left("output"), .right("parameters")])
    for layer in summary.layers { table.append([layer.name, layer.output, "\(layer.parameters)"]) }
    table.append(["total", "", "\(summary.parameters)"])
    if summary.nonTrainableParameters > 0 {
      table.append(["of them not trained", "", "\(summary.nonTrainableParameters)"])
    }
    try StandardOutput.write(table.text)
    let features = model.features
    try StandardOutput.write(
      """
      features  \(features.kind.rawValue), \(features.coefficientCount) coefficients; \(features.sampleRate) Hz, frames of \
      \(features.frameLength) samples every \(features.hopLength)
      labels    \(model.labels.joined(separator: ", "))
      """)
    if let record = model.record, let best = record.epochs.first(where: { $0.number == record.bestEpoch }) {
      let accuracy = best.validationAccuracy.map { ", validation accuracy \(percent($0))" } ?? ""
      try StandardOutput.write(
        "training  \(record.trainingExamples) files, epoch \(best.number) of \(record.epochs.count)\(accuracy)")
    }
  }

  private struct AudioDescription: Encodable {
    var path: String
    var container: String
    var encoding: String
    var sampleRate: Int
    var channels: Int
    var frames: Int
    var duration: Double
    var peak: Double
    var rms: Double
  }

  private func inspectAudio(_ path: String) throws {
    let file = try AudioFile(path: path)
    var (frames, peak, squares) = (0, 0.0, 0.0)
    var block: [Float] = []
    while try file.read(frames: 65_536, into: &block) > 0 {
      for sample in block {
        peak = max(peak, Double(abs(sample)))
        squares += Double(sample) * Double(sample)
      }
      frames += block.count
      block.removeAll(keepingCapacity: true)
    }
    let info = file.info
    let description = AudioDescription(
      path: path, container: info.container, encoding: info.encoding, sampleRate: info.sampleRate,
      channels: info.channels, frames: frames, duration: Double(frames) / Double(info.sampleRate), peak: peak,
      rms: squareRoot(squares / Double(max(1, frames))))
    if output.json { return try StandardOutput.write(jsonLine(description)) }
    func decibels(_ level: Double) -> String {
      level > 0 ? "\(fixed(20 * decimalLogarithm(level), decimals: 1)) dBFS" : "silence"
    }
    let mixed = info.channels > 1 ? " (of the mean of the channels)" : ""
    try StandardOutput.write(
      """
      format    \(info.container), \(info.encoding)
      rate      \(info.sampleRate) Hz
      channels  \(info.channels)
      length    \(frames) frames, \(fixed(description.duration, decimals: 3)) s\
      \(info.frames != frames && info.frames > 0 ? " (the header promises \(info.frames) frames)" : "")
      peak      \(fixed(peak, decimals: 4)) (\(decibels(peak)))\(mixed)
      RMS       \(fixed(description.rms, decimals: 4)) (\(decibels(description.rms)))
      """)
  }
}
