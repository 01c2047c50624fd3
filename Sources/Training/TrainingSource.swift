import AudioFeatures

/// Where a trainer gets its examples: in memory, from a cache on disk, or computed and changed afresh in every epoch.
///
/// An array of `LabeledFeatures` is one: the same features in every epoch.
public protocol TrainingSource: Sendable {
  /// The class of each example, before any mixing.
  var labels: [Int] { get }
  /// Frames of each example, or about so many: examples of like length share a batch.
  var lengths: [Int] { get }
  /// Example `index` as epoch `epoch`, counted from 1, sees it; validation asks for epoch 0.
  ///
  /// Must depend on nothing but its arguments, and is called from several threads at once, so that the result of
  /// training does not depend on the number of jobs. An error ends the training.
  func example(_ index: Int, epoch: Int) throws -> LabeledFeatures
  /// Of several processes that train together, the one that has example `index` at hand; nil where all have.
  func holder(of index: Int) -> Int?
}

extension TrainingSource {
  public func holder(of index: Int) -> Int? { nil }
}

/// The features of one sequence and what a network should say of it.
public struct LabeledFeatures: Sendable {
  public var features: FeatureMatrix
  public var target: Target

  public init(features: FeatureMatrix, target: Target) {
    self.features = features
    self.target = target
  }

  /// With one class of `classCount`. Throws `TrainingError.configuration` for a class that is not among them.
  public init(features: FeatureMatrix, label: Int, of classCount: Int) throws(TrainingError) {
    self.init(features: features, target: try Target(label, of: classCount))
  }

  /// Index of its first class.
  public var label: Int { target.label }
}

extension Array: TrainingSource where Element == LabeledFeatures {
  public var labels: [Int] { map(\.label) }
  public var lengths: [Int] { map(\.features.frames) }
  public func example(_ index: Int, epoch: Int) -> LabeledFeatures { self[index] }
}
