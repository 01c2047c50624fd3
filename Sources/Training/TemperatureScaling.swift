import RealModule

/// The temperature by which a model's logits are divided so that its probabilities come true: of answers given with 0.8,
/// eight in ten are right (Guo et al., "On calibration of modern neural networks", ICML 2017).
///
///     let temperature = TemperatureScaling.temperature(answers: answers, labels: labels)     // above 1 for one too sure
///
/// It minimises the mean cross-entropy against the targets of Platt ("Probabilistic outputs for support vector machines",
/// 1999): with n examples, the right class gets (n + 1) / (n + 2), the others the rest in equal parts. So the temperature
/// stays above zero where every answer is right, and n small. The most probable class of a single distribution does not
/// change.
public enum TemperatureScaling {
  /// - Parameters:
  ///   - answers: for each example, probabilities that are averaged for an answer: of each network and window. Each is
  ///     scaled by itself: softmax(ln p / temperature).
  ///   - labels: the right class of each.
  ///
  /// 1 where there are no examples. Throws `TrainingError.configuration` where numbers do not fit each other.
  public static func temperature(answers: [[[Float]]], labels: [Int]) throws(TrainingError) -> Double {
    let classes = answers.first?.first?.count ?? 0
    guard answers.count == labels.count, labels.allSatisfy({ (0..<classes).contains($0) }),
      answers.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.count == classes } })
    else { throw .configuration("\(answers.count) answers of \(classes) classes for \(labels.count) labels") }
    guard !answers.isEmpty, classes > 1 else { return 1 }
    let logarithms = answers.map { $0.map { $0.map { Double.log(max(Double($0), 1e-38)) } } }
    let right = Double(labels.count + 1) / Double(labels.count + 2)
    let wrong = (1 - right) / Double(classes - 1)

    func loss(_ logTemperature: Double) -> Double {
      let share = Double.exp(-logTemperature)
      var loss = 0.0
      for (example, label) in zip(logarithms, labels) {
        var mean = [Double](repeating: 0, count: classes)
        for answer in example {
          let greatest = share * (answer.max() ?? 0)
          let powers = answer.map { Double.exp(share * $0 - greatest) }
          let sum = powers.reduce(0, +)
          for i in mean.indices { mean[i] += powers[i] / sum }
        }
        for i in mean.indices {
          loss -= (i == label ? right : wrong) * Double.log(max(mean[i] / Double(example.count), 1e-300))
        }
      }
      return loss
    }
    return Double.exp(minimum(of: loss, in: Double.log(0.05)...Double.log(20)))
  }

  /// Of a function with one minimum, by golden sections (Kiefer, 1953), to 1e-9.
  private static func minimum(of function: (Double) -> Double, in range: ClosedRange<Double>) -> Double {
    let ratio = (Double.sqrt(5) - 1) / 2
    var (low, high) = (range.lowerBound, range.upperBound)
    var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
    var (atLeft, atRight) = (function(left), function(right))
    while high - low > 1e-9 {
      if atLeft < atRight {
        (high, right, atRight) = (right, left, atLeft)
        left = high - ratio * (high - low)
        atLeft = function(left)
      } else {
        (low, left, atLeft) = (left, right, atRight)
        right = low + ratio * (high - low)
        atRight = function(right)
      }
    }
    return (low + high) / 2
  }
}

/// How far probabilities are from coming true: the mean over answers, in bins of equal width by their probability, of
/// |share of right ones - mean probability| (Naeini et al., 2015), in [0, 1].
public func expectedCalibrationError(probabilities: [Float], correct: [Bool], bins: Int = 15) -> Double {
  var sums = [(count: Int, probability: Double, correct: Int)](repeating: (0, 0, 0), count: max(1, bins))
  for (probability, isCorrect) in zip(probabilities, correct) {
    let bin = min(sums.count - 1, max(0, Int((Double(probability) * Double(sums.count)).rounded(.up)) - 1))
    sums[bin].count += 1
    sums[bin].probability += Double(probability)
    sums[bin].correct += isCorrect ? 1 : 0
  }
  let total = sums.reduce(0) { $0 + $1.count }
  return sums.reduce(0) { $0 + abs(Double($1.correct) - $1.probability) } / Double(max(1, total))
}
