import AuricleBase

/// How a network is trained. The defaults are what `auricle train` uses.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
  public enum Schedule: String, Codable, CaseIterable, Sendable {
    case constant
    /// Rises over the first epoch, then falls to zero along half a cosine (Loshchilov and Hutter, 2017).
    case cosine
  }

  public var epochs = 30
  /// Sequences in a mini-batch.
  public var batchSize = 32
  public var learningRate = 2e-3
  public var schedule = Schedule.cosine
  /// Largest norm of a batch's gradient.
  public var clipNorm = 1.0
  /// Share of each target spread over all classes.
  public var labelSmoothing = 0.05
  /// Decides initial weights, order and dropout: the same seed gives the same model, whatever the number of jobs.
  public var seed: UInt64 = 1
  /// Threads to use.
  public var jobs = 1

  public init() {}

  /// Throws `TrainingError.configuration` for a value out of range.
  public func validate() throws(TrainingError) {
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(TrainingError) {
      if !condition { throw .configuration(reason()) }
    }
    try require((1...1_000_000).contains(epochs), "\(epochs) epochs; there must be at least 1")
    try require((1...1_000_000).contains(batchSize), "a batch size of \(batchSize); it must be at least 1")
    try require(learningRate > 0 && learningRate.isFinite, "a learning rate of \(learningRate); it must be positive")
    try require(clipNorm > 0, "a clipping norm of \(clipNorm); it must be positive")
    try require((0..<1).contains(labelSmoothing), "label smoothing of \(labelSmoothing); it must be in [0, 1)")
    try require((1...4096).contains(jobs), "\(jobs) jobs; it must be 1 to 4096")
  }

  /// The learning rate of batch `batch`, counted from 0 over all epochs, of `batchesPerEpoch * epochs`.
  func rate(batch: Int, batchesPerEpoch: Int) -> Double {
    switch schedule {
    case .constant: return learningRate
    case .cosine:
      let warmUp = epochs > 1 ? batchesPerEpoch : 0
      if batch < warmUp { return learningRate * Double(batch + 1) / Double(warmUp) }
      let progress = Double(batch - warmUp) / Double(max(1, batchesPerEpoch * epochs - warmUp))
      return learningRate * 0.5 * (1 + cosine(Double.pi * progress))
    }
  }
}

/// What can be wrong with a training run.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  case configuration(String)
  /// No example to train on.
  case noExamples
  /// The loss stopped being a number.
  case diverged(epoch: Int)

  public var description: String {
    switch self {
    case .configuration(let reason): "impossible training: \(reason)"
    case .noExamples: "there is nothing to train on"
    case .diverged(let epoch): "the loss is no longer a number in epoch \(epoch); try a smaller learning rate"
    }
  }
}
