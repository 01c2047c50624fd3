import RealModule

// Numbers that follow from the counts alone, as in scikit-learn.

extension ConfusionMatrix {
  /// The mean recall of the classes that have files (`balanced_accuracy_score`); nil without files.
  public var balancedAccuracy: Double? {
    let recalls = zip(counts.enumerated(), supports).compactMap { row, support in
      support == 0 ? nil : Double(row.element[row.offset]) / Double(support)
    }
    return recalls.isEmpty ? nil : recalls.reduce(0, +) / Double(recalls.count)
  }

  /// How far the agreement of truth and prediction is beyond chance: 1 for perfect, 0 for chance (`cohen_kappa_score`;
  /// Cohen, "A coefficient of agreement for nominal scales", 1960, doi:10.1177/001316446002000104).
  ///
  /// Nil where it is undefined: without files, or when truth and prediction are one and the same class throughout.
  public var cohenKappa: Double? {
    let n = Double(total)
    let byChance = zip(supports, predictedCounts).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let disagreementByChance = n * n - byChance
    return disagreementByChance == 0 ? nil : 1 - n * Double(total - correct) / disagreementByChance
  }

  /// The correlation of truth and prediction, in [-1, 1] (`matthews_corrcoef`; Gorodkin, "Comparing two K-category
  /// assignments by a K-category correlation coefficient", 2004, doi:10.1016/j.compbiolchem.2004.09.006).
  ///
  /// 0 where it is undefined: when either is one class throughout.
  public var matthewsCorrelation: Double {
    let n = Double(total)
    func sumOfProducts(_ a: [Int], _ b: [Int]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
    let (supports, predicted) = (supports, predictedCounts)
    let covariance = Double(correct) * n - sumOfProducts(supports, predicted)
    let variances = (n * n - sumOfProducts(predicted, predicted)) * (n * n - sumOfProducts(supports, supports))
    return variances == 0 ? 0 : covariance / Double.sqrt(variances)
  }
}
