import CKernels

/// A function of each value by itself.
public struct Activation: Hashable, Sendable {
  public enum Function: String, Codable, CaseIterable, Sendable {
    /// max(x, 0)
    case relu
    case tanh
    /// 1 / (1 + exp(-x))
    case sigmoid
    /// x / (1 + exp(-x)) (Elfwing et al., 2018), also called swish.
    case silu

    var title: String {
      switch self {
      case .relu: "ReLU"
      case .tanh: "tanh"
      case .sigmoid: "sigmoid"
      case .silu: "SiLU"
      }
    }
  }

  public var function: Function

  public init(_ function: Function) { self.function = function }

  private enum CodingKeys: String, CodingKey, CaseIterable { case function }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "an activation")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    guard let function: Function = try decodeName(values, .function, "activation") else {
      throw ModelError.configuration("the 'function' of an activation is missing")
    }
    self.init(function)
  }
}

extension Layer {
  public static func activation(_ function: Activation.Function) -> Layer { .activation(Activation(function)) }
}

extension Activation: LayerDefinition {
  static let type = "activation"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape { input }
  func title(_ input: LayerShape) -> String { function.title }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    ActivationPass(function: function)
  }
}

struct ActivationPass<Scalar: NetworkScalar>: LayerPass {
  let function: Activation.Function

  func forward(_ x: Frames<Scalar>, _ tape: PlainTape<Scalar>, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    tape.x = x
    let y = Frames(x.shape, x.axis, tape.y)
    function.apply(x.rows * x.width, x.base, to: y.base)
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: PlainTape<Scalar>, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    guard wanted, let x = tape.x else { return nil }
    function.multiplyByDerivative(x.rows * x.width, x: x.base, y: tape.y.base, dy: dy.base)
    return dy
  }
}

extension Activation.Function {
  private var kernel: auricle_activation {
    switch self {
    case .relu: auricle_relu
    case .tanh: auricle_tanh
    case .sigmoid: auricle_sigmoid
    case .silu: auricle_silu
    }
  }

  /// y = f(x); y may be x. Zero stays zero but for the sigmoid, whose padding is 1/2: weights of padding are zero.
  func apply<Scalar: NetworkScalar>(_ count: Int, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>) {
    Scalar.kernels.pointee.activate(kernel, count, x, y)
  }

  /// dy times f'(x), in place. SiLU needs `x`, the others `y`.
  func multiplyByDerivative<Scalar: NetworkScalar>(
    _ count: Int, x: UnsafePointer<Scalar>, y: UnsafePointer<Scalar>, dy: UnsafeMutablePointer<Scalar>
  ) {
    Scalar.kernels.pointee.activate_backward(kernel, count, self == .silu ? x : y, dy, dy)
  }
}
