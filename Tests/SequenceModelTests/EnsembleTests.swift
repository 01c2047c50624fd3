import AudioFeatures
import AuricleBase
import RealModule
import Testing

@testable import SequenceModel

@Suite("Several networks in one model")
struct EnsembleTests {
  /// Three networks of two architectures.
  private func members() throws -> [SequenceClassifier] {
    let configuration = try Front.none.configuration()
    return try [
      configuration.classifier(seed: 1, normalization: .none), configuration.classifier(seed: 2),
      Front.oneDimensional.configuration(cell: .lstm, pooling: .last).classifier(seed: 3),
    ]
  }

  @Test("the answer is the mean of the members' probabilities; of one, its own, bit for bit")
  func mean() throws {
    let members = try members()
    let sequences = [5, 31, 12].map { members[0].configuration.features($0, seed: 1) }
    let answers = try members.map { try $0.probabilities(of: sequences) }
    let means = try ClassifierEnsemble(members: members).probabilities(of: sequences)
    #expect(means.count == 3)
    for sequence in sequences.indices {
      for label in 0..<3 {
        let wanted = answers.reduce(0) { $0 + Double($1[sequence][label]) } / 3
        #expect(abs(Double(means[sequence][label]) - wanted) < 1e-7)
      }
      #expect(means[sequence] != answers[0][sequence])
    }
    #expect(try ClassifierEnsemble(members[0]).probabilities(of: sequences) == answers[0])
    #expect(try ClassifierEnsemble(members: members).probabilities(of: []).isEmpty)
  }

