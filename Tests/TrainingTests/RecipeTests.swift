import AudioFeatures
import AuricleBase
import Foundation
import SequenceModel
import TestSupport
import Testing

@testable import Training

@Suite("The recipe")
struct RecipeTests {
  /// What PyTorch and scipy computed; see `Goldens/make_recipe.py`.
  private struct Golden: Decodable {
    struct Case: Decodable {
      let logits: [[[Float]]]
      let labels: [Int]
      let temperature: Double
    }
    let decay: Double
    let rate: Double
    let rates: [Double]
    let parameters: [Double]
    let temperatures: [Case]

    static func load() throws -> Golden { try read("recipe") }
    static func read<Value: Decodable>(_ name: String) throws -> Value {
      let path = #filePath.replacing("RecipeTests.swift", with: "Goldens/\(name).json")
      return try JSONDecoder().decode(Value.self, from: Data(FileAccess.read(path)))
    }
  }

  private struct Start: Decodable {
    let start: [Float]
    let gradients: [[Float]]
  }

  @Test("ten steps of AdamW under one cycle agree with PyTorch")
  func adamW() throws {
    let golden = try Golden.load()
    let given: Start = try Golden.read("optimizers")
    let layout = ParameterLayout(
      try classicNetwork(
        inputSize: 1, hiddenSize: 1, layers: 1, bidirectional: false, pooling: .mean, classCount: 2))
    var configuration = TrainingConfiguration()
    (configuration.learningRate, configuration.epochs, configuration.schedule) = (golden.rate, 1, .oneCycle)
    var optimizer = Optimizer(.adamW, layout: layout, weightDecay: golden.decay)
    var parameters = given.start
    for (step, gradient) in given.gradients.enumerated() {
      let rate = configuration.rate(batch: step, batchesPerEpoch: 10, past: [])
      #expect(abs(rate - golden.rates[step]) < 1e-12)
      try optimizer.update(&parameters, gradient: gradient, learningRate: rate)
    }
    let worst = zip(parameters, golden.parameters).map { abs(Double($0) - $1) }.max() ?? .infinity
    // Parameters of up to 3.4, rounded to single precision ten times.
    #expect(worst < 3e-6, "\(worst)")
  }

  @Test("temperatures are those that scipy finds, of one network and of two", arguments: 0..<3)
  func temperature(_ index: Int) throws {
    let wanted = try Golden.load().temperatures[index]
    let answers = wanted.logits.map { $0.map { softmax($0[...]) } }
    let found = try TemperatureScaling.temperature(answers: answers, labels: wanted.labels)
    #expect(abs(found / wanted.temperature - 1) < 1e-4, "\(found) \(wanted.temperature)")
  }

  @Test("numbers that do not fit each other have no temperature")
  func unfit() throws {
    #expect(throws: TrainingError.self) { try TemperatureScaling.temperature(answers: [[[0.5, 0.5]]], labels: [2]) }
    #expect(throws: TrainingError.self) { try TemperatureScaling.temperature(answers: [[]], labels: [0]) }
    #expect(try TemperatureScaling.temperature(answers: [], labels: []) == 1)
  }

  @Test("the calibration error is the mean distance of probability and share of right answers, bin by bin")
  func calibrationError() {
    // Two at 0.8 of which one is right, one at 0.55 that is right.
    let error = expectedCalibrationError(
      probabilities: [0.8, 0.8, 0.55], correct: [true, false, true], bins: 10)
    #expect(abs(error - (abs(1 - 1.6) + abs(1 - 0.55)) / 3) < 1e-6)
    #expect(expectedCalibrationError(probabilities: [1, 1], correct: [true, true]) == 0)
  }

  private func network(classes: Int) throws -> NetworkConfiguration {
    try NetworkConfiguration(
      input: 2, [.dense(4, .tanh), .batchNormalization(), .recurrent(.gru, units: 3), .pooling(.last), .dense(classes)])
  }

  @Test("a frozen layer keeps its weights, a slow one moves by its share of the step")
  func layerRates() async throws {
    let network = try network(classes: 2)
    let layout = ParameterLayout(network)
    func parameters(_ rates: [Double]) async throws -> [Float] {
      var configuration = TrainingConfiguration()
      (configuration.epochs, configuration.batchSize, configuration.keeps) = (1, 40, .last)
      var trainer = try Trainer(configuration)
      trainer.start = layout.initialParameters(seed: 5)
      trainer.layerRates = rates
      return try await trainer.train(network, on: risesAndFalls(40, seed: 1)).parameters
    }
    let start = layout.initialParameters(seed: 5)
    let (full, frozen, slow) = try await (parameters([]), parameters([0]), parameters([0.5]))
    for tensor in layout.tensors where tensor.isTrainable {
      for i in tensor.range {
        #expect(full[i] != start[i] || tensor.count > 1)
        if tensor.layer == 0 {
          #expect(frozen[i] == start[i])
          // One batch, one step.
          #expect(abs(slow[i] - start[i] - 0.5 * (full[i] - start[i])) < 1e-6)
        } else {
          #expect(frozen[i] == full[i])
        }
      }
    }
  }

  @Test("the last epoch is kept where the validation data are to decide nothing")
  func keepsLast() async throws {
    var configuration = TrainingConfiguration()
    (configuration.epochs, configuration.learningRate, configuration.keeps) = (4, 0.05, .last)
    let network = try network(classes: 2)
    let with = try await Trainer(configuration).train(
      network, on: risesAndFalls(40, seed: 1), validatingOn: risesAndFalls(20, seed: 2))
    let without = try await Trainer(configuration).train(network, on: risesAndFalls(40, seed: 1))
    #expect(with.parameters == without.parameters && with.record.bestEpoch == 4)
  }

