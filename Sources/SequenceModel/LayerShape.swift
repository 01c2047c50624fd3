/// What passes from one layer to the next: frames of `bins x channels` each, or one such vector for the whole sequence.
///
/// Features are `coefficients x 1`. A layer that spans all bins leaves one, with all its outputs as channels.
public struct LayerShape: Hashable, Sendable {
  /// Places along the frequency axis, and values at each; channels change fastest.
  public let bins: Int
  public let channels: Int
  /// Whether the frequency axis is gone: a layer has spanned it.
  public let isFlat: Bool
  /// False once the frames have been pooled into one vector.
  public let hasFrames: Bool
  /// How many frames of the input one frame here stands for.
  public let frameStride: Int
  /// How a frame lies in memory.
  let axis: Axis

  /// The features: one channel.
  package init(input: Int) {
    (bins, channels, isFlat, hasFrames, frameStride, axis) = (input, 1, false, true, 1, Axis(input))
  }

  private init(bins: Int, channels: Int, isFlat: Bool, hasFrames: Bool, frameStride: Int, axis: Axis) {
    (self.bins, self.channels, self.isFlat, self.hasFrames) = (bins, channels, isFlat, hasFrames)
    (self.frameStride, self.axis) = (frameStride, axis)
  }

  /// Values in a frame.
  public var count: Int { axis.count }

  /// The same frames, or fewer, with other bins and channels.
  func withBins(_ bins: Int, channels: Int, stride: Int = 1) -> LayerShape {
    LayerShape(
      bins: bins, channels: channels, isFlat: isFlat, hasFrames: hasFrames, frameStride: frameStride * stride,
      axis: Axis(channels, segments: bins))
  }

  /// The same frames, or fewer, of `size` values in each of `segments` parts, without a frequency axis.
  func flat(_ size: Int, segments: Int = 1, stride: Int = 1) -> LayerShape {
    LayerShape(
      bins: 1, channels: size * segments, isFlat: true, hasFrames: hasFrames, frameStride: frameStride * stride,
      axis: Axis(size, segments: segments))
  }

  /// The same, with one frame for every `stride`.
  func withStride(_ stride: Int) -> LayerShape {
    LayerShape(
      bins: bins, channels: channels, isFlat: isFlat, hasFrames: hasFrames, frameStride: frameStride * stride,
      axis: axis)
  }

  /// One vector of as many values, `copies` times, for the whole sequence.
  func pooled(copies: Int = 1) -> LayerShape {
    let parts = copies == 1 ? axis : Axis(axis.size, segments: axis.segments * copies)
    return LayerShape(
      bins: 1, channels: parts.count, isFlat: true, hasFrames: false, frameStride: frameStride, axis: parts)
  }

  /// As a convolution or a pooling window sees a frame: places, values at each, and elements from place to place.
  var places: (count: Int, channels: Int, step: Int) {
    hasDenseBins ? (bins, 1, 1) : (axis.segments, axis.size, axis.paddedSize)
  }

  /// Features lie without padding between their bins.
  var hasDenseBins: Bool { !isFlat && channels == 1 && axis.segments == 1 }

  /// What a normalisation or a scale has a number for, and how often it repeats in a frame: channels where there are
  /// bins of several, else every value.
  var columns: (axis: Axis, repeats: Int) {
    isFlat || hasDenseBins ? (axis, 1) : (Axis(axis.size), axis.segments)
  }

  /// How many numbers a normalisation has; see `columns`.
  package var columnCount: Int { columns.axis.count }

  /// Whether the second half of a frame ends in the first frame, where pooling takes the last state.
  package var isBidirectional: Bool { isFlat && axis.segments == 2 }

  /// Throws `ModelError.configuration` where there are no frames left.
  func requireFrames(_ layer: String) throws(ModelError) {
    guard hasFrames else { throw .configuration("\(layer) after the frames were pooled; put it before the pooling") }
  }

  /// For a summary: "frames/2 x 20 x 32".
  var text: String {
    let frame = isFlat || channels == 1 && hasDenseBins ? "\(count)" : "\(bins) x \(channels)"
    return hasFrames ? "\(frameStride == 1 ? "frames" : "frames/\(frameStride)") x \(frame)" : frame
  }
}
