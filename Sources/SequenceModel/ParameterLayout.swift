import AuricleBase

/// Where each tensor of a network lies in its flat list of parameters.
///
/// Names, shapes and gate order follow Keras. First, where the network has them, `input_normalization.gamma` and `beta`
/// (`inputs`), for batch normalisation also `moving_mean` and `moving_variance`, which are not trained; then
/// `convolution.0.kernel` (`frames x inputs x filters`, or `frames x bins x channels x filters`) and `convolution.0.bias`
/// (`filters`). `recurrent.0.forward.kernel` is `inputs x (gates * hidden)`,
/// `recurrent_kernel` is `hidden x (gates * hidden)`, gates in the order z, r, h (GRU) or i, f, c, o (LSTM); the bias
/// is `gates * hidden`, for the reset-after GRU `2 x (gates * hidden)`: inputs, then state. Then `attention.query`
/// (if any), `dense.kernel` (`outputs x classes`) and `dense.bias`.
public struct ParameterLayout: Sendable {
  /// One tensor: row-major, `shape` as above, from element `offset` of the flat list.
  public struct Tensor: Sendable, Hashable {
    public let name: String
    public let shape: [Int]
    public let offset: Int
    /// False for what an optimiser must leave alone: the gradient there is zero.
    public let isTrainable: Bool
    let initializer: Initializer

    public var count: Int { shape.reduce(1, *) }
    public var range: Range<Int> { offset..<offset + count }

    /// Inputs and outputs of one position, times the positions that a filter spans.
    fileprivate var fans: Int {
      guard shape.count > 1 else { return count + 1 }
      return shape.dropLast(2).reduce(1, *) * shape.suffix(2).reduce(0, +)
    }
  }

  enum Initializer: Hashable, Sendable {
    case zeros
    case ones
    /// Uniform in +-sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010); what a filter spans counts in both fans.
    case glorotUniform
    /// Orthonormal rows (Saxe et al., 2014).
    case orthogonal
    /// Zeros, but ones for the forget gate (Jozefowicz et al., 2015).
    case forgetOnes
  }

  public let tensors: [Tensor]
  public let count: Int
  /// Parameters that are learned.
  public var trainableCount: Int { tensors.reduce(0) { $0 + ($1.isTrainable ? $1.count : 0) } }

  public init(_ configuration: ModelConfiguration) {
    var tensors: [Tensor] = []
    var offset = 0
    func add(_ name: String, _ shape: [Int], _ initializer: Initializer, isTrainable: Bool = true) {
      tensors.append(
        Tensor(name: name, shape: shape, offset: offset, isTrainable: isTrainable, initializer: initializer))
      offset += shape.reduce(1, *)
    }
    if let normalization = configuration.inputNormalization {
      let shape = [configuration.inputSize]
      add("input_normalization.gamma", shape, .ones)
      add("input_normalization.beta", shape, .zeros)
      if normalization.kind == .batch {
        add("input_normalization.moving_mean", shape, .zeros, isTrainable: false)
        add("input_normalization.moving_variance", shape, .ones, isTrainable: false)
      }
    }
    for (index, geometry) in configuration.convolutionGeometries.enumerated() {
      add("convolution.\(index).kernel", geometry.kernelShape, .glorotUniform)
      add("convolution.\(index).bias", [geometry.output.channels], .zeros)
    }
    let gates = configuration.gatesAxis.count
    for layer in 0..<configuration.layers {
      for direction in ["forward", "backward"].prefix(configuration.directions) {
        let prefix = "recurrent.\(layer).\(direction)"
        add("\(prefix).kernel", [configuration.inputAxis(layer: layer).count, gates], .glorotUniform)
        add("\(prefix).recurrent_kernel", [configuration.hiddenSize, gates], .orthogonal)
        add(
          "\(prefix).bias", configuration.cell.biasRows == 2 ? [2, gates] : [gates],
          configuration.cell == .lstm ? .forgetOnes : .zeros)
      }
    }
    if configuration.pooling == .attention { add("attention.query", [configuration.outputSize], .glorotUniform) }
    add("dense.kernel", [configuration.outputSize, configuration.classCount], .glorotUniform)
    add("dense.bias", [configuration.classCount], .zeros)
    self.tensors = tensors
    self.count = offset
  }

  /// The tensor called `name`, if the network has it.
  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name } }

  /// Fresh parameters, the same for the same seed: Keras's initialisers.
  public func initialParameters(seed: UInt64) -> [Float] {
    var parameters = [Float](repeating: 0, count: count)
    for (index, tensor) in tensors.enumerated() {
      var generator = SeededGenerator(seed: seed, stream: UInt64(index))
      switch tensor.initializer {
      case .zeros: break
      case .ones:
        for i in tensor.range { parameters[i] = 1 }
      case .glorotUniform:
        let limit = squareRoot(6 / Double(tensor.fans))
        for i in tensor.range { parameters[i] = Float((2 * generator.uniform() - 1) * limit) }
      case .orthogonal:
        let rows = orthonormalRows(tensor.shape[0], tensor.shape[1], using: &generator)
        parameters.replaceSubrange(tensor.range, with: rows.map { Float($0) })
      case .forgetOnes:
        let hidden = tensor.count / 4
        for i in tensor.offset + hidden..<tensor.offset + 2 * hidden { parameters[i] = 1 }
      }
    }
    return parameters
  }
}

/// `rows` (at most `columns`) orthonormal vectors: normal numbers through Gram and Schmidt, each vector twice, for
/// accuracy.
private func orthonormalRows(_ rows: Int, _ columns: Int, using generator: inout SeededGenerator) -> [Double] {
  var matrix = (0..<rows * columns).map { _ in generator.normal() }
  matrix.withUnsafeMutableBufferPointer { matrix in
    for row in 0..<rows {
      let current = UnsafeMutableBufferPointer(rebasing: matrix[row * columns..<(row + 1) * columns])
      for earlier in [0..<row, 0..<row].joined() {
        let other = UnsafeMutableBufferPointer(rebasing: matrix[earlier * columns..<(earlier + 1) * columns])
        var dot = 0.0
        for i in 0..<columns { dot += current[i] * other[i] }
        for i in 0..<columns { current[i] -= dot * other[i] }
      }
      var square = 0.0
      for i in 0..<columns { square += current[i] * current[i] }
      let scale = 1 / square.squareRoot()
      for i in 0..<columns { current[i] *= scale }
    }
  }
  return matrix
}
