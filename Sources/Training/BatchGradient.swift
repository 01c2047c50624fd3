import AudioFeatures
import AuricleBase
import SequenceModel

/// Loss and gradient of one batch on several workers of one process, or several.
///
/// A batch is cut into shards that do not depend on the number of workers, and their gradients are added in order, so the
/// result is the same bit for bit however many there are. Shard k is that of process k modulo their number.
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

  /// Sequences in a shard at most: enough for the matrix products, few enough for their data to stay in the cache.
  static let shardSize = 16
  /// Frames in a shard, where it has no fewer than four sequences for that: what a layer keeps of them is bounded.
  static let shardFrames = 2048

  private let configuration: TrainingConfiguration
  private let normalizer: FeatureNormalizer?
  private let classWeights: [Double]?
  private let group: any ProcessGroup
  private let workers: Pool<NetworkWorker>

  init(
    _ network: NetworkConfiguration, configuration: TrainingConfiguration, normalizer: FeatureNormalizer?,
    classWeights: [Double]?, group: any ProcessGroup
  ) {
    self.group = group
    self.configuration = configuration
    self.normalizer = normalizer
    self.classWeights = classWeights
    workers = Pool { NetworkWorker(network) }
  }

  /// How many shards a batch of examples that are so long has.
  static func shardCount(_ lengths: [Int]) -> Int {
    let most = max(1, lengths.count / 4)
    let frames = lengths.reduce(0, +)
    return max((lengths.count + shardSize - 1) / shardSize, min(most, (frames + shardFrames - 1) / shardFrames))
  }

  /// The shards of a batch of examples that are so long: the place in the batch of each example of each.
  static func shards(_ lengths: [Int]) -> [[Int]] {
    let sorted = lengths.indices.sorted { lengths[$0] > lengths[$1] }
    let count = shardCount(lengths)
    // Dealt like cards, every other round backwards, so that the shards are of nearly the same number of frames.
    return (0..<count).map { place in
      stride(from: 0, to: sorted.count, by: count).enumerated().compactMap { round, first in
        let index = first + (round.isMultiple(of: 2) ? place : count - 1 - place)
        return index < sorted.count ? sorted[index] : nil
      }
    }
  }

  /// Shards in parallel, sums in order; `batchNumber`, counted over all epochs, decides dropout.
  ///
  /// Throws `CancellationError`, and `ModelError` or `TrainingError` for examples that do not fit the network; of several
  /// processes, `ProcessGroupError`.
  func callAsFunction(
    _ network: TrainableNetwork, _ batch: Swift.Result<LoadedBatch, any Error>, shards: Int, batchNumber: Int,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> Result {
    guard group.count > 1 else {
      var total = Result(gradient: [])
      try await each(network, try batch.get(), batchNumber) { total.add($0) }
      return total
    }
    var own: Swift.Result<[Result], any Error>
    do {
      var results: [Result] = []
      try await each(network, try batch.get(), batchNumber) { results.append($0) }
      own = .success(results)
    } catch {
      own = .failure(error)
    }
    return try await group.sum(own, shards: shards, parameters: network.parameterCount)
  }

  /// Logits of `sequences` as the network is used.
  func logits(_ network: TrainableNetwork, of sequences: [FeatureMatrix]) throws(ModelError) -> [Float] {
    try workers.withValue { worker throws(ModelError) in
      try worker.logits(network, of: sequences, normalizer: normalizer)
    }
  }

  private func each(
    _ network: TrainableNetwork, _ batch: LoadedBatch, _ batchNumber: Int,
    isolation: isolated (any Actor)? = #isolation, _ use: (Result) -> Void
  ) async throws {
    // Each gradient is as large as the network: no more of them wait than need be.
    try await orderedMap(batch.shards, jobs: configuration.jobs, window: 2) { shard in
      var seeds = SeededGenerator(seed: configuration.seed, stream: UInt64(batchNumber) << 20 | UInt64(shard.number))
      return workers.withValue { worker in
        Swift.Result { try gradient(network, shard.examples, on: worker, dropoutSeed: seeds.next(), of: batch.size) }
      }
    } each: { _, result in
      use(try result.get())
    }
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
