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
}

/// The features of one sound and the class it belongs to.
public struct LabeledFeatures: Sendable {
  public var features: FeatureMatrix
  public var target: ClassTarget

  public init(features: FeatureMatrix, target: ClassTarget) {
    self.features = features
    self.target = target
  }

  public init(features: FeatureMatrix, label: Int) {
    self.init(features: features, target: ClassTarget(label))
  }

  /// Index of its class.
  public var label: Int { target.label }
}

/// What a network should say of an example: one class, or two where two examples were mixed (Zhang et al., "mixup: beyond
/// empirical risk minimization", ICLR 2018).
public struct ClassTarget: Hashable, Sendable {
  public var label: Int
  /// The class that was mixed in, and its share in [0, 1]; the rest is `label`'s.
  public var partner: Int
  public var partnerShare: Double

  public init(_ label: Int, partner: Int? = nil, partnerShare: Double = 0) {
    self.label = label
    self.partner = partner ?? label
    self.partnerShare = partnerShare
  }
}

extension Array: TrainingSource where Element == LabeledFeatures {
  public var labels: [Int] { map(\.label) }
  public var lengths: [Int] { map(\.features.frames) }
  public func example(_ index: Int, epoch: Int) -> LabeledFeatures { self[index] }
}
