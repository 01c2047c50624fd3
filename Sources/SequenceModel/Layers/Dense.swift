import CKernels

/// A dense layer: y = x W + b for each frame, or for the one vector after pooling; with an activation, if wanted.
public struct Dense: Hashable, Sendable {
  public var units: Int
  public var activation: Activation.Function?

  public init(_ units: Int, _ activation: Activation.Function? = nil) {
    (self.units, self.activation) = (units, activation)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case units, activation }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a dense layer")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(try values.decode(Int.self, forKey: .units), try decodeName(values, .activation, "activation"))
  }
}

extension Layer {
  public static func dense(_ units: Int, _ activation: Activation.Function? = nil) -> Layer {
    .dense(Dense(units, activation))
  }
}

extension Dense: LayerDefinition {
  static let type = "dense"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try NetworkConfiguration.check("number of units", units, 1...1_000_000)
    return input.flat(units)
  }

  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    [
      TensorSpecification(role: "kernel", shape: [input.count, units], initializer: .glorotUniform),
      TensorSpecification(role: "bias", shape: [units], initializer: .zeros, decays: false),
    ]
  }

  func title(_ input: LayerShape) -> String { "Dense \(units)" + (activation.map { ", \($0.title)" } ?? "") }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> { DensePass(self, place) }
}

struct DensePass<Scalar: NetworkScalar>: LayerPass {
  private let activation: Activation.Function?
  private let input: Axis
  private let output: Axis
  private let kernel: Buffer<Scalar>
  private let kernelTransposed: Buffer<Scalar>?
  private let bias: Buffer<Scalar>
  private let offsets: (kernel: Int, bias: Int)

  init(_ configuration: Dense, _ place: LayerPlace<Scalar>) {
    activation = configuration.activation
    (input, output) = (place.input.axis, place.output.axis)
    offsets = (place.offset(0), place.offset(1))
    let packer = Packer<Scalar>()
    kernel = packer.pack(place.values(0), leading: output.count, rows: input, columns: output)
    kernelTransposed =
      place.forTraining
      ? packer.packTransposed(place.values(0), leading: output.count, rows: input, columns: output) : nil
    bias = Buffer(output.paddedCount)
    Padding.expandRow(place.values(1), output, into: bias.base)
  }

  final class Tape {
    fileprivate var x: Frames<Scalar>?
    fileprivate let y = Buffer<Scalar>(), linear = Buffer<Scalar>(), scratch = Buffer<Scalar>()
  }

  func makeTape() -> Tape { Tape() }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    let y = Frames(x.shape, output, tape.y)
    // SiLU's derivative needs what it was applied to.
    let linear = options.training && activation == .silu ? Frames(x.shape, output, tape.linear) : y
    Scalar.kernels.pointee.gemm(
      x.rows, output.paddedCount, input.paddedCount, x.base, x.width, kernel.base, bias.base, false, linear.base,
      linear.width)
    activation?.apply(y.rows * y.width, linear.base, to: y.base)
    return y
  }

  /// dW = X^T dY, db = the sum of dY, dX = dY W^T.
  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard let x = tape.x else { return nil }
    let (kernels, width, columns) = (Scalar.kernels.pointee, x.width, dy.width)
    activation?.multiplyByDerivative(
      dy.rows * columns, x: activation == .silu ? tape.linear.base : tape.y.base, y: tape.y.base, dy: dy.base)
    tape.scratch.reserve((width + 1) * columns)
    tape.scratch.clear((width + 1) * columns)
    let (dkernel, dbias) = (tape.scratch.base, tape.scratch.base + width * columns)
    kernels.gemm_transposed(width, columns, x.rows, x.base, width, dy.base, columns, dkernel, columns)
    kernels.add_column_sums(x.rows, columns, dy.base, columns, dbias)
    Padding.addCollapsed(
      dkernel, rows: input, columns: output, leading: output.count, to: gradient + offsets.kernel)
    Padding.addCollapsedRow(dbias, output, to: gradient + offsets.bias)
    guard wanted, let kernelTransposed else { return nil }
    let dx = options.gradientFrames(x.shape, x.axis, besides: dy)
    kernels.gemm(x.rows, width, columns, dy.base, columns, kernelTransposed.base, nil, false, dx.base, width)
    return dx
  }
}
