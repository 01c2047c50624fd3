import ArgumentParser
import Auricle
import AuricleBase

struct Train: AsyncParsableCommand, CheckedCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on labelled files.",
    discussion: """
      Examples:
        auricle train sounds/ -o sounds.safetensors
        auricle train recordings/ -o digits.safetensors --hold-out 'index<10' \\
          --label-pattern '{label}_{speaker}_{index}'
        auricle train sounds.csv --leave-one-out speaker
        auricle train features.npz --labels labels.csv -o motion.safetensors
        auricle train recordings/ --events labels/ --negatives rain/ \\
          -o birds.safetensors
      """)

  @OptionGroup var data: DatasetOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the model (.safetensors).", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Share of each class held out for validation, whatever the data set says (default: 0.1, where it says nothing).",
      valueName: "share"))
  var validationSplit: Double?
  @Option(
    help: ArgumentHelp(
      "Hold out files whose field fulfils the condition, for example 'index<10' or speaker=theo; with several, all.",
      valueName: "condition"))
  var holdOut: [String] = []

  @OptionGroup(title: "Events") var eventOptions: EventTrainingOptions
  @OptionGroup(title: "Network") var network: NetworkOptions
  @Flag(help: "Print the network as a list of layers in JSON, and do nothing else.")
  var printNetwork = false
  @OptionGroup(title: "Training") var trainingOptions: TrainingOptions

  @Option(
    help: ArgumentHelp(
      "Change the training data at random in every epoch: none, light and normal (features only, next to free), strong; then fields, for example strong,noise=0 (default: normal by the effort, else none; see the documentation).",
      valueName: "how"))
  var augment: String?
  @Option(
    help: ArgumentHelp("Recordings of noise for --augment, instead of white and pink noise.", valueName: "folder"))
  var noise: String?
  @Option(help: ArgumentHelp("Room impulse responses for --augment, instead of synthetic rooms.", valueName: "folder"))
  var rooms: String?

  @Option(
    help: ArgumentHelp(
      "Judge by this many folds instead: each file is classified by a model that has not learned from it.",
      valueName: "n"))
  var crossValidate: Int?
  @Option(
    help: ArgumentHelp(
      "Judge by leaving out the files of each value of this field in turn, for example speaker.", valueName: "field"))
  var leaveOneOut: String?
  @Option(
    help: ArgumentHelp(
      "Of the folds, train this one alone, the first being 1; 'auricle merge' joins the reports.", valueName: "n"))
  var fold: Int?
  @Option(help: ArgumentHelp("Write what was found as JSON.", valueName: "file"))
  var report: String?

  @Option(
    help: ArgumentHelp(
      "Keep the state of the training here, after every epoch and when it is stopped (Ctrl-C).", valueName: "folder"))
  var checkpoint: String?
  @Flag(help: "Go on from the checkpoint; repeat all other options.")
  var resume = false
  @Option(
    help: ArgumentHelp("Log every epoch here: training.csv and a file for TensorBoard.", valueName: "folder"))
  var logDir: String?

  @OptionGroup(title: "Features (default: by the network and the data)") var features: FeatureOptions
  @Option(
    help: ArgumentHelp(
      "Train on random spans of so many seconds of longer sounds, and hear those in windows as long; 0 for whole sounds (default: where many have more than 800 frames, 400 frames).",
      valueName: "seconds"))
  var crop: Double?
  @Option(
    help: ArgumentHelp(
      "Features to keep in memory; what goes beyond is kept in a temporary file (default: 32, or 1024 of several processes).",
      valueName: "MB"))
  var cacheMemory: Int?
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var failureOptions: FailureOptions
  @OptionGroup var jobOptions: JobOptions

  /// Whether folds are to be trained and judged.
  private var judges: Bool { crossValidate != nil || leaveOneOut != nil }

  func checkFiles(_ problems: inout Problems) {
    problems.add(
      missing: [
        data.dataset, noise, rooms, data.labels.labels, data.labels.table.audioRoot, data.labels.confinement.root,
      ]
        + [trainingOptions.from, features.config] + network.network + eventOptions.annotations + eventOptions.negatives)
    problems.add(unwritable: [output, report])
  }

  func checkOptions(_ problems: inout Problems) {
    problems.add(
      "--cross-validate and --leave-one-out exclude each other", if: crossValidate != nil && leaveOneOut != nil)
    if let crossValidate {
      problems.add("--cross-validate is \(crossValidate); there must be at least 2 folds", if: crossValidate < 2)
    }
    if let fold {
      problems.add(
        "--fold is 1 or more, of --cross-validate or --leave-one-out, and makes no model (-o)",
        if: !judges || output != nil || fold < 1)
    }
    problems.add("Missing expected argument '<dataset>'", if: data.dataset.isEmpty && !printNetwork)
    problems.add("Missing -o, the file to write the model to", if: output == nil && !judges && !printNetwork)
    problems.add("-o needs a file's name; results go to standard output", if: output == "-")
    if let format = report.flatMap({ ReportFormat($0) }) {
      problems.add("--report of train is JSON; 'auricle evaluate --report' writes HTML and CSV", if: format != .json)
    }
    problems.add(
      "--hold-out does not go with cross-validation, which holds out every file in turn", if: judges && !holdOut.isEmpty
    )
    checkAugmentation(&problems)
    if trainingOptions.from != nil {
      problems.add(
        "--from brings its own networks; --architecture and the like do not go with it",
        if: network.namesNetwork || network.members != nil)
      problems.add(
        "--from brings its own features; --kind, --sample-rate and the like do not go with it", if: !features.isEmpty)
    }
    problems.add("--resume needs the --checkpoint to go on from", if: resume && checkpoint == nil)
    problems.add(
      "--validation-split and --hold-out exclude each other", if: validationSplit != nil && !holdOut.isEmpty)
    problems.add(
      "--patience needs validation files; give --validation-split a share",
      if: trainingOptions.patience != nil && validationSplit.map { $0 == 0 } ?? judges)
    for condition in holdOut { problems.add("--hold-out") { _ = try FieldCondition(condition) } }
    let rates = AudioFile.sampleRates
    if let sampleRate = features.sampleRate {
      problems.add(
        "--sample-rate is \(sampleRate); it must be \(rates.lowerBound) to \(rates.upperBound)",
        if: !rates.contains(sampleRate))
    }
    if let cacheMemory {
      problems.add("--cache-memory is \(cacheMemory); it must be at least 0", if: !(0...1 << 30).contains(cacheMemory))
    }
    if let crop { problems.add("--crop is \(crop); it must be 0 to 3600 seconds", if: !(0...3600).contains(crop)) }
    if let validationSplit {
      problems.add(
        "--validation-split is \(validationSplit); it must be at least 0 and below 1",
        if: !(0..<1).contains(validationSplit))
    }
  }

  private func checkAugmentation(_ problems: inout Problems) {
    var augmentation = effort?.augmentation ?? .none
    do {
      if let augment { augmentation = try Augmentation(augment) }
    } catch {
      return problems.add("--augment: \(error)")
    }
    problems.add(
      "--noise needs noise in --augment, for example --augment strong",
      if: noise != nil && augmentation.noise.probability == 0 && augmentation.background == 0)
    problems.add(
      "--rooms needs a share of examples in --augment, for example --augment light,room=0.5",
      if: rooms != nil && augmentation.roomProbability == 0)
  }

  func run() async throws {
    if printNetwork {
      for template in try network.templates(effort) { try StandardOutput.write(template.json) }
      return
    }
    try await TrainingProcesses.run { try await run(in: $0) }
  }

  private func run(in group: any ProcessGroup) async throws {
    if group.rank == 0 { try checkFiles() }
    let loaded = try loadedData()
    let dataset = loaded.dataset
    Interruption.listen()
    var hasBegun = false
    do {
      if let folds = try folds(of: dataset) { try await crossValidate(folds, loaded, group, &hasBegun) }
      if let output { try await train(loaded, to: output, group, &hasBegun) }
    } catch let error where error is CancellationError || error as? ProcessGroupError == .cancelled {
      // Of several processes, another one may have had the signal.
      guard Interruption.isRequested || (group.count > 1 && !failureOptions.failFast) else {
        throw ExitStatus.nothingDone  // by --fail-fast
      }
      StandardError.write(interruptionNotice(hasBegun: hasBegun))
      throw Interruption.status
    }
  }

  /// The data set; of sequences with the normalisation that is asked for, and no option that is for sound alone.
  private func loadedData() throws -> LabeledData {
    let loaded = try eventOptions.load(data, seed: trainingOptions.seed)
    guard var sequences = loaded.sequences else {
      return loaded
    }
    for (option, isGiven) in [
      ("--augment", augment != nil && augment != "none"), ("--sample-rate", features.sampleRate != nil),
      ("--channel", channelOptions.channel != nil), ("--crop", crop != nil),
      ("--kind and the like", !features.isEmpty && !features.isOnlyNormalization),
    ] where isGiven {
      throw CommandError("\(data.dataset): features; \(option) is for sound")
    }
    if let normalize = features.normalize {
      guard normalize == .global || normalize == .none else {
        throw CommandError("\(data.dataset): features; --normalize is global or none")
      }
      try sequences.setNormalization(normalize == .global)
    }
    return LabeledData(sequences)
  }

  private func train(
    _ loaded: LabeledData, to output: String, _ group: any ProcessGroup, _ hasBegun: inout Bool
  ) async throws {
    let dataset = loaded.dataset
    let choice: ValidationChoice =
      if !holdOut.isEmpty {
        .holdOut(try holdOut.map { try FieldCondition($0) })
      } else if let validationSplit {
        .fraction(validationSplit)
      } else {
        .automatic(fraction: 0.1)
      }
    let split = try data.split(dataset, validation: choice, seed: trainingOptions.seed)
    let trainer = try trainer(for: split.training, of: loaded, folder: judges ? "final" : nil, group)
    StandardError.write(
      "\(data.dataset): \(dataset.source), \(dataset.examples.count) \(loaded.noun) in \(dataset.labels.count) classes; "
        + "\(split.training.count) to train on, \(split.validation.count) to validate")
    if !judges && group.rank == 0 {
      try announce(loaded, split)
      announce(trainer, split.labels)
    }

    let start = ContinuousClock.now
    var display = TrainingDisplay(epochs: trainer.training.epochs, json: outputOptions.json)
    let result = try await trainer.train(split, labels: split.labels) {
      Interruption.check()
      look(at: $0, hasBegun: &hasBegun)
      display.show($0)
    }
    guard group.rank == 0 else { return }
    try result.model.write(to: output)
    try show(result, output: output, seconds: (ContinuousClock.now - start) / .seconds(1), group)
    if !result.failures.isEmpty {
      try ExitStatus.check(failed: result.failures.count, of: split.training.count + split.validation.count)
    }
  }

  /// With `--fail-fast`, cancels the current task at a file that cannot be read. After the last file training begins.
  private func look(at progress: SoundTrainer.Progress, hasBegun: inout Bool) {
    guard case .file(_, _, let failure) = progress else {
      hasBegun = true
      return
    }
    if failureOptions.failFast && failure != nil { withUnsafeCurrentTask { $0?.cancel() } }
  }

  private func folds(of dataset: Dataset) throws -> [Fold]? {
    if usesOwnFolds(dataset) { return try dataset.predefinedFolds() }
    if let crossValidate { return try dataset.folds(crossValidate, seed: trainingOptions.seed) }
    return try leaveOneOut.map { try dataset.folds(leavingOut: $0) }
  }

  /// Whether as many folds are wanted as the data set itself divides its files into.
  private func usesOwnFolds(_ dataset: Dataset) -> Bool {
    crossValidate != nil && crossValidate == ownFoldCount(dataset)
  }

  private func ownFoldCount(_ dataset: Dataset) -> Int? {
    let folds = dataset.examples.filter { $0.split != .testing }.map { $0.fields["fold"] ?? "" }
    return folds.contains("") || Set(folds).count < 2 ? nil : Set(folds).count
  }

  /// Says what is to be known before anything is learned: the classes, what was left out, what is suspicious. Throws with
  /// `--strict` where anything is.
  private func announce(_ loaded: LabeledData, _ split: DatasetSplit?) throws {
    let dataset = loaded.dataset
    let report = DatasetReport(
      of: dataset, split: split, sameSounds: loaded.sequences == nil ? dataset.sameSounds() : [],
      durations: loaded.sequences == nil ? dataset.extremeDurations() : [:],
      wantsValidation: split != nil && validationSplit != 0)
    for line in report.text().split(separator: "\n") { StandardError.write("  " + printable(String(line))) }
    if dataset.leftOut.soundCount > 0 { StandardError.report("left out: \(dataset.leftOut)") }
    var warnings = report.suspicions.map(\.description)
    if let crossValidate, let own = ownFoldCount(dataset), own != crossValidate {
      warnings.append("the data set's own \(own) folds are not used; --cross-validate \(own) uses them")
    }
    for warning in warnings { StandardError.report("warning: \(warning)") }
    if data.strict && !warnings.isEmpty {
      throw CommandError("\(data.dataset): not trained on, because of --strict and what is suspicious in it")
    }
  }

  private func crossValidate(
    _ folds: [Fold], _ loaded: LabeledData, _ group: any ProcessGroup, _ hasBegun: inout Bool
  ) async throws {
    let dataset = loaded.dataset
    // Before the hours that the folds may take.
    if let checkpoint, output != nil, group.rank == 0 {
      try CheckpointFolder("\(checkpoint)/final", resuming: resume).prepare()
    }
    let trainer = try trainer(for: folds[0].training + folds[0].testing, of: loaded, folder: nil, group)
    StandardError.write(
      "\(data.dataset): \(dataset.source), \(dataset.examples.count) \(loaded.noun) in \(dataset.labels.count) classes; "
        + "\(folds.count) folds\(usesOwnFolds(dataset) ? ", the data set's own" : "")")
    if group.rank == 0 { try announce(loaded, nil) }
    announce(trainer, dataset.labels)
    var display = TrainingDisplay(epochs: trainer.training.epochs, json: false)
    let result = try await trainer.crossValidate(
      folds, labels: dataset.labels, validation: validationSplit ?? 0, only: fold
    ) {
      Interruption.check()
      switch $0 {
      case .progress(let progress):
        look(at: progress, hasBegun: &hasBegun)
        display.show(progress)
      case .begins(let fold, let count, let name):
        display = TrainingDisplay(epochs: trainer.training.epochs, json: false)
        StandardError.write("fold \(fold) of \(count): \(name)")
      case .ends(let fold):
        let line = "\(fold.name)  accuracy \(percent(fold.accuracy)) (\(fold.correct) of \(fold.testing))"
        try? StandardOutput.write(outputOptions.json ? jsonLine(FoldLine(fold)) : line)
      }
    }
    guard group.rank == 0 else { return }
    if let report { try FileAccess.writeAtomically(jsonLine(result) + "\n", to: report) }
    if outputOptions.json {
      try StandardOutput.write(
        jsonLine(["meanAccuracy": result.meanAccuracy, "standardDeviation": result.standardDeviation]))
    } else {
      try StandardOutput.write(
        "\n\(result.pooled.confusion.text())\n\n\(result.pooled.text)\n\nmean accuracy of the folds "
          + "\(percent(result.meanAccuracy)), standard deviation \(percent(result.standardDeviation))")
    }
    if output == nil && !result.failures.isEmpty {
      try ExitStatus.check(failed: result.failures.count, of: dataset.examples.count)
    }
  }

  /// The trainer that the options describe; with checkpoint and log in a `folder` of their folders, if given.
  func trainer(
    for examples: [Example], of data: LabeledData, folder: String?, _ group: any ProcessGroup = SingleProcess()
  ) throws -> SoundTrainer {
    let start = try trainingOptions.from.map { try ClassifierEnsemble(contentsOf: $0) }
    var trainer: SoundTrainer
    if let sequences = data.sequences {
      trainer = SoundTrainer(sequences: sequences)
      trainer.isNormalized = features.normalize == .global
      if let effort = trainingOptions.effort {
        trainer.training = effort.training(
          examples: examples.count, frames: 100, coefficients: trainer.input.width)
      }
    } else {
      let survey = try SoundSurvey(of: examples)
      let configuration = try start?.features ?? featureConfiguration(survey)
      trainer = SoundTrainer(features: configuration)
      if let effort { trainer = SoundTrainer(effort: effort, survey: survey, features: configuration) }
      if let crop {
        let frames = crop * Double(configuration.sampleRate) / Double(configuration.hopLength)
        trainer.crop = crop == 0 ? nil : max(1, Int(frames.rounded()))
      }
      if let augment { trainer.augmentation = try Augmentation(augment) }
    }
    trainer.training = trainingOptions.configuration(jobs: jobOptions.jobs, base: trainer.training)
    if let start {
      (trainer.start, trainer.frozenLayers, trainer.oldRate) = (start, trainingOptions.freeze, trainingOptions.oldRate)
      if crop == nil { trainer.crop = start.window }
      if case .sequence = trainer.input { trainer.isNormalized = start.normalizer != nil }
    }
    trainer.networks = try network.templates(data.sequences == nil ? effort : nil)
    trainer.classWeights = trainingOptions.classWeight?.byLabel ?? [:]
    trainer.channel = channelOptions.selection
    trainer.cacheMemory = cacheMemory.map { $0 << 20 }
    let wantsNoise = trainer.augmentation.noise.probability > 0 || trainer.augmentation.background > 0
    var decoding = self.data.labels.decodingOptions.decoding
    // Recordings from elsewhere have headers.
    if noise != nil || rooms != nil { decoding.raw = nil }
    func files(_ path: String) throws -> [String] {
      try AudioFiles.expand(paths: [path], extensions: decoding.extensions)
    }
    trainer.noiseFiles = try noise.map(files) ?? (wantsNoise ? data.dataset.noiseFiles : [])
    trainer.roomFiles = try rooms.map(files) ?? []
    trainer.decoding = decoding
    trainer.group = group
    guard group.rank == 0 else { return trainer }
    func place(_ path: String) -> String { folder.map { "\(path)/\($0)" } ?? path }
    if let checkpoint {
      trainer.checkpoint = CheckpointFolder(place(checkpoint), resuming: resume)
      try trainer.checkpoint?.prepare()
      if resume && !judges && trainer.checkpoint?.holdsCheckpoint == false {
        StandardError.write("\(checkpoint): holds no checkpoint yet; training begins at the beginning")
      }
    }
    trainer.log = try logDir.map { try TrainingLog(folder: place($0)) }
    return trainer
  }

  /// What is kept, and the command to go on with.
  private func interruptionNotice(hasBegun: Bool) -> String {
    guard checkpoint != nil else { return "auricle: stopped; nothing is kept without --checkpoint" }
    guard hasBegun else { return "auricle: stopped before training began; there is nothing to keep" }
    let words = CommandLine.arguments.dropFirst(2).filter { $0 != "--resume" }.map { word in
      word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) } && !word.isEmpty
        ? word : "'" + word.replacingScalars { $0 == "'" ? "'\\''" : nil } + "'"
    }
    return "auricle: stopped and saved; go on with: auricle train --resume \(words.joined(separator: " "))"
  }

  /// The effort that decides what options leave open; nil where they name a network of before the efforts, whose
  /// defaults stay what they were.
  private var effort: Effort? { trainingOptions.effort ?? (network.isOfSpectrograms ? .normal : nil) }

  /// By the options, and what they leave open by the network and the data.
  private func featureConfiguration(_ survey: SoundSurvey) throws -> FeatureConfiguration {
    if network.isOfSpectrograms {
      let rate = features.sampleRate ?? survey.modelRate
      return try features.configuration(base: survey.features(sampleRate: rate), rate: rate)
    }
    // Of speech, which holds little beyond 8 kHz.
    let rate = features.sampleRate ?? min(16_000, survey.sampleRate)
    let speech = FeatureConfiguration.speech(sampleRate: rate)
    // Its 40 filters need a rate of some 4 kHz.
    var base = (try? FeatureExtractor(speech)) == nil ? survey.features(sampleRate: rate) : speech
    if base.kind != .mfcc { (base.kind, base.deltas.order) = (.mfcc, 2) }
    base.cepstrum.count = min(base.cepstrum.count, base.mel.count)
    return try features.configuration(base: base, rate: rate)
  }

  /// What was chosen, for people.
  private func announce(_ trainer: SoundTrainer, _ labels: [String]) {
    let features = trainer.features
    guard trainer.sequences == nil else { return }
    func time(_ samples: Int) -> String {
      "\(fixed(1000 * Double(samples) / Double(features.sampleRate), decimals: 1)) ms"
    }
    let kind =
      switch features.kind {
      case .spectrogram: "\(features.baseCount) bins"
      case .mel: "\(features.mel.count) mel energies"
      case .logMel: "\(features.mel.count) log-mel energies"
      case .mfcc: "\(features.cepstrum.count) MFCC of \(features.mel.count) mel filters"
      }
    var text = "  features: \(kind)"
    if features.deltas.order > 0 { text += " with deltas" + (features.deltas.order > 1 ? " and theirs" : "") }
    text += ", frames of \(time(features.frameLength)) every \(time(features.hopLength)), at \(features.sampleRate) Hz"
    if let crop = trainer.crop {
      text += "; spans of \(fixed(Double(crop * features.hopLength) / Double(features.sampleRate), decimals: 1)) s"
    }
    StandardError.write(text)
    if let start = trainer.start {
      let (known, new) = (start.labels.filter(labels.contains), labels.filter { !start.labels.contains($0) })
      StandardError.write(
        "  going on from \(trainingOptions.from ?? ""): \(known.count) of its \(start.labels.count) classes, \(new.count) new ones; "
          + "\(trainer.training.epochs) epochs of \(trainer.training.optimizer.rawValue)")
      return
    }
    let names = Set(
      trainer.networks.map { template in
        NetworkName.allCases.first { $0.template == template }?.rawValue ?? "of its own"
      })
    StandardError.write(
      "  training: \(trainer.networks.count == 1 ? "network" : "\(trainer.networks.count) networks") "
        + "\(names.sorted().joined(separator: ", ")), \(trainer.training.epochs) epochs of \(trainer.training.optimizer.rawValue)"
        + (effort.map { ", effort \($0.rawValue)" } ?? ""))
  }

  private func show(
    _ result: SoundTrainer.Result, output: String, seconds: Double, _ group: any ProcessGroup
  ) throws {
    let records = result.model.members.compactMap(\.record)
    if let report, !judges {
      let text = try records.count == 1 ? jsonLine(records[0]) : jsonLine(records)
      try FileAccess.writeAtomically(text + "\n", to: report)
    }
    let best = records.compactMap { record in record.epochs.first { $0.number == record.bestEpoch } }
    let accuracy =
      result.validationExamples == 0 ? nil : Double(result.validationCorrect) / Double(result.validationExamples)
    if outputOptions.json {
      return try StandardOutput.write(
        jsonLine(
          TrainingResult(
            model: output, validationAccuracy: accuracy, best: best.count == 1 ? best[0] : nil,
            networks: best.count == 1 ? nil : best, calibration: result.calibration, seconds: seconds,
            processes: group.count > 1 ? group.count : nil, traffic: group.traffic)))
    }
    let epochs = records.map { "\($0.bestEpoch)" }.joined(separator: ", ")
    try StandardOutput.write(
      "\(output): \(records.count == 1 ? "" : "\(records.count) networks, ")\(result.model.parameterCount) parameters, "
        + (accuracy.map { "validation accuracy \(percent($0))" } ?? "no validation")
        + (result.calibration.map {
          ", calibrated (error \(fixed($0.errorBefore, decimals: 3)), now \(fixed($0.errorAfter, decimals: 3)))"
        } ?? "")
        + " (epoch \(epochs) of \(records.map(\.epochs.count).max() ?? 0)), \(fixed(seconds, decimals: 1)) s")
  }
}

/// A fold's result without the course of its training.
private struct FoldLine: Encodable {
  var fold: String
  var accuracy: Double
  var correct: Int
  var testing: Int

  init(_ fold: CrossValidation.FoldResult) {
    (self.fold, accuracy, correct, testing) = (fold.name, fold.accuracy, fold.correct, fold.testing)
  }
}

private struct TrainingResult: Encodable {
  var model: String
  /// Of the whole model.
  var validationAccuracy: Double?
  /// The epoch that was kept, of each network where there are several.
  var best: TrainingRecord.Epoch?
  var networks: [TrainingRecord.Epoch]?
  var calibration: SoundTrainer.Result.Calibration?
  var seconds: Double
  /// Where several have trained together: how many, and what their exchanges cost the first.
  var processes: Int?
  var traffic: ProcessTraffic?
}
