import AudioFeatures
import AuricleBase
import SequenceModel

/// From sequences with targets to a model: normalisation, each network's training, and the parts put together.
///
///     let trainer = SequenceTrainer(input: .sequence(width: 8), networks: [NetworkTemplate([.recurrent(.simpleRNN, units: 100), .pooling(.last)])])
///     let model = try await trainer.train(examples, labels: ["rest", "walk"])
///     try model.write(to: "motion.safetensors")
///
/// The sequences may be of anything; `SoundTrainer` is this, after an extractor.
public struct SequenceTrainer: Sendable {
  public var input: ModelInput
  /// Of each network of the model, which answers with the mean of their probabilities; one as a rule.
  ///
  /// The first is trained with the seed of `training`, each of the others with one of its own that follows from it: other
  /// initial weights, order and dropout.
  public var networks: [NetworkTemplate]
  public var training: TrainingConfiguration
  /// Whether each coefficient is normalised by its mean and deviation over the training data; for features of sound, as
  /// their configuration says.
  public var isNormalized: Bool
  /// Frames of the windows that the model hears longer sequences in; see `ClassifierEnsemble.window`. The examples are not
  /// cut here.
  public var window: Int?
  /// Where to keep the run and where to log it, if anywhere; see `Trainer`. Of several networks, the second and those
  /// after it have a folder in them, `network-2` and so on, so that one can be joined by others later.
  public var checkpoint: CheckpointFolder?
  public var log: TrainingLog?

  public init(
    input: ModelInput, networks: [NetworkTemplate], training: TrainingConfiguration = TrainingConfiguration(),
    isNormalized: Bool = false
  ) {
    (self.input, self.networks, self.training, self.isNormalized) = (input, networks, training, isNormalized)
    if case .audio(let features) = input { self.isNormalized = features.normalization == .global }
  }

  /// What happens as it goes.
  public enum Progress: Sendable {
    /// The training of one of several networks begins, the first being 1.
    case network(Int, of: Int)
    case training(TrainingProgress)
  }

  /// The networks for so many classes. Throws `TrainingError` and `ModelError` for impossible settings.
  public func configurations(classCount: Int) throws -> [NetworkConfiguration] {
    try training.validate()
    guard (1...ClassifierEnsemble.mostMembers).contains(networks.count) else {
      throw TrainingError.configuration(
        "\(networks.count) networks; there must be 1 to \(ClassifierEnsemble.mostMembers)")
    }
    return try networks.map { try $0.network(input: input.width, classCount: classCount) }
  }

  /// Trains on `training`, keeping the weights that do best on `validation` (the last ones where there is none).
  ///
  /// - Parameters:
  ///   - labels: names of the classes, in the order of the targets.
  ///   - identity: what the data are, by name: a checkpoint of other data is refused.
  ///   - examples: what each network learns from, if that is not `training` itself: changed at random, with the seed.
  ///
  /// Throws `TrainingError` and `ModelError` for impossible settings or examples, `FileError` where checkpoint or log
  /// cannot be written, and errors of the sources.
  public func train(
    _ training: any TrainingSource, validatingOn validation: any TrainingSource = [LabeledFeatures](), labels: [String],
    identity: [String: String] = [:], isolation: isolated (any Actor)? = #isolation,
    changing examples: (_ seed: UInt64) throws -> (any TrainingSource)? = { _ in nil },
    progress: (Progress) -> Void = { _ in }
  ) async throws -> ClassifierEnsemble {
    let networks = try configurations(classCount: labels.count)
    let trainers = try trainersOfNetworks()
    let present = Set(training.labels)
    if let missing = labels.indices.first(where: { !present.contains($0) }) {
      throw TrainingError.configuration("no example of class '\(labels[missing])' to train on")
    }
    let normalizer = isNormalized ? try self.normalizer(training) : nil
    var identity = identity
    identity["labels"] = labels.joined(separator: ",")
    var members: [SequenceClassifier] = []
    for (index, trainer) in trainers.enumerated() {
      if trainers.count > 1 { progress(.network(index + 1, of: trainers.count)) }
      let source = try examples(trainer.configuration.seed) ?? training
      let (parameters, record) = try await trainer.train(
        networks[index], on: source, validatingOn: validation, normalizer: normalizer, identity: identity
      ) { progress(.training($0)) }
      members.append(
        try SequenceClassifier(
          configuration: networks[index], input: input, output: trainer.configuration.loss.output, labels: labels,
          normalizer: normalizer, parameters: parameters, record: record))
    }
    return try ClassifierEnsemble(members: members, window: window)
  }

  /// For each network but the first, one with a seed and a folder of its own; the folders are prepared. Throws
  /// `TrainingError.checkpointExists` and `FileError`.
  public func trainersOfNetworks() throws -> [Trainer] {
    try networks.indices.map { index in
      var configuration = training
      if index > 0 {
        var seeds = SeededGenerator(seed: training.seed, stream: UInt64(index))
        configuration.seed = seeds.next()
      }
      var trainer = try Trainer(configuration)
      let folder = "network-\(index + 1)"
      trainer.checkpoint = index == 0 ? checkpoint : checkpoint?.subfolder(folder)
      try trainer.checkpoint?.prepare()
      trainer.log = index == 0 ? log : try log.map { try TrainingLog(folder: "\($0.folder)/\(folder)") }
      return trainer
    }
  }

  /// Of all frames of all examples.
  private func normalizer(_ source: any TrainingSource) throws -> FeatureNormalizer {
    var statistics = FeatureStatistics(coefficients: input.width)
    for index in source.labels.indices {
      let features = try source.example(index, epoch: 0).features
      guard features.coefficients == input.width else {
        throw ModelError.inputSize(found: features.coefficients, wanted: input.width)
      }
      statistics.add(features)
    }
    return statistics.normalizer
  }
}

extension Loss {
  /// What the logits mean that were trained so.
  var output: ModelOutput {
    switch self {
    case .softmaxCrossEntropy: .softmax
    case .sigmoidCrossEntropy: .sigmoid
    }
  }
}
