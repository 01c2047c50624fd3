import SequenceModel

/// A network of 0.1's kind.
public func classicNetwork(
  inputSize: Int, inputNormalization: ClassicNetwork.InputNormalization? = nil, epsilon: Double = 1e-3,
  convolutions: [Convolution] = [], cell: Recurrent.Cell = .gru, hiddenSize: Int = 128, layers: Int = 2,
  bidirectional: Bool = true, pooling: ClassicNetwork.Pooling = .attention, dropout: Double = 0.3,
  recurrentDropout: Double = 0, classCount: Int
) throws(ModelError) -> NetworkConfiguration {
  var network = ClassicNetwork()
  network.inputNormalization = inputNormalization
  network.normalizationEpsilon = epsilon
  network.convolutions = convolutions
  network.cell = cell
  network.hiddenSize = hiddenSize
  network.recurrentLayers = layers
  network.bidirectional = bidirectional
  network.pooling = pooling
  network.dropout = dropout
  network.recurrentDropout = recurrentDropout
  return try network.network(input: inputSize, classCount: classCount)
}
