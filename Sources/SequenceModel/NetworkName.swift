/// Networks by name, each a list of layers; the last, dense one follows from the data. Sizes are in `Training.md`.
public enum NetworkName: String, CaseIterable, Sendable {
  case gruSmall = "gru-small"
  case gru
  case bigruAttention = "bigru-attention"
  case convGRU = "conv-gru"
  case lstm
  case simpleRNN = "simple-rnn"
  case crnn
  case attRNN = "att-rnn"
  case tcGRU = "tc-gru"

  public var template: NetworkTemplate {
    if let classic, let layers = try? classic.layers() { return NetworkTemplate(layers) }
    let layers: [Layer] =
      switch self {
      case .attRNN: Self.attentionRNN
      case .tcGRU: Self.temporalConvolutions
      default: Self.convolutionalRNN
      }
    return NetworkTemplate(layers)
  }

  /// What the name stands for, where the options of 0.1 (`--cell`, `--hidden`, ...) can change it.
  public var classic: ClassicNetwork? {
    var network = ClassicNetwork()
    switch self {
    case .gruSmall:
      (network.hiddenSize, network.recurrentLayers, network.bidirectional, network.pooling) = (64, 1, false, .mean)
    case .gru: (network.bidirectional, network.pooling) = (false, .mean)
    case .bigruAttention: break
    case .convGRU:
      network.convolutions = [Convolution(filters: 64, frames: 5), Convolution(filters: 64, frames: 3, frameStride: 2)]
      network.recurrentLayers = 1
    case .lstm: network.cell = .lstm
    case .simpleRNN: (network.cell, network.recurrentLayers) = (.simpleRNN, 1)
    case .crnn, .attRNN, .tcGRU: return nil
    }
    return network
  }

  /// Three blocks of two 3x3 convolutions with batch normalisation and pooling, then a bidirectional GRU and attention.
  private static var convolutionalRNN: [Layer] {
    [(32, 2), (64, 2), (96, 1)].flatMap { filters, frames in
      let convolution: [Layer] = [
        .convolution(filters: filters, frames: 3, bins: 3), .batchNormalization(momentum: 0.9), .activation(.relu),
      ]
      return convolution + convolution + [.maxPooling(frames: frames, bins: 2), .dropout(0.1, channels: true)]
    } + [.recurrent(.gru, units: 128, directions: 2), .pooling(.attention()), .dropout(0.4)]
  }

  /// After the multi-head attention RNN of Rybakov et al., "Streaming keyword spotting on mobile devices", 2020.
  private static var attentionRNN: [Layer] {
    let recurrent = Layer.recurrent(.gru, units: 128, directions: 2)
    return [
      .convolution(filters: 10, frames: 5, bins: 1), .batchNormalization(momentum: 0.9), .activation(.relu),
      .convolution(filters: 1, frames: 5, bins: 1), .batchNormalization(momentum: 0.9), .activation(.relu), recurrent,
      .dropout(0.2), recurrent, .pooling(.attention(heads: 4)), .dense(64, .relu), .dropout(0.3),
    ]
  }

  /// Separable convolutions over time in residual blocks, then a unidirectional GRU: at most 110,000 parameters with 40
  /// coefficients, and it can stream.
  private static var temporalConvolutions: [Layer] {
    let width = 76
    func separable(_ frames: Int) -> [Layer] {
      [
        .depthwiseConvolution(frames: frames), .convolution(filters: width, frames: 1),
        .batchNormalization(momentum: 0.9),
      ]
    }
    return [
      .convolution(filters: width, frames: 5), .batchNormalization(momentum: 0.9), .activation(.relu),
    ]
      + [9, 11, 13, 15].flatMap { frames in
        [
          Layer.residual(separable(frames) + [.activation(.relu), .dropout(0.1)] + separable(frames)),
          .activation(.relu),
        ]
      } + [.recurrent(.gru, units: 64), .pooling(.attention(heads: 2)), .dropout(0.3)]
  }
}
