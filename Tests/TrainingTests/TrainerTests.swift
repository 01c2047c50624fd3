import AudioFeatures
import SequenceModel
import TestSupport
import Testing

@testable import Training

@Suite("Training")
struct TrainerTests {
  private func network(dropout: Double = 0) throws -> NetworkConfiguration {
    try classicNetwork(
      inputSize: 2, hiddenSize: 8, layers: 1, bidirectional: false, pooling: .last, dropout: dropout, classCount: 2)
  }

  private func train(
    _ change: (inout TrainingConfiguration) -> Void = { _ in }, dropout: Double = 0, validating: Bool = true
  ) async throws -> (parameters: [Float], record: TrainingRecord) {
    var configuration = TrainingConfiguration()
    configuration.epochs = 3
    configuration.batchSize = 40
    configuration.learningRate = 0.02
    change(&configuration)
    return try await Trainer(configuration).train(
      network(dropout: dropout), on: risesAndFalls(120, seed: 1),
      validatingOn: validating ? risesAndFalls(40, seed: 2) : [])
  }

  @Test("learns to tell a rise from a fall, and says so")
  func learns() async throws {
    let (parameters, record) = try await train { $0.epochs = 15 }
    #expect(record.epochs.count == 15)
    let best = try #require(record.epochs.first { $0.number == record.bestEpoch })
    #expect(best.validationAccuracy ?? 0 >= 0.95)
    #expect(best.trainingLoss < record.epochs[0].trainingLoss)

    // The parameters that come back are those of the best epoch.
    let network = try network()
    let validation = risesAndFalls(40, seed: 2)
    let logits = try TrainableNetwork(network, layout: ParameterLayout(network), parameters: parameters)
      .logits(of: validation.map(\.features), normalizer: nil)
    let result = try BatchLoss(
      .softmaxCrossEntropy(labelSmoothing: 0), logits: logits, targets: validation.map(\.target))
    #expect(Double(result.correct) / 40 == best.validationAccuracy)
    #expect(abs(result.loss / 40 - (best.validationLoss ?? 0)) < 1e-6)
  }

  @Test("without validation data the last epoch is kept")
  func lastEpoch() async throws {
    let (_, record) = try await train(validating: false)
    #expect(record.bestEpoch == 3 && record.epochs.allSatisfy { $0.validationAccuracy == nil })
  }

  @Test("the same seed gives the same bits, whatever the number of jobs", arguments: [2, 3])
  func deterministic(jobs: Int) async throws {
    let one = try await train(dropout: 0.3)
    let several = try await train({ $0.jobs = jobs }, dropout: 0.3)
    #expect(one.parameters == several.parameters && one.record == several.record)
  }

