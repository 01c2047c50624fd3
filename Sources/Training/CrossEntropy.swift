import AuricleBase

/// Softmax cross-entropy: the loss of one batch, its gradient, and how many were right.
///
/// For logits x and a target distribution q, the loss is -sum of q ln softmax(x), in nats, and its gradient
/// softmax(x) - q, both times the weight of the example. Computed in double precision.
public struct CrossEntropy: Sendable {
  /// Sums over the batch. A sequence counts as right when its first class is the most probable one.
  public var loss = 0.0
  public var correct = 0
  /// `sequences x classes`, of the summed loss times `scale`.
  public private(set) var logitGradient: [Float]

  /// - Parameters:
  ///   - logits: `sequences x classes`.
  ///   - targets: the true class, or the mixture of two, of each sequence.
  ///   - classWeights: what the loss of an example of each class counts, as Keras's `class_weight`; of a mixture, the
  ///     mixture of both weights. 1 if nil.
  ///   - labelSmoothing: share of the target spread evenly over all classes (Szegedy et al., 2016), in [0, 1).
  ///   - scale: what the gradient is multiplied by, one over the batch size as a rule.
  public init(
    logits: [Float], targets: [ClassTarget], classWeights: [Double]? = nil, labelSmoothing: Double = 0,
    scale: Double = 1
  ) {
    logitGradient = [Float](repeating: 0, count: logits.count)
    guard !targets.isEmpty else { return }
    let classes = logits.count / targets.count
    let spread = labelSmoothing / Double(classes)
    for (sequence, target) in targets.enumerated() {
      let row = logits[sequence * classes..<(sequence + 1) * classes]
      let largest = row.indices.max { logits[$0] < logits[$1] } ?? row.startIndex
      let sum = row.reduce(0) { $0 + exponential(Double($1) - Double(logits[largest])) }
      let logSum = naturalLogarithm(sum) + Double(logits[largest])
      let (share, partnerShare) = (1 - target.partnerShare, target.partnerShare)
      let weight = classWeights.map { share * $0[target.label] + partnerShare * $0[target.partner] } ?? 1
      for (index, logit) in row.enumerated() {
        let certain = (index == target.label ? share : 0) + (index == target.partner ? partnerShare : 0)
        let wanted = spread + certain * (1 - labelSmoothing)
        let logProbability = Double(logit) - logSum
        loss -= weight * wanted * logProbability
        logitGradient[row.startIndex + index] = Float(weight * (exponential(logProbability) - wanted) * scale)
      }
      if largest - row.startIndex == target.label { correct += 1 }
    }
  }

  /// With one class for each sequence.
  public init(logits: [Float], labels: [Int], labelSmoothing: Double = 0, scale: Double = 1) {
    self.init(logits: logits, targets: labels.map { ClassTarget($0) }, labelSmoothing: labelSmoothing, scale: scale)
  }
}
