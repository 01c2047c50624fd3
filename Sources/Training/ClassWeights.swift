/// What an example of each class counts, for data with many files of some classes and few of others.
public enum ClassWeights: Codable, Hashable, Sendable {
  /// All the same.
  case none
  /// So that all classes count the same: examples / (classes x examples of the class), as scikit-learn's
  /// `compute_class_weight("balanced")`.
  case balanced
  /// One for each class.
  case given([Double])

  /// One for each class; nil where all are the same. Throws `TrainingError.configuration`.
  func weights(labels: [Int], classCount: Int) throws(TrainingError) -> [Double]? {
    switch self {
    case .none: return nil
    case .balanced:
      let counts = labels.reduce(into: [Int](repeating: 0, count: classCount)) { $0[$1] += 1 }
      return counts.map { $0 == 0 ? 1 : Double(labels.count) / Double(classCount * $0) }
    case .given(let weights):
      guard weights.count == classCount else {
        throw .configuration("\(weights.count) class weights for \(classCount) classes")
      }
      return weights
    }
  }
}
