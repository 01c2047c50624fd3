import ArgumentParser
import Auricle
import AuricleBase
import RealModule

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a model is made of, or what an audio file holds.",
    discussion: """
      Examples:
        auricle inspect digits.safetensors
        auricle inspect seven.wav --json
        auricle inspect digits.safetensors --card > README.md
      """)

  @OptionGroup var decodingOptions: DecodingOptions
  @OptionGroup var output: OutputOptions
  @Flag(help: "Write a model card in Markdown: what the model hears, its data, figures and limits.")
  var card = false
  @Argument(help: ArgumentHelp("A model or an audio file; nothing for the bundled model.", valueName: "model|file"))
  var path: String?

  func validate() throws {
    if card && output.json { throw ValidationError("--card is Markdown; choose it or --json.") }
  }

  func run() throws {
    if card {
      guard path.map({ Inspect.looksLikeModel($0) }) ?? true else {
        throw CommandError("\(path ?? ""): not a model, and only models have cards")
      }
      let file = path?.split(separator: "/").last.map { String($0) } ?? "digits"
      let name = file.hasSuffix(".safetensors") ? String(file.dropLast(".safetensors".count)) : file
      let model = try path.map { try ClassifierEnsemble(contentsOf: $0) } ?? SoundClassifier().model
      return try StandardOutput.write(ModelCard(model, name: name).markdown)
    }
    if let path, decodingOptions.raw != nil || !Inspect.looksLikeModel(path) {
      try inspectAudio(path)
    } else {
      try inspectModel(path.map { try ClassifierEnsemble(contentsOf: $0) } ?? SoundClassifier().model)
    }
  }

  /// By name, or by the first bytes of a safetensors file: a length, then JSON.
  private static func looksLikeModel(_ path: String) -> Bool {
    if path.hasSuffix(".safetensors") { return true }
    return path != "-" && FileAccess.hasPrefix(path, at: 8, [UInt8(ascii: "{"), UInt8(ascii: "\"")])
  }

  private struct NetworkDescription: Encodable {
    var layers: [ModelSummary.Layer]
    var parameters: Int
    var model: NetworkConfiguration
    var training: TrainingRecord?

    init(_ network: SequenceClassifier) {
      let summary = ModelSummary(network.configuration)
      (layers, parameters) = (summary.layers, summary.parameters)
      (model, training) = (network.configuration, network.record)
    }
  }

  private struct ModelDescription: Encodable {
    var labels: [String]
    /// Of sound; of other sequences the width.
    var features: FeatureConfiguration?
    var sequence: Int?
    var parameters: Int
    /// One network stands among the fields above; several have a list of their own.
    var network: NetworkDescription?
    var members: [NetworkDescription]?

    enum CodingKeys: CodingKey { case labels, features, sequence, parameters, members }

    func encode(to encoder: any Encoder) throws {
      try network?.encode(to: encoder)
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(labels, forKey: .labels)
      try values.encodeIfPresent(features, forKey: .features)
      try values.encodeIfPresent(sequence, forKey: .sequence)
      try values.encode(parameters, forKey: .parameters)
      try values.encodeIfPresent(members, forKey: .members)
    }
  }

  private func inspectModel(_ model: ClassifierEnsemble) throws {
    let networks = model.members
    if output.json {
      let descriptions = networks.map { NetworkDescription($0) }
      return try StandardOutput.write(
        jsonLine(
          ModelDescription(
            labels: model.labels, features: try? model.features,
            sequence: (try? model.features) == nil ? model.input.width : nil, parameters: model.parameterCount,
            network: networks.count == 1 ? descriptions[0] : nil, members: networks.count == 1 ? nil : descriptions)))
    }
    if networks.count > 1 {
      try StandardOutput.write(
        "\(networks.count) networks, \(model.parameterCount) parameters; the mean of their probabilities is the answer\n"
      )
    }
    for (index, network) in networks.enumerated() {
      // Once for all networks that are alike.
      guard networks.firstIndex(where: { $0.configuration == network.configuration }) == index else { continue }
      if networks.count > 1 {
        let alike = networks.indices.filter { networks[$0].configuration == network.configuration }
        try StandardOutput.write("network \(alike.map { "\($0 + 1)" }.joined(separator: ", "))")
      }
      try StandardOutput.write(table(ModelSummary(network.configuration)) + (networks.count > 1 ? "\n" : ""))
    }
    switch model.input {
    case .audio(let features):
      try StandardOutput.write(
        "features  \(features.kind.rawValue), \(features.coefficientCount) coefficients; \(features.sampleRate) Hz, frames of "
          + "\(features.frameLength) samples every \(features.hopLength)")
    case .sequence(let width):
      try StandardOutput.write("sequences of \(width) numbers a frame\(model.normalizer == nil ? "" : ", normalised")")
    }
    if networks[0].precision == .int8 { try StandardOutput.write("weights   of 8 bits") }
    try StandardOutput.write("labels    \(model.labels.joined(separator: ", "))")
    for (index, network) in networks.enumerated() {
      guard let record = network.record, let best = record.epochs.first(where: { $0.number == record.bestEpoch })
      else { continue }
      let number = networks.count > 1 ? "network \(index + 1): " : ""
      let accuracy = best.validationAccuracy.map { ", validation accuracy \(percent($0))" } ?? ""
      try StandardOutput.write(
        "training  \(number)\(record.trainingExamples) files, epoch \(best.number) of \(record.epochs.count)\(accuracy)"
      )
    }
  }

  private func table(_ summary: ModelSummary) -> String {
    var table = TextTable([.left("layer"), .left("output"), .right("parameters")])
    for layer in summary.layers { table.append([layer.name, layer.output, "\(layer.parameters)"]) }
    table.append(["total", "", "\(summary.parameters)"])
    if summary.nonTrainableParameters > 0 {
      table.append(["of them not trained", "", "\(summary.nonTrainableParameters)"])
    }
    return table.text
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
    let file = try AudioFile(of: SoundSpan(path).decoded(by: decodingOptions.decoding))
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
    for warning in file.warnings { StandardError.report("warning: \(warning)") }
    let info = file.info
    let description = AudioDescription(
      path: path, container: info.container, encoding: info.encoding, sampleRate: info.sampleRate,
      channels: info.channels, frames: frames, duration: Double(frames) / Double(info.sampleRate), peak: peak,
      rms: Double.sqrt(squares / Double(max(1, frames))))
    if output.json { return try StandardOutput.write(jsonLine(description)) }
    func decibels(_ level: Double) -> String {
      level > 0 ? "\(fixed(20 * Double.log10(level), decimals: 1)) dBFS" : "silence"
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
