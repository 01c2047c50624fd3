import AudioFeatures

/// Networks that were trained on the same data from different beginnings, and answer with the mean of their
/// probabilities (Lakshminarayanan et al., "Simple and scalable predictive uncertainty estimation using deep ensembles",
/// 2017): more often right than each of them, and at the price of all of them. A model file holds one; as a rule it has
/// one member.
///
///     let model = try ClassifierEnsemble(contentsOf: "digits.safetensors")
///     let probabilities = try model.probabilities(of: [features])[0]     // one per label, sum 1
public struct ClassifierEnsemble: Sendable {
  public private(set) var members: [SequenceClassifier]

  public static let mostMembers = 1000

  /// What the members have in common.
  public var input: ModelInput { members[0].input }
  public var output: ModelOutput { members[0].output }
  /// The features of sound that it takes. Throws `ModelError.notForSound` where it takes other sequences.
  public var features: FeatureConfiguration { get throws(ModelError) { try members[0].features } }
  public var labels: [String] { members[0].labels }
  /// JSON that says how scores become events; a later stage's, which is kept in the file as it is.
  package var detection: String?
  public var normalizer: FeatureNormalizer? { members[0].normalizer }
  public var parameterCount: Int { members.reduce(0) { $0 + $1.parameters.count } }

  public init(_ classifier: SequenceClassifier) { members = [classifier] }

  /// Throws `ModelError.configuration` when there is no member or more than `mostMembers`, or when one differs in
  /// input, output, labels or normalisation.
  public init(members: [SequenceClassifier]) throws(ModelError) {
    guard let first = members.first, members.count <= Self.mostMembers else {
      throw .configuration("an ensemble of \(members.count) members; it must be 1 to \(Self.mostMembers)")
    }
    let alike = members.allSatisfy {
      $0.input == first.input && $0.output == first.output && $0.labels == first.labels
        && $0.normalizer == first.normalizer && $0.precision == first.precision
    }
    guard alike else {
      throw .configuration("members that differ in input, output, labels, normalisation or precision")
    }
    self.members = members
  }

  /// Adds something that is to be known to the settings in every member's record.
  package mutating func note(_ value: String, as name: String) {
    for index in members.indices {
      guard var record = members[index].record else { continue }
      record.settings = (record.settings ?? [:]).merging([name: value]) { $1 }
      members[index].record = record
    }
  }

  /// Probabilities of the labels, one array per sequence. As of `SequenceClassifier.probabilities(of:)`, a sequence's
  /// result does not depend on the others. Throws as that does.
  public func probabilities(of sequences: [FeatureMatrix]) throws(ModelError) -> [[Float]] {
    var answers: [[[Float]]] = []
    for member in members { answers.append(try member.probabilities(of: sequences)) }
    return sequences.indices.map { sequence in ClassifierEnsemble.mean(of: answers.map { $0[sequence] }) }
  }

  /// The mean of the members' `answers`, summed in double precision; of one, that one itself.
  static func mean(of answers: [[Float]]) -> [Float] {
    guard answers.count > 1 else { return answers[0] }
    return answers[0].indices.map { label in
      Float(answers.reduce(0) { $0 + Double($1[label]) } / Double(answers.count))
    }
  }
}
