import AudioFeatures

/// One network on a stream; see `ClassifierStream`. A copy is a stream of its own that goes on from the same place.
struct MemberStream {
  let classifier: SequenceClassifier
  /// Frames so far.
  private(set) var frames = 0

  private var body: LayerPasses<Float>.Stream
  private var head: LayerPasses<Float>.Stream
  /// Holds nothing between calls, so that copies share it.
  private let input = Buffer<Float>()

  /// Throws `ModelError.stream` for a model that needs the end of a sound before its beginning: a bidirectional one, or
  /// one whose features are normalised over each sound.
  init(_ classifier: SequenceClassifier) throws(ModelError) {
    if let reason = classifier.configuration.waitsForEnd { throw .stream(reason) }
    if let reason = classifier.input.waitsForEnd { throw .stream(reason) }
    self.classifier = classifier
    body = classifier.weights.body.stream()
    head = classifier.weights.head.stream()
  }

  /// Takes the next frames; none is allowed. Throws `ModelError` for features of another width or not finite, and then
  /// takes none of them.
  mutating func append(_ features: FeatureMatrix) throws(ModelError) {
    guard features.frames > 0 else { return }
    try classifier.check(features)
    frames += features.frames
    _ = head.append(body.append(classifier.frames(features, in: input), isLast: false), isLast: false)
  }

  /// Probabilities of the labels, were the sound to end here. Throws `ModelError.noFrames` before the first frame and
  /// `ModelError.overflow` when features were so large that the network overflowed.
  func probabilities() throws(ModelError) -> [Float] {
    guard frames > 0 else { throw .noFrames }
    // Some layers still hold frames that wait for later ones.
    var (body, head) = (body, head)
    let none = FeatureMatrix(coefficients: classifier.configuration.input, values: [])
    let logits = head.append(body.append(classifier.frames(none, in: input), isLast: true), isLast: true)
    return try classifier.probabilities(
      ofLogits: Array(UnsafeBufferPointer(start: logits.base, count: logits.axis.count))[...])
  }
}

extension SequenceClassifier {
  /// The next frames of one sequence as its first layer takes them, in `buffer`.
  func frames(_ features: FeatureMatrix, in buffer: Buffer<Float>) -> Frames<Float> {
    let x = Frames(BatchShape(lengths: [features.frames]), Axis(configuration.input), buffer)
    x.buffer.clear(x.rows * x.width)
    for frame in 0..<features.frames { features.copyFrame(frame, normalizer, to: x.base + frame * x.width) }
    return x
  }
}
