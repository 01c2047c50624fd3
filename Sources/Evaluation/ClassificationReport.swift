/// How well one class is told from the others. All but `support` are in [0, 1].
public struct ClassMetrics: Codable, Hashable, Sendable {
  public let label: String
  /// Of the files given this label, the share that have it.
  public let precision: Double
  /// Of the files that have this label, the share that were given it.
  public let recall: Double
  /// The harmonic mean of precision and recall.
  public let f1: Double
  /// The number of files that have this label.
  public let support: Int
}

/// The classes' metrics, averaged.
public struct MeanMetrics: Codable, Hashable, Sendable {
  public let precision: Double
  public let recall: Double
  public let f1: Double
}

/// Accuracy, and precision, recall and F1 per class.
///
///     let report = ClassificationReport(matrix)
///     report.perClass[0].recall       // 0.5
///     report.macroMean.f1             // 0.6666666666666666
///
/// The numbers are those of scikit-learn's `classification_report(..., labels: labels, zero_division: 0)`: a class that
/// no file has counts in the macro mean, with recall 0; one that was never predicted has precision 0; where precision
/// and recall are both 0, so is F1.
public struct ClassificationReport: Codable, Hashable, Sendable {
  public let accuracy: Double
  /// In the order of the confusion matrix's labels.
  public let perClass: [ClassMetrics]
  /// Every class counts alike.
  public let macroMean: MeanMetrics
  /// Every class counts by its support.
  public let weightedMean: MeanMetrics
  public let confusion: ConfusionMatrix

  public init(_ confusion: ConfusionMatrix) {
    self.confusion = confusion
    accuracy = confusion.accuracy
    let perClass = confusion.labels.enumerated().map { index, label in
      let correct = confusion.counts[index][index]
      let predicted = confusion.counts.reduce(0) { $0 + $1[index] }
      let support = confusion.counts[index].reduce(0, +)
      return ClassMetrics(
        label: label, precision: ratio(correct, predicted), recall: ratio(correct, support),
        f1: ratio(2 * correct, predicted + support), support: support)
    }
    self.perClass = perClass
    macroMean = mean(perClass) { _ in 1 }
    weightedMean = mean(perClass) { Double($0.support) }
  }

  /// The report on those predictions that have both a truth and a label; files that failed are not in it.
  public init(_ predictions: [Prediction], labels: [String]) throws(EvaluationError) {
    let answered = predictions.filter { $0.isCorrect != nil }
    self.init(
      try ConfusionMatrix(
        truth: answered.compactMap(\.truth), predicted: answered.compactMap(\.label), labels: labels))
  }
}

private func ratio(_ part: Int, _ whole: Int) -> Double {
  whole == 0 ? 0 : Double(part) / Double(whole)
}

private func mean(_ classes: [ClassMetrics], weight: (ClassMetrics) -> Double) -> MeanMetrics {
  let total = classes.reduce(0) { $0 + weight($1) }
  func mean(_ metric: (ClassMetrics) -> Double) -> Double {
    total == 0 ? 0 : classes.reduce(0) { $0 + weight($1) * metric($1) } / total
  }
  return MeanMetrics(precision: mean(\.precision), recall: mean(\.recall), f1: mean(\.f1))
}
