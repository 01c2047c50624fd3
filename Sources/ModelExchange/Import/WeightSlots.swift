import AuricleBase
import SequenceModel

/// The weights of one layer of another library.
struct WeightModule: Sendable {
  let name: String
  /// By their names within the module; of Keras "0", "1" and so on.
  var tensors: [String: TensorFile.Tensor]
  /// The module before it, of layers of one recurrent module.
  var follows: String?
  /// Whether its name's numbers are its place.
  let isNumbered: Bool
  /// What it is, if it is recurrent or dense.
  var recurrent: Recurrent?
  var isDense = false
  /// Numbers in a frame that it takes, where that is known.
  var inputs: Int?
  /// Of its first tensor.
  var rank: Int { (tensors["weight"] ?? tensors["0"])?.shape.count ?? 0 }

  var shapes: String {
    tensors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.shape.map { "\($0)" }.joined(separator: " x "))" }
      .joined(separator: ", ")
  }

  /// The tensor's numbers, if it has this shape. Throws the reason where it has another.
  func values(_ tensor: String, _ shape: [Int]) throws(ImportProblem) -> [Float] {
    guard let found = tensors[tensor] else { throw ImportProblem(reason: "\(name) has no '\(tensor)'") }
    guard found.shape == shape else {
      func text(_ shape: [Int]) -> String { shape.map { "\($0)" }.joined(separator: " x ") }
      throw ImportProblem(
        reason: "'\(tensor)' of \(name) is \(text(found.shape)); the network wants \(text(shape))")
    }
    return found.values.map { Float($0) }
  }

  func optional(_ tensor: String, count: Int, default value: Float) throws(ImportProblem) -> [Float] {
    tensors[tensor] == nil ? [Float](repeating: value, count: count) : try values(tensor, [count])
  }

  /// Throws the reason where it has a tensor that none of these is.
  func require(only names: Set<String>, for layer: String) throws(ImportProblem) {
    if let odd = tensors.keys.sorted().first(where: { !names.contains($0) }) {
      throw ImportProblem(reason: "'\(odd)' of \(name) is no part of \(layer)")
    }
  }
}

/// A layer that waits for its weights.
struct WeightSlot {
  let layer: Layer
  let input: LayerShape
  let specifications: [(role: String, shape: [Int])]
  let options: WeightsImporter.Options
  let source: WeightsImporter.Source
  /// Where the other library has another order of a frame's numbers: which of Auricle's each of its own is.
  let order: [Int]?

  /// All parameters of the layer, as `ParameterLayout` wants them. Throws the reason where they do not fit.
  func parameters(of module: WeightModule) throws(ImportProblem) -> [Float] {
    let values =
      try source == .keras ? KerasWeights.parameters(self, module) : PyTorchWeights.parameters(self, module)
    guard values.allSatisfy(\.isFinite) else {
      throw ImportProblem(reason: "\(module.name) holds a number that is not finite")
    }
    return values
  }

  func mayTake(_ module: WeightModule) -> Bool { (try? parameters(of: module)) != nil }

  /// Whether the module is of the layer's kind, whatever its sizes.
  func isAlike(_ module: WeightModule) -> Bool {
    switch layer {
    case .recurrent: module.recurrent != nil
    case .dense, .pooling: module.isDense
    case .convolution, .depthwiseConvolution: module.rank >= 3
    case .batchNormalization: module.tensors["running_mean"] != nil
    case .layerNormalization: module.rank == 1 && module.tensors["running_mean"] == nil
    case .activation, .dropout, .residual, .windowPooling: false
    }
  }

  /// Rows of a matrix with one for each number of a frame (`count x columns`) in Auricle's order.
  func reordered(_ rows: [Float], columns: Int) -> [Float] {
    guard let order else { return rows }
    var result = rows
    for (from, to) in order.enumerated() {
      result.replaceSubrange(to * columns..<(to + 1) * columns, with: rows[from * columns..<(from + 1) * columns])
    }
    return result
  }
}

/// Folds a network over its layers into slots.
struct Assembly {
  let options: WeightsImporter.Options
  let source: WeightsImporter.Source
  private var order: [Int]?

  init(options: WeightsImporter.Options, source: WeightsImporter.Source) {
    (self.options, self.source) = (options, source)
  }

  mutating func slots(_ layers: [Layer], _ shapes: [LayerShape]) throws -> [WeightSlot] {
    var slots: [WeightSlot] = []
    for (index, layer) in layers.enumerated() {
      let input = shapes[index]
      if case .residual(let block) = layer {
        slots += try self.slots(block.layers, NetworkConfiguration.shapes(of: block.layers, input: input))
        continue
      }
      if !input.isFlat { order = channelsFirst(input) }
      let specifications = layer.tensorShapes(input)
      if !specifications.isEmpty {
        slots.append(
          WeightSlot(
            layer: layer, input: input, specifications: specifications, options: options, source: source,
            order: order?.count == input.count ? order : nil))
      }
      switch layer {
      case .pooling(let pooling):
        if case .attention(let heads) = pooling.kind, let one = order {
          order = (0..<heads).flatMap { head in one.map { head * one.count + $0 } }
        }
      case .dense, .recurrent, .convolution: order = nil
      case .activation, .batchNormalization, .depthwiseConvolution, .dropout, .layerNormalization, .residual,
        .windowPooling:
        break
      }
    }
    return slots
  }

  /// Of a frame `bins x channels`, which PyTorch has the other way round.
  private func channelsFirst(_ shape: LayerShape) -> [Int]? {
    guard source == .pytorch, options.flattensChannelsFirst, shape.bins > 1, shape.channels > 1 else { return nil }
    return (0..<shape.count).map { $0 % shape.bins * shape.channels + $0 / shape.bins }
  }
}
