import AudioFeatures
import AuricleBase
import RealModule

/// A trained network with all it needs to be used rightly: the input it was trained on, its labels, the normalisation, and
/// the record of its training. A value that any number of threads share.
///
///     let probabilities = try classifier.probabilities(of: [features])[0]     // one per label, sum 1
public struct SequenceClassifier: Sendable {
  public let configuration: NetworkConfiguration
  public let input: ModelInput
  public let output: ModelOutput
  /// Names of the classes, in the order of the probabilities.
  public let labels: [String]
  /// For input that is normalised globally: (x - mean) * scale.
  public let normalizer: FeatureNormalizer?
  /// All that was learned, as `ParameterLayout` places it.
  public let parameters: [Float]
  /// How the weights of matrices are held; with `int8` they are whole numbers times a scale.
  public let precision: WeightPrecision
  /// How it was trained; nil where that is not known.
  public package(set) var record: TrainingRecord? {
    get { storedRecord?.value }
    set { storedRecord = newValue.map { .decoded($0) } }
  }

  private var storedRecord: StoredRecord?
  let weights: NetworkWeights<Float>

  /// The features of sound that it takes. Throws `ModelError.notForSound` where it takes other sequences.
  public var features: FeatureConfiguration {
    get throws(ModelError) {
      guard case .audio(let features) = input else { throw .notForSound }
      return features
    }
  }

  /// Throws `ModelError.configuration` when the parts do not fit each other.
  public init(
    configuration: NetworkConfiguration, input: ModelInput, output: ModelOutput = .softmax, labels: [String],
    normalizer: FeatureNormalizer? = nil, parameters: [Float], precision: WeightPrecision = .float32,
    record: TrainingRecord? = nil
  ) throws(ModelError) {
    try self.init(
      configuration: configuration, input: input, output: output, labels: labels, normalizer: normalizer,
      parameters: parameters, precision: precision, stored: record.map { .decoded($0) })
  }

  init(
    configuration: NetworkConfiguration, input: ModelInput, output: ModelOutput, labels: [String],
    normalizer: FeatureNormalizer?, parameters: [Float], precision: WeightPrecision, stored: StoredRecord?
  ) throws(ModelError) {
    let layout = ParameterLayout(configuration)
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(ModelError) {
      if !condition { throw .configuration(reason()) }
    }
    try require(
      labels.count == configuration.classCount && Set(labels).count == labels.count,
      "\(labels.count) labels for \(configuration.classCount) classes; there must be one for each, all different")
    if case .audio(let features) = input {
      do { try features.validate() } catch { throw .configuration(error.description) }
      try require(
        (normalizer != nil) == (features.normalization == .global), "the normalisation does not fit the features")
    }
    try require(
      input.width == configuration.input,
      "features of \(input.width) coefficients for a network that takes \(configuration.input)")
    try require(
      normalizer.map { $0.mean.count == input.width && $0.scale.count == input.width } ?? true,
      "the normalisation does not fit the features")
    try require(
      parameters.count == layout.count, "\(parameters.count) parameters; this network has \(layout.count)")
    try require(parameters.allSatisfy(\.isFinite), "a parameter that is not a finite number")
    try require(
      layout.tensors.allSatisfy {
        $0.initializer != .ones || $0.isTrainable || parameters[$0.range].allSatisfy { $0 >= 0 }
      },
      "a negative variance")
    self.configuration = configuration
    self.input = input
    self.output = output
    self.labels = labels
    self.normalizer = normalizer
    self.parameters = precision == .int8 ? layout.onGrid(parameters) : parameters
    self.precision = precision
    storedRecord = stored
    weights = NetworkWeights(
      configuration, layout: layout, parameters: self.parameters, forTraining: false, precision: precision)
  }

  /// The same for sound.
  public init(
    configuration: NetworkConfiguration, features: FeatureConfiguration, labels: [String],
    normalizer: FeatureNormalizer? = nil, parameters: [Float], record: TrainingRecord? = nil
  ) throws(ModelError) {
    try self.init(
      configuration: configuration, input: .audio(features), labels: labels, normalizer: normalizer,
      parameters: parameters, record: record)
  }

  /// The same with its logits divided by `temperature`, which goes into the weights of the last layer, so that whatever
  /// runs the network knows of it. Throws `ModelError.configuration` for one that is not positive.
  public func cooled(by temperature: Double) throws(ModelError) -> SequenceClassifier {
    guard temperature > 0, temperature.isFinite else {
      throw .configuration("a temperature of \(temperature); it must be positive")
    }
    let layout = ParameterLayout(configuration)
    var parameters = parameters
    for tensor in layout.tensors where tensor.layer == configuration.layers.count - 1 {
      for i in tensor.range { parameters[i] = Float(Double(parameters[i]) / temperature) }
    }
    var record = record
    record?.temperature = temperature
    return try SequenceClassifier(
      configuration: configuration, input: input, output: output, labels: labels, normalizer: normalizer,
      parameters: parameters, precision: precision, record: record)
  }

