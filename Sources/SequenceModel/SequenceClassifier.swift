import AudioFeatures
import AuricleBase

/// A trained network with all it needs to be used rightly: the features it was trained on, its labels, the
/// normalisation, and the record of its training. A value that any number of threads share.
///
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

  let weights: NetworkWeights<Float>

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
    try require(
      layout["input_normalization.moving_variance"].map { parameters[$0.range].allSatisfy { $0 >= 0 } } ?? true,
      "a negative variance")
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
  /// A sequence's result does not depend on the others, bit for bit: sequences of any lengths may go together. Throws
  /// `ModelError` for features of another width, without a frame, not finite, or so large that the network overflows.
  public func probabilities(of sequences: [FeatureMatrix]) throws(ModelError) -> [[Float]] {
    for sequence in sequences { try check(sequence) }
    let logits = NetworkTape<Float>(configuration).forward(weights, sequences, normalizer)
    let classes = configuration.classCount
    var results: [[Float]] = []
    for sequence in sequences.indices {
      results.append(try probabilities(ofLogits: logits[sequence * classes..<(sequence + 1) * classes]))
    }
    return results
  }

  /// Outputs of the last recurrent layer, `outputFrames x outputSize` for each sequence, and the state behind its last
  /// frame; from `state`, if given.
  ///
  /// To go on with the next frames of the same sequences, pass the state that was returned. (To go on with their
  /// probabilities, see `ClassifierStream`.) Throws as `probabilities(of:)` does, and `ModelError.state`.
  public func outputs(
    of sequences: [FeatureMatrix], from state: RecurrentState<Float>? = nil
  ) throws(ModelError) -> (outputs: [FeatureMatrix], state: RecurrentState<Float>) {
    for sequence in sequences { try check(sequence) }
    if let state, !state.fits(configuration, sequences: sequences.count) { throw .state }
    let (outputs, final) = NetworkTape<Float>(configuration).outputs(
      weights, sequences, normalizer, NetworkTape.Options(initialState: state))
    return (outputs.map { FeatureMatrix(coefficients: configuration.outputSize, values: $0) }, final)
  }

  func check(_ sequence: FeatureMatrix) throws(ModelError) {
    guard sequence.coefficients == configuration.inputSize else {
      throw .inputSize(found: sequence.coefficients, wanted: configuration.inputSize)
    }
    guard sequence.frames > 0 else { throw .noFrames }
    if let odd = sequence.values.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(frame: odd / sequence.coefficients, coefficient: odd % sequence.coefficients)
    }
  }

  func probabilities(ofLogits logits: ArraySlice<Float>) throws(ModelError) -> [Float] {
    guard logits.allSatisfy(\.isFinite) else { throw .overflow }
    return softmax(logits)
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
    _ weights: NetworkWeights<Float>, _ sequences: [FeatureMatrix], _ normalizer: FeatureNormalizer?,
    _ options: Options = Options()
  ) -> [Float] {
    forward(weights, lengths: sequences.map(\.frames), options) { sequence, frame, row in
      sequences[sequence].copyFrame(frame, normalizer, to: row)
    }
  }

  func outputs(
    _ weights: NetworkWeights<Float>, _ sequences: [FeatureMatrix], _ normalizer: FeatureNormalizer?,
    _ options: Options = Options()
  ) -> (outputs: [[Float]], state: RecurrentState<Float>) {
    outputs(weights, lengths: sequences.map(\.frames), options) { sequence, frame, row in
      sequences[sequence].copyFrame(frame, normalizer, to: row)
    }
  }
}

extension FeatureMatrix {
  /// One frame, normalised, for `row`, which has room for it.
  func copyFrame(_ frame: Int, _ normalizer: FeatureNormalizer?, to row: UnsafeMutablePointer<Float>) {
    values.withUnsafeBufferPointer { values in
      let offset = frame * coefficients
      if let normalizer {
        for i in 0..<coefficients { row[i] = (values[offset + i] - normalizer.mean[i]) * normalizer.scale[i] }
      } else {
        for i in 0..<coefficients { row[i] = values[offset + i] }
      }
    }
  }
}
