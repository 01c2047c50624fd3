/// What was true and what was said of many files, in compact arrays: 8 bytes a file, and 4 for each probability.
///
///     var outcomes = try Outcomes(labels: ["cat", "dog"])
///     try outcomes.append(Prediction(path: "a.wav", truth: "cat", label: "dog"))      // true: it counts
///     outcomes.confusion.accuracy                                                     // 0
public struct Outcomes: Sendable {
  public let labels: [String]
  /// Positions in `labels`, one a file.
  public private(set) var truth: [Int32] = []
  public private(set) var predicted: [Int32] = []
  /// `files x labels`; empty as soon as one file came without probabilities.
  public private(set) var probabilities: [Float] = []

  private let positions: [String: Int32]
  private var scoresAreComplete = true

  /// Throws when there are no labels, or one of them stands there twice.
  public init(labels: [String]) throws(EvaluationError) {
    guard !labels.isEmpty else { throw .noLabels }
    var positions: [String: Int32] = [:]
    for (index, label) in labels.enumerated() {
      guard positions.updateValue(Int32(index), forKey: label) == nil else { throw .duplicateLabel(label) }
    }
    self.labels = labels
    self.positions = positions
  }

  /// The number of files.
  public var count: Int { truth.count }

  /// Whether there is a probability for every file and label.
  public var haveProbabilities: Bool { scoresAreComplete && count > 0 }

  /// Adds a prediction that has both a truth and a label, and says whether it had.
  ///
  /// A label that `probabilities` does not name has probability 0. Throws for a label that is not among `labels`, and
  /// for a probability that is not in [0, 1].
  @discardableResult
  public mutating func append(_ prediction: Prediction) throws(EvaluationError) -> Bool {
    guard let truth = prediction.truth, let label = prediction.label else { return false }
    let (truthIndex, labelIndex) = (try position(of: truth), try position(of: label))
    if prediction.probabilities.isEmpty {
      scoresAreComplete = false
      probabilities = []
    } else if scoresAreComplete {
      var row = [Float](repeating: 0, count: labels.count)
      for (index, candidate) in prediction.probabilities.enumerated() {
        guard (0...1).contains(candidate.probability) else {
          throw .invalidProbability(path: prediction.path, label: candidate.label, value: "\(candidate.probability)")
        }
        // The model's own order, which needs no look-up.
        let isInOrder = index < labels.count && labels[index] == candidate.label
        row[isInOrder ? index : Int(try position(of: candidate.label))] = candidate.probability
      }
      probabilities += row
    }
    self.truth.append(truthIndex)
    predicted.append(labelIndex)
    return true
  }

  /// The position of `label`; throws when it is not among the labels.
  func position(of label: String) throws(EvaluationError) -> Int32 {
    guard let position = positions[label] else { throw .unknownLabel(label, known: labels) }
    return position
  }

  /// How often each true label was given each label.
  public var confusion: ConfusionMatrix {
    var counts = Array(repeating: Array(repeating: 0, count: labels.count), count: labels.count)
    for (truth, predicted) in zip(truth, predicted) { counts[Int(truth)][Int(predicted)] += 1 }
    return ConfusionMatrix(checkedLabels: labels, counts: counts)
  }

  /// The probability of the label that was given, per file.
  var confidences: [Float] {
    predicted.enumerated().map { probabilities[$0 * labels.count + Int($1)] }
  }
}
