import AudioFeatures
import AuricleBase
import Datasets
import SequenceModel

/// What a training run reports as it goes.
public enum TrainingProgress: Sendable {
  /// After a batch: means over the epoch so far.
  case batch(epoch: Int, batch: Int, batches: Int, loss: Double, accuracy: Double)
  case epoch(TrainingRecord.Epoch, isBest: Bool)
  /// Goes on from a checkpoint, after so many epochs and batches.
  case resumed(epochs: Int, batches: Int)
  /// Ends before the last epoch, for want of progress.
  case stoppedEarly(epoch: Int)
}

/// Trains a network from scratch: shuffled mini-batches, a loss made small, the best epoch's weights kept.
///
///     let (parameters, record) = try await Trainer(configuration).train(
///       network, on: training, validatingOn: validation, normalizer: normalizer) { print($0) }
///
/// The result is the same bit for bit however many jobs there are; see `BatchGradient`. Examples of the next batch are
/// fetched while the network works on this one.
public struct Trainer: Sendable {
  public let configuration: TrainingConfiguration
  /// Where to keep the run, if it is to be kept: saved after every epoch and when the task is cancelled.
  public var checkpoint: CheckpointFolder?
  /// Where to log the epochs, if anywhere.
  public var log: TrainingLog?
  /// The processes that train together. The first alone is to have a checkpoint and a log; all are given the same of
  /// everything else, and find the same result.
  public var group: any ProcessGroup = SingleProcess()

  /// The parameters to begin with, as `ParameterLayout` places them; fresh ones if nil.
  public var start: [Float]?
  /// What the learning rate of each layer is multiplied by, 1 where there is none: 0 keeps a layer as it is, but for the
  /// moving averages of batch normalisation, which follow what it sees (as in PyTorch).
  public var layerRates: [Double] = []

  /// Throws `TrainingError.configuration` for a value out of range.
  public init(_ configuration: TrainingConfiguration) throws(TrainingError) {
    try configuration.validate()
    self.configuration = configuration
  }

  /// Parameters (as `ParameterLayout` places them) of the epoch that did best on `validation` (most right, then least
  /// loss), of the last one where there is none, and the record of all epochs.
  ///
  /// When the task is cancelled, the checkpoint is saved as it was after the last batch, and `CancellationError` thrown.
  ///
  /// - Parameter identity: what the data are, by name: a checkpoint of other data is refused.
  ///
  /// Throws `TrainingError`, `FileError` for a checkpoint or log that cannot be written, and errors of the sources; of
  /// several processes, `ProcessGroupError` instead of what all know of, cancellation too.
  public func train(
    _ network: NetworkConfiguration, on training: any TrainingSource,
    validatingOn validation: any TrainingSource = [LabeledFeatures](), normalizer: FeatureNormalizer? = nil,
    identity: [String: String] = [:], isolation: isolated (any Actor)? = #isolation,
    progress: (TrainingProgress) -> Void = { _ in }
  ) async throws -> (parameters: [Float], record: TrainingRecord) {
    guard !training.labels.isEmpty else { throw TrainingError.noExamples }
    guard configuration.patience == nil || !validation.labels.isEmpty else {
      throw TrainingError.configuration("a patience, but no validation data to see progress on")
    }
    let classCount = network.classCount
    if let odd = (training.labels + validation.labels).first(where: { !(0..<classCount).contains($0) }) {
      throw TrainingError.configuration("class \(odd) of \(classCount) classes, the first of which is 0")
    }
    guard training.labels.count == training.lengths.count, validation.labels.count == validation.lengths.count else {
      throw TrainingError.configuration("as many labels as lengths are wanted of a source of examples")
    }
    let layout = ParameterLayout(network)
    guard start.map({ $0.count == layout.count }) ?? true, layerRates.count <= network.layers.count,
      layerRates.allSatisfy({ $0 >= 0 && $0.isFinite })
    else { throw TrainingError.configuration("weights to begin with, or rates of layers, of another network") }
    var state = TrainingState(
      configuration, layout: layout,
      record: TrainingRecord(
        seed: configuration.seed, batchSize: configuration.batchSize, trainingExamples: training.labels.count,
        validationExamples: validation.labels.count, settings: configuration.settings),
      start: start)
    // Settings first: other settings may well choose other data.
    let identity =
      configuration.settings.sorted { $0.key < $1.key }
      + [
        ("network", network.json), ("number of training files", "\(training.labels.count)"),
        ("number of validation files", "\(validation.labels.count)"), ("rates of layers", "\(layerRates)"),
        ("checksum of the weights to begin with", startChecksum),
      ] + identity.sorted { $0.key < $1.key }
    try await group.requireSame(identity)
    // A byte more, since what was saved may be damaged, and empty.
    var saved = try await group.broadcast(Result { try checkpoint?.saved().map { $0 + [0] } ?? [] })
    if saved.popLast() != nil {
      let folder = checkpoint ?? CheckpointFolder("checkpoint of process 0", resuming: true)
      try folder.restore(&state, from: saved, layout: layout, identity: identity)
      progress(.resumed(epochs: state.record.epochs.count, batches: state.progress.batch))
    }
    try log?.write(state.record)
    let gradient = BatchGradient(
      network, configuration: configuration, normalizer: normalizer,
      classWeights: try configuration.classWeights.weights(labels: training.labels, classCount: network.classCount),
      group: group)
    let plan = try BatchPlan(lengths: training.lengths, batchSize: configuration.batchSize, seed: configuration.seed)
    let loader = BatchLoader(
      source: training, plan: plan, jobs: configuration.jobs, lastEpoch: configuration.epochs,
      group: group)
    var upcoming: Result<LoadedBatch, any Error>?
    do {
      while state.record.epochs.count < configuration.epochs {
        if let patience = configuration.patience, state.record.epochs.count - state.record.bestEpoch >= patience {
          progress(.stoppedEarly(epoch: state.record.epochs.count))
          break
        }
        let number = state.progress.epoch
        let batches = plan.batches(epoch: number)
        for index in batches.indices.dropFirst(state.progress.batch) {
          if group.count == 1 { try Task.checkCancellation() }  // Others learn of it with the gradient.
          let current =
            if let upcoming { upcoming } else { await loader.load(batches[index], epoch: number) }
          async let following = loader.loadAhead(of: index, in: batches, epoch: number)
          try await step(
            &state, network, layout, current, lengths: batches[index].map { plan.lengths[$0] }, batches: batches.count,
            gradient)
          progress(
            .batch(
              epoch: number, batch: index + 1, batches: batches.count,
              loss: state.progress.loss / Double(state.progress.seen),
              accuracy: Double(state.progress.correct) / Double(state.progress.seen)))
          upcoming = await following
        }
        let (epoch, isBest) = try await finishEpoch(
          &state, network, layout, batches: batches.count, validation, gradient)
        try checkpoint?.save(state, layout: layout, identity: identity)
        try log?.write(state.record)
        progress(.epoch(epoch, isBest: isBest))
      }
    } catch let error where error is CancellationError || error as? ProcessGroupError == .cancelled {
      try checkpoint?.save(state, layout: layout, identity: identity)
      throw error
    }
    return (state.best, state.record)
  }

