import ArgumentParser
import Auricle

struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model on labelled files.",
    discussion: """
      Examples:
        auricle train sounds/ -o sounds.safetensors
        auricle train recordings/ -o digits.safetensors --label-pattern '{label}_{speaker}_{index}' --hold-out 'index<10'
      """)

  @OptionGroup var data: DatasetOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the model (.safetensors).", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Share of each class held out for validation, where the data set does not say (default: 0.1).", valueName: "share"
    ))
  var validationSplit: Double?
  @Option(
    help: ArgumentHelp(
      "Hold out files whose field fulfils the condition, for example 'index<10' or speaker=theo; with several, all.",
      valueName: "condition"))
  var holdOut: [String] = []

  @Option(help: "Recurrent cell: \(ModelConfiguration.Cell.allCases.map(\.rawValue).joined(separator: ", ")).")
  var cell = SoundTrainer.Architecture().cell
  @Option(help: ArgumentHelp("Units of the hidden state, in each direction.", valueName: "n"))
  var hidden = SoundTrainer.Architecture().hiddenSize
  @Option(help: ArgumentHelp("Recurrent layers.", valueName: "n"))
  var layers = SoundTrainer.Architecture().layers
  @Flag(help: "Go through the sound forwards only.")
  var unidirectional = false
  @Option(
    help:
      "How frames become one vector: \(ModelConfiguration.Pooling.allCases.map(\.rawValue).joined(separator: ", ")).")
  var pooling = SoundTrainer.Architecture().pooling
  @Option(help: ArgumentHelp("Share of outputs dropped in training.", valueName: "share"))
  var dropout = SoundTrainer.Architecture().dropout

  @Option(
    help: ArgumentHelp("Share of units whose state recurrent weights do not see in training.", valueName: "share"))
  var recurrentDropout = SoundTrainer.Architecture().recurrentDropout
  @Option(
    help:
      "Normalise features in the network, with a learned scale: \(InputNormalization.Kind.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var inputNormalization: InputNormalization.Kind?
  @Option(
    help: ArgumentHelp(
      "A convolution before the recurrent layers, for example 64:5/2 (64 filters over 5 frames, every 2nd frame) or "
        + "32:3x3/1x2 (3 frames x 3 coefficients); give it again for the next one.", valueName: "filters:size/stride"))
  var convolution: [Convolution] = []

  @Option(help: ArgumentHelp("Passes over the data.", valueName: "n"))
  var epochs = TrainingConfiguration().epochs
  @Option(help: ArgumentHelp("Files in a mini-batch.", valueName: "n"))
  var batchSize = TrainingConfiguration().batchSize
  @Option(help: ArgumentHelp("Greatest learning rate of Adam.", valueName: "rate"))
  var learningRate = TrainingConfiguration().learningRate
  @Option(
    help:
      "Course of the learning rate: \(TrainingConfiguration.Schedule.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var schedule = TrainingConfiguration().schedule
  @Option(help: ArgumentHelp("Largest norm of a gradient.", valueName: "norm"))
  var clipNorm = TrainingConfiguration().clipNorm
  @Option(help: ArgumentHelp("Share of each target spread over all classes.", valueName: "share"))
  var labelSmoothing = TrainingConfiguration().labelSmoothing
  @Option(help: ArgumentHelp("The same seed gives the same model, byte for byte.", valueName: "n"))
  var seed = TrainingConfiguration().seed

  @Option(
    help: ArgumentHelp(
      "Sample rate of the model, to which all sound is resampled (default: the commonest in the data, at most 16000).",
      valueName: "Hz"))
  var sampleRate: Int?
  @Option(
    help: ArgumentHelp(
      "Features to keep in memory; what goes beyond is kept in a temporary file.", valueName: "MB"))
  var cacheMemory = SoundTrainer.defaultCacheMemory >> 20
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var jobOptions: JobOptions

  func validate() throws {
    if validationSplit != nil && !holdOut.isEmpty {
      throw ValidationError("--validation-split and --hold-out exclude each other.")
    }
    guard (0...1 << 30).contains(cacheMemory) else {
      throw ValidationError("--cache-memory is \(cacheMemory); it must be at least 0.")
    }
    if let validationSplit, !(0..<1).contains(validationSplit) {
      throw ValidationError("--validation-split is \(validationSplit); it must be at least 0 and below 1.")
    }
  }

  func run() async throws {
    try FileAccess.checkWritable(output)
    let dataset = try data.load()
    let choice: ValidationChoice =
      if !holdOut.isEmpty {
        .holdOut(try holdOut.map { try FieldCondition($0) })
      } else if let validationSplit {
        .fraction(validationSplit)
      } else {
        .automatic(fraction: 0.1)
      }
    let split = try dataset.split(validation: choice, seed: seed)
    let trainer = SoundTrainer(
      features: .speech(sampleRate: try sampleRate ?? commonestRate(split.training)), architecture: architecture,
      training: training)
    log(
      "\(data.dataset): \(dataset.source), \(dataset.examples.count) files in \(dataset.labels.count) classes; "
        + "\(split.training.count) to train on, \(split.validation.count) to validate")

    let start = ContinuousClock.now
    var display = TrainingDisplay(epochs: epochs, json: outputOptions.json)
    let result = try await withChannel(trainer).train(split, labels: dataset.labels) { display.show($0) }
    try result.model.write(to: output)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    try report(result, seconds: seconds)
    if !result.failures.isEmpty {
      try ExitStatus.check(failed: result.failures.count, of: split.training.count + split.validation.count)
    }
  }

  private var architecture: SoundTrainer.Architecture {
    var architecture = SoundTrainer.Architecture()
    architecture.cell = cell
    architecture.hiddenSize = hidden
    architecture.layers = layers
    architecture.bidirectional = !unidirectional
    architecture.pooling = pooling
    architecture.dropout = dropout
    architecture.recurrentDropout = recurrentDropout
    architecture.inputNormalization = inputNormalization.map { InputNormalization($0) }
    architecture.convolutions = convolution
    return architecture
  }

  private var training: TrainingConfiguration {
    var training = TrainingConfiguration()
    training.epochs = epochs
    training.batchSize = batchSize
    training.learningRate = learningRate
    training.schedule = schedule
    training.clipNorm = clipNorm
    training.labelSmoothing = labelSmoothing
    training.seed = seed
    training.jobs = jobOptions.jobs
    return training
  }

  private func withChannel(_ trainer: SoundTrainer) -> SoundTrainer {
    var trainer = trainer
    trainer.channel = channelOptions.selection
    trainer.cacheMemory = cacheMemory << 20
    return trainer
  }

  /// The sample rate that most of the first files have, at most 16 kHz, beyond which speech holds little.
  private func commonestRate(_ examples: [Example]) throws -> Int {
    var counts: [Int: Int] = [:]
    let step = max(1, examples.count / 100)
    for example in stride(from: 0, to: examples.count, by: step).map({ examples[$0] }) {
      if let rate = try? AudioFile(path: example.path).info.sampleRate { counts[rate, default: 0] += 1 }
    }
    guard let commonest = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else {
      let reason = Result { try AudioFile(path: examples[0].path) }
      if case .failure(let error) = reason { throw error }
      return 16_000
    }
    return min(16_000, commonest)
  }

  private func log(_ line: String) {
    StandardError.write(line)
  }

  private func report(_ result: SoundTrainer.Result, seconds: Double) throws {
    guard let record = result.model.record, let best = record.epochs.first(where: { $0.number == record.bestEpoch })
    else { return }
    if outputOptions.json {
      try StandardOutput.write(jsonLine(TrainingResult(model: output, best: best, seconds: seconds)))
    } else {
      let accuracy = best.validationAccuracy.map { "validation accuracy \(percent($0))" } ?? "no validation"
      try StandardOutput.write(
        "\(output): \(result.model.configuration.parameterCount) parameters, \(accuracy) "
          + "(epoch \(best.number) of \(record.epochs.count)), \(fixed(seconds, decimals: 1)) s")
    }
  }
}

private struct TrainingResult: Encodable {
  var model: String
  var best: TrainingRecord.Epoch
  var seconds: Double
}
