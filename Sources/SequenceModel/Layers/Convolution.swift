import CKernels

/// A convolution over time, or over time and frequency; with an activation, if wanted.
///
///     Convolution(filters: 64, frames: 5, frameStride: 2)             // 1-D: each filter spans all of a frame
///     Convolution(filters: 32, frames: 3, bins: 3, binStride: 2)      // 2-D: 3 frames x 3 bins
///
/// Output frame `t` is centred on input frame `t * frameStride` (the frame before the middle for an even number) or, if
/// `causal`, ends there; frames beyond the sequence's own ends count as zeros, never the frames of another sequence or of
/// padding. So `n` frames become exactly `n / frameStride`, rounded up (PyTorch with `padding = frames // 2` for odd
/// `frames`; Keras's "same" where the stride is 1). Bins likewise. Cross-correlation, like all libraries.
public struct Convolution: Hashable, Sendable {
  /// Filters, which are the channels of the output.
  public var filters: Int
  /// Frames a filter spans, from one output frame to the next, and from one of those it sees to the next.
  public var frames: Int
  public var frameStride: Int
  public var frameDilation: Int
  /// Bins a filter spans; nil for all of them, which makes it 1-D.
  public var bins: Int?
  public var binStride: Int
  public var binDilation: Int
  /// Whether it sees only the current frame and those before it.
  public var causal: Bool
  public var activation: Activation.Function?

  public init(
    filters: Int, frames: Int, frameStride: Int = 1, frameDilation: Int = 1, bins: Int? = nil, binStride: Int = 1,
    binDilation: Int = 1, causal: Bool = false, activation: Activation.Function? = nil
  ) {
    (self.filters, self.frames, self.frameStride, self.frameDilation) = (filters, frames, frameStride, frameDilation)
    (self.bins, self.binStride, self.binDilation) = (bins, binStride, binDilation)
    (self.causal, self.activation) = (causal, activation)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case filters, frames, frameStride, frameDilation, bins, binStride, binDilation, causal, activation
  }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a convolution")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      filters: try values.decode(Int.self, forKey: .filters), frames: try values.decode(Int.self, forKey: .frames))
    func read<Value: Decodable>(_ key: CodingKeys, _ field: WritableKeyPath<Self, Value>) throws {
      if let value = try values.decodeIfPresent(Value.self, forKey: key) { self[keyPath: field] = value }
    }
    try read(.frameStride, \.frameStride)
    try read(.frameDilation, \.frameDilation)
    bins = try values.decodeIfPresent(Int.self, forKey: .bins)
    try read(.binStride, \.binStride)
    try read(.binDilation, \.binDilation)
    try read(.causal, \.causal)
    activation = try decodeName(values, .activation, "activation")
  }
}

extension Layer {
  public static func convolution(
    filters: Int, frames: Int, frameStride: Int = 1, frameDilation: Int = 1, bins: Int? = nil, binStride: Int = 1,
    binDilation: Int = 1, causal: Bool = false, activation: Activation.Function? = nil
  ) -> Layer {
    .convolution(
      Convolution(
        filters: filters, frames: frames, frameStride: frameStride, frameDilation: frameDilation, bins: bins,
        binStride: binStride, binDilation: binDilation, causal: causal, activation: activation))
  }
}

extension Convolution: LayerDefinition {
  static let type = "convolution"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try input.requireFrames("a convolution")
    try NetworkConfiguration.check("number of filters", filters, 1...16_384)
    try NetworkConfiguration.check("frames of a convolution", frames, 1...1024)
    try NetworkConfiguration.check("frame stride of a convolution", frameStride, 1...1024)
    try NetworkConfiguration.check("frame dilation of a convolution", frameDilation, 1...1024)
    guard let bins else {
      guard binStride == 1 && binDilation == 1 else {
        throw .configuration("a bin stride of \(binStride) or dilation for a convolution that spans all bins")
      }
      return input.flat(filters, stride: frameStride)
    }
    guard !input.isFlat else {
      throw .configuration("a convolution over bins after a layer that spans all of them; put it before")
    }
    try NetworkConfiguration.check("bins of a convolution", bins, 1...1024)
    try NetworkConfiguration.check("bin stride of a convolution", binStride, 1...1024)
    try NetworkConfiguration.check("bin dilation of a convolution", binDilation, 1...1024)
    let output = input.withBins((input.bins + binStride - 1) / binStride, channels: filters, stride: frameStride)
    try NetworkConfiguration.check("size of a convolution's output", output.count, 1...1_048_576)
    return output
  }

  /// `kernel` is `frames x inputs x filters` (1-D) or `frames x bins x channels x filters`, as Keras has it.
  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    let shape = bins.map { [frames, $0, input.channels, filters] } ?? [frames, input.count, filters]
    return [
      TensorSpecification(role: "kernel", shape: shape, initializer: .glorotUniform),
      TensorSpecification(role: "bias", shape: [filters], initializer: .zeros, decays: false),
    ]
  }

  func title(_ input: LayerShape) -> String {
    let (span, strides) =
      bins.map { ("\(frames) x \($0)", "\(frameStride) x \(binStride)") } ?? ("\(frames)", "\(frameStride)")
    let dilations =
      frameDilation * binDilation == 1 ? "" : ", dilation \(frameDilation)" + (bins == nil ? "" : " x \(binDilation)")
    return "Conv\(bins == nil ? 1 : 2)D \(filters) (\(span)), stride \(strides)\(dilations)"
      + (causal ? ", causal" : "") + (activation.map { ", \($0.title)" } ?? "")
  }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    ConvolutionPass(self, place)
  }
}

