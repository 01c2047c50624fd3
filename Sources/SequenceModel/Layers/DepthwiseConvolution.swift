import CKernels

/// A convolution over time of each channel by itself (PyTorch's `Conv1d` with as many groups as channels; Keras's
/// `DepthwiseConv1D`): where there are bins of several channels, the same for all bins. With a 1-D convolution of one
/// frame after it, it is a depthwise-separable convolution.
///
/// Frames as in `Convolution`.
public struct DepthwiseConvolution: Hashable, Sendable {
  /// Frames a filter spans, from one output frame to the next, and from one of those it sees to the next.
  public var frames: Int
  public var frameStride: Int
  public var frameDilation: Int
  public var causal: Bool

  public init(frames: Int, frameStride: Int = 1, frameDilation: Int = 1, causal: Bool = false) {
    (self.frames, self.frameStride, self.frameDilation, self.causal) = (frames, frameStride, frameDilation, causal)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case frames, frameStride, frameDilation, causal }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a depthwise convolution")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      frames: try values.decode(Int.self, forKey: .frames),
      frameStride: try values.decodeIfPresent(Int.self, forKey: .frameStride) ?? 1,
      frameDilation: try values.decodeIfPresent(Int.self, forKey: .frameDilation) ?? 1,
      causal: try values.decodeIfPresent(Bool.self, forKey: .causal) ?? false)
  }
}

extension Layer {
  public static func depthwiseConvolution(
    frames: Int, frameStride: Int = 1, frameDilation: Int = 1, causal: Bool = false
  ) -> Layer {
    .depthwiseConvolution(
      DepthwiseConvolution(frames: frames, frameStride: frameStride, frameDilation: frameDilation, causal: causal))
  }
}

extension DepthwiseConvolution: LayerDefinition {
  static let type = "depthwise-convolution"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try input.requireFrames("a depthwise convolution")
    try NetworkConfiguration.check("frames of a convolution", frames, 1...1024)
    try NetworkConfiguration.check("frame stride of a convolution", frameStride, 1...1024)
    try NetworkConfiguration.check("frame dilation of a convolution", frameDilation, 1...1024)
    return input.withStride(frameStride)
  }

  /// `kernel` is `frames x channels`.
  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    let channels = input.columns.axis.count
    return [
      TensorSpecification(role: "kernel", shape: [frames, channels], initializer: .glorotUniform),
      TensorSpecification(role: "bias", shape: [channels], initializer: .zeros, decays: false),
    ]
  }

  func title(_ input: LayerShape) -> String {
    "Depthwise Conv1D (\(frames)), stride \(frameStride)"
      + (frameDilation == 1 ? "" : ", dilation \(frameDilation)") + (causal ? ", causal" : "")
  }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    DepthwisePass(self, place)
  }
}

struct DepthwisePass<Scalar: NetworkScalar>: LayerPass {
  private let taps: FrameTaps
  private let axis: Axis
  private let columns: Axis
  private let repeats: Int
  /// taps x columns, and with the taps turned round for the gradient of the input.
  private let kernel: Buffer<Scalar>
  private let kernelBackward: Buffer<Scalar>
  private let bias: Buffer<Scalar>
  private let offsets: (kernel: Int, bias: Int)

  init(_ configuration: DepthwiseConvolution, _ place: LayerPlace<Scalar>) {
    taps = FrameTaps(
      configuration.frames, stride: configuration.frameStride, dilation: configuration.frameDilation,
      causal: configuration.causal)
    axis = place.input.axis
    (columns, repeats) = place.input.columns
    offsets = (place.offset(0), place.offset(1))
    let width = columns.paddedCount
    (kernel, kernelBackward, bias) = (Buffer(taps.taps * width), Buffer(taps.taps * width), Buffer(width))
    for tap in 0..<taps.taps {
      let stored = place.values(0) + tap * columns.count
      Padding.expandRow(stored, columns, into: kernel.base + tap * width)
      Padding.expandRow(stored, columns, into: kernelBackward.base + (taps.taps - 1 - tap) * width)
    }
    Padding.expandRow(place.values(1), columns, into: bias.base)
  }

  final class Tape {
    fileprivate var x: Frames<Scalar>?
    fileprivate let y = Buffer<Scalar>(), gradient = Buffer<Scalar>()
  }

  func makeTape() -> Tape { Tape() }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    return forward(x, taps.outputShape(of: x.shape), lead: taps.lead, tape)
  }

  private func forward(_ x: Frames<Scalar>, _ shape: BatchShape, lead: Int, _ tape: Tape) -> Frames<Scalar> {
    let y = Frames(shape, axis, tape.y)
    convolve(taps.inputs(of: shape, in: x, lead: lead), rows: shape.rows, kernel, bias: bias.base, y.base)
    return y
  }

  private func convolve(
    _ inputs: [UnsafeRawPointer?], rows: Int, _ kernel: Buffer<Scalar>, bias: UnsafeMutablePointer<Scalar>?,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    withConvolution(inputs, rows: rows, kernel, bias: bias, y) { Scalar.kernels.pointee.depthwise($0) }
  }

  private func withConvolution(
    _ inputs: [UnsafeRawPointer?], rows: Int, _ kernel: Buffer<Scalar>, bias: UnsafeMutablePointer<Scalar>?,
    _ y: UnsafeMutablePointer<Scalar>, _ body: (UnsafePointer<auricle_depthwise>) -> Void
  ) {
    inputs.withUnsafeBufferPointer { inputs in
      guard let inputs = inputs.baseAddress else { return }
      var convolution = auricle_depthwise(
        rows: rows, taps: taps.taps, segments: repeats, columns: columns.paddedCount, x: inputs, weights: kernel.base,
        bias: bias, y: y, y_row: axis.paddedCount)
      body(&convolution)
    }
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard let x = tape.x else { return nil }
    let width = columns.paddedCount
    tape.gradient.reserve((taps.taps + 1) * width)
    tape.gradient.clear((taps.taps + 1) * width)
    let (dkernel, dbias) = (tape.gradient.base, tape.gradient.base + taps.taps * width)
    withConvolution(taps.inputs(of: dy.shape, in: x), rows: dy.rows, kernel, bias: nil, dy.base) {
      Scalar.kernels.pointee.depthwise_gradient($0, dkernel, dbias)
    }
    for tap in 0..<taps.taps {
      Padding.addCollapsedRow(dkernel + tap * width, columns, to: gradient + offsets.kernel + tap * columns.count)
    }
    Padding.addCollapsedRow(dbias, columns, to: gradient + offsets.bias)
    guard wanted else { return nil }
    let dx = options.gradientFrames(x.shape, axis, besides: dy)
    convolve(taps.outputs(of: x.shape, in: dy), rows: x.rows, kernelBackward, bias: nil, dx.base)
    return dx
  }

  func stream() -> any LayerStream<Scalar> {
    let tape = makeTape()
    return FrameTapsStream(taps) { x, shape, lead in forward(x, shape, lead: lead, tape) }
  }
}