  @Test("every setting changes the result")
  func settings() async throws {
    let base: (inout TrainingConfiguration) -> Void = { $0.epochs = 5 }
    let plain = try await train(base).parameters
    for (name, change) in settingChanges {
      // Some settings act only with another one.
      let needed: (inout TrainingConfiguration) -> Void = {
        base(&$0)
        if name == "momentum" { $0.optimizer = .sgd }
        if name.hasPrefix("plateau") { ($0.schedule, $0.plateauPatience, $0.learningRate) = (.plateau, 1, 0.5) }
        if name == "plateau factor" { $0.plateauPatience = 0 }
        if name == "patience" { $0.learningRate = 0.5 }
      }
      let without = try await train(needed)
      let with = try await train {
        needed(&$0)
        change(&$0)
      }
      #expect(
        with.parameters != without.parameters || with.record.epochs != without.record.epochs, "\(name) does nothing")
    }
    #expect(try await train(dropout: 0.3).parameters != plain, "dropout does nothing")
  }

  /// Adds the epoch's number to every value, and fails for one example of one epoch.
  private struct Changing: TrainingSource {
    struct Broken: Error {}
    var examples = risesAndFalls(120, seed: 1)
    var step: Float = 0.01
    var failing: (index: Int, epoch: Int)?
    var labels: [Int] { examples.labels }
    var lengths: [Int] { examples.lengths }

    func example(_ index: Int, epoch: Int) throws -> LabeledFeatures {
      if let failing, failing == (index, epoch) { throw Broken() }
      var example = examples[index]
      example.features.values = example.features.values.map { $0 + step * Float(epoch) }
      return example
    }
  }

  @Test("a source is asked for every epoch afresh; one that changes nothing is as good as an array")
  func source() async throws {
    for jobs in [1, 2] {
      var configuration = TrainingConfiguration()
      (configuration.epochs, configuration.batchSize, configuration.jobs) = (2, 50, jobs)
      let trainer = try Trainer(configuration)
      let network = try network()
      let plain = try await trainer.train(network, on: risesAndFalls(120, seed: 1)).parameters
      #expect(try await trainer.train(network, on: Changing(step: 0)).parameters == plain)
      #expect(try await trainer.train(network, on: Changing()).parameters != plain)
      await #expect(throws: Changing.Broken.self) { try await trainer.train(network, on: Changing(failing: (7, 2))) }
    }
  }

  @Test("progress comes for every batch and every epoch")
  func progress() async throws {
    var (batches, epochs) = (0, 0)
    var configuration = TrainingConfiguration()
    configuration.epochs = 2
    configuration.batchSize = 50
    _ = try await Trainer(configuration).train(network(), on: risesAndFalls(120, seed: 1)) { progress in
      switch progress {
      case .batch(_, _, let count, let loss, _):
        batches += 1
        #expect(count == 3 && loss.isFinite)
      case .epoch: epochs += 1
      case .resumed, .stoppedEarly: Issue.record("neither happened")
      }
    }
    #expect(batches == 6 && epochs == 2)
  }

  @Test("the learning rate warms up over one epoch, then follows half a cosine down to zero")
  func cosine() {
    var configuration = TrainingConfiguration()
    configuration.learningRate = 1
    configuration.epochs = 5
    let rates = (0..<50).map { configuration.rate(batch: $0, batchesPerEpoch: 10, past: []) }
    #expect(abs(rates[0] - 0.1) < 1e-12 && rates[9] == 1 && rates[10] == 1)
    #expect(abs(rates[30] - 0.5) < 1e-12 && rates[49] < 0.01)
    configuration.schedule = .constant
    #expect(configuration.rate(batch: 49, batchesPerEpoch: 10, past: []) == 1)
  }

  @Test("one cycle rises from 1/25 to the peak over 30% and falls to next to nothing, as PyTorch's OneCycleLR")
  func oneCycle() {
    var configuration = TrainingConfiguration()
    (configuration.learningRate, configuration.epochs, configuration.schedule) = (1, 2, .oneCycle)
    let rates = (0..<10).map { configuration.rate(batch: $0, batchesPerEpoch: 5, past: []) }
    // torch 2.x: OneCycleLR(optimizer, max_lr=1, total_steps=10)
    let wanted = [
      0.04, 0.52, 1.0, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893, 0.38874197806371076,
      0.18825834605023708, 0.04951936798652637, 4e-06,
    ]
    for (rate, wanted) in zip(rates, wanted) { #expect(abs(rate - wanted) < 1e-9) }
  }

  @Test("on a plateau the rate falls when the patience is over, as PyTorch's ReduceLROnPlateau")
  func plateau() {
    var configuration = TrainingConfiguration()
    (configuration.schedule, configuration.plateauPatience, configuration.plateauFactor) = (.plateau, 1, 0.5)
    #expect(configuration.plateauShare([1, 0.9, 0.8]) == 1)
    #expect(configuration.plateauShare([1, 0.99999, 1]) == 0.5)
    #expect(configuration.plateauShare([1, 1]) == 1 && configuration.plateauShare([1, 1, 1, 0.5, 0.6, 0.6]) == 0.25)
  }

  @Test("without progress, training ends early; that needs validation data")
  func patience() async throws {
    let (_, record) = try await train { ($0.epochs, $0.patience, $0.learningRate) = (40, 2, 0.5) }
    #expect(record.epochs.count < 40 && record.epochs.count == record.bestEpoch + 2)
    await #expect(throws: TrainingError.self) { try await train({ $0.patience = 2 }, validating: false) }
  }

  @Test("an average that forgets at once is the parameters themselves")
  func average() async throws {
    #expect(try await train { $0.averageDecay = 0 }.parameters == train().parameters)
  }

  @Test("balanced weights are scikit-learn's, and make a rare class heard")
  func classWeights() async throws {
    #expect(try ClassWeights.balanced.weights(labels: [0, 0, 0, 1], classCount: 2) == [4 / 6.0, 2])
    #expect(throws: TrainingError.self) { try ClassWeights.given([1]).weights(labels: [0, 1], classCount: 2) }
    // Twenty to one, and too few epochs to get over it.
    let examples = risesAndFalls(400, seed: 4)
    let uneven = examples.enumerated().filter { $0.offset % 2 == 0 || $0.offset % 40 == 1 }.map(\.element)
    func recall(_ weights: ClassWeights) async throws -> Int {
      var configuration = TrainingConfiguration()
      (configuration.epochs, configuration.learningRate, configuration.classWeights) = (2, 0.01, weights)
      let parameters = try await Trainer(configuration).train(network(), on: uneven).parameters
      return try answers(parameters, to: examples.filter { $0.label == 1 }).count { $0 == 1 }
    }
    let (plain, balanced) = (try await recall(.none), try await recall(.balanced))
    #expect(balanced > plain)
  }

  /// The more probable class of each example.
  private func answers(_ parameters: [Float], to examples: [LabeledFeatures]) throws -> [Int] {
    let network = try network()
    let logits = try TrainableNetwork(network, layout: ParameterLayout(network), parameters: parameters)
      .logits(of: examples.map(\.features), normalizer: nil)
    return examples.indices.map { logits[2 * $0] >= logits[2 * $0 + 1] ? 0 : 1 }
  }

  @Test(
    "with one label in ten wrong, clean examples are heard right, and those the model contradicts are the wrong ones")
  func mislabelled() async throws {
    var examples = risesAndFalls(400, seed: 5)
    let wrong = Set(examples.indices.filter { $0 % 20 == 3 || $0 % 20 == 10 })
    for index in wrong {
      examples[index].target = try Target(1 - examples[index].label, of: 2)
    }
    var configuration = TrainingConfiguration()
    (configuration.epochs, configuration.learningRate) = (10, 0.02)
    let parameters = try await Trainer(configuration).train(network(), on: examples).parameters

    let clean = risesAndFalls(200, seed: 6)
    #expect(zip(try answers(parameters, to: clean), clean).count { $0 == $1.label } >= 195)
    let contradicted = Set(
      zip(try answers(parameters, to: examples), examples.indices).filter {
        $0 != examples[$1].label
      }.map(\.1))
    #expect(contradicted.intersection(wrong).count >= 38 && contradicted.subtracting(wrong).count <= 4)
  }

  @Test("impossible settings are refused")
  func refused() {
    let changes: [(inout TrainingConfiguration) -> Void] = [
      { $0.epochs = 0 }, { $0.batchSize = 0 }, { $0.learningRate = .nan }, { $0.learningRate = -1 },
      { $0.clipNorm = 0 }, { $0.loss = .softmaxCrossEntropy(labelSmoothing: 1) }, { $0.jobs = 0 },
      { $0.momentum = 1 }, { $0.weightDecay = -1 }, { $0.warmUp = -1 }, { $0.plateauFactor = 1 },
      { $0.plateauPatience = -1 }, { $0.patience = 0 }, { $0.averageDecay = 1 },
    ]
    for change in changes {
      var configuration = TrainingConfiguration()
      change(&configuration)
      #expect(throws: TrainingError.self) { try Trainer(configuration) }
    }
  }

  @Test("nothing to train on is an error")
  func nothing() async throws {
    await #expect(throws: TrainingError.noExamples) {
      try await Trainer(TrainingConfiguration()).train(network(), on: [LabeledFeatures]())
    }
  }

  @Test("a cancelled task stops training")
  func cancelled() async throws {
    let network = try network()
    let task = Task {
      var configuration = TrainingConfiguration()
      configuration.epochs = 1_000_000
      return try await Trainer(configuration).train(network, on: risesAndFalls(40, seed: 1)).record
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

/// A change of each setting, by the name it has in `TrainingConfiguration.settings`.
let settingChanges: [(String, @Sendable (inout TrainingConfiguration) -> Void)] = [
  ("seed", { $0.seed = 2 }), ("batch size", { $0.batchSize = 25 }), ("learning rate", { $0.learningRate = 0.013 }),
  ("schedule", { $0.schedule = .constant }), ("clip norm", { $0.clipNorm = 0.01 }), ("epochs", { $0.epochs = 2 }),
  ("label smoothing", { $0.loss = .softmaxCrossEntropy(labelSmoothing: 0.2) }), ("momentum", { $0.momentum = 0.5 }),
  ("warm-up", { $0.warmUp = 2 }),
  ("plateau patience", { $0.plateauPatience = 0 }), ("plateau factor", { $0.plateauFactor = 0.1 }),
  ("weight decay", { $0.weightDecay = 0.1 }), ("class weights", { $0.classWeights = .given([1, 3]) }),
  ("patience", { $0.patience = 1 }), ("average decay", { $0.averageDecay = 0.99 }),
]