  @Test("with a class of background, the epoch that finds most with few false alarms is the best one")
  func falseAlarms() async throws {
    // Ten frames are an hour, so that an example of the background is a fraction of one.
    let limit = FalseAlarmLimit(background: 0, framesPerHour: 10, perHour: 1)
    let answers: [FalseAlarmLimit.Answer] = [
      (0, 1, 0.9), (0, 2, 0.6), (0, 1, 0.1), (1, 1, 0.95), (1, 2, 0.99), (2, 2, 0.7), (2, 2, 0.5),
    ].map { .init(truth: $0.0, found: $0.1, score: $0.2) }
    // Of two hours two alarms are borne: the threshold is the third's score; of one hour, the second's.
    #expect(limit.share(of: answers, frames: 20) == 0.75)
    #expect(limit.share(of: answers, frames: 19) == 0.5)
    #expect(limit.share(of: answers, frames: 9) == 0.25)
    #expect(limit.share(of: answers.filter { $0.truth > 0 }, frames: 20) == nil)
    // logits of (log 1, log 2, log 5) and of (log 8, log 1, log 1).
    let rows = limit.answers([0, 0.6931472, 1.6094379, 2.0794415, 0, 0], try [Target(1, of: 3), Target(0, of: 3)])
    #expect(rows.map(\.found) == [2, 1] && rows.map(\.truth) == [1, 0])
    #expect(abs(rows[0].score - 0.625) < 1e-6 && abs(rows[1].score - 0.1) < 1e-6)

    var configuration = TrainingConfiguration()
    (configuration.epochs, configuration.learningRate) = (8, 0.05)
    configuration.falseAlarms = FalseAlarmLimit(background: 0, framesPerHour: 1_000, perHour: 5)
    let record = try await Trainer(configuration).train(
      network(classes: 2), on: risesAndFalls(40, seed: 1), validatingOn: risesAndFalls(20, seed: 2)
    ).record
    let figures = record.epochs.map { epoch in
      [epoch.validationFound ?? -1, epoch.validationAccuracy ?? -1, -(epoch.validationLoss ?? 9)]
    }
    #expect(figures.allSatisfy { (0...1).contains($0[0]) })
    let best = figures.indices.max { figures[$0].lexicographicallyPrecedes(figures[$1]) }
    #expect(best.map { $0 + 1 } == record.bestEpoch)
  }

  @Test("going on from a model keeps what it knows: layers, normalisation, units of classes that are still there")
  func goesOn() async throws {
    var trainer = SequenceTrainer(
      input: .sequence(width: 2), networks: [NetworkTemplate(Array(try network(classes: 2).layers.dropLast()))],
      isNormalized: true)
    trainer.training.epochs = 1
    let first = try await trainer.train(risesAndFalls(40, seed: 1), labels: ["rise", "fall"])
    // Nothing moves but averages of statistics, so that the units show.
    trainer.start = try first.cooled(by: 2)
    trainer.oldRate = 0
    trainer.training.learningRate = 1e-30
    let three = risesAndFalls(40, seed: 1).enumerated().map { index, example in
      var example = example
      example.target = (try? Target(index % 3, of: 3)) ?? example.target
      return example
    }
    let second = try await trainer.train(three, labels: ["fall", "other", "rise"])
    let (old, new) = (first.members[0], second.members[0])
    #expect(new.normalizer == old.normalizer && second.labels == ["fall", "other", "rise"])
    let (oldLayout, newLayout) = (ParameterLayout(old.configuration), ParameterLayout(new.configuration))
    for (from, to) in zip(oldLayout.tensors, newLayout.tensors) where from.isTrainable {
      if from.layer < 4 {
        #expect(old.parameters[from.range] == new.parameters[to.range], "\(from.name)")
      } else {
        for row in 0..<from.count / 2 {
          let (before, after) = (old.parameters[from.range], new.parameters[to.range])
          #expect(abs(after[after.startIndex + 3 * row] - before[before.startIndex + 2 * row + 1]) < 1e-6)
          #expect(abs(after[after.startIndex + 3 * row + 2] - before[before.startIndex + 2 * row]) < 1e-6)
        }
      }
    }
  }

  @Test("layers cannot be kept without a model, nor all of them, nor one of other features")
  func cannotGoOn() async throws {
    var trainer = SequenceTrainer(
      input: .sequence(width: 2), networks: [NetworkTemplate(Array(try network(classes: 2).layers.dropLast()))])
    trainer.training.epochs = 1
    trainer.frozenLayers = 1
    #expect(throws: TrainingError.self) { try trainer.configurations(classCount: 2) }
    trainer.frozenLayers = 0
    trainer.start = try await trainer.train(risesAndFalls(8, seed: 1), labels: ["a", "b"])
    trainer.frozenLayers = 5
    #expect(throws: TrainingError.self) { try trainer.configurations(classCount: 2) }
    trainer.frozenLayers = 4
    #expect(throws: Never.self) { try trainer.configurations(classCount: 2) }
    trainer.input = .sequence(width: 3)
    #expect(throws: TrainingError.self) { try trainer.configurations(classCount: 2) }
  }
}
