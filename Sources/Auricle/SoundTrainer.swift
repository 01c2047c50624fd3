/// A file that could not be used, at which stage, and why.
public struct FailedFile: Codable, Hashable, Sendable {
  public var path: String
  public var stage: Stage
  public var reason: String

  init(path: String, error: any Error) {
    self.path = path
    stage = Stage(of: error)
    reason = "\(error)"
  }
}

/// From labelled files to a model: features, normalisation and training in one go.
///
///     let dataset = try Dataset(at: "recordings", labelPattern: LabelPattern("{label}_{speaker}_{index}"))
///     let split = try dataset.split(validation: .fraction(0.1), seed: 1)
///     let result = try await SoundTrainer(features: .speech(sampleRate: 8_000)).train(split, labels: dataset.labels)
///     try result.model.write(to: "digits.safetensors")
public struct SoundTrainer: Sendable {
  /// A trained model, and the files that could not be read.
  public struct Result: Sendable {
    public var model: ClassifierEnsemble
    /// Right answers of the whole model to the validation files, of how many; what each network had is in its record.
    public var validationCorrect: Int
    public var validationExamples: Int
    /// Of the probabilities of the validation files, before and after they were calibrated by those files; see
    /// `expectedCalibrationError`. Nil where nothing was calibrated.
    public var calibration: Calibration?
    public var failures: [FailedFile]

    public struct Calibration: Codable, Hashable, Sendable {
      public var temperature: Double
      public var errorBefore: Double
      public var errorAfter: Double
    }
  }

  /// What happens as it goes.
  public enum Progress: Sendable {
    /// Files read so far, of how many; with the file, if it failed.
    case file(done: Int, of: Int, failure: FailedFile?)
    /// All features are there: so many bytes in memory, and so many in a temporary file.
    case cached(memory: Int, disk: Int)
    /// The training of one of several networks begins, the first being 1.
    case network(Int, of: Int)
    case training(TrainingProgress)
  }

  /// Of sound; of no meaning where `sequences` are of something else.
  public var features: FeatureConfiguration
  /// Where the features come from, if not from files of sound. The examples are those of its data set.
  public let sequences: SequenceDataset?
  /// Whether sequences that are not of sound are normalised; see `SequenceTrainer.isNormalized`.
  public var isNormalized = false
  /// Of each network of the model, which answers with the mean of their probabilities; one as a rule. See
  /// `SequenceTrainer.networks`; augmentation differs between them, too.
  public var networks: [NetworkTemplate]
  public var training: TrainingConfiguration
  public var channel = ChannelSelection.mix
  /// Bytes of features to keep in memory; those beyond go to a temporary file. Nil for 32 MiB or, of several processes that
  /// train together, 1 GiB, since what one of them does not keep of another's files it must extract again.
  public var cacheMemory: Int?
  /// What an example of each class counts: `training.classWeights`, unless given here by label. A label that is not
  /// named counts 1.
  public var classWeights: [String: Double] = [:]
  /// What is changed at random in the training data; and recordings of noise and room impulse responses for it.
  public var augmentation = Augmentation.none
  public var noiseFiles: [String] = []
  public var roomFiles: [String] = []
  /// Of those files.
  public var decoding = SoundDecoding()
  /// Frames of the random spans to train on, of sounds that are longer; the model then hears them in windows as long (see
  /// `ClassifierEnsemble.window`). Nil to train on whole sounds.
  public var crop: Int?
  /// The model to go on from, whose features must be `features`; and see `SequenceTrainer`.
  public var start: ClassifierEnsemble?
  public var frozenLayers = 0
  public var oldRate: Double?
  /// Whether the model's probabilities are made to come true on the validation files, by one number: see
  /// `TemperatureScaling`.
  public var calibrates = true
  /// Where to keep the run and where to log it, if anywhere; see `Trainer`. Of several networks, the second and those
  /// after it have a folder in them, `network-2` and so on, so that one can be joined by others later.
  public var checkpoint: CheckpointFolder?
  public var log: TrainingLog?
  /// The processes that train together; see `Trainer`. Each reads its part of the files, and keeps their features; of others'
  /// files it keeps the features that its shards needed, as long as there is room in memory, or extracts them anew.
  public var group: any ProcessGroup = SingleProcess()

  var featureMemory: Int { cacheMemory ?? (group.count > 1 ? 1 << 30 : 32 << 20) }

  public init(
    features: FeatureConfiguration, network: NetworkTemplate = NetworkName.bigruAttention.template,
    training: TrainingConfiguration = TrainingConfiguration()
  ) {
    self.features = features
    sequences = nil
    networks = [network]
    self.training = training
  }

  /// As an effort chooses for such sounds; any of it can be changed afterwards.
  ///
  /// - Parameter features: those that suit the sounds, if nil.
  public init(effort: Effort, survey: SoundSurvey, features: FeatureConfiguration? = nil) {
    let features = features ?? survey.features()
    let crop = survey.crop(features)
    self.init(
      features: features, network: effort.network.template,
      training: effort.training(
        examples: survey.count, frames: survey.typicalFrames(features, crop: crop),
        coefficients: features.coefficientCount))
    networks = Array(repeating: effort.network.template, count: effort.members)
    augmentation = effort.augmentation
    if survey.long > 2.5 { augmentation.roll = 1 }
    self.crop = crop
  }

