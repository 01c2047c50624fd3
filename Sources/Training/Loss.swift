import AuricleBase
import RealModule

/// What training makes small.
public enum Loss: Codable, Hashable, Sendable {
  /// Of one class of many: -sum of q ln softmax(x), in nats, where q is the target with a share spread evenly over all
  /// classes (Szegedy et al., 2016), in [0, 1).
  case softmaxCrossEntropy(labelSmoothing: Double)
  /// Of any number of classes, each by itself: -sum of q ln sigmoid(x) + (1 - q) ln (1 - sigmoid(x)), in nats.
  case sigmoidCrossEntropy

  var name: String {
    switch self {
    case .softmaxCrossEntropy: "softmax cross-entropy"
    case .sigmoidCrossEntropy: "sigmoid cross-entropy"
    }
  }

  /// For validation.
  var unsmoothed: Loss {
    switch self {
    case .softmaxCrossEntropy: .softmaxCrossEntropy(labelSmoothing: 0)
    case .sigmoidCrossEntropy: self
    }
  }

  public var labelSmoothing: Double { if case .softmaxCrossEntropy(let smoothing) = self { smoothing } else { 0 } }
}

/// The loss of one batch, its gradient, and how many were right. Computed in double precision.
///
/// Softmax: the gradient is softmax(x) - q. Sigmoid: sigmoid(x) - q. Both times the weights of the classes.
public struct BatchLoss: Sendable {
  /// Sums over the batch.
  public var loss = 0.0
  /// Softmax: sequences whose most probable class is the target's. Sigmoid: those of which every class is on the right side
  /// of 1/2 (scikit-learn's subset accuracy).
  public var correct = 0
  /// `sequences x classes`, of the summed loss times `scale`.
  public private(set) var logitGradient: [Float]

  /// - Parameters:
  ///   - logits: `sequences x classes`.
  ///   - targets: of each sequence.
  ///   - classWeights: what the loss of an example of each class counts, as Keras's `class_weight`; of a mixture, the
  ///     mixture of the weights; for sigmoids, what each class counts. 1 if nil.
  ///   - scale: what the gradient is multiplied by, one over the batch size as a rule.
  ///
  /// Throws `TrainingError.configuration` where their numbers do not fit each other.
  public init(
    _ kind: Loss, logits: [Float], targets: [Target], classWeights: [Double]? = nil, scale: Double = 1
  ) throws(TrainingError) {
    logitGradient = [Float](repeating: 0, count: logits.count)
    guard let classes = targets.first?.probabilities.count else {
      guard logits.isEmpty else { throw .configuration("logits without targets") }
      return
    }
    guard logits.count == targets.count * classes, targets.allSatisfy({ $0.probabilities.count == classes }),
      classWeights.map({ $0.count == classes }) ?? true
    else { throw .configuration("\(logits.count) logits for \(targets.count) targets of \(classes) classes") }
    for (sequence, target) in targets.enumerated() {
      let row = sequence * classes..<(sequence + 1) * classes
      switch kind {
      case .softmaxCrossEntropy(let smoothing):
        addSoftmax(logits[row], target, classWeights, smoothing, scale)
      case .sigmoidCrossEntropy:
        addSigmoids(logits[row], target, classWeights, scale)
      }
    }
  }

  private mutating func addSoftmax(
    _ row: ArraySlice<Float>, _ target: Target, _ classWeights: [Double]?, _ smoothing: Double, _ scale: Double
  ) {
    let largest = row.indices.max { row[$0] < row[$1] } ?? row.startIndex
    let sum = row.reduce(0) { $0 + Double.exp(Double($1) - Double(row[largest])) }
    let logSum = Double.log(sum) + Double(row[largest])
    let spread = smoothing / Double(row.count)
    let weight = classWeights.map { zip($0, target.probabilities).reduce(0) { $0 + $1.0 * Double($1.1) } } ?? 1
    for (index, logit) in row.enumerated() {
      let wanted = spread + Double(target.probabilities[index]) * (1 - smoothing)
      let logProbability = Double(logit) - logSum
      loss -= weight * wanted * logProbability
      logitGradient[row.startIndex + index] = Float(weight * (Double.exp(logProbability) - wanted) * scale)
    }
    if largest - row.startIndex == target.label { correct += 1 }
  }

  private mutating func addSigmoids(
    _ row: ArraySlice<Float>, _ target: Target, _ classWeights: [Double]?, _ scale: Double
  ) {
    var isRight = true
    for (index, logit) in row.enumerated() {
      let (x, wanted, weight) = (Double(logit), Double(target.probabilities[index]), classWeights?[index] ?? 1)
      // ln(1 + exp(x)) - q x, without overflow.
      let magnitude = Double.exp(-abs(x))
      loss += weight * (max(x, 0) + Double.log(1 + magnitude) - wanted * x)
      let probability = x >= 0 ? 1 / (1 + magnitude) : magnitude / (1 + magnitude)
      logitGradient[row.startIndex + index] = Float(weight * (probability - wanted) * scale)
      if (probability >= 0.5) != (wanted >= 0.5) { isRight = false }
    }
    if isRight { correct += 1 }
  }
}
