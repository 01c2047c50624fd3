import AudioFeatures
import AuricleBase
import Datasets
import SequenceModel

/// What a training run reports as it goes.
public enum TrainingProgress: Sendable {
  /// After a batch: means over the epoch so far.
  case batch(epoch: Int, batch: Int, batches: Int, loss: Double, accuracy: Double)
  case epoch(TrainingRecord.Epoch, isBest: Bool)
}

/// Trains a network from scratch: shuffled mini-batches, softmax cross-entropy, Adam, the best epoch's weights kept.
///
///     let (parameters, record) = try await Trainer(configuration).train(
///       network, on: training, validatingOn: validation, normalizer: normalizer) { print($0) }
///
/// The result is the same bit for bit however many jobs there are; see `BatchGradient`. Examples of the next batch are
/// fetched while the network works on this one.
public struct Trainer: Sendable {
  public let configuration: TrainingConfiguration

  /// Throws `TrainingError.configuration` for a value out of range.
  public init(_ configuration: TrainingConfiguration) throws(TrainingError) {
    try configuration.validate()
    self.configuration = configuration
  }

  /// Parameters (as `ParameterLayout` places them) of the epoch that did best on `validation` (most right, then least
  /// loss), of the last one where there is none, and the record of all epochs.
  ///
  /// Throws `TrainingError`, or `CancellationError` when the task is cancelled.
  public func train(
    _ network: ModelConfiguration, on training: any TrainingSource,
    validatingOn validation: any TrainingSource = [LabeledFeatures](),
    normalizer: FeatureNormalizer? = nil, isolation: isolated (any Actor)? = #isolation,
    progress: (TrainingProgress) -> Void = { _ in }
  ) async throws -> (parameters: [Float], record: TrainingRecord) {
    let examples = training.labels.count
    guard examples > 0 else { throw TrainingError.noExamples }
    let layout = ParameterLayout(network)
    var parameters = layout.initialParameters(seed: configuration.seed)
    var best = parameters
    var optimizer = Adam(parameterCount: parameters.count)
    var record = TrainingRecord(
      seed: configuration.seed, batchSize: configuration.batchSize, trainingExamples: examples,
      validationExamples: validation.labels.count)
    let gradient = BatchGradient(network, configuration: configuration, normalizer: normalizer, classWeights: nil)
    let plan = try BatchPlan(lengths: training.lengths, batchSize: configuration.batchSize, seed: configuration.seed)
    let loader = BatchLoader(source: training, plan: plan, jobs: configuration.jobs, lastEpoch: configuration.epochs)
    var upcoming: [LabeledFeatures]?
    var batchNumber = 0

    for epoch in 1...configuration.epochs {
      let batches = plan.batches(epoch: epoch)
      var (loss, correct, seen, rate) = (0.0, 0, 0, 0.0)
      for (index, batch) in batches.enumerated() {
        try Task.checkCancellation()
        rate = configuration.rate(batch: batchNumber, batchesPerEpoch: batches.count)
        let current = if let upcoming { upcoming } else { try await loader.load(batch, epoch: epoch) }
        async let following = loader.loadAhead(of: index, in: batches, epoch: epoch)
        // Over the whole batch, so that its shards are normalised alike.
        let statistics = BatchStatistics(network, of: current.map(\.features), normalizer: normalizer)
        let result = await gradient(
          TrainableNetwork(network, layout: layout, parameters: parameters), current, statistics: statistics,
          batchNumber: batchNumber)
        optimizer.update(
          &parameters, gradient: result.gradient, learningRate: rate, clipNorm: configuration.clipNorm)
        if let statistics, let momentum = network.inputNormalization?.momentum {
          statistics.updateMovingAverages(in: &parameters, layout, momentum: momentum)
        }
        upcoming = try await following
        loss += result.loss
        correct += result.correct
        seen += batch.count
        batchNumber += 1
        progress(
          .batch(
            epoch: epoch, batch: index + 1, batches: batches.count, loss: loss / Double(seen),
            accuracy: Double(correct) / Double(seen)))
      }
      guard loss.isFinite else { throw TrainingError.diverged(epoch: epoch) }

      var summary = TrainingRecord.Epoch(
        number: epoch, learningRate: rate, trainingLoss: loss / Double(seen),
        trainingAccuracy: Double(correct) / Double(seen))
      var isBest = true
      if record.validationExamples > 0 {
        let result = try await validate(
          TrainableNetwork(network, layout: layout, parameters: parameters), validation, normalizer)
        summary.validationLoss = result.loss
        summary.validationAccuracy = result.accuracy
        isBest = record.epochs.first { $0.number == record.bestEpoch }.map { summary.isBetter(than: $0) } ?? true
      }
      if isBest {
        best = parameters
        record.bestEpoch = epoch
      }
      record.epochs.append(summary)
      progress(.epoch(summary, isBest: isBest))
    }
    return (best, record)
  }

  /// Mean loss and accuracy, without dropout or smoothing.
  private func validate(
    _ network: TrainableNetwork, _ source: any TrainingSource, _ normalizer: FeatureNormalizer?,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> (loss: Double, accuracy: Double) {
    let lengths = source.lengths
    let sorted = lengths.indices.sorted { lengths[$0] > lengths[$1] }
    let shards = stride(from: 0, to: sorted.count, by: BatchGradient.shardSize).map {
      Array(sorted[$0..<min($0 + BatchGradient.shardSize, sorted.count)])
    }
    var (loss, correct) = (0.0, 0)
    try await orderedMap(shards, jobs: configuration.jobs) { shard in
      Result {
        let examples = try shard.map { try source.example($0, epoch: 0) }
        let logits = network.logits(of: examples.map(\.features), normalizer: normalizer)
        return CrossEntropy(logits: logits, targets: examples.map(\.target))
      }
    } each: { _, result in
      loss += try result.get().loss
      correct += try result.get().correct
    }
    return (loss / Double(sorted.count), Double(correct) / Double(sorted.count))
  }
}

extension TrainingRecord.Epoch {
  /// More right on the validation data, or as many with less loss.
  fileprivate func isBetter(than other: TrainingRecord.Epoch) -> Bool {
    guard let accuracy = validationAccuracy, let loss = validationLoss, let otherAccuracy = other.validationAccuracy,
      let otherLoss = other.validationLoss
    else { return true }
    return accuracy != otherAccuracy ? accuracy > otherAccuracy : loss < otherLoss
  }
}
