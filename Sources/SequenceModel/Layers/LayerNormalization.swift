import CKernels

/// Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450) of each frame by itself, as in Keras and PyTorch:
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance taken over the frame's values; where there
/// are bins of several channels, over the channels of each bin (Keras's last axis).
public struct LayerNormalization: Hashable, Sendable {
  /// Added to the variance.
  public var epsilon: Double

  public init(epsilon: Double = 1e-3) { self.epsilon = epsilon }

  private enum CodingKeys: String, CodingKey, CaseIterable { case epsilon }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a layer normalisation")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-3)
  }
}

extension Layer {
  public static func layerNormalization(epsilon: Double = 1e-3) -> Layer {
    .layerNormalization(LayerNormalization(epsilon: epsilon))
  }
}

extension LayerNormalization: LayerDefinition {
  static let type = "layer-normalization"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    guard epsilon > 0, epsilon.isFinite else {
      throw .configuration("the epsilon of layer normalisation is \(epsilon); it must be positive")
    }
    return input
  }

  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    let shape = [input.columns.axis.count]
    return [
      TensorSpecification(role: "gamma", shape: shape, initializer: .ones, decays: false),
      TensorSpecification(role: "beta", shape: shape, initializer: .zeros, decays: false),
    ]
  }

  func title(_ input: LayerShape) -> String { "Layer normalization" }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    LayerNormalizationPass(epsilon, place)
  }
}

struct LayerNormalizationPass<Scalar: NetworkScalar>: LayerPass {
  private let columns: Axis
  private let repeats: Int
  private let epsilon: Double
  private let gamma: Buffer<Scalar>, beta: Buffer<Scalar>
  private let offsets: (gamma: Int, beta: Int)

  init(_ epsilon: Double, _ place: LayerPlace<Scalar>) {
    (columns, repeats) = place.input.columns
    self.epsilon = epsilon
    offsets = (place.offset(0), place.offset(1))
    (gamma, beta) = (Buffer(columns.paddedCount), Buffer(columns.paddedCount))
    Padding.expandRow(place.values(0), columns, into: gamma.base)
    Padding.expandRow(place.values(1), columns, into: beta.base)
  }

  final class Tape {
    fileprivate var x: Frames<Scalar>?
    fileprivate let y = Buffer<Scalar>(), mean = Buffer<Scalar>(), inverse = Buffer<Scalar>()
  }

  func makeTape() -> Tape { Tape() }

  /// One normalisation for each bin of each row.
  private func normalization(_ x: Frames<Scalar>, _ tape: Tape) -> auricle_layer_normalization {
    let rows = x.rows * repeats
    tape.mean.reserve(rows)
    tape.inverse.reserve(rows)
    return auricle_layer_normalization(
      rows: rows, segments: columns.segments, columns: columns.paddedSize, count: columns.size, x: x.base,
      ldx: columns.paddedCount, epsilon: epsilon, gamma: gamma.base, beta: beta.base, mean: tape.mean.base,
      inverse: tape.inverse.base, y: nil, ldy: columns.paddedCount, dy: nil, lddy: columns.paddedCount, dx: nil,
      lddx: columns.paddedCount, dgamma: nil, dbeta: nil)
  }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    let y = Frames(x.shape, x.axis, tape.y)
    var normalization = normalization(x, tape)
    normalization.y = UnsafeMutableRawPointer(y.base)
    Scalar.kernels.pointee.layer_normalization(&normalization)
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard let x = tape.x else { return nil }
    var sums = [Double](repeating: 0, count: 2 * columns.paddedCount)
    sums.withUnsafeMutableBufferPointer { sums in
      var normalization = normalization(x, tape)
      normalization.dy = UnsafeRawPointer(dy.base)
      normalization.dx = UnsafeMutableRawPointer(dy.base)
      normalization.dgamma = sums.baseAddress
      normalization.dbeta = sums.baseAddress.map { $0 + columns.paddedCount }
      Scalar.kernels.pointee.layer_normalization_backward(&normalization)
    }
    columns.addCollapsed(sums[..<columns.paddedCount], to: gradient + offsets.gamma)
    columns.addCollapsed(sums[columns.paddedCount...], to: gradient + offsets.beta)
    return dy
  }
}

extension Axis {
  /// Where element `index` of the stored axis stands in the padded one.
  func padded(_ index: Int) -> Int { index / size * paddedSize + index % size }

  /// Adds padded sums, times `factor`, to stored numbers.
  func addCollapsed<Scalar: NetworkScalar>(
    _ sums: ArraySlice<Double>, times factor: Double = 1, to stored: UnsafeMutablePointer<Scalar>
  ) {
    guard sums.count == paddedCount else { return }
    for i in 0..<count { stored[i] += Scalar(sums[sums.startIndex + padded(i)] * factor) }
  }
}
