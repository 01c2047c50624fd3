extension SoundTrainer.Architecture {
  /// Networks by name. Sizes are in `Training.md`.
  public enum Name: String, CaseIterable, Sendable {
    case gruSmall = "gru-small"
    case gru
    case bigruAttention = "bigru-attention"
    case crnn
    case lstm
    case simpleRNN = "simple-rnn"
  }

  /// The network called `name`; what is not said here is as in `init()`.
  public init(_ name: Name) {
    self.init()
    switch name {
    case .gruSmall: (hiddenSize, layers, bidirectional, pooling) = (64, 1, false, .mean)
    case .gru: (bidirectional, pooling) = (false, .mean)
    case .bigruAttention: break
    case .crnn:
      convolutions = [Convolution(filters: 64, frames: 5), Convolution(filters: 64, frames: 3, frameStride: 2)]
      layers = 1
    case .lstm: cell = .lstm
    case .simpleRNN: (cell, layers) = (.simpleRNN, 1)
    }
  }

  /// For frames of `inputSize` coefficients. Throws `ModelError.configuration` for a size or a rate out of range.
  public func network(inputSize: Int, classCount: Int) throws(ModelError) -> ModelConfiguration {
    try ModelConfiguration(
      inputSize: inputSize, inputNormalization: inputNormalization, convolutions: convolutions, cell: cell,
      hiddenSize: hiddenSize, layers: layers, bidirectional: bidirectional, pooling: pooling, dropout: dropout,
      recurrentDropout: recurrentDropout, classCount: classCount)
  }
}
