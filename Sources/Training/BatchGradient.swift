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
  }

  /// Sequences in a shard: enough for the matrix products, few enough for their data to stay in the cache.
  static let shardSize = 16

  private let configuration: TrainingConfiguration
  private let normalizer: FeatureNormalizer?
  private let classWeights: [Double]?
  private let workers: [ShardWorker]

  init(
    _ network: ModelConfiguration, configuration: TrainingConfiguration, normalizer: FeatureNormalizer?,
    classWeights: [Double]?
  ) {
    self.configuration = configuration
    self.normalizer = normalizer
    self.classWeights = classWeights
    workers = (0..<configuration.jobs).map { _ in ShardWorker(network) }
  }

  /// The passes of one worker, with its buffers.
  private actor ShardWorker {
    private let worker: NetworkWorker

    init(_ network: ModelConfiguration) {
      worker = NetworkWorker(network)
    }

    func gradient(
      _ network: TrainableNetwork, _ shard: [LabeledFeatures], _ normalizer: FeatureNormalizer?,
      statistics: BatchStatistics?, classWeights: [Double]?, labelSmoothing: Double, scale: Double, dropoutSeed: UInt64
    ) -> Result {
      let logits = worker.logits(
        network, of: shard.map(\.features), normalizer: normalizer, dropoutSeed: dropoutSeed, statistics: statistics)
      let loss = CrossEntropy(
        logits: logits, targets: shard.map(\.target), classWeights: classWeights, labelSmoothing: labelSmoothing,
        scale: scale)
      var gradient = [Float](repeating: 0, count: network.parameterCount)
      worker.addGradient(network, ofLogits: loss.logitGradient, to: &gradient)
      return Result(loss: loss.loss, correct: loss.correct, gradient: gradient)
    }
  }

  /// Shards in parallel, sums in order; `batchNumber`, counted over all epochs, decides dropout.
  func callAsFunction(
    _ network: TrainableNetwork, _ batch: [LabeledFeatures], statistics: BatchStatistics?, batchNumber: Int
  ) async -> Result {
    let sorted = batch.sorted { $0.features.frames > $1.features.frames }
    let count = (sorted.count + BatchGradient.shardSize - 1) / BatchGradient.shardSize
    // Dealt like cards, every other round backwards, so that the shards are of nearly the same number of frames.
    let shards = (0..<count).map { place in
      stride(from: 0, to: sorted.count, by: count).enumerated().compactMap { round, first in
        let index = first + (round.isMultiple(of: 2) ? place : count - 1 - place)
        return index < sorted.count ? sorted[index] : nil
      }
    }

    var results = [Result?](repeating: nil, count: count)
    await withTaskGroup(of: [(Int, Result)].self) { group in
      for (index, worker) in workers.prefix(count).enumerated() {
        group.addTask {
          var results: [(Int, Result)] = []
          for shard in stride(from: index, to: count, by: workers.count) {
            var seeds = SeededGenerator(seed: configuration.seed, stream: UInt64(batchNumber) << 20 | UInt64(shard))
            let result = await worker.gradient(
              network, shards[shard], normalizer, statistics: statistics, classWeights: classWeights,
              labelSmoothing: configuration.labelSmoothing, scale: 1 / Double(batch.count), dropoutSeed: seeds.next())
            results.append((shard, result))
          }
          return results
        }
      }
      for await part in group {
        for (shard, result) in part { results[shard] = result }
      }
    }
    var total = Result(gradient: [])
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
}
