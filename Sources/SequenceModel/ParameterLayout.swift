import AuricleBase
import RealModule

/// Where each tensor of a network lies in its flat list of parameters: layer after layer, as each layer says.
///
/// A tensor's name is the number of its layer and its role in it, `layers.3.forward.kernel`; within a residual block the
/// numbers follow each other, `layers.3.0.kernel`. Shapes and the order of gates are Keras's.
public struct ParameterLayout: Sendable {
  /// One tensor: row-major, from element `offset` of the flat list.
  public struct Tensor: Sendable, Hashable {
    public let name: String
    public let shape: [Int]
    public let offset: Int
    /// Of moving averages, which an optimiser must leave alone (see `takeStatistics`): the share that a batch leaves.
    let momentum: Double?
    /// Whether weight decay applies.
    public let decays: Bool
    /// The layer it belongs to, the first being 0.
    public let layer: Int
    let initializer: TensorInitializer

    public var count: Int { shape.reduce(1, *) }
    public var range: Range<Int> { offset..<offset + count }
    /// False for moving averages.
    public var isTrainable: Bool { momentum == nil }
  }

  public let tensors: [Tensor]
  public let count: Int
  /// For each layer, which of the tensors are its own.
  let layers: [Range<Int>]
  /// Parameters that are learned.
  public var trainableCount: Int { tensors.reduce(0) { $0 + ($1.isTrainable ? $1.count : 0) } }

  public init(_ configuration: NetworkConfiguration) {
    var (tensors, layers, offset): ([Tensor], [Range<Int>], Int) = ([], [], 0)
    for (index, (layer, input)) in zip(configuration.layers, configuration.shapes).enumerated() {
      let first = tensors.count
      for tensor in layer.definition.tensors(input) {
        tensors.append(
          Tensor(
            name: "layers.\(index).\(tensor.role)", shape: tensor.shape, offset: offset, momentum: tensor.momentum,
            decays: tensor.decays, layer: index, initializer: tensor.initializer))
        offset += tensor.shape.reduce(1, *)
      }
      layers.append(first..<tensors.count)
    }
    (self.tensors, self.layers, count) = (tensors, layers, offset)
  }

  /// Fresh parameters, the same for the same seed: Keras's initialisers.
  public func initialParameters(seed: UInt64) -> [Float] {
    var parameters = [Float](repeating: 0, count: count)
    for (index, tensor) in tensors.enumerated() {
      var generator = SeededGenerator(seed: seed, stream: UInt64(index))
      let values = tensor.initializer.values(tensor.shape, using: &generator)
      parameters.replaceSubrange(tensor.range, with: values)
    }
    return parameters
  }

  /// Takes the statistics of a batch (means and variances that its layers found) out of `gradient`, where they stand in
  /// the places of parameters that are not trained, and leaves zeros: what an optimiser may see.
  public func takeStatistics(from gradient: inout [Float]) -> [Float] {
    var statistics: [Float] = []
    for tensor in tensors where !tensor.isTrainable && tensor.range.upperBound <= gradient.count {
      statistics += gradient[tensor.range]
      gradient.replaceSubrange(tensor.range, with: repeatElement(0, count: tensor.count))
    }
    return statistics
  }
}

/// How a tensor begins.
enum TensorInitializer: Hashable, Sendable {
  case zeros
  case ones
  /// Uniform in +-sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010); what a filter spans counts in both fans.
  case glorotUniform
  /// The same for queries, `heads x inputs`: one output for the inputs of each.
  case glorotQuery
  /// Orthonormal rows (Saxe et al., 2014).
  case orthogonal
  /// Zeros, but ones for the forget gate (Jozefowicz et al., 2015).
  case forgetOnes

  func values(_ shape: [Int], using generator: inout SeededGenerator) -> [Float] {
    let count = shape.reduce(1, *)
    switch self {
    case .zeros: return [Float](repeating: 0, count: count)
    case .ones: return [Float](repeating: 1, count: count)
    case .glorotUniform, .glorotQuery:
      // Inputs and outputs of one position, times the positions that a filter spans.
      let fans = self == .glorotQuery ? shape[1] + 1 : shape.dropLast(2).reduce(1, *) * shape.suffix(2).reduce(0, +)
      let limit = Double.sqrt(6 / Double(fans))
      return (0..<count).map { _ in Float((2 * generator.uniform() - 1) * limit) }
    case .orthogonal:
      return orthonormalRows(shape[0], shape[1], using: &generator).map { Float($0) }
    case .forgetOnes:
      return (0..<count).map { $0 * 4 / count == 1 ? 1 : 0 }
    }
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
