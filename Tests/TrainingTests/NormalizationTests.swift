import AudioFeatures
import SequenceModel
import TestSupport
import Testing

@testable import Training

@Suite("Training with layers before the recurrent ones")
struct NormalizationTests {
  private func train(
    _ normalization: ClassicNetwork.InputNormalization?, momentum: Double = 0.9, recurrentDropout: Double = 0,
    jobs: Int = 1, epochs: Int = 4
  ) async throws -> (network: NetworkConfiguration, parameters: [Float], record: TrainingRecord) {
    let front: [Layer] = normalization == .batch ? [.batchNormalization(momentum: momentum)] : [.layerNormalization()]
    let network = try NetworkConfiguration(
      input: 2,
      (normalization == nil ? [] : front) + [
        .convolution(filters: 6, frames: 3, activation: .relu),
        .recurrent(.gru, units: 8, recurrentDropout: recurrentDropout), .pooling(.last), .dense(2),
      ])
    var configuration = TrainingConfiguration()
    configuration.epochs = epochs
    configuration.batchSize = 40
    configuration.learningRate = 0.02
    configuration.jobs = jobs
    let result = try await Trainer(configuration).train(
      network, on: scaled(risesAndFalls(120, seed: 1)), validatingOn: scaled(risesAndFalls(40, seed: 2)))
    return (network, result.parameters, result.record)
  }

  /// Far from mean 0 and variance 1.
  private func scaled(_ examples: [LabeledFeatures]) -> [LabeledFeatures] {
    examples.map { example in
      var example = example
      example.features.values = example.features.values.map { 50 * $0 + 300 }
      return example
    }
  }

  @Test("learns from features that are far from normal, which only normalisation brings near")
  func learns() async throws {
    for kind in ClassicNetwork.InputNormalization.allCases {
      let record = try await train(kind, momentum: 0.5, epochs: 15).record
      let best = try #require(record.epochs.first { $0.number == record.bestEpoch })
      #expect(best.validationAccuracy ?? 0 >= 0.9, "\(kind)")
    }
  }

  @Test("the moving averages of batch normalisation are those of the data; momentum decides how fast they follow")
  func movingAverages() async throws {
    func averages(_ momentum: Double) async throws -> [Float] {
      let (network, parameters, _) = try await train(.batch, momentum: momentum)
      let layout = ParameterLayout(network)
      return layout.tensors.filter { !$0.isTrainable }.flatMap { Array(parameters[$0.range]) }
    }
    let examples = scaled(risesAndFalls(120, seed: 1))
    let wanted = (0..<2).map { column in
      let values = examples.flatMap { example in
        (0..<example.features.frames).map { Double(example.features[$0][example.features[$0].startIndex + column]) }
      }
      let mean = values.reduce(0, +) / Double(values.count)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
    }
    let found = try await averages(0.5)
    for column in 0..<2 {
      #expect(abs(Double(found[column]) - wanted[column].0) < 6)
      #expect(abs(Double(found[2 + column]) / wanted[column].1 - 1) < 0.2)
    }
    #expect(try await averages(0.9) != found)
    #expect(try await averages(1) == [0, 0, 1, 1])
  }

  @Test("the same bits, whatever the number of jobs", arguments: ClassicNetwork.InputNormalization.allCases)
  func deterministic(_ kind: ClassicNetwork.InputNormalization) async throws {
    let one = try await train(kind, recurrentDropout: 0.2)
    let several = try await train(kind, recurrentDropout: 0.2, jobs: 3)
    #expect(one.parameters == several.parameters && one.record == several.record)
    #expect(try await train(kind).parameters != one.parameters, "recurrent dropout does nothing")
  }
}
