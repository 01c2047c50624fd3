import AuricleBase

// Ways to look at the same counts: as shares, and in another order of the classes.

extension ConfusionMatrix {
  /// What the counts are divided by.
  public enum Normalization: String, Codable, CaseIterable, Sendable {
    case none
    /// Each row by its sum: the diagonal is the recall.
    case truth
    /// Each column by its sum: the diagonal is the precision.
    case prediction
    /// Everything by the number of files: the diagonal sums to the accuracy.
    case all
  }

  /// The order of rows and columns.
  public enum Order: String, Codable, CaseIterable, Sendable {
    /// As the model has them.
    case model
    /// By name, "2" before "10".
    case `class`
    /// The class of the most files first.
    case support
    /// The class of the most mistakes first, its own missed files and those wrongly given its label together.
    case confusion
  }

  /// `labels x labels`: the counts as they are, or shares; 0 where there is nothing to divide by.
  public func values(_ normalization: Normalization) -> [[Double]] {
    let (rows, columns, all) = (supports, predictedCounts, total)
    return counts.enumerated().map { row, counts in
      counts.enumerated().map { column, count in
        let divisor =
          switch normalization {
          case .none: 1
          case .truth: rows[row]
          case .prediction: columns[column]
          case .all: all
          }
        return divisor == 0 ? 0 : Double(count) / Double(divisor)
      }
    }
  }

  /// The same matrix with rows and columns in another order; ties stay as they were.
  public func sorted(by order: Order) -> ConfusionMatrix {
    func descending(_ weights: [Int]) -> [Int] {
      labels.indices.sorted { (weights[$1], $0) < (weights[$0], $1) }
    }
    let (supports, predicted) = (supports, predictedCounts)
    let places =
      switch order {
      case .model: Array(labels.indices)
      case .class: labels.indices.sorted { naturallyPrecedes(labels[$0], labels[$1]) }
      case .support: descending(supports)
      case .confusion: descending(labels.indices.map { supports[$0] + predicted[$0] - 2 * counts[$0][$0] })
      }
    return ConfusionMatrix(
      checkedLabels: places.map { labels[$0] }, counts: places.map { row in places.map { counts[row][$0] } })
  }
}
