import AudioFeatures
import AuricleBase
import Datasets
import SequenceModel

/// The features of one sound and the class it belongs to.
public struct LabeledFeatures: Sendable {
  public var features: FeatureMatrix
  /// Index of its class.
  public var label: Int

  public init(features: FeatureMatrix, label: Int) {
    self.features = features
    self.label = label
  }
}

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
/// A batch is cut into shards that do not depend on the number of jobs, and their gradients are added in order, so the
/// result is the same bit for bit however many jobs there are.
public struct Trainer: Sendable {
  public let configuration: TrainingConfiguration

  /// Sequences in a shard: enough for the matrix products, few enough for their data to stay in the cache.
  private static let shardSize = 16

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
    _ network: ModelConfiguration, on training: [LabeledFeatures], validatingOn validation: [LabeledFeatures] = [],
    normalizer: FeatureNormalizer? = nil, isolation: isolated (any Actor)? = #isolation,
    progress: (TrainingProgress) -> Void = { _ in }
  ) async throws -> (parameters: [Float], record: TrainingRecord) {
    guard !training.isEmpty else { throw TrainingError.noExamples }
    let layout = ParameterLayout(network)
    var parameters = layout.initialParameters(seed: configuration.seed)
    var best = parameters
    var optimizer = Adam(parameterCount: parameters.count)
    var record = TrainingRecord(
      seed: configuration.seed, batchSize: configuration.batchSize, trainingExamples: training.count,
      validationExamples: validation.count)
    let workers = (0..<configuration.jobs).map { _ in ShardWorker(network) }
    let plan = try BatchPlan(
      lengths: training.map(\.features.frames), batchSize: configuration.batchSize, seed: configuration.seed)
    var batchNumber = 0

    for epoch in 1...configuration.epochs {
      let batches = plan.batches(epoch: epoch)
      var (loss, correct, seen, rate) = (0.0, 0, 0, 0.0)
      for (index, batch) in batches.enumerated() {
        try Task.checkCancellation()
        rate = configuration.rate(batch: batchNumber, batchesPerEpoch: batches.count)
        // Over the whole batch, so that its shards are normalised alike.
        let statistics = BatchStatistics(network, of: batch.map { training[$0].features }, normalizer: normalizer)
        let result = await gradient(
          TrainableNetwork(network, layout: layout, parameters: parameters), batch.map { training[$0] }, normalizer,
          statistics: statistics, batchNumber: batchNumber, workers: workers)
        optimizer.update(
          &parameters, gradient: result.gradient, learningRate: rate, clipNorm: configuration.clipNorm)
        if let statistics, let momentum = network.inputNormalization?.momentum {
          statistics.updateMovingAverages(in: &parameters, layout, momentum: momentum)
        }
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
      if !validation.isEmpty {
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

  private struct BatchResult: Sendable {
    var loss = 0.0
    var correct = 0
    var gradient: [Float]
  }

  /// The passes of one worker, with its buffers.
  private actor ShardWorker {
    private let worker: NetworkWorker

    init(_ network: ModelConfiguration) {
      worker = NetworkWorker(network)
    }

    func gradient(
      _ network: TrainableNetwork, _ shard: [LabeledFeatures], _ normalizer: FeatureNormalizer?,
      statistics: BatchStatistics?, parameterCount: Int, labelSmoothing: Double, scale: Double, dropoutSeed: UInt64
    ) -> BatchResult {
      let logits = worker.logits(
        network, of: shard.map(\.features), normalizer: normalizer, dropoutSeed: dropoutSeed,
        statistics: statistics)
      let loss = CrossEntropy(
        logits: logits, labels: shard.map(\.label), labelSmoothing: labelSmoothing, scale: scale)
      var gradient = [Float](repeating: 0, count: parameterCount)
      worker.addGradient(network, ofLogits: loss.logitGradient, to: &gradient)
      return BatchResult(loss: loss.loss, correct: loss.correct, gradient: gradient)
    }
  }

  /// Loss and gradient of one batch: shards in parallel, sums in order.
  private func gradient(
    _ network: TrainableNetwork, _ batch: [LabeledFeatures], _ normalizer: FeatureNormalizer?,
    statistics: BatchStatistics?, batchNumber: Int, workers: [ShardWorker]
  ) async -> BatchResult {
    let sorted = batch.sorted { $0.features.frames > $1.features.frames }
    let count = (sorted.count + Trainer.shardSize - 1) / Trainer.shardSize
    // Dealt like cards, so that every shard has its share of long sequences.
    let shards = (0..<count).map { first in stride(from: first, to: sorted.count, by: count).map { sorted[$0] } }
    let configuration = configuration
    let parameterCount = network.parameterCount

    var results = [BatchResult?](repeating: nil, count: count)
    await withTaskGroup(of: [(Int, BatchResult)].self) { group in
      for (index, worker) in workers.prefix(count).enumerated() {
        group.addTask {
          var results: [(Int, BatchResult)] = []
          for shard in stride(from: index, to: count, by: workers.count) {
            var seeds = SeededGenerator(seed: configuration.seed, stream: UInt64(batchNumber) << 20 | UInt64(shard))
            results.append(
              (
                shard,
                await worker.gradient(
                  network, shards[shard], normalizer, statistics: statistics, parameterCount: parameterCount,
                  labelSmoothing: configuration.labelSmoothing, scale: 1 / Double(batch.count),
                  dropoutSeed: seeds.next())
              ))
          }
          return results
        }
      }
      for await part in group {
        for (shard, result) in part { results[shard] = result }
      }
    }
    var total = BatchResult(gradient: [])
    for case let result? in results {
      total.loss += result.loss
      total.correct += result.correct
      if total.gradient.isEmpty {
        total.gradient = result.gradient
      } else {
        total.gradient.withUnsafeMutableBufferPointer { total in
          result.gradient.withUnsafeBufferPointer { part in
            for i in total.indices { total[i] += part[i] }
          }
        }
      }
    }
    return total
  }

  /// Mean loss and accuracy, without dropout or smoothing.
  private func validate(
    _ network: TrainableNetwork, _ examples: [LabeledFeatures], _ normalizer: FeatureNormalizer?,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> (loss: Double, accuracy: Double) {
    let sorted = examples.sorted { $0.features.frames > $1.features.frames }
    let shards = stride(from: 0, to: sorted.count, by: Trainer.shardSize).map {
      Array(sorted[$0..<min($0 + Trainer.shardSize, sorted.count)])
    }
    var (loss, correct) = (0.0, 0)
    try await orderedMap(shards, jobs: configuration.jobs) { shard in
      let logits = network.logits(of: shard.map(\.features), normalizer: normalizer)
      let result = CrossEntropy(logits: logits, labels: shard.map(\.label))
      return (result.loss, result.correct)
    } each: { _, result in
      loss += result.0
      correct += result.1
    }
    return (loss / Double(examples.count), Double(correct) / Double(examples.count))
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