  /// Probabilities of the labels, one array per sequence; see `ModelOutput`.
  ///
  /// A sequence's result does not depend on the others, bit for bit: sequences of any lengths may go together. Throws
  /// `ModelError` for features of another width, without a frame, not finite, or so large that the network overflows.
  public func probabilities(of sequences: [FeatureMatrix]) throws(ModelError) -> [[Float]] {
    try probabilities(of: sequences, on: NetworkTape<Float>(configuration))
  }

  func probabilities(
    of sequences: [FeatureMatrix], on tape: NetworkTape<Float>
  ) throws(ModelError) -> [[Float]] {
    for sequence in sequences { try check(sequence) }
    return try probabilities(ofLogits: tape.forward(weights, sequences, normalizer))
  }

  /// The same of rows of a `RunningNetwork`, on a tape that begins after its layers.
  func probabilities(
    ofRows sequences: [FeatureMatrix], on tape: NetworkTape<Float>
  ) throws(ModelError) -> [[Float]] {
    if sequences.contains(where: { $0.frames == 0 }) { throw .noFrames }
    return try probabilities(ofLogits: tape.forward(weights, sequences, nil))
  }

  /// The same of one sequence whose rows lie in `buffer`.
  func probabilities(ofRows count: Int, in buffer: Buffer<Float>) throws(ModelError) -> [Float] {
    guard count > 0 else { throw .noFrames }
    let first = configuration.runningLayers
    let rows = Frames(BatchShape(lengths: [count]), configuration.shapes[first].axis, buffer)
    return try probabilities(ofLogits: NetworkTape<Float>(configuration, from: first).forward(weights, rows)[...])
  }

  /// What enters the pooling, `outputFrames x outputs` for each sequence, and the state of the recurrent layers after its
  /// last frame; from `state`, if given.
  ///
  /// To go on with the next frames of the same sequences, pass the state that was returned. (To go on with their
  /// probabilities, see `ClassifierStream`.) Throws as `probabilities(of:)` does, and `ModelError.state`.
  public func outputs(
    of sequences: [FeatureMatrix], from state: RecurrentState<Float>? = nil
  ) throws(ModelError) -> (outputs: [FeatureMatrix], state: RecurrentState<Float>) {
    for sequence in sequences { try check(sequence) }
    if let state, !state.fits(configuration, sequences: sequences.count) { throw .state }
    let (outputs, final) = NetworkTape<Float>(configuration).outputs(
      weights, sequences, normalizer, PassOptions(initialState: state))
    let width = configuration.shapes[configuration.poolingIndex].count
    return (outputs.map { FeatureMatrix(coefficients: width, values: $0) }, final)
  }

  func check(_ sequence: FeatureMatrix) throws(ModelError) {
    guard sequence.coefficients == configuration.input else {
      throw .inputSize(found: sequence.coefficients, wanted: configuration.input)
    }
    guard sequence.frames > 0 else { throw .noFrames }
    if let odd = sequence.values.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(frame: odd / sequence.coefficients, coefficient: odd % sequence.coefficients)
    }
  }

  /// Of `sequences x classes` logits.
  private func probabilities(ofLogits logits: [Float]) throws(ModelError) -> [[Float]] {
    let classes = configuration.classCount
    var results: [[Float]] = []
    for first in stride(from: 0, to: logits.count, by: classes) {
      results.append(try probabilities(ofLogits: logits[first..<first + classes]))
    }
    return results
  }

  func probabilities(ofLogits logits: ArraySlice<Float>) throws(ModelError) -> [Float] {
    guard logits.allSatisfy(\.isFinite) else { throw .overflow }
    return output.probabilities(logits)
  }
}

/// exp(x) / sum of exp(x), in double precision.
public func softmax(_ logits: ArraySlice<Float>) -> [Float] {
  let largest = Double(logits.max() ?? 0)
  let exponentials = logits.map { Double.exp(Double($0) - largest) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { Float($0 / sum) }
}

extension NetworkTape where Scalar == Float {
  func forward(
    _ weights: NetworkWeights<Float>, _ sequences: [FeatureMatrix], _ normalizer: FeatureNormalizer?,
    _ options: PassOptions<Float> = PassOptions()
  ) -> [Float] {
    forward(weights, lengths: sequences.map(\.frames), options) { sequence, frame, row in
      sequences[sequence].copyFrame(frame, normalizer, to: row)
    }
  }

  func outputs(
    _ weights: NetworkWeights<Float>, _ sequences: [FeatureMatrix], _ normalizer: FeatureNormalizer?,
    _ options: PassOptions<Float> = PassOptions()
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
