/// One convolution fed frame by frame: it keeps the last frames until all that they take part in is computed.
///
/// An output frame is made as soon as the last frame that it sees has come; at the end of the sequence what is left is
/// made with zeros for what never came, as in one piece.
struct ConvolutionStream {
  private let layer: ConvolutionLayer<Float>
  /// Frames that are still needed, padded rows; `first` is the place of the first in the sequence.
  private var frames: [Float] = []
  private var first = 0
  private var received = 0
  private var produced = 0

  init(_ layer: ConvolutionLayer<Float>) {
    self.layer = layer
  }

  /// Takes `count` frames (padded rows), all that remain if `isLast`; writes the frames they complete to `y` and returns
  /// how many.
  mutating func append(
    _ x: Buffer<Float>, count: Int, isLast: Bool, to y: Buffer<Float>, scratch: ConvolutionLayer<Float>.Scratch
  ) -> Int {
    let geometry = layer.geometry
    let width = geometry.input.axis.paddedCount
    frames.append(contentsOf: UnsafeBufferPointer(start: x.base, count: count * width))
    received += count

    let behind = geometry.frames - 1 - geometry.framePadding
    let complete =
      isLast
      ? (received + geometry.frameStride - 1) / geometry.frameStride
      : received > behind ? (received - behind - 1) / geometry.frameStride + 1 : 0
    let ready = complete - produced
    if ready > 0 {
      y.reserve(ready * geometry.outputAxis.paddedCount)
      let lead = geometry.framePadding + first - produced * geometry.frameStride
      frames.withUnsafeBufferPointer { frames in
        guard let frames = frames.baseAddress else { return }
        layer.forward(
          BatchShape(lengths: [received - first]), frames, BatchShape(lengths: [ready]), y.base, lead: lead,
          scratch: scratch)
      }
      produced = complete
    }
    let needed = produced * geometry.frameStride - geometry.framePadding
    let dropped = max(0, min(needed, received) - first)
    frames.removeFirst(dropped * width)
    first += dropped
    return ready
  }
}
