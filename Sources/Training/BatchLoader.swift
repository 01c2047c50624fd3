import AuricleBase
import Datasets

/// Of a batch, what one process works on.
struct LoadedBatch: Sendable {
  struct Shard: Sendable {
    var number: Int
    var examples: [LabeledFeatures]
  }

  /// Examples of the whole batch.
  var size: Int
  var shards: [Shard]
}

/// Fetches the examples of batches, the next batch's while the network works on this one.
struct BatchLoader: Sendable {
  let source: any TrainingSource
  let plan: BatchPlan
  let jobs: Int
  let lastEpoch: Int
  let group: any ProcessGroup

  /// The shards of `batch` that are this process's.
  func load(_ batch: [Int], epoch: Int) async -> Result<LoadedBatch, any Error> {
    let source = source
    let shards = BatchGradient.shards(batch.map { plan.lengths[$0] })
    let own = stride(from: group.rank, to: shards.count, by: group.count)
    var loaded = LoadedBatch(size: batch.count, shards: own.map { LoadedBatch.Shard(number: $0, examples: []) })
    let wanted = own.enumerated().flatMap { place, shard in shards[shard].map { (place, batch[$0]) } }
    do {
      try await orderedMap(wanted, jobs: jobs) { place, index in
        (place, Result { try source.example(index, epoch: epoch) })
      } each: { _, result in
        loaded.shards[result.0].examples.append(try result.1.get())
      }
    } catch {
      return .failure(error)
    }
    return .success(loaded)
  }

  /// The batch after number `index` of `batches`, be it the next epoch's first; nil after the very last, and where there is
  /// only one thread to do one thing after the other.
  func loadAhead(of index: Int, in batches: [[Int]], epoch: Int) async -> Result<LoadedBatch, any Error>? {
    guard jobs > 1 else { return nil }
    if index + 1 < batches.count { return await load(batches[index + 1], epoch: epoch) }
    return epoch < lastEpoch ? await load(plan.batches(epoch: epoch + 1)[0], epoch: epoch + 1) : nil
  }
}
