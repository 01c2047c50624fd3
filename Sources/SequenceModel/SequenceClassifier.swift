import AudioFeatures
import AuricleBase

/// A trained network with all it needs to be used rightly: the features it was trained on, its labels, the
/// normalisation, and the record of its training. A value that any number of threads share.
///
///     let classifier = try SequenceClassifier(contentsOf: "digits.safetensors")
///     let probabilities = try classifier.probabilities(of: [features])[0]     // one per label, sum 1
public struct SequenceClassifier: Sendable {
  public let configuration: ModelConfiguration
  public let features: FeatureConfiguration
  /// Names of the classes, in the order of the probabilities.
  public let labels: [String]
  /// For features normalised globally.
  public let normalizer: FeatureNormalizer?
  /// All that was learned, as `ParameterLayout` places it.
  public let parameters: [Float]
  public let record: TrainingRecord?

  private let weights: NetworkWeights<Float>

  /// Throws `ModelError.configuration` when the parts do not fit each other.
  public init(
    configuration: ModelConfiguration, features: FeatureConfiguration, labels: [String],
    normalizer: FeatureNormalizer? = nil, parameters: [Float], record: TrainingRecord? = nil
  ) throws(ModelError) {
    let layout = ParameterLayout(configuration)
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(ModelError) {
      if !condition { throw .configuration(reason()) }
    }
    try require(
      labels.count == configuration.classCount && Set(labels).count == labels.count,
      "\(labels.count) labels for \(configuration.classCount) classes; there must be one for each, all different")
    do { try features.validate() } catch { throw .configuration(error.description) }
    try require(
      features.coefficientCount == configuration.inputSize,
      "features of \(features.coefficientCount) coefficients for a network that takes \(configuration.inputSize)")
    try require(
      (normalizer != nil) == (features.normalization == .global)
        && normalizer.map { $0.mean.count == configuration.inputSize } ?? true,
      "the normalisation does not fit the features")
    try require(
      parameters.count == layout.count, "\(parameters.count) parameters; this network has \(layout.count)")
    try require(parameters.allSatisfy(\.isFinite), "a parameter that is not a finite number")
    self.configuration = configuration
    self.features = features
    self.labels = labels
    self.normalizer = normalizer
    self.parameters = parameters
    self.record = record
    weights = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: false)
  }

  /// Probabilities of the labels (softmax of the logits), one array per sequence.
  ///
  /// A sequence's result does not depend on the others: sequences of any lengths may go together. Throws
  /// `ModelError.inputSize` for features of another width.
  public func probabilities(of sequences: [FeatureMatrix]) throws(ModelError) -> [[Float]] {
    if let odd = sequences.first(where: { $0.coefficients != configuration.inputSize }) {
      throw .inputSize(found: odd.coefficients, wanted: configuration.inputSize)
    }
    let logits = NetworkTape<Float>(configuration).forward(weights, sequences, normalizer, training: false)
    let classes = configuration.classCount
    return sequences.indices.map { softmax(logits[$0 * classes..<($0 + 1) * classes]) }
  }
}

/// exp(x) / sum of exp(x), in double precision.
public func softmax(_ logits: ArraySlice<Float>) -> [Float] {
  let largest = Double(logits.max() ?? 0)
  let exponentials = logits.map { exponential(Double($0) - largest) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { Float($0 / sum) }
}

extension NetworkTape where Scalar == Float {
  func forward(
    _ weights: NetworkWeights<Float>, _ sequences: [FeatureMatrix], _ normalizer: FeatureNormalizer?, training: Bool,
    dropoutSeed: UInt64? = nil
  ) -> [Float] {
    let width = weights.configuration.inputSize
    return forward(weights, lengths: sequences.map(\.frames), training: training, dropoutSeed: dropoutSeed) {
      sequence, frame, row in
      sequences[sequence].values.withUnsafeBufferPointer { values in
        let offset = frame * width
        if let normalizer {
          for i in 0..<width { row[i] = (values[offset + i] - normalizer.mean[i]) * normalizer.scale[i] }
        } else {
          for i in 0..<width { row[i] = values[offset + i] }
        }
      }
    }
  }
}