  @Test("a stream of several networks gives what one piece gives")
  func stream() throws {
    let model = try ClassifierEnsemble(members: members())
    let features = model.members[0].configuration.features(40, seed: 2)
    var stream = try ClassifierStream(model)
    for frame in 0..<40 {
      try stream.append(features.frames(frame..<frame + 1))
      #expect(try stream.probabilities() == model.probabilities(of: [features.frames(0..<frame + 1)])[0])
    }
    let bidirectional = try Front.none.configuration(bidirectional: true).classifier()
    #expect(throws: ModelError.self) {
      try ClassifierStream(ClassifierEnsemble(members: [model.members[0], bidirectional]))
    }
  }

  @Test(
    "a sequence that goes through the layers in pieces, since it is long, has the answer of one piece",
    arguments: [
      [.recurrent(.gru, units: 5, directions: 2), .pooling(.attention())],
      [
        .convolution(filters: 3, frames: 3, bins: 3), .batchNormalization(), .activation(.relu),
        .maxPooling(frames: 2, bins: 2), .convolution(filters: 4, frames: 4, frameStride: 3),
        .recurrent(.lstm, units: 4), .recurrent(.gru, units: 5, directions: 2), .pooling(.attention(heads: 2)),
      ],
      [.depthwiseConvolution(frames: 5), .recurrent(.gru, units: 5), .pooling(.mean)],
    ] as [[Layer]])
  func long(layers: [Layer]) throws {
    let network = try NetworkConfiguration(input: 7, layers + [.dense(3)])
    for normalization in [FeatureConfiguration.Normalization.none, .global, .utteranceMean] {
      let classifier = try network.classifier(normalization: normalization)
      let features = network.features(16_400, seed: 3)
      let (whole, pieces) = (
        try classifier.probabilities(of: [features])[0],
        try ClassifierEnsemble(classifier).probabilities(of: [features])[0]
      )
      #expect(pieces == whole, "\(normalization)")
    }
    var long = try LongSequence(ClassifierEnsemble(network.classifier()), frames: 0)
    #expect(throws: ModelError.self) { try long.answers() }
  }

  @Test("a window hears longer sequences in pieces that begin every half of it, the last of which ends with them")
  func windows() throws {
    let members = try members()
    let whole = try ClassifierEnsemble(members: members)
    let model = try ClassifierEnsemble(members: members, window: 10)
    let features = members[0].configuration.features(33, seed: 2)
    let starts = [0, 5, 10, 15, 20, 23]
    let pieces = try whole.probabilities(of: starts.map { features.frames($0..<$0 + 10) })
    let short = features.frames(0..<10)
    let answers = try model.probabilities(of: [features, short])
    for label in 0..<3 {
      let mean = pieces.reduce(0) { $0 + Double($1[label]) } / Double(pieces.count)
      #expect(abs(Double(answers[0][label]) - mean) < 1e-7)
    }
    #expect(try answers[1] == whole.probabilities(of: [short])[0])
    #expect(throws: ModelError.self) { try ClassifierEnsemble(members: members, window: 0) }

    // The file knows of it.
    let read = try ClassifierEnsemble(bytes: model.fileBytes(), path: "m")
    #expect(try read.window == 10 && read.probabilities(of: [features]) == [answers[0]])
  }

  @Test("a stream of windows gives what one piece gives, after every frame, of a network that goes both ways, too")
  func windowStream() throws {
    let bidirectional = try Front.none.configuration(bidirectional: true).classifier()
    let features = bidirectional.configuration.features(47, seed: 2)
    for window in [1, 7, 10] {
      let model = try ClassifierEnsemble(members: [bidirectional], window: window)
      var stream = try ClassifierStream(model)
      for frame in 0..<47 {
        try stream.append(features.frames(frame..<frame + 1))
        let wanted = try model.probabilities(of: [features.frames(0..<frame + 1)])[0]
        let found = try stream.probabilities()
        #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-6 }, "window \(window), \(frame + 1) frames")
      }
      var pieces = try ClassifierStream(model)
      try pieces.append(features.frames(0..<29))
      try pieces.append(features.frames(29..<47))
      #expect(try pieces.probabilities() == stream.probabilities() && pieces.frames == 47)
    }
  }

  @Test("a temperature divides the logits and is in the weights; the most probable class stays")
  func cooled() throws {
    let classifier = try members()[0]
    let features = classifier.configuration.features(20, seed: 3)
    let before = try classifier.probabilities(of: [features])[0]
    let after = try classifier.cooled(by: 2).probabilities(of: [features])[0]
    let wanted = softmax(before.map { Float(0.5 * Double.log(Double($0))) }[...])
    #expect(zip(after, wanted).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(throws: ModelError.self) { try classifier.cooled(by: 0) }
  }

  @Test("none, and members of other features or labels, are refused")
  func unlike() throws {
    let one = try Front.none.configuration().classifier()
    let global = try Front.none.configuration().classifier(normalization: .global)
    let labels = try SequenceClassifier(
      configuration: one.configuration, input: one.input, labels: ["a", "b", "c"], parameters: one.parameters)
    for members in [[], [one, global], [one, labels]] {
      #expect(throws: ModelError.self) { try ClassifierEnsemble(members: members) }
    }
  }

  @Test("a file keeps them all; one with a member missing, or of another format, is refused")
  func file() throws {
    let members = try members()
    let model = try ClassifierEnsemble(members: members)
    let bytes = try model.fileBytes()
    let read = try ClassifierEnsemble(bytes: bytes, path: "m")
    #expect(read.members.map(\.configuration) == members.map(\.configuration))
    #expect(read.members.map(\.parameters) == members.map(\.parameters))
    #expect(try read.fileBytes() == bytes)

    let file = try TensorFile(bytes: bytes, path: "m")
    #expect(file.metadata["auricle.format"] == "3" && file.metadata["auricle.members"] == "3")
    func complaint(_ change: (inout TensorFile) -> Void) throws -> String {
      var changed = file
      change(&changed)
      let bytes = try changed.bytes()
      do throws(ModelError) {
        _ = try ClassifierEnsemble(bytes: bytes, path: "m")
        return ""
      } catch {
        return error.description
      }
    }
    for count in ["4", "0", "1", "-1", "1001", "x", ""] {
      #expect(try complaint { $0.metadata["auricle.members"] = count }.hasPrefix("m: "), "\(count)")
    }
    #expect(
      try complaint { $0.tensors["member.1/layers.5.bias"] = nil }.contains("'member.1/layers.5.bias' is missing"))
    #expect(try complaint { $0.metadata["auricle.format"] = "5" }.contains("reads formats 1 to 4"))
  }
}
