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

/// How good a model's answers are, how sure that is, and where they fail.
///
///     let report = ClassificationReport(matrix)
///     report.perClass[0].recall       // 0.5
///     report.macroMean.f1             // 0.6666666666666666
///     report.interval.text            // "20.77% to 93.85%"
///
/// The numbers are scikit-learn's; those per class are `classification_report(..., labels: labels, zero_division: 0)`: a
/// class that no file has counts in the macro mean, with recall 0; one that was never predicted has precision 0; where
/// precision and recall are both 0, so is F1.
public struct ClassificationReport: Codable, Hashable, Sendable {
  /// Of the files that were answered and have a truth; those that could not be read are in `failed` only.
  public let accuracy: Double
  /// 95%, of the accuracy.
  public let interval: ConfidenceInterval
  public let balancedAccuracy: Double?
  public let cohenKappa: Double?
  public let matthewsCorrelation: Double
  /// In the order of the confusion matrix's labels.
  public let perClass: [ClassMetrics]
  /// Every class counts alike.
  public let macroMean: MeanMetrics
  /// Every class counts by its support.
  public let weightedMean: MeanMetrics
  /// Nil when probabilities are not known.
  public let scores: ScoreMetrics?
  public let confusion: ConfusionMatrix
  public let groups: [GroupReport]
  /// Files without an answer.
  public let failed: Int

  public init(
    _ confusion: ConfusionMatrix, scores: ScoreMetrics? = nil, groups: [GroupReport] = [], failed: Int = 0
  ) {
    self.confusion = confusion
    self.scores = scores
    self.groups = groups
    self.failed = failed
    accuracy = confusion.accuracy
    interval = .wilson(confusion.correct, of: confusion.total)
    balancedAccuracy = confusion.balancedAccuracy
    cohenKappa = confusion.cohenKappa
    matthewsCorrelation = confusion.matthewsCorrelation
    let (supports, predicted) = (confusion.supports, confusion.predictedCounts)
    let perClass = confusion.labels.enumerated().map { index, label in
      let correct = confusion.counts[index][index]
      return ClassMetrics(
        label: label, precision: ratio(correct, predicted[index]), recall: ratio(correct, supports[index]),
        f1: ratio(2 * correct, predicted[index] + supports[index]), support: supports[index])
    }
    self.perClass = perClass
    macroMean = mean(perClass) { _ in 1 }
    weightedMean = mean(perClass) { Double($0.support) }
  }

  /// The report on `predictions`, held in memory; an `EvaluationTally` makes the same of any number, one by one.
  public init(_ predictions: [Prediction], labels: [String]) throws(EvaluationError) {
    var tally = try EvaluationTally(labels: labels)
    for prediction in predictions { try tally.add(prediction) }
    self = tally.report()
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
