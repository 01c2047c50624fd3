import AudioFeatures

/// The buffers of a model's passes, as large as the largest batch so far. Not `Sendable`: one thread at a time.
package final class ClassifierScratch {
  private let tapes: [NetworkTape<Float>]

  /// - Parameter layers: of each member, how many run before (see `RunningNetwork`), so that it is rows that come; nil for
  ///   features.
  package init(_ model: ClassifierEnsemble, after layers: [Int]? = nil) {
    tapes = model.members.indices.map { NetworkTape(model.members[$0].configuration, from: layers?[$0] ?? 0) }
  }

  /// What `ClassifierEnsemble.probabilities(of:)` of the same model gives, with buffers that stay from call to call: quicker
  /// for many small batches.
  package func probabilities(
    _ model: ClassifierEnsemble, of sequences: [FeatureMatrix]
  ) throws(ModelError) -> [[Float]] {
    if let window = model.window, sequences.contains(where: { $0.frames > window }) {
      return try model.probabilities(of: sequences)
    }
    var answers: [[[Float]]] = []
    for (member, tape) in zip(model.members, tapes) {
      answers.append(try member.probabilities(of: sequences, on: tape))
    }
    return sequences.indices.map { sequence in ClassifierEnsemble.mean(of: answers.map { $0[sequence] }) }
  }

  /// The same of windows of which each member's `RunningNetwork` gave its rows.
  package func probabilities(
    _ model: ClassifierEnsemble, ofRows windows: [[FeatureMatrix]]
  ) throws(ModelError) -> [[Float]] {
    var answers = [[[Float]]](repeating: [], count: windows.count)
    for (index, (member, tape)) in zip(model.members, tapes).enumerated() {
      let results = try member.probabilities(ofRows: windows.map { $0[index] }, on: tape)
      for (window, result) in results.enumerated() { answers[window].append(result) }
    }
    return answers.map { ClassifierEnsemble.mean(of: $0) }
  }
}
