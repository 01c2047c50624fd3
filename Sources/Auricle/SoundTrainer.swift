/// A file that could not be used, and why.
public struct FailedFile: Codable, Hashable, Sendable {
  public var path: String
  public var reason: String
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
    public var model: SequenceClassifier
    public var failures: [FailedFile]
  }

  /// What happens as it goes.
  public enum Progress: Sendable {
    /// Files read so far, of how many; with the file, if it failed.
    case file(done: Int, of: Int, failure: FailedFile?)
    /// All features are there: so many bytes in memory, and so many in a temporary file.
    case cached(memory: Int, disk: Int)
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
  public var architecture: Architecture
  public var training: TrainingConfiguration
  public var channel = ChannelSelection.mix
  /// Bytes of features to keep in memory; those beyond go to a temporary file.
  public var cacheMemory = defaultCacheMemory
  /// 1 GiB.
  public static let defaultCacheMemory = 1 << 30

  public init(
    features: FeatureConfiguration, architecture: Architecture = Architecture(),
    training: TrainingConfiguration = TrainingConfiguration()
  ) {
    self.features = features
    self.architecture = architecture
    self.training = training
  }

  /// Trains on `split.training`, keeping the weights that do best on `split.validation`.
  ///
  /// Files that cannot be read are left out and reported. Throws `FeatureError`, `ModelError`, `DatasetError` (a class
  /// with nothing left to train on) or `TrainingError`.
  public func train(
    _ split: DatasetSplit, labels: [String], isolation: isolated (any Actor)? = #isolation,
    progress: (Progress) -> Void = { _ in }
  ) async throws -> Result {
    let trainer = try Trainer(training)
    let network = try ModelConfiguration(
      inputSize: features.coefficientCount, inputNormalization: architecture.inputNormalization,
      convolutions: architecture.convolutions, cell: architecture.cell, hiddenSize: architecture.hiddenSize,
      layers: architecture.layers, bidirectional: architecture.bidirectional, pooling: architecture.pooling,
      dropout: architecture.dropout, recurrentDropout: architecture.recurrentDropout, classCount: labels.count)
    let sounds = try await SoundCollection(
      split.training + split.validation, labels: labels, trainer: self, progress: progress)
    let trainingSet = sounds.subset(split.training)
    let present = Set(trainingSet.labels)
    if let missing = labels.indices.first(where: { !present.contains($0) }) {
      throw TrainingError.configuration("no file of class '\(labels[missing])' could be read")
    }
    let normalizer =
      features.normalization == .global ? try trainingSet.normalizer(coefficients: features.coefficientCount) : nil
    let (parameters, record) = try await trainer.train(
      network, on: trainingSet, validatingOn: sounds.subset(split.validation), normalizer: normalizer
    ) { progress(.training($0)) }
    let model = try SequenceClassifier(
      configuration: network, features: features, labels: labels, normalizer: normalizer, parameters: parameters,
      record: record)
    return Result(model: model, failures: sounds.failures)
  }
}