  /// Trains on sequences in files. Where they are features of sound that Auricle wrote, the model hears sound: it is the
  /// very one that training on the sound gives.
  public init(
    sequences: SequenceDataset, network: NetworkTemplate = NetworkName.bigruAttention.template,
    training: TrainingConfiguration = TrainingConfiguration()
  ) {
    self.sequences = sequences
    features = if case .audio(let features) = sequences.input { features } else { .speech(sampleRate: 16_000) }
    networks = [network]
    self.training = training
  }

  /// What the model takes.
  public var input: ModelInput { sequences?.input ?? .audio(features) }

  /// Trains on `split.training`, and validates on `split.validation`; `training.keeps` says which epoch's weights are kept.
  ///
  /// Files that cannot be read are left out and reported; where a class has nothing left to train on, `TrainingError` is
  /// thrown. Throws `FeatureError`, `ModelError`, `AugmentationError` and `TrainingError` for impossible settings,
  /// `AudioError` for recordings of noise and rooms, and `FileError` where checkpoint, log or cache cannot be written; of
  /// several processes, `ProcessGroupError` instead of what all know of.
  public func train(
    _ split: DatasetSplit, labels: [String], isolation: isolated (any Actor)? = #isolation,
    progress: (Progress) -> Void = { _ in }
  ) async throws -> Result {
    _ = try SoundCollection.classes(of: split.training + split.validation, labels)
    let plan = try plan(labels: labels)
    _ = try sequenceTrainer(labels: labels).trainersOfNetworks()
    let sounds = try await SoundCollection(
      split.training + split.validation, labels: labels, trainer: self, progress: progress)
    var model = try await fit(plan, sounds, split, progress: progress)
    let validationSet = sounds.subset(split.validation)
    let truth = validationSet.labels
    var answers = try await validationSet.distributions(of: model, jobs: training.jobs)
    var calibration: Result.Calibration?
    if calibrates, model.output == .softmax, answers.count >= Self.fewestToCalibrate {
      let temperature = try TemperatureScaling.temperature(answers: answers, labels: truth)
      let before = calibrationError(answers, truth)
      model = try model.cooled(by: temperature)
      answers = try await validationSet.distributions(of: model, jobs: training.jobs)
      calibration = Result.Calibration(
        temperature: temperature, errorBefore: before, errorAfter: calibrationError(answers, truth))
    }
    return Result(
      model: model,
      validationCorrect: zip(truth, answers).count { $0 == mostProbable(ClassifierEnsemble.mean(of: $1)) },
      validationExamples: answers.count, calibration: calibration, failures: sounds.failures)
  }

  /// Fewer validation files say nothing of how sure a model may be.
  private static let fewestToCalibrate = 20

  private func calibrationError(_ answers: [[[Float]]], _ labels: [Int]) -> Double {
    let means = answers.map { ClassifierEnsemble.mean(of: $0) }
    return expectedCalibrationError(
      probabilities: means.map { $0.max() ?? 0 }, correct: zip(means, labels).map { mostProbable($0) == $1 })
  }

  /// What can be made, and can be wrong, before any example is read.
  struct Plan: Sendable {
    var labels: [String]
    var augmenter: WaveformAugmenter
    /// Of the recordings of noise.
    var backgrounds: [FeatureMatrix]
  }

  /// Throws as `train` does.
  func plan(labels: [String]) throws -> Plan {
    _ = try sequenceTrainer(labels: labels).configurations(classCount: labels.count)
    guard sequences == nil || !augmentation.isOn else {
      throw TrainingError.configuration("augmentation changes sound; these are features")
    }
    func read(_ paths: [String]) throws -> [Waveform] {
      guard augmentation.isOn else { return [] }
      return try paths.map { path in
        let sound = SoundSpan(path).decoded(by: decoding).heard(in: channel)
        return try Waveform(reading: SoundBlocks(sound, sampleRate: features.sampleRate))
      }
    }
    let noises = try read(noiseFiles)
    let augmenter = try WaveformAugmenter(
      augmentation, sampleRate: features.sampleRate, noises: noises, rooms: read(roomFiles))
    guard augmentation.background > 0, !noises.isEmpty else {
      return Plan(labels: labels, augmenter: augmenter, backgrounds: [])
    }
    let extractor = try FeatureExtractor(features.withoutUtteranceNormalization)
    return Plan(labels: labels, augmenter: augmenter, backgrounds: try noises.map { try extractor.features(of: $0) })
  }

