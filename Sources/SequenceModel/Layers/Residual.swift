import CKernels

/// A residual block (He et al., 2016): y = x + f(x), where f is a list of layers that leaves the shape of x as it is.
public struct Residual: Hashable, Sendable {
  public var layers: [Layer]

  public init(_ layers: [Layer]) { self.layers = layers }

  private enum CodingKeys: String, CodingKey, CaseIterable { case layers }

  public init(from decoder: any Decoder) throws {
    // A description nested deeper than any network would exhaust the stack.
    guard decoder.codingPath.count < 16 else {
      throw ModelError.configuration("residual blocks nested more than 7 deep")
    }
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a residual block")
    layers = try decoder.container(keyedBy: CodingKeys.self).decode([Layer].self, forKey: .layers)
  }
}

extension Layer {
  public static func residual(_ layers: [Layer]) -> Layer { .residual(Residual(layers)) }
}

extension Residual: LayerDefinition {
  static let type = "residual"

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try NetworkConfiguration.check("number of layers of a residual block", layers.count, 1...64)
    let inner = try NetworkConfiguration.shapes(of: layers, input: input)
    guard inner[layers.count] == input else {
      throw .configuration(
        "a residual block makes \(inner[layers.count].text) of \(input.text); it must leave the shape as it is")
    }
    return input
  }

  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    zip(layers, shapes(input)).enumerated().flatMap { index, pair in
      pair.0.definition.tensors(pair.1).map { tensor in
        var tensor = tensor
        tensor.role = "\(index).\(tensor.role)"
        return tensor
      }
    }
  }

  func title(_ input: LayerShape) -> String {
    "Residual [" + zip(layers, shapes(input)).map { $0.definition.title($1) }.joined(separator: "; ") + "]"
  }

  var waitsForEnd: String? { layers.lazy.compactMap(\.definition.waitsForEnd).first }
  var states: [(units: Int, hasCell: Bool)] { layers.flatMap(\.definition.states) }

  /// What enters each layer; of a block that `output` has taken.
  private func shapes(_ input: LayerShape) -> [LayerShape] {
    (try? NetworkConfiguration.shapes(of: layers, input: input)) ?? []
  }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    ResidualPass(passes: LayerPasses(layers, shapes(place.input), in: place))
  }
}

struct ResidualPass<Scalar: NetworkScalar>: LayerPass {
  let passes: LayerPasses<Scalar>

  final class Tape {
    fileprivate let layers: LayerPasses<Scalar>.Tape
    fileprivate let y = Buffer<Scalar>(), dx = Buffer<Scalar>()
    fileprivate init(_ layers: LayerPasses<Scalar>.Tape) { self.layers = layers }
  }

  func makeTape() -> Tape { Tape(passes.makeTape()) }

  func forward(_ x: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>) -> Frames<Scalar> {
    let inner = passes.forward(x, tape.layers, options)
    let y = Frames(x.shape, x.axis, tape.y)
    Scalar.kernels.pointee.add(y.rows * y.width, x.base, inner.base, y.base)
    return y
  }

  func backward(
    _ dy: Frames<Scalar>, _ tape: Tape, _ options: PassOptions<Scalar>, wanted: Bool,
    gradient: UnsafeMutablePointer<Scalar>
  ) -> Frames<Scalar>? {
    // The inner layers may overwrite what they are given.
    let kept = Frames(dy.shape, dy.axis, tape.dx)
    kept.base.update(from: dy.base, count: dy.rows * dy.width)
    guard let inner = passes.backward(dy, tape.layers, options, wanted: wanted, gradient: gradient) else { return nil }
    Scalar.kernels.pointee.add(kept.rows * kept.width, kept.base, inner.base, kept.base)
    return kept
  }

  func stream() -> any LayerStream<Scalar> { ResidualStream(passes.stream()) }
}

/// Holds x back for as long as the inner layers look ahead.
private struct ResidualStream<Scalar: NetworkScalar>: LayerStream {
  private var inner: LayerPasses<Scalar>.Stream
  private var waiting: [Scalar] = []
  private let output = Buffer<Scalar>()

  init(_ inner: LayerPasses<Scalar>.Stream) { self.inner = inner }

  mutating func append(_ x: Frames<Scalar>, isLast: Bool) -> Frames<Scalar> {
    waiting.append(contentsOf: UnsafeBufferPointer(start: x.base, count: x.rows * x.width))
    let changed = inner.append(x, isLast: isLast)
    let (count, y) = (changed.rows * changed.width, Frames(changed.shape, changed.axis, output))
    waiting.withUnsafeBufferPointer { waiting in
      guard let waiting = waiting.baseAddress else { return }
      Scalar.kernels.pointee.add(count, waiting, changed.base, y.base)
    }
    waiting.removeFirst(count)
    return y
  }
}
