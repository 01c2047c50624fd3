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
public struct ClassifierStream {
  private var members: [MemberStream]

  /// Frames so far.
  public var frames: Int { members[0].frames }

  /// Throws `ModelError.stream` for a model that needs the end of a sound before its beginning: a bidirectional one, or
  /// one whose features are normalised over each sound.
  public init(_ model: ClassifierEnsemble) throws(ModelError) {
    members = []
    for member in model.members { members.append(try MemberStream(member)) }
  }

  /// The same for a single network.
  public init(_ classifier: SequenceClassifier) throws(ModelError) { try self.init(ClassifierEnsemble(classifier)) }

  /// Takes the next frames; none is allowed. Throws `ModelError` for features of another width or not finite, and then
  /// takes none of them.
  public mutating func append(_ features: FeatureMatrix) throws(ModelError) {
    for index in members.indices { try members[index].append(features) }
  }

  /// Probabilities of the labels, were the sound to end here. Throws `ModelError.noFrames` before the first frame and
  /// `ModelError.overflow` when features were so large that the network overflowed.
  public func probabilities() throws(ModelError) -> [Float] {
    var answers: [[Float]] = []
    for member in members { answers.append(try member.probabilities()) }
    return ClassifierEnsemble.mean(of: answers)
  }
}
