import SequenceModel

/// All that changes during a training run. With the settings and the data, it decides everything to come: what is random
/// depends on the seed, the epoch and the batch alone.
struct TrainingState: Sendable {
  var parameters: [Float]
  /// The moving average of the parameters, where there is one.
  var average: [Float]?
  /// The parameters of the best epoch.
  var best: [Float]
  var optimizer: Optimizer
  var record: TrainingRecord
  var progress = Progress()

  /// Where the run is.
  struct Progress: Codable, Hashable, Sendable {
    var epoch = 1
    /// Batches done of this epoch, and sums over them.
    var batch = 0
    var loss = 0.0
    var correct = 0
    var seen = 0
  }

  init(_ configuration: TrainingConfiguration, layout: ParameterLayout, record: TrainingRecord, start: [Float]? = nil) {
    parameters = start ?? layout.initialParameters(seed: configuration.seed)
    best = parameters
    average = configuration.averageDecay == nil ? nil : parameters
    optimizer = Optimizer(
      configuration.optimizer, layout: layout, momentum: configuration.momentum, weightDecay: configuration.weightDecay)
    self.record = record
  }

  /// What is validated and kept.
  var result: [Float] { average ?? parameters }

  /// Takes the parameters into the average, after `batches` batches.
  mutating func updateAverage(decay: Double?, batches: Int) {
    guard let decay, var average else { return }
    self.average = nil
    let share = Float(min(decay, Double(1 + batches) / Double(10 + batches)))
    // So that a parameter that stays is its own average, to the last bit.
    for i in average.indices { average[i] += (1 - share) * (parameters[i] - average[i]) }
    self.average = average
  }
}
