import CKernels

/// The greatest value, or the mean, of each window of frames and bins; windows do not overlap.
///
/// The last window may be cut by the end of the sequence or of the bins: it counts what is there, so that no sequence is
/// too short (PyTorch's `ceil_mode`). `n` frames become `n / frames`, rounded up.
public struct WindowPooling: Hashable, Sendable {
  public enum Kind: String, Codable, CaseIterable, Sendable { case max, mean }

  public var kind: Kind
  public var frames: Int
  public var bins: Int

  public init(_ kind: Kind, frames: Int = 1, bins: Int = 1) {
    (self.kind, self.frames, self.bins) = (kind, frames, bins)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case kind, frames, bins }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a window pooling")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try decodeName(values, .kind, "pooling") ?? .max,
      frames: try values.decodeIfPresent(Int.self, forKey: .frames) ?? 1,
      bins: try values.decodeIfPresent(Int.self, forKey: .bins) ?? 1)
  }
}

extension Layer {
  public static func maxPooling(frames: Int = 1, bins: Int = 1) -> Layer {
    .windowPooling(WindowPooling(.max, frames: frames, bins: bins))
  }

  public static func meanPooling(frames: Int = 1, bins: Int = 1) -> Layer {
    .windowPooling(WindowPooling(.mean, frames: frames, bins: bins))
  }
}

extension WindowPooling: LayerDefinition {
  static let type = "window-pooling"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try input.requireFrames("pooling over windows")
    try NetworkConfiguration.check("frames of a pooling window", frames, 1...255)
    try NetworkConfiguration.check("bins of a pooling window", bins, 1...255)
    guard bins > 1 else { return input.withStride(frames) }
    guard !input.isFlat else { throw .configuration("pooling over bins after a layer that spans all of them") }
    return input.withBins((input.bins + bins - 1) / bins, channels: input.channels, stride: frames)
  }

  func title(_ input: LayerShape) -> String { "\(kind == .max ? "Max" : "Mean") pooling (\(frames) x \(bins))" }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    WindowPoolingPass(self, place)
  }
}

struct WindowPoolingPass<Scalar: NetworkScalar>: LayerPass {
  private let kind: WindowPooling.Kind
  private let taps: FrameTaps
  private let output: Axis
  /// As the kernels see a frame: bins of padded columns.
  private let bins: (input: Int, output: Int, columns: Int, taps: Int)
  /// Features lie without padding between their bins; the kernels want each in columns of its own.
  private let spread: Axis?

  init(_ configuration: WindowPooling, _ place: LayerPlace<Scalar>) {
    kind = configuration.kind
    taps = .windows(configuration.frames, stride: configuration.frames)
    output = place.output.axis
    let input = place.input
    if configuration.bins == 1 {
      (bins, spread) = ((1, 1, input.axis.paddedCount, 1), nil)
    } else {
      bins = (input.bins, place.output.bins, Axis(input.channels).paddedCount, configuration.bins)
      spread = input.hasDenseBins ? Axis(1, segments: input.bins) : nil
    }
  }

  final class Tape {
    fileprivate var x: Frames<Scalar>?
    fileprivate var source: Frames<Scalar>?
    fileprivate let y = Buffer<Scalar>(), spread = Buffer<Scalar>()
    fileprivate var positions: [UInt16] = []
  }

  func makeTape() -> Tape { Tape() }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    forward(x, taps.outputShape(of: x.shape), lead: taps.lead, tape)
  }

  private func forward(_ x: Frames<Scalar>, _ shape: BatchShape, lead: Int, _ tape: Tape) -> Frames<Scalar> {
    tape.x = x
    let source = spread.map { Self.spread(x, $0, tape.spread) } ?? x
    tape.source = source
    let y = Frames(shape, output, tape.y)
    let count = shape.rows * bins.output * bins.columns
    if tape.positions.count < count { tape.positions = [UInt16](repeating: 0, count: count) }
    taps.inputs(of: shape, in: source, lead: lead).withUnsafeBufferPointer { inputs in
      tape.positions.withUnsafeMutableBufferPointer { positions in
        guard let inputs = inputs.baseAddress else { return }
        var pooling = auricle_pooling(
          rows: shape.rows, taps: taps.taps, x: inputs, bins_in: bins.input, bins_out: bins.output,
          columns: bins.columns, bin_taps: bins.taps, bin_stride: bins.taps, bin_padding: 0, y: y.base, y_row: y.width,
          positions: kind == .max ? positions.baseAddress : nil)
        switch kind {
        case .max: Scalar.kernels.pointee.maximum_pooling(&pooling)
        case .mean: Scalar.kernels.pointee.mean_pooling(&pooling)
        }
      }
    }
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard wanted, let x = tape.x, let source = tape.source else { return nil }
    let dsource = options.gradientFrames(source.shape, source.axis, besides: dy, zeroed: true)
    let targets = taps.inputs(of: dy.shape, in: dsource).map { $0.map { UnsafeMutableRawPointer(mutating: $0) } }
    targets.withUnsafeBufferPointer { targets in
      tape.positions.withUnsafeBufferPointer { positions in
        guard let targets = targets.baseAddress else { return }
        var pooling = auricle_pooling_backward(
          rows: dy.rows, taps: taps.taps, dx: targets, bins_in: bins.input, bins_out: bins.output,
          columns: bins.columns, bin_taps: bins.taps, bin_stride: bins.taps, bin_padding: 0, dy: dy.base,
          dy_row: dy.width, positions: kind == .max ? positions.baseAddress : nil)
        switch kind {
        case .max: Scalar.kernels.pointee.maximum_pooling_backward(&pooling)
        case .mean: Scalar.kernels.pointee.mean_pooling_backward(&pooling)
        }
      }
    }
    guard spread != nil else { return dsource }
    let dx = options.gradientFrames(x.shape, x.axis, besides: dsource, zeroed: true)
    for row in 0..<dx.rows {
      for bin in 0..<bins.input {
        dx.base[row * dx.width + bin] = dsource.base[row * dsource.width + bin * bins.columns]
      }
    }
    return dx
  }

  private static func spread(_ x: Frames<Scalar>, _ axis: Axis, _ buffer: Buffer<Scalar>) -> Frames<Scalar> {
    let y = Frames(x.shape, axis, buffer)
    y.buffer.clear(y.rows * y.width)
    for row in 0..<x.rows {
      for bin in 0..<axis.segments { y.base[row * y.width + bin * axis.paddedSize] = x.base[row * x.width + bin] }
    }
    return y
  }

  func stream() -> any LayerStream<Scalar> {
    let tape = makeTape()
    return FrameTapsStream(taps) { x, shape, lead in forward(x, shape, lead: lead, tape) }
  }
}
