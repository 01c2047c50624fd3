import AuricleBase

/// Which examples go into which batch, so that little of a batch is padding.
///
///     let plan = try BatchPlan(lengths: [40, 98, 41, 97], batchSize: 2, seed: 1)
///     plan.batches(epoch: 0)      // [[0, 2], [3, 1]]: alike in length, in random order
///
/// Each epoch shuffles the examples, sorts windows of `window` batches by length, cuts them into batches and shuffles
/// those: neighbours in length meet, but not the same ones every time. Every index comes exactly once; the last batch
/// made may be short. The same lengths, sizes, seed and epoch always give the same batches.
public struct BatchPlan: Hashable, Sendable {
  /// Of each example, in frames.
  public let lengths: [Int]
  /// Examples per batch.
  public let batchSize: Int
  public let seed: UInt64
  /// Batches sorted together; 1 keeps batches wholly random.
  public let window: Int

  /// Throws `DatasetError.invalidBatchSize` for a batch or a window of less than one.
  public init(lengths: [Int], batchSize: Int, seed: UInt64, window: Int = 8) throws(DatasetError) {
    guard batchSize >= 1 else { throw .invalidBatchSize(batchSize) }
    guard window >= 1 else { throw .invalidBatchSize(window) }
    self.lengths = lengths
    self.batchSize = min(batchSize, max(lengths.count, 1))
    self.seed = seed
    self.window = min(window, max(lengths.count, 1))
  }

  /// The batches of epoch number `epoch`, each a list of indices into `lengths`.
  public func batches(epoch: Int) -> [[Int]] {
    var generator = SeededGenerator(seed: seed, stream: UInt64(bitPattern: Int64(epoch)))
    let shuffled = lengths.indices.shuffled(using: &generator)
    var batches: [[Int]] = []
    for start in stride(from: 0, to: shuffled.count, by: batchSize * window) {
      let end = min(start + batchSize * window, shuffled.count)
      let sorted = shuffled[start..<end].sorted { lengths[$0] < lengths[$1] }
      for first in stride(from: 0, to: sorted.count, by: batchSize) {
        batches.append(Array(sorted[first..<min(first + batchSize, sorted.count)]))
      }
    }
    return batches.shuffled(using: &generator)
  }
}
