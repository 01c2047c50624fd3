import AuricleBase
import TestSupport
import Testing

@testable import SequenceModel

@Suite("A sequence alone and in a batch")
struct BatchBitsTests {
  /// Outputs of each sequence of a batch.
  private func outputs(
    _ configuration: NetworkConfiguration, _ parameters: [Float], _ sequences: [[Float]], training: Bool
  ) -> [[Float]] {
    let weights = NetworkWeights(
      configuration, layout: ParameterLayout(configuration), parameters: parameters, forTraining: true)
    return NetworkTape<Float>(configuration).outputs(
      weights, lengths: sequences.map { $0.count / configuration.input }, PassOptions(training: training)
    ) { sequence, frame, row in
      for i in 0..<configuration.input { row[i] = sequences[sequence][frame * configuration.input + i] }
    }.outputs
  }

  @Test(
    "have the same bits, in batches of 2 to 21 sequences of other lengths, forward and back in time, kept or not kept",
    arguments: Recurrent.Cell.allCases)
  func sameBits(_ cell: Recurrent.Cell) throws {
    let configuration = try classicNetwork(
      inputSize: 5, cell: cell, hiddenSize: 21, layers: 2, bidirectional: true, pooling: .last, dropout: 0,
      classCount: 2)
    var generator = SeededGenerator(seed: 3)
    let parameters = (0..<configuration.parameterCount).map { _ in Float(0.4 * generator.normal()) }
    let sequences = (0..<21).map { index in
      (0..<(1 + index * 7 % 11) * configuration.input).map { _ in Float(generator.normal()) }
    }
    let alone = sequences.map { outputs(configuration, parameters, [$0], training: false)[0] }
    for count in 2...sequences.count {
      for training in [false, true] {
        let batch = outputs(configuration, parameters, Array(sequences.prefix(count)), training: training)
        #expect(batch == Array(alone.prefix(count)), "\(count) sequences, training \(training)")
      }
    }
  }
}
