/// What stands before the recurrent layers: input normalisation, then convolutions; mostly nothing.
struct NetworkFront<Scalar: NetworkScalar>: Sendable {
  enum Normalization: Sendable {
    case batch(BatchNormalization<Scalar>)
    case layer(LayerNormalization<Scalar>)
  }

  let normalization: Normalization?
  let convolutions: [ConvolutionLayer<Scalar>]

  var isEmpty: Bool { normalization == nil && convolutions.isEmpty }

  init(
    _ configuration: ModelConfiguration, layout: ParameterLayout, parameters: UnsafePointer<Scalar>, forTraining: Bool
  ) {
    let axis = configuration.featureAxis
    normalization = configuration.inputNormalization.map { normalization in
      switch normalization.kind {
      case .batch: .batch(BatchNormalization(normalization.epsilon, axis, layout: layout, parameters: parameters))
      case .layer: .layer(LayerNormalization(normalization.epsilon, axis, layout: layout, parameters: parameters))
      }
    }
    convolutions = configuration.convolutionGeometries.enumerated().map { index, geometry in
      ConvolutionLayer(geometry, index: index, layout: layout, parameters: parameters, forTraining: forTraining)
    }
  }
}

/// The buffers of a front, forward and back: sized by the first large batch, then reused.
final class FrontTape<Scalar: NetworkScalar> {
  private let featureAxis: Axis
  private let normalized = Buffer<Scalar>(), dnormalized = Buffer<Scalar>()
  private let batchNormalization = BatchNormalization<Scalar>.Tape()
  private let scratch = ConvolutionLayer<Scalar>.Scratch()
  private var layers: [(shape: BatchShape, y: Buffer<Scalar>, dy: Buffer<Scalar>)]
  /// The gradient of what `forward` returned, set by the caller before `backward`.
  var outputGradient: Buffer<Scalar> { layers.last?.dy ?? dnormalized }

  init(_ configuration: ModelConfiguration) {
    featureAxis = configuration.featureAxis
    layers = configuration.convolutions.map { _ in (BatchShape(lengths: []), Buffer(), Buffer()) }
  }

  /// What the recurrent layers see, and its shape. `statistics` are the batch's for batch normalisation, nil for the
  /// moving ones.
  func forward(
    _ front: NetworkFront<Scalar>, _ shape: BatchShape, _ x: Buffer<Scalar>, statistics: BatchStatistics?
  ) -> (x: Buffer<Scalar>, shape: BatchShape) {
    var (x, shape) = (normalize(front, rows: shape.rows, x, statistics: statistics), shape)
    for (index, layer) in front.convolutions.enumerated() {
      let y = layers[index].y
      let output = layer.outputShape(of: shape)
      layers[index].shape = output
      y.reserve(output.rows * layer.geometry.outputAxis.paddedCount)
      layer.forward(shape, x.base, output, y.base, lead: layer.geometry.framePadding, scratch: scratch)
      (x, shape) = (y, output)
    }
    return (x, shape)
  }

  /// The part before the convolutions; `x` itself without normalisation.
  func normalize(
    _ front: NetworkFront<Scalar>, rows: Int, _ x: Buffer<Scalar>, statistics: BatchStatistics?
  ) -> Buffer<Scalar> {
    guard let normalization = front.normalization else { return x }
    normalized.reserve(rows * featureAxis.paddedCount)
    switch normalization {
    case .batch(let layer):
      layer.forward(rows: rows, x.base, normalized.base, statistics: statistics, tape: batchNormalization)
    case .layer(let layer):
      layer.forward(rows: rows, x.base, normalized.base)
    }
    return normalized
  }

  /// Adds the gradients of the front's parameters to `gradient`, given `outputGradient` and the `shape` and `x` of the
  /// last `forward`; sets `dx`, where given.
  func backward(
    _ front: NetworkFront<Scalar>, _ shape: BatchShape, _ x: Buffer<Scalar>, dx: Buffer<Scalar>?,
    gradient: UnsafeMutablePointer<Scalar>
  ) {
    let normalizes = front.normalization != nil
    for (index, layer) in front.convolutions.enumerated().reversed() {
      let (input, source, target) =
        index > 0
        ? (layers[index - 1].shape, layers[index - 1].y, layers[index - 1].dy)
        : (shape, normalizes ? normalized : x, normalizes ? dnormalized : dx)
      target?.reserve(input.rows * layer.geometry.input.axis.paddedCount)
      layer.backward(
        input, source.base, layers[index].shape, y: layers[index].y.base, dy: layers[index].dy.base, dx: target?.base,
        scratch: scratch, gradient: gradient)
    }
    guard let normalization = front.normalization else { return }
    dx?.reserve(shape.rows * featureAxis.paddedCount)
    switch normalization {
    case .batch(let layer):
      layer.backward(
        rows: shape.rows, x.base, dy: dnormalized.base, dx: dx?.base, tape: batchNormalization, gradient: gradient)
    case .layer(let layer):
      layer.backward(rows: shape.rows, x.base, dy: dnormalized.base, dx: dx?.base, gradient: gradient)
    }
  }
}
