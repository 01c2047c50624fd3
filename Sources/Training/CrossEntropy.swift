import AuricleBase

/// Softmax cross-entropy: the loss of one batch, its gradient, and how many were right.
///
/// For logits x and a target distribution q, the loss is -sum of q ln softmax(x), in nats, and its gradient
/// softmax(x) - q. Computed in double precision.
public struct CrossEntropy: Sendable {
  /// Sums over the batch.
  public var loss = 0.0
  public var correct = 0
  /// `sequences x classes`, of the summed loss times `scale`.
  public private(set) var logitGradient: [Float]

  /// - Parameters:
  ///   - logits: `sequences x classes`.
  ///   - labels: the true class of each sequence.
  ///   - labelSmoothing: share of the target spread evenly over all classes (Szegedy et al., 2016), in [0, 1).
  ///   - scale: what the gradient is multiplied by, one over the batch size as a rule.
  public init(logits: [Float], labels: [Int], labelSmoothing: Double = 0, scale: Double = 1) {
    logitGradient = [Float](repeating: 0, count: logits.count)
    guard !labels.isEmpty else { return }
    let classes = logits.count / labels.count
    let spread = labelSmoothing / Double(classes)
    for (sequence, label) in labels.enumerated() {
      let row = logits[sequence * classes..<(sequence + 1) * classes]
      let largest = row.indices.max { logits[$0] < logits[$1] } ?? row.startIndex
      let sum = row.reduce(0) { $0 + exponential(Double($1) - Double(logits[largest])) }
      let logSum = naturalLogarithm(sum) + Double(logits[largest])
      for (index, logit) in row.enumerated() {
        let target = spread + (index == label ? 1 - labelSmoothing : 0)
        let logProbability = Double(logit) - logSum
        loss -= target * logProbability
        logitGradient[row.startIndex + index] = Float((exponential(logProbability) - target) * scale)
      }
      if largest - row.startIndex == label { correct += 1 }
    }
  }
}
