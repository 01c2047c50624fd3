import AudioFeatures

/// A classifier that hears a sound as it comes: feed feature frames, read probabilities at any time.
///
///     var stream = try ClassifierStream(classifier)
///     try stream.append(features)                // any number of frames, again and again
///     try stream.probabilities()                 // of all frames so far
///
/// After any number of frames, cut in any way, the probabilities are those of `ClassifierEnsemble.probabilities(of:)`
/// for the same frames in one piece: bit for bit with last, mean and max pooling, within 1e-6 with attention. Memory
/// does not grow with the length of the stream. A copy is a stream of its own that goes on from the same place.
///
/// A model that hears windows may be of any kind; it is asked for each window as soon as its last frame is there, and
/// its answers are those of one piece within 1e-6.
public struct ClassifierStream {
  private var members: [MemberStream] = []
  private var windows: WindowStream?

  /// Frames so far.
  public var frames: Int { windows?.frames ?? members[0].frames }

  /// Throws `ModelError.stream` for a model that needs the end of a sound before its beginning: a bidirectional one, or
  /// one whose features are normalised over each sound.
  public init(_ model: ClassifierEnsemble) throws(ModelError) {
    if let window = model.window {
      if let reason = model.input.waitsForEnd { throw .stream(reason) }
      windows = WindowStream(model, window: window)
      return
    }
    for member in model.members { members.append(try MemberStream(member)) }
  }

  /// The same for a single network.
  public init(_ classifier: SequenceClassifier) throws(ModelError) { try self.init(ClassifierEnsemble(classifier)) }

  /// Takes the next frames; none is allowed. Throws `ModelError` for features of another width or not finite, and then
  /// takes none of them.
  public mutating func append(_ features: FeatureMatrix) throws(ModelError) {
    if windows != nil {
      try windows?.append(features)
      return
    }
    for index in members.indices { try members[index].append(features) }
  }

  /// Probabilities of the labels, were the sound to end here. Throws `ModelError.noFrames` before the first frame and
  /// `ModelError.overflow` when features were so large that the network overflowed.
  public func probabilities() throws(ModelError) -> [Float] {
    if let windows { return try windows.probabilities() }
    var answers: [[Float]] = []
    for member in members { answers.append(try member.probabilities()) }
    return ClassifierEnsemble.mean(of: answers)
  }
}

/// The frames that the windows to come still need, and the sum of the answers to those that went by.
private struct WindowStream {
  private let model: ClassifierEnsemble
  private let window: Int
  private(set) var frames = 0
  private var kept: [Float] = []
  /// Of all frames, the first of the next window.
  private var next = 0
  private var sums: [Double]
  private var count = 0

  init(_ model: ClassifierEnsemble, window: Int) {
    (self.model, self.window) = (model, window)
    sums = [Double](repeating: 0, count: model.labels.count)
  }

  private var keptFrames: Int { kept.count / model.input.width }

  mutating func append(_ features: FeatureMatrix) throws(ModelError) {
    guard features.frames > 0 else { return }
    try model.members[0].check(features)
    kept += features.values
    frames += features.frames
    let width = model.input.width
    while frames - next >= window {
      let start = next - (frames - keptFrames)
      add(try answers(kept[start * width..<(start + window) * width]))
      next += max(1, window / 2)
      // The last window may begin before the next one.
      let surplus = keptFrames - max(window, frames - next)
      if surplus > 0 { kept.removeFirst(surplus * width) }
    }
  }

  func probabilities() throws(ModelError) -> [Float] {
    guard frames > 0 else { throw .noFrames }
    guard frames > window else {
      return ClassifierEnsemble.mean(of: try answers(kept[...]))
    }
    var rest = self
    // Unless the last window that went by ended with the sound.
    if next - max(1, window / 2) + window < frames {
      rest.add(try answers(kept.suffix(window * model.input.width)))
    }
    return rest.sums.map { Float($0 / Double(rest.count)) }
  }

  private func answers(_ values: ArraySlice<Float>) throws(ModelError) -> [[Float]] {
    var answers: [[Float]] = []
    let features = FeatureMatrix(coefficients: model.input.width, values: Array(values))
    for member in model.members { answers += try member.probabilities(of: [features]) }
    return answers
  }

  private mutating func add(_ answers: [[Float]]) {
    for answer in answers {
      for i in sums.indices { sums[i] += Double(answer[i]) }
      count += 1
    }
  }
}
