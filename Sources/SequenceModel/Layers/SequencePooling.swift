/// How the frames of a sequence become one vector. A sequence without frames gives zeros.
public struct SequencePooling: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// The final state: of the last frame going forward and, after a bidirectional layer, of the first going backward.
    case last
    case mean
    case max
    /// For each head the mean weighted by softmax over frames of the dot product with a learned query; the heads' vectors
    /// stand side by side.
    case attention(heads: Int = 1)
  }

  public var kind: Kind

  public init(_ kind: Kind) { self.kind = kind }

  private enum Name: String, CaseIterable { case last, mean, max, attention }
  private enum CodingKeys: String, CodingKey, CaseIterable { case kind, heads }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a pooling layer")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    guard let name: Name = try decodeName(values, .kind, "pooling") else {
      throw ModelError.configuration("the 'kind' of a pooling layer is missing")
    }
    switch name {
    case .last: self.init(.last)
    case .mean: self.init(.mean)
    case .max: self.init(.max)
    case .attention: self.init(.attention(heads: try values.decodeIfPresent(Int.self, forKey: .heads) ?? 1))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .kind)
    if case .attention(let heads) = kind { try values.encode(heads, forKey: .heads) }
  }

  private var name: String {
    switch kind {
    case .last: "last"
    case .mean: "mean"
    case .max: "max"
    case .attention: "attention"
    }
  }
}

extension Layer {
  public static func pooling(_ kind: SequencePooling.Kind) -> Layer { .pooling(SequencePooling(kind)) }
}

extension SequencePooling: LayerDefinition {
  static let type = "pooling"

  private var heads: Int? { if case .attention(let heads) = kind { heads } else { nil } }

  func output(of input: LayerShape) throws(ModelError) -> LayerShape {
    try input.requireFrames("pooling")
    if let heads { try NetworkConfiguration.check("number of heads", heads, 1...256) }
    return input.pooled(copies: heads ?? 1)
  }

  /// `query` is `heads x inputs`.
  func tensors(_ input: LayerShape) -> [TensorSpecification] {
    guard let heads else { return [] }
    return [TensorSpecification(role: "query", shape: [heads, input.count], initializer: .glorotQuery)]
  }

  func title(_ input: LayerShape) -> String {
    "Pooling (\(name)" + ((heads ?? 1) > 1 ? ", \(heads ?? 1) heads)" : ")")
  }

  func pass<Scalar: NetworkScalar>(_ place: LayerPlace<Scalar>) -> any LayerPass<Scalar> {
    switch kind {
    case .last: LastPoolingPass<Scalar>(axis: place.input.axis, isBidirectional: place.input.isBidirectional)
    case .mean: MeanPoolingPass<Scalar>()
    case .max: MaxPoolingPass<Scalar>()
    case .attention(let heads): AttentionPass(heads: heads, place)
    }
  }
}

extension BatchShape {
  /// The same sequences with one row each, which is what pooling leaves.
  var pooled: BatchShape { withLengths { _ in 1 } }
}
