/// How a network is trained. The defaults are what `auricle train` uses.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
  public var epochs = 30
  /// Sequences in a mini-batch.
  public var batchSize = 32
  public var optimizer = Optimizer.Kind.adam
  /// The greatest learning rate; the optimiser's own default if nil.
  public var learningRate: Double?
  /// Of weights, not of biases; the optimiser's own default if nil.
  public var weightDecay: Double?
  /// Of SGD.
  public var momentum = 0.9
  public var schedule = LearningRateSchedule.cosine
  /// Epochs over which the learning rate rises, for the cosine.
  public var warmUp = 1.0
  /// For the plateau: epochs without progress that are borne, and what the learning rate is multiplied by then.
  public var plateauPatience = 3
  public var plateauFactor = 0.5
  /// Largest norm of a batch's gradient.
  public var clipNorm = 1.0
  public var loss = Loss.softmaxCrossEntropy(labelSmoothing: 0.05)
  public var classWeights = ClassWeights.none
  /// Which epoch's weights are kept. Those of the last have not seen the validation data, whose result is then an honest one.
  public var keeps = KeptEpoch.best
  /// Epochs without progress on the validation data after which training ends; nil to do all epochs.
  public var patience: Int?
  /// Where there is a class of background, what is to be found at most so many false alarms an hour decides the best epoch,
  /// before right answers do.
  public var falseAlarms: FalseAlarmLimit?
  /// Decay of a moving average of the parameters, which is then what is validated and kept; nil for none. Early on it is
  /// less, (1 + n) / (10 + n) after n batches, so that the first weights are soon forgotten.
  public var averageDecay: Double?
  /// Decides initial weights, order and dropout: the same seed gives the same model, whatever the number of jobs.
  public var seed: UInt64 = 1
  /// Threads to use.
  public var jobs = 1

  public init() {}

  public var effectiveLearningRate: Double { learningRate ?? optimizer.defaultLearningRate }

  /// Throws `TrainingError.configuration` for a value out of range.
  public func validate() throws(TrainingError) {
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(TrainingError) {
      if !condition { throw .configuration(reason()) }
    }
    let rate = effectiveLearningRate
    try require((1...1_000_000).contains(epochs), "\(epochs) epochs; there must be 1 to 1000000")
    try require((1...1_000_000).contains(batchSize), "a batch size of \(batchSize); it must be 1 to 1000000")
    try require(rate > 0 && rate.isFinite, "a learning rate of \(rate); it must be positive")
    let decay = weightDecay ?? optimizer.defaultWeightDecay
    try require(decay >= 0 && decay.isFinite, "a weight decay of \(decay); it must not be negative")
    try require(
      optimizer != .adamW || decay * rate < 1,
      "a weight decay of \(decay) with a learning rate of \(rate); their product must be below 1")
    if case .given(let weights) = classWeights {
      try require(
        weights.allSatisfy { $0 >= 0 && $0.isFinite } && weights.contains { $0 > 0 },
        "class weights \(weights); none may be negative, and one must be positive")
    }
    try require((0..<1).contains(momentum), "a momentum of \(momentum); it must be in [0, 1)")
    try require(warmUp >= 0 && warmUp <= 1e6, "a warm-up of \(warmUp) epochs; it must be 0 to 1000000")
    try require(plateauPatience >= 0, "a plateau of \(plateauPatience) epochs; it must not be negative")
    try require(plateauFactor > 0 && plateauFactor < 1, "a plateau factor of \(plateauFactor); it must be in (0, 1)")
    try require(clipNorm > 0, "a clipping norm of \(clipNorm); it must be positive")
    let labelSmoothing = loss.labelSmoothing
    try require((0..<1).contains(labelSmoothing), "label smoothing of \(labelSmoothing); it must be in [0, 1)")
    if let patience { try require(patience >= 1, "a patience of \(patience) epochs; it must be at least 1") }
    if let averageDecay {
      try require((0..<1).contains(averageDecay), "a decay of the average of \(averageDecay); it must be in [0, 1)")
    }
    if let falseAlarms {
      try require(
        falseAlarms.perHour >= 0 && falseAlarms.framesPerHour > 0 && falseAlarms.background >= 0,
        "\(falseAlarms.perHour) false alarms an hour of \(falseAlarms.framesPerHour) frames; neither may be negative")
    }
    try require((1...4096).contains(jobs), "\(jobs) jobs; it must be 1 to 4096")
  }

  /// Everything that decides the result, by name.
  public var settings: [String: String] {
    let settings = [
      "epochs": "\(epochs)", "batch size": "\(batchSize)", "optimizer": optimizer.rawValue,
      "learning rate": "\(effectiveLearningRate)", "weight decay": "\(weightDecay ?? optimizer.defaultWeightDecay)",
      "momentum": "\(momentum)", "schedule": schedule.rawValue, "warm-up": "\(warmUp)",
      "plateau patience": "\(plateauPatience)", "plateau factor": "\(plateauFactor)", "clip norm": "\(clipNorm)",
      "loss": loss.name, "label smoothing": "\(loss.labelSmoothing)", "class weights": classWeights.text,
      "kept epoch": keeps.rawValue, "patience": patience.map { "\($0)" } ?? "none",
      "average decay": averageDecay.map { "\($0)" } ?? "none",
      "seed": "\(seed)",
    ]
    guard let falseAlarms else { return settings }
    return settings.merging(["false alarms an hour": "\(falseAlarms.perHour)"]) { $1 }
  }
}

/// Which epoch's weights a training keeps.
public enum KeptEpoch: String, Codable, CaseIterable, Sendable {
  /// That which finds most where false alarms are limited, then that with most right answers to the validation data, then
  /// least loss; the last where there are none.
  case best
  case last
}

extension ClassWeights {
  fileprivate var text: String {
    switch self {
    case .none: "none"
    case .balanced: "balanced"
    case .given(let weights): weights.map { "\($0)" }.joined(separator: ",")
    }
  }
}