struct ConvolutionPass<Scalar: NetworkScalar>: LayerPass {
  private let taps: FrameTaps
  private let input: LayerShape
  private let output: LayerShape
  /// Bins as the kernels see them: a 1-D filter spans all places of a frame and does not move.
  private let bins:
    (count: Int, channels: Int, step: Int, taps: Int, stride: Int, dilation: Int, padding: Int, output: Int)
  private let activation: Activation.Function?
  /// Whether the quicker kernels for filters of three bins are used.
  private let isWinograd: Bool
  private let kernel: Buffer<Scalar>
  private let kernelBackward: Buffer<Scalar>?
  private let bias: Buffer<Scalar>
  private let offsets: (kernel: Int, bias: Int)

  private var filters: Int { output.channels }
  private var depth: Int { taps.taps * bins.taps * bins.channels }
  private var paddedFilters: Int { Axis(filters).paddedCount }

  init(_ configuration: Convolution, _ place: LayerPlace<Scalar>) {
    taps = FrameTaps(
      configuration.frames, stride: configuration.frameStride, dilation: configuration.frameDilation,
      causal: configuration.causal)
    (input, output) = (place.input, place.output)
    offsets = (place.offset(0), place.offset(1))
    activation = place.endsWithReLU ? .relu : configuration.activation
    if let bins = configuration.bins {
      let (count, channels, step) = input.places
      let span = (bins - 1) * configuration.binDilation
      self.bins = (
        count, channels, step, bins, configuration.binStride, configuration.binDilation, span / 2, output.bins
      )
    } else if input.axis.segments == 1 {
      bins = (1, input.axis.size, input.axis.paddedCount, 1, 1, 1, 0, 1)
    } else {
      bins = (input.axis.segments, input.axis.size, input.axis.paddedSize, input.axis.segments, 1, 1, 0, 1)
    }
    let filters = place.output.channels
    let depth = configuration.frames * bins.taps * bins.channels
    let (width, kernels) = (Axis(filters).paddedCount, Scalar.kernels.pointee)
    var stored = Array(UnsafeBufferPointer(start: place.values(0), count: depth * filters))
    var offset = Array(UnsafeBufferPointer(start: place.values(1), count: filters))
    if let following = place.outputScale {
      for i in stored.indices { stored[i] *= following.scale[i % filters] }
      for i in 0..<filters { offset[i] = offset[i] * following.scale[i] + following.shift[i] }
    }
    bias = Buffer(width)
    bias.base.update(from: offset, count: filters)
    let (frames, channels) = (configuration.frames, bins.channels)
    isWinograd =
      configuration.bins != nil && auricle_winograd_applies(bins.taps, bins.stride, bins.dilation, channels, filters)
    let backward = place.forTraining
    if isWinograd {
      kernel = Buffer(auricle_winograd_size(frames, channels, filters))
      kernels.pack_winograd(frames, channels, filters, stored, kernel.base)
      kernelBackward = backward ? Buffer(auricle_winograd_size(frames, filters, channels)) : nil
      if let kernelBackward { kernels.pack_winograd_backward(frames, channels, filters, stored, kernelBackward.base) }
    } else {
      kernel = Buffer(depth * width)
      kernels.pack_filters(depth, filters, stored, kernel.base)
      kernelBackward = backward ? Buffer(frames * bins.taps * filters * Axis(channels).paddedCount) : nil
      if let kernelBackward {
        kernels.pack_filters_backward(frames, bins.taps, channels, filters, stored, kernelBackward.base)
      }
    }
  }

  final class Tape {
    fileprivate var x: Frames<Scalar>?
    fileprivate let y = Buffer<Scalar>(), linear = Buffer<Scalar>()
    fileprivate let scratch = Buffer<Scalar>(), gradient = Buffer<Scalar>()
  }

