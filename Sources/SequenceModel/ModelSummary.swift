/// What a network is made of, layer by layer, as Keras prints it.
public struct ModelSummary: Codable, Hashable, Sendable {
  public struct Layer: Codable, Hashable, Sendable {
    public var name: String
    /// Shape of what leaves the layer; "frames" stands for the length of the sequence.
    public var output: String
    public var parameters: Int
  }

  public let layers: [Layer]
  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  /// How many of the parameters are not learned: the moving averages of batch normalisation.
  public let nonTrainableParameters: Int

  public init(_ configuration: NetworkConfiguration) {
    let layout = ParameterLayout(configuration)
    let shapes = configuration.shapes
    let input = Layer(name: "Input", output: shapes[0].text, parameters: 0)
    layers =
      [input]
      + configuration.layers.enumerated().map { index, layer in
        Layer(
          name: layer.definition.title(shapes[index]), output: shapes[index + 1].text,
          parameters: layout.tensors[layout.layers[index]].reduce(0) { $0 + $1.count })
      }
    nonTrainableParameters = layout.count - layout.trainableCount
  }
}