  /// One batch: gradient, update, averages, sums.
  private func step(
    _ state: inout TrainingState, _ network: NetworkConfiguration, _ layout: ParameterLayout,
    _ batch: Result<LoadedBatch, any Error>, lengths: [Int], batches: Int, _ gradient: BatchGradient,
    isolation: isolated (any Actor)? = #isolation
  ) async throws {
    let number = (state.progress.epoch - 1) * batches + state.progress.batch
    var result = try await gradient(
      TrainableNetwork(network, layout: layout, parameters: state.parameters), batch,
      shards: BatchGradient.shardCount(lengths), batchNumber: number)
    let statistics = layout.takeStatistics(from: &result.gradient)
    let before = layerRates.contains { $0 != 1 } ? state.parameters : []
    try state.optimizer.update(
      &state.parameters, gradient: result.gradient,
      learningRate: configuration.rate(batch: number, batchesPerEpoch: batches, past: state.record.epochs),
      clipNorm: configuration.clipNorm)
    if !before.isEmpty { slow(&state.parameters, before, layout) }
    layout.updateMovingAverages(in: &state.parameters, statistics: statistics)
    state.updateAverage(decay: configuration.averageDecay, batches: number)
    state.progress.batch += 1
    state.progress.loss += result.loss
    state.progress.correct += result.correct
    state.progress.seen += lengths.count
  }

  /// Takes back of each layer's step what its rate does not allow.
  private func slow(_ parameters: inout [Float], _ before: [Float], _ layout: ParameterLayout) {
    for tensor in layout.tensors where tensor.layer < layerRates.count && layerRates[tensor.layer] != 1 {
      let rate = Float(layerRates[tensor.layer])
      for i in tensor.range { parameters[i] = before[i] + rate * (parameters[i] - before[i]) }
    }
  }

  private var startChecksum: String {
    start.map { "\(Checksum(of: $0).value)" } ?? "none"
  }

