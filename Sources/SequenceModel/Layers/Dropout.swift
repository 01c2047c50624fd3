import AuricleBase
import CKernels

/// Sets a share of the values to zero in training, and scales the others up (Srivastava et al., 2014); with `channels`,
/// whole channels of a sequence at once, over all its frames and bins (Tompson et al., 2015; PyTorch's `Dropout2d`,
/// Keras's `SpatialDropout`).
public struct Dropout: Hashable, Sendable {
  /// In [0, 1).
  public var rate: Double
  public var channels: Bool

  public init(_ rate: Double, channels: Bool = false) { (self.rate, self.channels) = (rate, channels) }

  private enum CodingKeys: String, CodingKey, CaseIterable { case rate, channels }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a dropout layer")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try values.decode(Double.self, forKey: .rate),
      channels: try values.decodeIfPresent(Bool.self, forKey: .channels) ?? false)
  }
}

extension Layer {
  public static func dropout(_ rate: Double, channels: Bool = false) -> Layer {
    .dropout(Dropout(rate, channels: channels))
  }
}

extension Dropout: LayerDefinition {
  static let type = "dropout"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try NetworkConfiguration.checkRate("dropout", rate)
    return input
  }

  func title(_ input: LayerShape) -> String { "Dropout \(rate)" + (channels ? " of channels" : "") }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    DropoutPass(rate: rate, channels: channels ? place.input.columns : nil, number: place.number)
  }
}

struct DropoutPass<Scalar: NetworkScalar>: LayerPass {
  fileprivate let rate: Double
  /// For the dropout of channels, what a mask has a number for and how often it repeats in a frame.
  fileprivate let channels: (axis: Axis, repeats: Int)?
  fileprivate let number: Int

  final class Tape {
    fileprivate let y = Buffer<Scalar>(), mask = Buffer<Scalar>()
  }

  func makeTape() -> Tape { Tape() }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    guard let seed = options.dropoutSeed, rate > 0 else { return x }
    let y = Frames(x.shape, x.axis, tape.y)
    drop(x, into: y, tape, seed)
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    if wanted, let seed = options.dropoutSeed, rate > 0 { drop(dy, into: dy, tape, seed) }
    return dy
  }

  /// The same in both passes for one seed; `y` may be `x`.
  private func drop(_ x: Frames<Scalar>, into y: Frames<Scalar>, _ tape: Tape, _ seed: UInt64) {
    let kernels = Scalar.kernels.pointee
    var generator = SeededGenerator(seed: seed, stream: UInt64(number))
    guard let (axis, repeats) = channels else {
      if y.base != x.base { y.base.update(from: x.base, count: x.rows * x.width) }
      kernels.dropout(x.rows, x.width, rate, generator.next(), y.base, x.width)
      return
    }
    let (sequences, columns) = (x.shape.sequences, axis.paddedCount)
    tape.mask.reserve(sequences * columns)
    tape.mask.base.update(repeating: 1, count: sequences * columns)
    kernels.dropout(sequences, columns, rate, generator.next(), tape.mask.base, columns)
    for step in 0..<x.shape.steps {
      let first = x.shape.offsets[step] * x.width
      kernels.mask_columns(
        x.shape.running(step), repeats, columns, x.base + first, x.width, tape.mask.base, columns, y.base + first,
        x.width)
    }
  }
}