  func makeTape() -> Tape { Tape() }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    return forward(x, taps.outputShape(of: x.shape), lead: taps.lead, tape, keepsLinear: options.training)
  }

  private func forward(
    _ x: Frames<Scalar>, _ shape: BatchShape, lead: Int, _ tape: Tape, keepsLinear: Bool
  ) -> Frames<Scalar> {
    let y = Frames(shape, output.axis, tape.y)
    // SiLU's derivative needs what it was applied to.
    let linear = keepsLinear && activation == .silu ? Frames(shape, output.axis, tape.linear) : y
    let inputs = taps.inputs(of: shape, in: x, lead: lead)
    inputs.withUnsafeBufferPointer { inputs in
      guard let inputs = inputs.baseAddress else { return }
      var convolution = auricle_convolution(
        rows: shape.rows, taps: taps.taps, x: inputs, bins_in: bins.count, bins_out: bins.output, x_bin: bins.step,
        channels: bins.channels, bin_taps: bins.taps, bin_stride: bins.stride, bin_dilation: bins.dilation,
        bin_padding: bins.padding, bin_spread: 1, packed: kernel.base, bias: bias.base, filters: filters,
        y: linear.base, y_row: y.width, y_bin: paddedFilters, relu: activation == .relu, winograd: isWinograd,
        scratch: tape.scratch.base)
      run(&convolution, tape)
    }
    if let activation, activation != .relu { activation.apply(y.rows * y.width, linear.base, to: y.base) }
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard let x = tape.x else { return nil }
    let (kernels, width) = (Scalar.kernels.pointee, paddedFilters)
    activation?.multiplyByDerivative(
      dy.rows * dy.width, x: activation == .silu ? tape.linear.base : tape.y.base, y: tape.y.base, dy: dy.base)
    tape.gradient.reserve((depth + 1) * width)
    tape.gradient.clear((depth + 1) * width)
    let (dkernel, dbias) = (tape.gradient.base, tape.gradient.base + depth * width)
    taps.inputs(of: dy.shape, in: x).withUnsafeBufferPointer { inputs in
      guard let inputs = inputs.baseAddress else { return }
      var convolution = auricle_convolution_gradient(
        rows: dy.rows, taps: taps.taps, x: inputs, bins_in: bins.count, bins_out: bins.output, x_bin: bins.step,
        channels: bins.channels, bin_taps: bins.taps, bin_stride: bins.stride, bin_dilation: bins.dilation,
        bin_padding: bins.padding, filters: filters, dy: dy.base, dy_row: dy.width, dy_bin: width, gradient: dkernel,
        sums: dbias, winograd: isWinograd, scratch: tape.scratch.base)
      tape.scratch.reserve(kernels.convolution_gradient_scratch(&convolution))
      convolution.scratch = UnsafeMutableRawPointer(tape.scratch.base)
      kernels.convolution_gradient(&convolution)
    }
    kernels.add_filters(depth, filters, dkernel, gradient + offsets.kernel)
    for i in 0..<filters { gradient[offsets.bias + i] += dbias[i] }
    guard wanted, let kernelBackward else { return nil }
    let dx = options.gradientFrames(x.shape, x.axis, besides: dy)
    taps.outputs(of: x.shape, in: dy).withUnsafeBufferPointer { outputs in
      guard let outputs = outputs.baseAddress else { return }
      var convolution = auricle_convolution(
        rows: x.rows, taps: taps.taps, x: outputs, bins_in: bins.output, bins_out: bins.count, x_bin: width,
        channels: filters, bin_taps: bins.taps, bin_stride: 1, bin_dilation: bins.dilation,
        bin_padding: bins.dilation * (bins.taps - 1) - bins.padding, bin_spread: bins.stride,
        packed: kernelBackward.base, bias: nil, filters: bins.channels, y: dx.base, y_row: dx.width, y_bin: bins.step,
        relu: false, winograd: isWinograd, scratch: tape.scratch.base)
      run(&convolution, tape)
    }
    return dx
  }

  private func run(_ convolution: inout auricle_convolution, _ tape: Tape) {
    let kernels = Scalar.kernels.pointee
    tape.scratch.reserve(kernels.convolution_scratch(&convolution))
    convolution.scratch = UnsafeMutableRawPointer(tape.scratch.base)
    kernels.convolution(&convolution)
  }

  func stream() -> any LayerStream<Scalar> {
    let tape = makeTape()
    return FrameTapsStream(taps) { x, shape, lead in
      forward(x, shape, lead: lead, tape, keepsLinear: false)
    }
  }
}