  /// Trains on the part of `sounds` that `split` names.
  func fit(
    _ plan: Plan, _ sounds: SoundCollection, _ split: DatasetSplit, isolation: isolated (any Actor)? = #isolation,
    progress: (Progress) -> Void
  ) async throws -> ClassifierEnsemble {
    let labels = plan.labels
    let (trainingSet, validationSet) = (sounds.subset(split.training), sounds.subset(split.validation))
    let present = Set(trainingSet.labels)
    if let missing = labels.indices.first(where: { !present.contains($0) }) {
      // Its files that are left are those that the epoch is chosen by.
      let isElsewhere = validationSet.labels.contains(missing)
      throw TrainingError.configuration(
        "no file of class '\(labels[missing])' that is to be trained on could be read"
          + (isElsewhere ? "; those that can be are for validation" : ""))
    }
    let identity = [
      "frames of spans": crop.map { "\($0)" } ?? "none", "checksum of the training data": "\(trainingSet.checksum)",
      "checksum of the validation data": "\(validationSet.checksum)", "augmentation": "\(augmentation)",
      "checksum of noise and rooms": "\(plan.augmenter.checksum)",
    ]
    var model = try await sequenceTrainer(labels: labels).train(
      trainingSet, validatingOn: crop.map { MiddleSource(whole: validationSet, crop: $0) } ?? validationSet,
      labels: labels, identity: identity, changing: { try augmented(trainingSet, plan, seed: $0) },
      progress: {
        switch $0 {
        case .network(let number, let count): progress(.network(number, of: count))
        case .training(let inner): progress(.training(inner))
        }
      })
    for decoder in sounds.decoders { model.note(decoder.version ?? decoder.rawValue, as: "decoder") }
    if let window = typicalSeconds(trainingSet) { try model.setDetectionSettings(DetectionSettings(window: window)) }
    return model
  }

  /// How long half of the training examples, or their spans, are, at least, in hundredths of a second; nil for what is not
  /// sound, and for sounds longer than a detector's window can be.
  private func typicalSeconds(_ trainingSet: SoundCollection.Subset) -> Double? {
    let lengths = trainingSet.lengths.sorted()
    guard case .audio(let features) = input, !lengths.isEmpty else { return nil }
    let frames = min(lengths[lengths.count / 2], crop ?? .max)
    let samples =
      switch features.framing {
      case .centerZero, .centerReflect: (frames - 1) * features.hopLength
      case .kaldiCenter: frames * features.hopLength
      case .snipEdges, .padEnd: (frames - 1) * features.hopLength + features.frameLength
      }
    let seconds = (100 * Double(samples) / Double(features.sampleRate)).rounded() / 100
    return SoundDetector.windows.contains(seconds) ? seconds : nil
  }

  /// What comes after the features. Throws `TrainingError.configuration` for weights of classes that there are not.
  func sequenceTrainer(labels: [String]) throws(TrainingError) -> SequenceTrainer {
    var trainer = SequenceTrainer(
      input: input, networks: networks, training: try training(labels: labels), isNormalized: isNormalized)
    trainer.checkpoint = checkpoint
    trainer.log = log
    trainer.group = group
    trainer.window = crop
    (trainer.start, trainer.frozenLayers, trainer.oldRate) = (start, frozenLayers, oldRate)
    return trainer
  }

  /// The same, with checkpoint and log in this folder of their folders.
  func within(_ folder: String) throws -> SoundTrainer {
    var trainer = self
    trainer.checkpoint = checkpoint?.subfolder(folder)
    trainer.log = try log.map { try TrainingLog(folder: "\($0.folder)/\(folder)") }
    return trainer
  }

  /// The training data, changed afresh in every epoch; nil where they are to stay as they are.
  private func augmented(
    _ trainingSet: SoundCollection.Subset, _ plan: Plan, seed: UInt64
  ) throws -> (any TrainingSource)? {
    guard augmentation.isOn || crop != nil else { return nil }
    let (rate, channel) = (features.sampleRate, channel)
    return try AugmentedSource(
      trainingSet.plain, features: features, waveformAugmenter: plan.augmenter, seed: seed, crop: crop,
      backgrounds: plan.backgrounds
    ) { index, part in
      var span = trainingSet.sound(index).heard(in: channel)
      if let part {
        let whole = span.seconds ?? 0..<Double.infinity
        let start = whole.lowerBound + part.lowerBound
        span.seconds = start..<max(start, min(whole.upperBound, whole.lowerBound + part.upperBound))
      }
      return try Waveform(of: span, sampleRate: rate)
    }
  }

  /// The settings, with the weights of classes in the order of `labels`.
  private func training(labels: [String]) throws(TrainingError) -> TrainingConfiguration {
    var training = training
    if case .audio(let features) = input, let background = labels.firstIndex(of: TrainingWindows.background) {
      training.falseAlarms =
        training.falseAlarms
        ?? FalseAlarmLimit(
          background: background, framesPerHour: 3600 * Double(features.sampleRate) / Double(features.hopLength))
    }
    guard !classWeights.isEmpty else { return training }
    if let unknown = classWeights.keys.sorted().first(where: { !labels.contains($0) }) {
      throw .configuration("a weight for class '\(unknown)'; there are: \(labels.joined(separator: ", "))")
    }
    training.classWeights = .given(labels.map { classWeights[$0] ?? 1 })
    return training
  }
}
