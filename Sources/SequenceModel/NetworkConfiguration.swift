/// What a network is made of: a list of layers, everything but the numbers it learns.
///
///     let network = try NetworkConfiguration(
///       input: 39,
///       [.recurrent(.gru, units: 128, directions: 2), .dropout(0.3), .pooling(.attention()), .dense(10)])
///     network.parameterCount     // 132362
///
/// Frames (`frames x input`) go through the layers in turn; the last is dense and gives a logit for each class.
public struct NetworkConfiguration: Hashable, Sendable {
  /// Coefficients in a frame.
  public let input: Int
  public let layers: [Layer]
  /// Classes, which are the outputs of the last layer.
  public let classCount: Int
  /// What enters each layer, and what leaves the last.
  package let shapes: [LayerShape]

  /// Throws `ModelError.configuration`, which names the layer, for what cannot be.
  public init(input: Int, _ layers: [Layer]) throws(ModelError) {
    try Self.check("input size", input, 1...65_536)
    try Self.check("number of layers", layers.count, 1...256)
    self.input = input
    self.layers = layers
    shapes = try Self.shapes(of: layers, input: LayerShape(input: input))
    let last = shapes[layers.count]
    guard !last.hasFrames else {
      throw .configuration("its frames never become one vector: a pooling layer must stand before the last layer")
    }
    guard case .dense(let dense) = layers.last, dense.activation == nil else {
      throw .configuration("its last layer is not dense, without an activation, with a unit for each class")
    }
    try Self.check("number of classes", last.count, 2...1_000_000)
    classCount = last.count
  }

  /// What enters each layer, and what leaves the last.
  package static func shapes(of layers: [Layer], input: LayerShape) throws(ModelError) -> [LayerShape] {
    var shapes = [input]
    for (index, layer) in layers.enumerated() {
      let definition = layer.definition
      do {
        shapes.append(try definition.output(of: shapes[index]))
      } catch {
        guard case .configuration(let reason) = error else { throw error }
        throw .configuration("layer \(index) (\(type(of: definition).type)): \(reason)")
      }
    }
    return shapes
  }

  static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(ModelError) {
    guard range.contains(value) else {
      throw .configuration("\(name) is \(value); it must be in \(range.lowerBound)...\(range.upperBound)")
    }
  }

  static func checkRate(_ name: String, _ rate: Double) throws(ModelError) {
    guard rate >= 0 && rate < 1 else { throw .configuration("\(name) is \(rate); it must be at least 0 and below 1") }
  }

  /// Numbers of the network: those it learns and the moving means and variances of batch normalisation.
  public var parameterCount: Int { ParameterLayout(self).count }

  /// Why it cannot work on a stream; nil where it can.
  public var waitsForEnd: String? { layers.lazy.compactMap(\.definition.waitsForEnd).first }

  /// For each direction of each recurrent layer, its units and whether it has a cell state: see `RecurrentState`.
  var states: [(units: Int, hasCell: Bool)] { layers.flatMap(\.definition.states) }

  /// The first layer that makes one vector of all frames.
  var poolingIndex: Int { shapes.firstIndex { !$0.hasFrames }.map { $0 - 1 } ?? layers.count }

  /// Frames that reach the pooling of a sequence of `frames`.
  public func outputFrames(_ frames: Int) -> Int {
    zip(shapes, shapes[1...poolingIndex]).reduce(frames) { count, shapes in
      let stride = shapes.1.frameStride / shapes.0.frameStride
      return (count + stride - 1) / stride
    }
  }

  /// The same layers for another input or other classes: the last layer's units are replaced.
  public func with(input: Int? = nil, classCount: Int? = nil) throws(ModelError) -> NetworkConfiguration {
    var layers = layers
    if let classCount { layers[layers.count - 1] = .dense(classCount) }
    return try NetworkConfiguration(input: input ?? self.input, layers)
  }
}
