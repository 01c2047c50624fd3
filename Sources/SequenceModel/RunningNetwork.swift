import AudioFeatures

/// The layers of a network that can run on over a sequence without an end, so that windows of it share their work: each
/// frame goes through them once, and the layers from the first one on that must know the end, the pooling at the latest,
/// hear windows of what they give (as kws_streaming does: Rybakov et al., "Streaming keyword spotting on mobile devices",
/// Interspeech 2020).
///
///     var running = RunningNetwork(classifier, layers: classifier.configuration.runningLayers)
///     let rows = try running.append(features, isLast: false)      // of any number of frames
///
/// A window's answer is that of the window alone, but for what its first and last frames see beyond its ends and what
/// recurrent layers remember of the time before it.
package struct RunningNetwork {
  /// Frames of the sequence that a row stands for.
  package let stride: Int
  /// Elements in a row.
  package let width: Int

  private let classifier: SequenceClassifier
  private var layers: LayerPasses<Float>.Stream
  private let input = Buffer<Float>()

  /// - Parameter layers: how many run, from the first on; no more than `NetworkConfiguration.runningLayers`.
  package init(_ classifier: SequenceClassifier, layers count: Int) {
    self.classifier = classifier
    let shape = classifier.configuration.shapes[count]
    (stride, width) = (shape.frameStride, shape.axis.paddedCount)
    layers = classifier.weights.body.split(at: count).before.stream()
  }

  /// The rows (`rows x width`, for `ClassifierScratch` to go on with) that the next frames complete, all that remain if
  /// `isLast`. Throws `ModelError` for features of another width or not finite.
  package mutating func append(_ features: FeatureMatrix, isLast: Bool) throws(ModelError) -> FeatureMatrix {
    if features.frames > 0 { try classifier.check(features) }
    let y = layers.append(classifier.frames(features, in: input), isLast: isLast)
    return FeatureMatrix(
      coefficients: width, values: Array(UnsafeBufferPointer(start: y.base, count: y.rows * y.width)))
  }
}

extension NetworkConfiguration {
  /// How many layers can run on over a sequence without an end: those before the first that cannot, and before the pooling.
  package var runningLayers: Int {
    layers[..<poolingIndex].firstIndex { $0.definition.waitsForEnd != nil } ?? poolingIndex
  }

  /// How many of them come before the first that remembers more than the frames its filters reach.
  package var memorylessLayers: Int {
    layers[..<runningLayers].firstIndex { !$0.definition.states.isEmpty } ?? runningLayers
  }

  /// Whether all that pooling leaves is the final state, which needs no window.
  package var keepsLast: Bool { layers[poolingIndex] == .pooling(.last) }
}
