import AudioFeatures
import Testing

@testable import SequenceModel

@Suite("A sequence gives the same bits alone and in any batch")
struct BatchTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var front: Front
    var cell = Recurrent.Cell.gru
    var bidirectional: Bool
    var pooling = ClassicNetwork.Pooling.attention

    var testDescription: String {
      "\(front), \(cell.rawValue), \(bidirectional ? "both directions" : "forward"), \(pooling.rawValue)"
    }

    var configuration: NetworkConfiguration {
      get throws { try front.configuration(cell: cell, bidirectional: bidirectional, pooling: pooling) }
    }
  }

  static let cases =
    Recurrent.Cell.allCases.flatMap { cell in
      [false, true].map { Case(front: .none, cell: cell, bidirectional: $0) }
    }
    + ClassicNetwork.Pooling.allCases.flatMap { pooling in
      [false, true].map { Case(front: .everything, bidirectional: $0, pooling: pooling) }
    } + Front.allCases.map { Case(front: $0, bidirectional: true) }

  private static let lengths = [3, 24, 1, 11, 24, 8, 2, 19]

  private func sequences(_ configuration: NetworkConfiguration) -> [FeatureMatrix] {
    BatchTests.lengths.enumerated().map { configuration.features($1, seed: UInt64($0)) }
  }

  @Test("probabilities", arguments: cases)
  func probabilities(_ test: Case) throws {
    let configuration = try test.configuration
    let classifier = try configuration.classifier()
    let sequences = sequences(configuration)
    let together = try classifier.probabilities(of: sequences)
    for (sequence, found) in zip(sequences, together) {
      #expect(try classifier.probabilities(of: [sequence])[0] == found, "\(sequence.frames) frames")
    }
    let reversed = try classifier.probabilities(of: sequences.reversed())
    #expect(reversed.reversed() == together)
  }

  @Test("outputs and states, which go in and come out in the caller's order", arguments: cases)
  func states(_ test: Case) throws {
    let configuration = try test.configuration
    let classifier = try configuration.classifier()
    let sequences = sequences(configuration)
    let (_, initial) = try classifier.outputs(of: sequences.map { configuration.features(5, seed: UInt64($0.frames)) })
    let together = try classifier.outputs(of: sequences, from: initial)
    let hidden = 17
    for (index, sequence) in sequences.enumerated() {
      func row(_ state: RecurrentState<Float>) -> RecurrentState<Float> {
        func row(_ values: [Float]) -> [Float] {
          values.isEmpty ? [] : Array(values[index * hidden..<(index + 1) * hidden])
        }
        return RecurrentState(layers: state.layers.map { .init(hidden: row($0.hidden), cell: row($0.cell)) })
      }
      let alone = try classifier.outputs(of: [sequence], from: row(initial))
      #expect(alone.outputs[0] == together.outputs[index])
      #expect(alone.outputs[0].frames == configuration.outputFrames(sequence.frames))
      #expect(alone.state == row(together.state))
    }
  }

  /// All but batch normalisation, whose statistics are those of the batch.
  static let trainedCases = cases.filter { $0.front != .batch }

  @Test(
    "logits in training and the gradient of the input; that of the parameters is a sum, to 1e-6",
    arguments: trainedCases)
  func gradients(_ test: Case) throws {
    let configuration = try test.configuration
    let parameters = try configuration.classifier().parameters
    let weights = NetworkWeights(
      configuration, layout: ParameterLayout(configuration), parameters: parameters, forTraining: true)
    let sequences = sequences(configuration)
    func pass(_ sequences: [FeatureMatrix]) -> (logits: [Float], gradient: [Float], inputs: [[Float]]) {
      let tape = NetworkTape<Float>(configuration)
      tape.computesInputGradient = true
      let logits = tape.forward(weights, sequences, nil, .init(training: true))
      var gradient = [Float](repeating: 0, count: parameters.count)
      let upstream = sequences.flatMap { sequence -> [Float] in [1, Float(sequence.frames) / 10, -1] }
      tape.backward(weights, logitGradient: upstream, to: &gradient)
      return (logits, gradient, tape.inputGradient.map { $0.shape.sequences($0.base, $0.axis) } ?? [])
    }
    let together = pass(sequences)
    var sum = [Double](repeating: 0, count: parameters.count)
    for (index, sequence) in sequences.enumerated() {
      let alone = pass([sequence])
      #expect(alone.logits == Array(together.logits[index * 3..<index * 3 + 3]))
      #expect(alone.inputs[0] == together.inputs[index])
      for i in sum.indices { sum[i] += Double(alone.gradient[i]) }
    }
    expectAgreement(together.gradient, sum, relative: 1e-6, "gradient of parameters")
  }

  @Test("what is wrong in one sequence stays there", arguments: Front.allCases)
  func notANumber(_ front: Front) throws {
    let configuration = try front.configuration(bidirectional: true)
    let parameters = try configuration.classifier().parameters
    let network = try TrainableNetwork(
      configuration, layout: ParameterLayout(configuration), parameters: parameters)
    let (good, bad) = (configuration.features(20, seed: 1), configuration.features(25, seed: 2))
    var spoiled = bad
    spoiled.values = spoiled.values.map { _ in .nan }
    let wanted = try network.logits(of: [bad, good], normalizer: nil)[3...]
    #expect(try network.logits(of: [spoiled, good], normalizer: nil)[3...] == wanted)
  }
}
