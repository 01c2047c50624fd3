import AuricleBase
import RealModule

/// What the probabilities are worth, beyond the labels they led to.
///
/// All are those of scikit-learn, computed in double precision: `log_loss`, `top_k_accuracy_score`, and per class, one
/// against the rest, `roc_auc_score` and `average_precision_score`; the calibration bins are those of
/// `calibration_curve(strategy="uniform")`.
public struct ScoreMetrics: Codable, Hashable, Sendable {
  /// The share of files whose true label is among the `k` most probable.
  public struct TopAccuracy: Codable, Hashable, Sendable {
    public let k: Int
    public let accuracy: Double
  }

  /// How well the order of a class's probabilities tells its files from the others.
  public struct Ranking: Codable, Hashable, Sendable {
    /// The area under the ROC curve; nil when all files, or none, have the class.
    public let rocAUC: Double?
    /// The mean of the precision over the recall; 0 when no file has the class.
    public let averagePrecision: Double
  }

  /// Files whose label's probability lies in (`lower`, `upper`]; the first bin has 0 too.
  public struct CalibrationBin: Codable, Hashable, Sendable {
    public let lower: Double
    public let upper: Double
    public let files: Int
    /// The share of them whose label is right; nil without files, as is `confidence`.
    public let accuracy: Double?
    /// Their mean probability.
    public let confidence: Double?
  }

  public let topAccuracy: [TopAccuracy]
  /// The mean of -ln(probability of the truth), in nats; probabilities count as at least 2^-52.
  public let logLoss: Double
  /// Per class, in the order of the labels.
  public let rankings: [Ranking]
  /// Means over the classes for which it is defined, alike or by support; nil when there is none.
  public let macroROCAUC: Double?
  public let weightedROCAUC: Double?
  /// Means over all classes, alike or by support.
  public let macroAveragePrecision: Double
  public let weightedAveragePrecision: Double
  /// How far probabilities are from the share that is right: the mean over the bins of |accuracy - confidence|, each by
  /// its files (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017,
  /// arXiv:1706.04599).
  public let expectedCalibrationError: Double
  /// 15 of equal width.
  public let calibration: [CalibrationBin]

  /// Nil when there is no file, or one of them came without probabilities.
  public init?(_ outcomes: Outcomes, topK: [Int] = [2, 3, 5]) {
    guard outcomes.haveProbabilities else { return nil }
    let classes = outcomes.labels.count
    topAccuracy = topK.filter { $0 < classes }.map { TopAccuracy(k: $0, accuracy: outcomes.topAccuracy($0)) }
    logLoss = outcomes.logLoss
    rankings = (0..<classes).map { outcomes.ranking(ofClass: $0) }

    var supports = Array(repeating: 0.0, count: classes)
    for truth in outcomes.truth { supports[Int(truth)] += 1 }
    func mean(_ values: [Double?], by weights: [Double]) -> Double? {
      var (sum, total) = (0.0, 0.0)
      for case (let value?, let weight) in zip(values, weights) where weight > 0 {
        sum += weight * value
        total += weight
      }
      return total > 0 ? sum / total : nil
    }
    let alike = Array(repeating: 1.0, count: classes)
    macroROCAUC = mean(rankings.map(\.rocAUC), by: alike)
    weightedROCAUC = mean(rankings.map(\.rocAUC), by: supports)
    macroAveragePrecision = mean(rankings.map(\.averagePrecision), by: alike) ?? 0
    weightedAveragePrecision = mean(rankings.map(\.averagePrecision), by: supports) ?? 0

    calibration = outcomes.calibration(bins: 15)
    expectedCalibrationError = calibration.reduce(0) { error, bin in
      guard let accuracy = bin.accuracy, let confidence = bin.confidence else { return error }
      return error + Double(bin.files) / Double(outcomes.count) * abs(accuracy - confidence)
    }
  }
}

extension Outcomes {
  /// Of equally probable labels the later one counts as the more probable, as in scikit-learn.
  fileprivate func topAccuracy(_ k: Int) -> Double {
    let classes = labels.count
    var hits = 0
    for (file, truth) in truth.enumerated() {
      let row = probabilities[file * classes..<(file + 1) * classes]
      let (place, own) = (row.startIndex + Int(truth), row[row.startIndex + Int(truth)])
      var ahead = 0
      for index in row.indices where row[index] > own || (row[index] == own && index > place) { ahead += 1 }
      if ahead < k { hits += 1 }
    }
    return Double(hits) / Double(count)
  }

  fileprivate var logLoss: Double {
    let epsilon = Double.ulpOfOne
    let sum = truth.enumerated().reduce(0.0) { sum, file in
      let probability = Double(probabilities[file.offset * labels.count + Int(file.element)])
      return sum - Double.log(min(max(probability, epsilon), 1 - epsilon))
    }
    return sum / Double(count)
  }

  /// Goes through the files from the most to the least probable, equal probabilities together.
  fileprivate func ranking(ofClass index: Int) -> ScoreMetrics.Ranking {
    // The bits of floats that are not negative are in the order of the floats; the lowest bit here says "is of the class".
    var keys = truth.enumerated().map { file, truth in
      UInt64(probabilities[file * labels.count + index].bitPattern) << 1 | (truth == Int32(index) ? 1 : 0)
    }
    keys.sort()
    let positives = keys.reduce(0) { $0 + Int($1 & 1) }
    let negatives = keys.count - positives
    guard positives > 0 else { return .init(rocAUC: nil, averagePrecision: 0) }

    var (truePositives, falsePositives) = (0, 0)
    var (twiceTheArea, precisionSum) = (0.0, 0.0)
    var end = keys.count
    while end > 0 {
      var (start, found) = (end, 0)
      while start > 0 && keys[start - 1] >> 1 == keys[end - 1] >> 1 {
        start -= 1
        found += Int(keys[start] & 1)
      }
      let others = end - start - found
      twiceTheArea += Double(others) * Double(2 * truePositives + found)
      truePositives += found
      falsePositives += others
      precisionSum += Double(found) * Double(truePositives) / Double(truePositives + falsePositives)
      end = start
    }
    return .init(
      rocAUC: negatives > 0 ? twiceTheArea / 2 / (Double(positives) * Double(negatives)) : nil,
      averagePrecision: precisionSum / Double(positives))
  }

  fileprivate func calibration(bins: Int) -> [ScoreMetrics.CalibrationBin] {
    let width = 1 / Double(bins)
    let edges = (0...bins).map { Double($0) * width }
    var files = Array(repeating: 0, count: bins)
    var right = files
    var sums = Array(repeating: 0.0, count: bins)
    for (file, confidence) in confidences.enumerated() {
      let confidence = Double(confidence)
      var bin = min(bins - 1, Int(confidence / width))
      // The division may be off by one at an edge.
      while bin > 0 && confidence <= edges[bin] { bin -= 1 }
      while bin < bins - 1 && confidence > edges[bin + 1] { bin += 1 }
      files[bin] += 1
      right[bin] += truth[file] == predicted[file] ? 1 : 0
      sums[bin] += confidence
    }
    return (0..<bins).map { bin in
      .init(
        lower: edges[bin], upper: bin == bins - 1 ? 1 : edges[bin + 1], files: files[bin],
        accuracy: files[bin] == 0 ? nil : Double(right[bin]) / Double(files[bin]),
        confidence: files[bin] == 0 ? nil : sums[bin] / Double(files[bin]))
    }
  }
}
