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
    public var failures: [FailedFile]
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

  /// The network's shape, apart from what the data decide.
  public struct Architecture: Sendable {
    public var cell = ModelConfiguration.Cell.gru
    public var hiddenSize = 128
    public var layers = 2
    public var bidirectional = true
    public var pooling = ModelConfiguration.Pooling.attention
    public var dropout = 0.3
    public var recurrentDropout = 0.0
    public var inputNormalization: InputNormalization?
    public var convolutions: [Convolution] = []

    public init() {}
  }

  public var features: FeatureConfiguration
  /// Of each network of the model, which answers with the mean of their probabilities; one as a rule.
  ///
  /// The first is trained with the seed of `training`, each of the others with one of its own that follows from it: other
  /// initial weights, order, dropout and augmentation.
  public var architectures: [Architecture]
  public var training: TrainingConfiguration
  public var channel = ChannelSelection.mix
  /// Bytes of features to keep in memory; those beyond go to a temporary file.
  public var cacheMemory = defaultCacheMemory
  /// What an example of each class counts: `training.classWeights`, unless given here by label. A label that is not
  /// named counts 1.
  public var classWeights: [String: Double] = [:]
  /// What is changed at random in the training data; and recordings of noise and room impulse responses for it.
  public var augmentation = Augmentation.none
  public var noiseFiles: [String] = []
  public var roomFiles: [String] = []
  /// Where to keep the run and where to log it, if anywhere; see `Trainer`. Of several networks, the second and those
  /// behind it have a folder in them, `network-2` and so on, so that one can be joined by others later.
  public var checkpoint: CheckpointFolder?
  public var log: TrainingLog?
  /// 1 GiB.
  public static let defaultCacheMemory = 1 << 30

  public init(
    features: FeatureConfiguration, architecture: Architecture = Architecture(),
    training: TrainingConfiguration = TrainingConfiguration()
  ) {
    self.features = features
    architectures = [architecture]
    self.training = training
  }

  /// Trains on `split.training`, keeping the weights that do best on `split.validation`.
  ///
  /// Files that cannot be read are left out and reported; where a class has nothing left to train on, `TrainingError` is
  /// thrown. Throws `FeatureError`, `ModelError`, `AugmentationError` and `TrainingError` for impossible settings,
  /// `AudioError` for recordings of noise and rooms, and `FileError` where checkpoint, log or cache cannot be written.
  public func train(
    _ split: DatasetSplit, labels: [String], isolation: isolated (any Actor)? = #isolation,
    progress: (Progress) -> Void = { _ in }
  ) async throws -> Result {
    let (plan, trainers) = (try plan(labels: labels), try trainersOfNetworks())
    let sounds = try await SoundCollection(
      split.training + split.validation, labels: labels, trainer: self, progress: progress)
    let model = try await fit(plan, trainers, sounds, split, progress: progress)
    let validationSet = sounds.subset(split.validation)
    let answers = try await validationSet.answers(of: model, jobs: training.jobs)
    return Result(
      model: model, validationCorrect: zip(validationSet.labels, answers).count { $0 == $1 },
      validationExamples: answers.count, failures: sounds.failures)
  }

  /// What can be made, and can be wrong, before any example is read.
  struct Plan: Sendable {
    var labels: [String]
    var networks: [ModelConfiguration]
    var augmenter: WaveformAugmenter
  }

  /// Throws as `train` does.
  func plan(labels: [String]) throws -> Plan {
    try training(labels: labels).validate()
    func read(_ paths: [String]) throws -> [Waveform] {
      guard augmentation.isOn else { return [] }
      return try paths.map { try Waveform(contentsOf: $0, sampleRate: features.sampleRate, channel: channel) }
    }
    return try Plan(
      labels: labels,
      networks: architectures.map {
        try $0.network(inputSize: features.coefficientCount, classCount: labels.count)
      },
      augmenter: WaveformAugmenter(
        augmentation, sampleRate: features.sampleRate, noises: read(noiseFiles), rooms: read(roomFiles)))
  }

  /// Trains each network, by its own trainer, on the part of `sounds` that `split` names.
  func fit(
    _ plan: Plan, _ trainers: [SoundTrainer], _ sounds: SoundCollection, _ split: DatasetSplit,
    isolation: isolated (any Actor)? = #isolation, progress: (Progress) -> Void
  ) async throws -> ClassifierEnsemble {
    var members: [SequenceClassifier] = []
    for (index, trainer) in trainers.enumerated() {
      if trainers.count > 1 { progress(.network(index + 1, of: trainers.count)) }
      members.append(try await trainer.fit(plan, network: index, sounds, split) { progress(.training($0)) })
    }
    return try ClassifierEnsemble(members: members)
  }

  /// For each network but the first, one with a seed and a folder of its own; the folders are prepared. Throws
  /// `TrainingError.checkpointExists` and `FileError`.
  func trainersOfNetworks() throws -> [SoundTrainer] {
    let trainers = try architectures.indices.map { index in
      guard index > 0 else { return self }
      var trainer = try within("network-\(index + 1)")
      var seeds = SeededGenerator(seed: training.seed, stream: UInt64(index))
      trainer.training.seed = seeds.next()
      return trainer
    }
    for trainer in trainers { try trainer.checkpoint?.prepare() }
    return trainers
  }

  /// The same, with checkpoint and log in this folder of their folders.
  func within(_ folder: String) throws -> SoundTrainer {
    var trainer = self
    trainer.checkpoint = checkpoint?.subfolder(folder)
    trainer.log = try log.map { try TrainingLog(folder: "\($0.folder)/\(folder)") }
    return trainer
  }

  private func fit(
    _ plan: Plan, network index: Int, _ sounds: SoundCollection, _ split: DatasetSplit,
    isolation: isolated (any Actor)? = #isolation, progress: (TrainingProgress) -> Void
  ) async throws -> SequenceClassifier {
    let (network, labels) = (plan.networks[index], plan.labels)
    var trainer = try Trainer(training(labels: labels))
    trainer.checkpoint = checkpoint
    trainer.log = log
    let (trainingSet, validationSet) = (sounds.subset(split.training), sounds.subset(split.validation))
    let present = Set(trainingSet.labels)
    if let missing = labels.indices.first(where: { !present.contains($0) }) {
      throw TrainingError.configuration("no file of class '\(labels[missing])' could be read")
    }
    let normalizer =
      features.normalization == .global ? try trainingSet.normalizer(coefficients: features.coefficientCount) : nil
    let source = try augmented(trainingSet, by: plan.augmenter)
    let identity = [
      "checksum of the training data": "\(trainingSet.checksum)",
      "checksum of the validation data": "\(validationSet.checksum)", "labels": labels.joined(separator: ","),
      "augmentation": "\(augmentation)", "checksum of noise and rooms": "\(plan.augmenter.checksum)",
    ]
    let (parameters, record) = try await trainer.train(
      network, on: source, validatingOn: validationSet, normalizer: normalizer, identity: identity,
      progress: progress)
    return try SequenceClassifier(
      configuration: network, features: features, labels: labels, normalizer: normalizer, parameters: parameters,
      record: record)
  }

  /// The training data as they are, or changed afresh in every epoch.
  private func augmented(
    _ trainingSet: SoundCollection.Subset, by augmenter: WaveformAugmenter
  ) throws -> any TrainingSource {
    guard augmentation.isOn else { return trainingSet }
    let (rate, channel) = (features.sampleRate, channel)
    return try AugmentedSource(
      trainingSet.plain, features: features, waveformAugmenter: augmenter, seed: training.seed
    ) { try Waveform(contentsOf: trainingSet.path($0), sampleRate: rate, channel: channel) }
  }

  /// The settings, with the weights of classes in the order of `labels`.
  private func training(labels: [String]) throws(TrainingError) -> TrainingConfiguration {
    guard !classWeights.isEmpty else { return training }
    if let unknown = classWeights.keys.sorted().first(where: { !labels.contains($0) }) {
      throw .configuration("a weight for class '\(unknown)'; there are: \(labels.joined(separator: ", "))")
    }
    var training = training
    training.classWeights = .given(labels.map { classWeights[$0] ?? 1 })
    return training
  }
}
