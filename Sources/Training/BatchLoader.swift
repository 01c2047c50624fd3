import AuricleBase
import Datasets

/// Fetches the examples of batches, the next batch's while the network works on this one.
struct BatchLoader: Sendable {
  let source: any TrainingSource
  let plan: BatchPlan
  let jobs: Int
  let lastEpoch: Int

  /// The examples of `batch`, in its order.
  func load(_ batch: [Int], epoch: Int) async throws -> [LabeledFeatures] {
    let source = source
    var examples: [LabeledFeatures] = []
    try await orderedMap(batch, jobs: jobs) { index in
      Result { try source.example(index, epoch: epoch) }
    } each: { _, result in
      examples.append(try result.get())
    }
    return examples
  }

  /// The examples of the batch after number `index` of `batches`, be it the next epoch's first; nil after the very
  /// last, and where there is only one thread to do one thing after the other.
  func loadAhead(of index: Int, in batches: [[Int]], epoch: Int) async throws -> [LabeledFeatures]? {
    guard jobs > 1 else { return nil }
    if index + 1 < batches.count { return try await load(batches[index + 1], epoch: epoch) }
    return epoch < lastEpoch ? try await load(plan.batches(epoch: epoch + 1)[0], epoch: epoch + 1) : nil
  }
}
