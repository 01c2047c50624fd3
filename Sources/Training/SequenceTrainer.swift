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
  /// The model to go on from: its networks, weights and normalisation, and of its last layer the units of classes that are
  /// still there. Its input must be `input`. Nil to begin with fresh weights.
  public var start: ClassifierEnsemble?
  /// So many layers from the first on keep the weights of `start`.
  public var frozenLayers = 0
  /// What the learning rate of the layers of `start` is multiplied by; if nil, 0.3 where there are classes that it does not
  /// know (whose units learn at the full rate), otherwise 1.
  public var oldRate: Double?
  /// Frames of the windows that the model hears longer sequences in; see `ClassifierEnsemble.window`. The examples are not
  /// cut here.
  public var window: Int?
  /// Where to keep the run and where to log it, if anywhere; see `Trainer`. Of several networks, the second and those
  /// after it have a folder in them, `network-2` and so on, so that one can be joined by others later.
  public var checkpoint: CheckpointFolder?
  public var log: TrainingLog?
  /// The processes that train together; see `Trainer`.
  public var group: any ProcessGroup = SingleProcess()

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
    if let start {
      guard start.input == input else {
        throw TrainingError.configuration("features of another model than that to go on from")
      }
      let fewest = start.members.map(\.configuration.layers.count).min() ?? 0
      guard (0..<fewest).contains(frozenLayers) else {
        throw TrainingError.configuration(
          "\(frozenLayers) layers kept as they are; there are \(fewest), and the last must learn")
      }
      guard oldRate.map({ $0 >= 0 && $0.isFinite }) ?? true else {
        throw TrainingError.configuration("a rate of \(oldRate ?? 0) for old layers; it must not be negative")
      }
      return try start.members.map { try $0.configuration.with(classCount: classCount) }
    }
    guard frozenLayers == 0 else {
      throw TrainingError.configuration("layers kept as they are, but no model to go on from")
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
    let normalizer =
      if let known = start?.normalizer, isNormalized {
        known
      } else {
        isNormalized ? try await self.normalizer(training) : nil
      }
    var identity = identity
    identity["labels"] = labels.joined(separator: ",")
    var members: [SequenceClassifier] = []
    for (index, fresh) in trainers.enumerated() {
      let trainer = try start.map { try going(on: $0.members[index], fresh, labels: labels) } ?? fresh
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
    try (start?.members.indices ?? networks.indices).map { index in
      var configuration = training
      if index > 0 {
        var seeds = SeededGenerator(seed: training.seed, stream: UInt64(index))
        configuration.seed = seeds.next()
      }
      var trainer = try Trainer(configuration)
      let folder = "network-\(index + 1)"
      trainer.checkpoint = index == 0 ? checkpoint : checkpoint?.subfolder(folder)
      try trainer.checkpoint?.prepare()
      trainer.group = group
      trainer.log = index == 0 ? log : try log.map { try TrainingLog(folder: "\($0.folder)/\(folder)") }
      return trainer
    }
  }

  /// `trainer` with the weights of `member` to begin with.
  private func going(on member: SequenceClassifier, _ trainer: Trainer, labels: [String]) throws -> Trainer {
    var trainer = trainer
    let start = try member.start(labels: labels, seed: trainer.configuration.seed)
    trainer.start = start.parameters
    let rate = oldRate ?? (start.hasNewClasses ? 0.3 : 1)
    trainer.layerRates = (0..<start.network.layers.count - 1).map { $0 < frozenLayers ? 0 : rate }
    return trainer
  }

  /// Of all frames of all examples, in their order: each process adds those that it holds to what those before have found.
  private func normalizer(
    _ source: any TrainingSource, isolation: isolated (any Actor)? = #isolation
  ) async throws -> FeatureNormalizer {
    var statistics = FeatureStatistics(coefficients: input.width)
    let count = source.labels.count
    var start = 0
    while start < count {
      let holder = source.holder(of: start)
      let end = (start..<count).first { source.holder(of: $0) != holder } ?? count
      let sum = Result { [statistics] in
        var statistics = statistics
        for index in start..<end where holder ?? group.rank == group.rank {
          let features = try source.example(index, epoch: 0).features
          guard features.coefficients == input.width else {
            throw ModelError.inputSize(found: features.coefficients, wanted: input.width)
          }
          statistics.add(features)
        }
        return statistics
      }
      statistics = try await group.gather(sum)[holder ?? group.rank]
      start = end
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
