import AudioFeatures
import CKernels

/// One network on a stream; see `ClassifierStream`. A copy is a stream of its own that goes on from the same place.
struct MemberStream {
  let classifier: SequenceClassifier
  /// Frames so far.
  private(set) var frames = 0

  private var convolutions: [ConvolutionStream]
  private var state: RecurrentState<Float>
  private var pool: RunningPool
  private let workspace: Workspace

  /// Buffers for what is computed anew each time; they hold nothing between calls, so copies of a stream share them.
  private final class Workspace {
    let input = Buffer<Float>(), logits = Buffer<Float>()
    let convolved: [Buffer<Float>]
    let convolution = ConvolutionLayer<Float>.Scratch()
    let front: FrontTape<Float>
    let stack: RecurrentStackTape<Float>

    init(_ configuration: ModelConfiguration) {
      front = FrontTape(configuration)
      stack = RecurrentStackTape(configuration)
      convolved = configuration.convolutions.map { _ in Buffer() }
    }
  }

  /// Throws `ModelError.stream` for a model that needs the end of a sound before its beginning: a bidirectional one, or
  /// one whose features are normalised over each sound.
  init(_ classifier: SequenceClassifier) throws(ModelError) {
    let configuration = classifier.configuration
    guard !configuration.bidirectional else {
      throw .stream("it is bidirectional, so the last frame comes first; train a unidirectional one")
    }
    guard classifier.features.normalization == .none || classifier.features.normalization == .global else {
      throw .stream("its features are normalised over each whole sound; train with global or no normalisation")
    }
    self.classifier = classifier
    convolutions = classifier.weights.front.convolutions.map { ConvolutionStream($0) }
    state = RecurrentState(configuration, sequences: 1)
    pool = RunningPool(configuration)
    workspace = Workspace(configuration)
  }

  /// Takes the next frames; none is allowed. Throws `ModelError` for features of another width or not finite, and then
  /// takes none of them.
  mutating func append(_ features: FeatureMatrix) throws(ModelError) {
    guard features.frames > 0 else { return }
    try classifier.check(features)
    let axis = classifier.configuration.featureAxis
    workspace.input.reserve(features.frames * axis.paddedCount)
    for frame in 0..<features.frames {
      let row = workspace.input.base + frame * axis.paddedCount
      features.copyFrame(frame, classifier.normalizer, to: row)
      (row + axis.count).update(repeating: 0, count: axis.paddedCount - axis.count)
    }
    frames += features.frames
    advance(features.frames, isLast: false)
  }

  /// Probabilities of the labels, were the sound to end here. Throws `ModelError.noFrames` before the first frame and
  /// `ModelError.overflow` when features were so large that the network overflowed.
  func probabilities() throws(ModelError) -> [Float] {
    guard frames > 0 else { throw .noFrames }
    var ended = self
    // Convolutions still hold frames that wait for later ones.
    if !convolutions.isEmpty { ended.advance(0, isLast: true) }
    let (weights, classes) = (classifier.weights, classifier.configuration.classAxis)
    workspace.logits.reserve(classes.paddedCount)
    let pooled = ended.pool.result
    Float.kernels.pointee.gemm(
      1, classes.paddedCount, pooled.count, pooled, pooled.count, weights.dense.base, weights.denseBias.base, false,
      workspace.logits.base, classes.paddedCount)
    let logits = UnsafeBufferPointer(start: workspace.logits.base, count: classes.count)
    return try classifier.probabilities(ofLogits: Array(logits)[...])
  }

  /// Takes `count` frames from the workspace's input through the network.
  private mutating func advance(_ count: Int, isLast: Bool) {
    let weights = classifier.weights
    var (x, count) = (workspace.front.normalize(weights.front, rows: count, workspace.input, statistics: nil), count)
    for index in convolutions.indices {
      let y = workspace.convolved[index]
      count = convolutions[index].append(x, count: count, isLast: isLast, to: y, scratch: workspace.convolution)
      x = y
    }
    guard count > 0 else { return }
    let shape = BatchShape(lengths: [count])
    let y = workspace.stack.forward(
      weights.layers, shape, x: x, training: false, dropoutSeed: nil, initial: state)
    state = workspace.stack.finalState(shape)
    pool.append(y.base, count: count, query: weights.query?.base)
  }
}
