import AudioFeatures

/// One long sequence as it comes, in as little memory as a model's networks allow.
///
///     var sequence = LongSequence(model, frames: 1_000_000)
///     try sequence.append(features)              // any number of frames, again and again
///     try sequence.answers()                     // of each member, once
///
/// A network that can stream keeps nothing of the frames. Of another one, the layers that can run on do, and what enters the
/// first that cannot is kept: of a `crnn` a quarter as many frames as came, and none of what its convolutions made of them.
package struct LongSequence {
  private struct Part {
    let classifier: SequenceClassifier
    var stream: MemberStream?
    var running: RunningNetwork
    var rows: Rows
  }

  /// Rows in the memory that kernels read.
  private final class Rows {
    private(set) var buffer: Buffer<Float>
    private(set) var count = 0
    private let width: Int

    init(width: Int, capacity: Int) {
      self.width = width
      buffer = Buffer(uninitialized: capacity * width)
    }

    func append(_ rows: FeatureMatrix) {
      let count = (count + rows.frames) * width
      if count > buffer.count {
        let larger = Buffer<Float>(uninitialized: max(count, 2 * buffer.count))
        larger.base.update(from: buffer.base, count: self.count * width)
        buffer = larger
      }
      let end = buffer.base + self.count * width
      rows.values.withUnsafeBufferPointer { values in
        if let start = values.baseAddress { end.update(from: start, count: values.count) }
      }
      self.count += rows.frames
    }
  }

  private var parts: [Part] = []
  private let width: Int

  /// - Parameter frames: about as many as will come.
  package init(_ model: ClassifierEnsemble, frames: Int) {
    width = model.input.width
    for member in model.members {
      let stream = try? MemberStream(member)
      let running = RunningNetwork(member, layers: member.configuration.runningLayers)
      parts.append(
        Part(
          classifier: member, stream: stream, running: running,
          rows: Rows(width: running.width, capacity: stream == nil ? max(0, frames) / running.stride + 64 : 0)))
    }
  }

  /// Takes the next frames. Throws `ModelError` for features of another width or not finite.
  package mutating func append(_ features: FeatureMatrix) throws(ModelError) {
    for index in parts.indices {
      if parts[index].stream == nil {
        parts[index].rows.append(try parts[index].running.append(features, isLast: false))
      } else {
        try parts[index].stream?.append(features)
      }
    }
  }

  /// Each member's probabilities of all frames. Throws `ModelError.noFrames` and `ModelError.overflow`.
  package mutating func answers() throws(ModelError) -> [[Float]] {
    var answers: [[Float]] = []
    for index in parts.indices {
      let part = parts[index]
      if let stream = part.stream {
        answers.append(try stream.probabilities())
      } else {
        let none = FeatureMatrix(coefficients: width, values: [])
        part.rows.append(try parts[index].running.append(none, isLast: true))
        answers.append(try part.classifier.probabilities(ofRows: part.rows.count, in: part.rows.buffer))
      }
    }
    return answers
  }
}
