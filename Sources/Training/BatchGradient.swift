import AudioFeatures
import AuricleBase
import SequenceModel

/// Loss and gradient of one batch on several workers.
///
/// A batch is cut into shards that do not depend on the number of workers, and their gradients are added in order, so the
/// result is the same bit for bit however many there are.
struct BatchGradient: Sendable {
  struct Result: Sendable {
    var loss = 0.0
    var correct = 0
    var gradient: [Float]

    mutating func add(_ other: Result) {
      loss += other.loss
      correct += other.correct
      if gradient.isEmpty {
        gradient = other.gradient
      } else {
        gradient.withUnsafeMutableBufferPointer { total in
          other.gradient.withUnsafeBufferPointer { part in
            for i in total.indices { total[i] += part[i] }
          }
        }
      }
    }
  }

  /// Sequences in a shard: enough for the matrix products, few enough for their data to stay in the cache.
  static let shardSize = 16

  private let configuration: TrainingConfiguration
  private let normalizer: FeatureNormalizer?
  private let classWeights: [Double]?
  private let workers: Pool<NetworkWorker>

  init(
    _ network: NetworkConfiguration, configuration: TrainingConfiguration, normalizer: FeatureNormalizer?,
    classWeights: [Double]?
  ) {
    self.configuration = configuration
    self.normalizer = normalizer
    self.classWeights = classWeights
    workers = Pool { NetworkWorker(network) }
  }

  /// Shards in parallel, sums in order; `batchNumber`, counted over all epochs, decides dropout.
  ///
  /// Throws `CancellationError`, and `ModelError` or `TrainingError` for examples that do not fit the network.
  func callAsFunction(
    _ network: TrainableNetwork, _ batch: [LabeledFeatures], batchNumber: Int,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> Result {
    let sorted = batch.sorted { $0.features.frames > $1.features.frames }
    let count = (sorted.count + BatchGradient.shardSize - 1) / BatchGradient.shardSize
    // Dealt like cards, every other round backwards, so that the shards are of nearly the same number of frames.
    let shards = (0..<count).map { place in
      stride(from: 0, to: sorted.count, by: count).enumerated().compactMap { round, first in
        let index = first + (round.isMultiple(of: 2) ? place : count - 1 - place)
        return index < sorted.count ? sorted[index] : nil
      }
    }
    var total = Result(gradient: [])
    try await orderedMap(Array(shards.enumerated()), jobs: configuration.jobs) { number, shard in
      var seeds = SeededGenerator(seed: configuration.seed, stream: UInt64(batchNumber) << 20 | UInt64(number))
      return workers.withValue { worker in
        Swift.Result { try gradient(network, shard, on: worker, dropoutSeed: seeds.next(), of: batch.count) }
      }
    } each: { _, result in
      total.add(try result.get())
    }
    return total
  }

  private func gradient(
    _ network: TrainableNetwork, _ shard: [LabeledFeatures], on worker: NetworkWorker, dropoutSeed: UInt64,
    of batchSize: Int
  ) throws -> Result {
    let logits = try worker.logits(
      network, of: shard.map(\.features), normalizer: normalizer, dropoutSeed: dropoutSeed,
      share: Double(shard.count) / Double(batchSize))
    let loss = try BatchLoss(
      configuration.loss, logits: logits, targets: shard.map(\.target), classWeights: classWeights,
      scale: 1 / Double(batchSize))
    var gradient = [Float](repeating: 0, count: network.parameterCount)
    try worker.addGradient(network, ofLogits: loss.logitGradient, to: &gradient)
    return Result(loss: loss.loss, correct: loss.correct, gradient: gradient)
  }
}
