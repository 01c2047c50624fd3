import AuricleBase
import RealModule

/// Mean and scale of each coefficient over the training data: what `FeatureConfiguration.Normalization.global` means.
///
/// A normalised coefficient is `(x - mean) * scale`.
public struct FeatureNormalizer: Hashable, Sendable {
  public let mean: [Float]
  /// One over the standard deviation; 1 for a coefficient that never changes.
  public let scale: [Float]

  /// From mean and standard deviation of each coefficient; one that never changes, by 1e-8 or less, is not scaled.
  ///
  /// Throws `FeatureError.configuration` unless there are as many of the one as of the other, all finite.
  public init(mean: [Float], standardDeviation: [Float]) throws(FeatureError) {
    guard mean.count == standardDeviation.count, mean.allSatisfy(\.isFinite),
      standardDeviation.allSatisfy({ $0.isFinite && $0 >= 0 })
    else {
      throw .configuration(
        "normalisation by \(mean.count) means and \(standardDeviation.count) deviations; wanted one of each per coefficient, all finite"
      )
    }
    self.mean = mean
    scale = standardDeviation.map { $0 > 1e-8 ? 1 / $0 : 1 }
  }

  /// Both arrays have one element per coefficient; traps where they differ, so it is for code that computed them.
  package init(mean: [Float], scale: [Float]) {
    precondition(mean.count == scale.count, "mean and scale must have one element per coefficient")
    self.mean = mean
    self.scale = scale
  }
}

/// Gathers mean and variance over any number of feature matrices, in double precision.
package struct FeatureStatistics: Codable, Sendable {
  private var count = 0
  private var mean: [Double]
  private var squares: [Double]

  package init(coefficients: Int) {
    mean = [Double](repeating: 0, count: coefficients)
    squares = mean
  }

  /// Welford's update (Technometrics, 1962), one frame after the other. Traps at a matrix of another width.
  package mutating func add(_ features: FeatureMatrix) {
    precondition(features.coefficients == mean.count, "statistics are of one width")
    let width = mean.count
    features.values.withUnsafeBufferPointer { values in
      for frame in 0..<features.frames {
        count += 1
        let weight = 1 / Double(count)
        for i in 0..<width {
          let delta = Double(values[frame * width + i]) - mean[i]
          mean[i] += delta * weight
          squares[i] += delta * (Double(values[frame * width + i]) - mean[i])
        }
      }
    }
  }

  package var normalizer: FeatureNormalizer {
    let scale = squares.map { square -> Float in
      let deviation = Double.sqrt(square / Double(max(1, count)))
      return deviation > 1e-8 ? Float(1 / deviation) : 1
    }
    return FeatureNormalizer(mean: mean.map { Float($0) }, scale: scale)
  }
}
