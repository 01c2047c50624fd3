import AudioFeatures
import AuricleBase
import TestSupport
import Testing

@testable import SequenceModel

@Suite("A stream gives what one piece gives")
struct StreamTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var front: Front
    var cell: Recurrent.Cell
    var pooling: ClassicNetwork.Pooling

    var testDescription: String { "\(front), \(cell.rawValue), \(pooling.rawValue)" }
  }

  static let cases = ClassicNetwork.Pooling.allCases.flatMap { pooling in
    Front.allCases.map { Case(front: $0, cell: .gru, pooling: pooling) }
      + Recurrent.Cell.allCases.map { Case(front: .none, cell: $0, pooling: pooling) }
  }

  @Test("after every piece: bit for bit, within 1e-6 with attention", arguments: cases)
  func everyPiece(_ test: Case) throws {
    let configuration = try test.front.configuration(cell: test.cell, pooling: test.pooling)
    let classifier = try configuration.classifier(normalization: .global)
    let features = configuration.features(60, seed: 3)
    var generator = SeededGenerator(seed: 4)
    var stream = try ClassifierStream(classifier)
    while stream.frames < features.frames {
      let next = min(features.frames, stream.frames + Int(generator.next() % 9))
      try stream.append(features.frames(stream.frames..<next))
      #expect(stream.frames == next)
      guard next > 0 else { continue }
      let whole = try classifier.probabilities(of: [features.frames(0..<next)])[0]
      let found = try stream.probabilities()
      if test.pooling == .attention {
        expectAgreement(found, whole.map { Double($0) }, relative: 1e-6, "probabilities after \(next) frames")
      } else {
        #expect(found == whole, "after \(next) frames")
      }
    }
  }

  @Test("a stride greater than the kernel skips frames as in one piece")
  func skips() throws {
    let configuration = try classicNetwork(
      inputSize: 3,
      convolutions: [
        Convolution(filters: 4, frames: 2, frameStride: 5), Convolution(filters: 4, frames: 1, frameStride: 3),
      ],
      hiddenSize: 5, bidirectional: false, pooling: .last, classCount: 2)
    let classifier = try configuration.classifier()
    let features = configuration.features(70, seed: 1)
    var stream = try ClassifierStream(classifier)
    for frame in 0..<70 {
      try stream.append(features.frames(frame..<frame + 1))
      #expect(try stream.probabilities() == classifier.probabilities(of: [features.frames(0..<frame + 1)])[0])
    }
  }

  @Test("a copy goes its own way")
  func copies() throws {
    let configuration = try Front.everything.configuration(cell: .lstm)
    let classifier = try configuration.classifier()
    let (beginning, one, other) = (
      configuration.features(20, seed: 1), configuration.features(9, seed: 2), configuration.features(12, seed: 3)
    )
    var stream = try ClassifierStream(classifier)
    try stream.append(beginning)
    var copy = stream
    try stream.append(one)
    try copy.append(other)
    #expect(try stream.probabilities() == classifier.probabilities(of: [beginning + one])[0])
    #expect(try copy.probabilities() == classifier.probabilities(of: [beginning + other])[0])
  }

  @Test("the final state is where the next frames begin", arguments: Recurrent.Cell.allCases)
  func stateful(_ cell: Recurrent.Cell) throws {
    let configuration = try Front.none.configuration(cell: cell, layers: 3)
    let classifier = try configuration.classifier()
    let sequences = [12, 30, 21].map { configuration.features($0, seed: 5) }
    let whole = try classifier.outputs(of: sequences)
    let first = try classifier.outputs(of: sequences.map { $0.frames(0..<10) })
    let second = try classifier.outputs(of: sequences.map { $0.frames(10..<$0.frames) }, from: first.state)
    #expect(zip(first.outputs, second.outputs).map { $0 + $1 } == whole.outputs)
    #expect(second.state == whole.state)
    let zeros = RecurrentState<Float>(configuration, sequences: 3)
    #expect(try classifier.outputs(of: sequences, from: zeros).outputs == whole.outputs)
  }

  @Test("bidirectional models and features normalised over a whole sound are refused, with the reason")
  func refused() throws {
    let bidirectional = try Front.none.configuration(bidirectional: true).classifier()
    #expect {
      try ClassifierStream(bidirectional)
    } throws: {
      "\($0)".contains("stream") && "\($0)".contains("bidirectional")
    }
    for normalization in [FeatureConfiguration.Normalization.utteranceMean, .utteranceMeanVariance] {
      let classifier = try Front.none.configuration().classifier(normalization: normalization)
      #expect {
        try ClassifierStream(classifier)
      } throws: {
        "\($0)".contains("whole sound")
      }
    }
  }

  @Test("nothing heard yet is an error, and bad frames are refused without being taken")
  func badFrames() throws {
    let configuration = try Front.everything.configuration()
    let classifier = try configuration.classifier()
    var stream = try ClassifierStream(classifier)
    #expect(throws: ModelError.noFrames) { try stream.probabilities() }
    let features = configuration.features(10, seed: 1)
    try stream.append(features)
    let before = try stream.probabilities()
    var bad = features
    bad.values[7 * 3 + 2] = .infinity
    #expect(throws: ModelError.notFinite(frame: 3, coefficient: 2)) { try stream.append(bad) }
    #expect(throws: ModelError.inputSize(found: 2, wanted: 7)) {
      try stream.append(FeatureMatrix(coefficients: 2, values: [1, 2]))
    }
    try stream.append(FeatureMatrix(coefficients: 7, values: []))
    #expect(try stream.probabilities() == before)
    #expect(stream.frames == 10)
  }
}

extension FeatureMatrix {
  func frames(_ range: Range<Int>) -> FeatureMatrix {
    FeatureMatrix(
      coefficients: coefficients,
      values: Array(values[range.lowerBound * coefficients..<range.upperBound * coefficients]))
  }

  static func + (first: FeatureMatrix, second: FeatureMatrix) -> FeatureMatrix {
    FeatureMatrix(coefficients: first.coefficients, values: first.values + second.values)
  }
}
