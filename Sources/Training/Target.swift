/// What a network should say of an example: a probability for each class. One class, soft labels, a mixture of two
/// examples, several classes at once: the same type.
public struct Target: Hashable, Sendable {
  /// In [0, 1].
  public let probabilities: [Float]

  /// One class of `classCount`. Throws `TrainingError.configuration` for a class that is not among them.
  public init(_ label: Int, of classCount: Int) throws(TrainingError) {
    guard classCount > 0, (0..<classCount).contains(label) else {
      throw .configuration("class \(label) of \(classCount) classes, the first of which is 0")
    }
    var probabilities = [Float](repeating: 0, count: classCount)
    probabilities[label] = 1
    self.probabilities = probabilities
  }

  /// Any. Throws `TrainingError.configuration` for none, or for one that is not in [0, 1].
  public init(probabilities: [Float]) throws(TrainingError) {
    guard !probabilities.isEmpty, let odd = probabilities.first(where: { !(0...1).contains($0) }) else {
      guard !probabilities.isEmpty else { throw .configuration("a target without classes") }
      self.probabilities = probabilities
      return
    }
    throw .configuration("a target's probability of \(odd); it must be in 0...1")
  }

  private init(checked probabilities: [Float]) { self.probabilities = probabilities }

  /// The first of the most probable classes.
  public var label: Int {
    probabilities.indices.max {
      probabilities[$0] < probabilities[$1] || probabilities[$0] == probabilities[$1] && $0 > $1
    } ?? 0
  }

  /// This and a share of another of as many classes, which is in [0, 1] (Zhang et al., "mixup: beyond empirical risk
  /// minimization", ICLR 2018).
  public func mixed(with other: Target, share: Float) -> Target {
    Target(checked: zip(probabilities, other.probabilities).map { (1 - share) * $0 + share * $1 })
  }
}
