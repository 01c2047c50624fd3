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
  /// Frames of the windows that a longer sequence is heard in; the answer is the mean of theirs. Nil where every sequence
  /// is heard whole.
  ///
  /// Windows begin every half of their length; the last one ends with the sequence.
  public let window: Int?

  public static let mostMembers = 1000
  static let windows = 1...1 << 24

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

  public init(_ classifier: SequenceClassifier) { (members, window) = ([classifier], nil) }

  /// Throws `ModelError.configuration` when there is no member or more than `mostMembers`, when one differs in input,
  /// output, labels or normalisation, or for a window without frames.
  public init(members: [SequenceClassifier], window: Int? = nil) throws(ModelError) {
    if let window, !Self.windows.contains(window) {
      throw .configuration("windows of \(window) frames; they must have 1 to \(Self.windows.upperBound)")
    }
    self.window = window
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

  /// The same with the logits of all members divided by `temperature`; see `SequenceClassifier.cooled`.
  public func cooled(by temperature: Double) throws(ModelError) -> ClassifierEnsemble {
    var cooled: [SequenceClassifier] = []
    for member in members { cooled.append(try member.cooled(by: temperature)) }
    var model = try ClassifierEnsemble(members: cooled, window: window)
    model.detection = detection
    return model
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
    try answers(to: sequences).map { ClassifierEnsemble.mean(of: $0) }
  }

  /// What each member says of each sequence, or of each of its windows: the answer is the mean.
  package func answers(to sequences: [FeatureMatrix]) throws(ModelError) -> [[[Float]]] {
    var answers = [[[Float]]](repeating: [], count: sequences.count)
    var whole: [Int] = []
    for (index, sequence) in sequences.enumerated() {
      guard let window, sequence.frames > window else {
        if window == nil && sequence.frames > Self.longFrames {
          answers[index] = try self.answers(toLong: sequence)
        } else {
          whole.append(index)
        }
        continue
      }
      let starts = ClassifierEnsemble.windowStarts(frames: sequence.frames, window: window)
      // A few at a time, however long the sequence is.
      for first in stride(from: 0, to: starts.count, by: 16) {
        let windows = starts[first..<min(first + 16, starts.count)].map { sequence.slice($0..<$0 + window) }
        for member in members { answers[index] += try member.probabilities(of: windows) }
      }
    }
    for member in members where !whole.isEmpty {
      let results = try member.probabilities(of: whole.map { sequences[$0] })
      for (index, result) in zip(whole, results) { answers[index].append(result) }
    }
    return answers
  }

  /// Sequences of more frames than this go through the networks in pieces.
  private static let longFrames = 1 << 14

  private func answers(toLong sequence: FeatureMatrix) throws(ModelError) -> [[Float]] {
    var long = LongSequence(self, frames: sequence.frames)
    for first in stride(from: 0, to: sequence.frames, by: 1 << 10) {
      try long.append(sequence.slice(first..<min(first + 1 << 10, sequence.frames)))
    }
    return try long.answers()
  }

  /// Where the windows of a longer sequence begin.
  static func windowStarts(frames: Int, window: Int) -> [Int] {
    let step = max(1, window / 2)
    var starts = Array(stride(from: 0, through: frames - window, by: step))
    if let last = starts.last, last + window < frames { starts.append(frames - window) }
    return starts
  }

  /// The mean of the members' `answers`, summed in double precision; of one, that one itself.
  package static func mean(of answers: [[Float]]) -> [Float] {
    guard answers.count > 1 else { return answers[0] }
    return answers[0].indices.map { label in
      Float(answers.reduce(0) { $0 + Double($1[label]) } / Double(answers.count))
    }
  }
}