  /// Validates, and takes down what the epoch gave.
  private func finishEpoch(
    _ state: inout TrainingState, _ network: NetworkConfiguration, _ layout: ParameterLayout, batches: Int,
    _ validation: any TrainingSource, _ gradient: BatchGradient, isolation: isolated (any Actor)? = #isolation
  ) async throws -> (epoch: TrainingRecord.Epoch, isBest: Bool) {
    let progress = state.progress
    // Where processors differ, the same steps may not lead to the same weights.
    try await group.requireSame([("the result of epoch \(progress.epoch)", "\(Checksum(of: state.parameters).value)")])
    guard progress.loss.isFinite else { throw TrainingError.diverged(epoch: progress.epoch) }
    var epoch = TrainingRecord.Epoch(
      number: progress.epoch,
      learningRate: configuration.rate(
        batch: progress.epoch * batches - 1, batchesPerEpoch: batches, past: state.record.epochs),
      trainingLoss: progress.loss / Double(progress.seen),
      trainingAccuracy: Double(progress.correct) / Double(progress.seen))
    var isBest = configuration.keeps == .best
    if state.record.validationExamples > 0, validates(after: progress.epoch, state.record) {
      let result = try await validate(
        TrainableNetwork(network, layout: layout, parameters: state.result), validation, gradient)
      guard result.loss.isFinite else { throw TrainingError.diverged(epoch: progress.epoch) }
      epoch.validationLoss = result.loss
      (epoch.validationAccuracy, epoch.validationFound) = (result.accuracy, result.found)
      isBest =
        isBest && (state.record.epochs.first { $0.number == state.record.bestEpoch }.map(epoch.isBetter) ?? true)
    }
    if isBest || configuration.keeps == .last {
      state.best = state.result
      state.record.bestEpoch = epoch.number
    }
    state.record.epochs.append(epoch)
    state.progress = TrainingState.Progress(epoch: progress.epoch + 1)
    return (epoch, isBest)
  }

  /// Where it decides nothing, and there is more of it than to learn from, validation would take longer than training: then
  /// it comes now and again, and in the end.
  private func validates(after epoch: Int, _ record: TrainingRecord) -> Bool {
    guard configuration.keeps == .last, configuration.schedule != .plateau else { return true }
    let every = max(1, record.validationExamples / max(1, record.trainingExamples))
    return epoch.isMultiple(of: every) || epoch == configuration.epochs
  }

  /// Mean loss and accuracy, without dropout or smoothing, and what is found where false alarms are limited.
  private func validate(
    _ network: TrainableNetwork, _ source: any TrainingSource, _ gradient: BatchGradient,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> (loss: Double, accuracy: Double, found: Double?) {
    let lengths = source.lengths
    let sorted = lengths.indices.sorted { lengths[$0] > lengths[$1] }
    var shards: [[Int]] = []
    var room = 0
    for index in sorted {
      room -= lengths[index]
      if let last = shards.indices.last, room >= 0, shards[last].count < BatchGradient.shardSize {
        shards[last].append(index)
      } else {
        shards.append([index])
        room = BatchGradient.shardFrames - lengths[index]
      }
    }
    let own = stride(from: group.rank, to: shards.count, by: group.count).map { shards[$0] }
    // Of each shard its loss, how many are right, and three numbers an example.
    var numbers: Result<[Double], any Error> = .success([])
    do {
      var found: [Double] = []
      try await orderedMap(own, jobs: configuration.jobs) { shard in
        Result {
          let examples = try shard.map { try source.example($0, epoch: 0) }
          let logits = try gradient.logits(network, of: examples.map(\.features))
          let targets = examples.map(\.target)
          let loss = try BatchLoss(configuration.loss.unsmoothed, logits: logits, targets: targets)
          let answers = configuration.falseAlarms?.answers(logits, targets) ?? []
          return [loss.loss, Double(loss.correct)]
            + answers.flatMap { [Double($0.truth), Double($0.found), $0.score] }
        }
      } each: { _, result in
        found += try result.get()
      }
      numbers = .success(found)
    } catch {
      numbers = .failure(error)
    }
    let all = try await group.gather(numbers)
    var (loss, correct) = (0.0, 0.0)
    var answers: [FalseAlarmLimit.Answer] = []
    var places = all.map { _ in 0 }
    for (number, shard) in shards.enumerated() {
      let rank = number % group.count
      let end = places[rank] + 2 + (configuration.falseAlarms == nil ? 0 : 3 * shard.count)
      guard end <= all[rank].count else { throw ProcessGroupError.broken("losses of other validation data") }
      let found = all[rank][places[rank]..<end]
      loss += found[found.startIndex]
      correct += found[found.startIndex + 1]
      for place in stride(from: found.startIndex + 2, to: end, by: 3) {
        answers.append(.init(truth: Int(found[place]), found: Int(found[place + 1]), score: found[place + 2]))
      }
      places[rank] = end
    }
    let background = zip(source.labels, lengths).reduce(0) {
      $0 + ($1.0 == configuration.falseAlarms?.background ? $1.1 : 0)
    }
    return (
      loss / Double(sorted.count), correct / Double(sorted.count),
      configuration.falseAlarms?.share(of: answers, frames: background)
    )
  }
}

extension Checksum {
  fileprivate init(of numbers: [Float]) {
    self.init()
    numbers.withUnsafeBytes { update($0) }
  }
}

extension TrainingRecord.Epoch {
  /// More found where false alarms are limited, or as many and more right on the validation data, or as many with less loss.
  fileprivate func isBetter(than other: TrainingRecord.Epoch) -> Bool {
    guard let accuracy = validationAccuracy, let loss = validationLoss, let otherAccuracy = other.validationAccuracy,
      let otherLoss = other.validationLoss
    else { return true }
    if let found = validationFound, let otherFound = other.validationFound, found != otherFound {
      return found > otherFound
    }
    return accuracy != otherAccuracy ? accuracy > otherAccuracy : loss < otherLoss
  }
}
