import AuricleBase
import CKernels
import RealModule

extension FeatureConfiguration.MelFilterbank.Scale {
  /// Mels of a frequency in Hz.
  public func mels(_ frequency: Double) -> Double {
    switch self {
    case .htk: 1127.0 * Double.log(1 + frequency / 700)
    case .slaney:
      frequency < 1000 ? frequency * 3 / 200 : 15 + Double.log(frequency / 1000) / (Double.log(6.4) / 27)
    }
  }

  /// The frequency in Hz of a number of mels.
  public func frequency(_ mels: Double) -> Double {
    switch self {
    case .htk: 700 * (Double.exp(mels / 1127.0) - 1)
    case .slaney: mels < 15 ? mels * 200 / 3 : 1000 * Double.exp((mels - 15) * (Double.log(6.4) / 27))
    }
  }
}

/// Triangular filters on the mel scale as a band matrix: for each filter the bins it covers and their weights.
package struct MelBands {
  private(set) var bands: [auricle_band] = []
  private(set) var weights: [Float] = []

  /// Throws `FeatureError.configuration` when a filter would cover no bin, unless the configuration allows it.
  init(_ configuration: FeatureConfiguration) throws(FeatureError) {
    for (index, filter) in MelBands.filters(configuration).enumerated() {
      let first = filter.firstIndex { $0 > 0 } ?? 0
      let last = filter.lastIndex { $0 > 0 } ?? -1
      guard last >= 0 || configuration.mel.emptyFilters == .zero else {
        throw .configuration(
          "mel filter \(index + 1) of \(configuration.mel.count) covers no bin of the \(configuration.fftLength)-point "
            + "spectrum; ask for fewer filters, a longer transform, or \"emptyFilters\": \"zero\"")
      }
      let weights = last >= 0 ? filter[first...last].map { Float($0) } : []
      bands.append(
        auricle_band(first: UInt32(first), count: UInt32(weights.count), offset: UInt32(self.weights.count)))
      self.weights += weights
    }
  }

  /// The dense matrix, filters x bins.
  package static func filters(_ configuration: FeatureConfiguration) -> [[Double]] {
    let mel = configuration.mel
    let (rate, bins) = (mel.binRate ?? Double(configuration.sampleRate), configuration.binCount)
    let high = mel.highFrequency ?? rate / 2
    let (lowest, highest) = (mel.scale.mels(mel.lowFrequency), mel.scale.mels(high))
    let corners = (0..<mel.count + 2).map { lowest + (highest - lowest) * Double($0) / Double(mel.count + 1) }
    let frequencies = corners.map(mel.scale.frequency)
    let binWidth =
      mel.roundsNyquist
      ? (rate / 2).rounded(.down) / Double(max(1, bins - 1)) : rate / Double(configuration.fftLength)
    let first = mel.roundsLimits ? Int((mel.lowFrequency / binWidth).rounded()) + 1 : 0
    let end = mel.roundsLimits ? Int((high / binWidth).rounded()) : bins

    return (0..<mel.count).map { index in
      // The corners and the bins on the axis where the sides are straight.
      let (left, center, right): (Double, Double, Double)
      let position: (Int) -> Double
      switch mel.edges {
      case .hertz:
        (left, center, right) = (frequencies[index], frequencies[index + 1], frequencies[index + 2])
        position = { Double($0) * binWidth }
      case .mel:
        (left, center, right) = (corners[index], corners[index + 1], corners[index + 2])
        position = { mel.scale.mels(Double($0) * binWidth) }
      case .bins:
        let floored = frequencies[index...index + 2].map {
          (Double(configuration.fftLength + 1) * $0 / rate).rounded(.down)
        }
        (left, center, right) = (floored[0], floored[1], floored[2])
        position = { Double($0) }
      }
      let area =
        mel.normalization == .slaney ? 2 / (frequencies[index + 2] - frequencies[index]) : 1
      return (0..<bins).map { bin in
        guard bin >= first && bin < end else { return 0 }
        let x = position(bin)
        // Corners that were moved onto one bin leave a side without width; the centre belongs to the falling side.
        let rising = center > left ? (x - left) / (center - left) : (x >= center ? 1 : 0)
        let falling = right > center ? (right - x) / (right - center) : (x < center ? 1 : 0)
        return max(0, min(rising, falling)) * area
      }
    }
  }
}
