import AudioFeatures
import AuricleBase
import RealModule

/// The smooth spectrum that a frame's coefficients describe, and what a change of it does to them.
///
/// Log-mel energies are that spectrum; cepstra are the first rows of its DCT, so their transpose gives back as much of it
/// as they hold. A warp or a mask of the spectrum is then a matrix on the coefficients (Pitz and Ney, "Vocal tract
/// normalization equals linear transformation in cepstral space", IEEE TSAP 2005), and detail that the coefficients do
/// not hold is left alone.
struct SpectralEnvelope: Sendable {
  /// Places on the frequency axis.
  let bands: Int
  private let coefficients: Int
  /// Centre of each band in Hz, rising.
  private let centers: [Double]
  /// `coefficients x bands` and `bands x coefficients`: from the spectrum and back. Empty where they are the same.
  private let analysis: [Double]
  private let synthesis: [Double]

  private let isLogarithmic: Bool
  /// Of the logarithm, in a dB of power.
  let unitsPerDecibel: Double
  /// What a logarithm of the features is multiplied by for the natural logarithm of a power.
  var naturalPerUnit: Double { Double.log(10) / (10 * unitsPerDecibel) }
  /// 10 for power, 20 for magnitude.
  private let decibelsPerDecade: Double

  /// A change of coefficients: y = matrix x + meanMatrix m, where m is the mean over the file (for deltas, zero).
  struct Change {
    var matrix: [Float]
    var meanMatrix: [Float]
    var keepsMean: Bool
  }

  init(_ configuration: FeatureConfiguration) {
    coefficients = configuration.baseCount
    isLogarithmic = configuration.kind == .logMel || configuration.kind == .mfcc
    decibelsPerDecade = configuration.usesPower ? 10 : 20
    let unitsPerDecade =
      switch configuration.logarithm.unit {
      case .natural: Double.log(10)
      case .decimal: 1.0
      case .decibels: 10.0
      }
    unitsPerDecibel = unitsPerDecade / decibelsPerDecade
    switch configuration.kind {
    case .spectrogram:
      bands = configuration.binCount
      centers = (0..<bands).map { Double($0 * configuration.sampleRate) / Double(configuration.fftLength) }
    case .mel, .logMel, .mfcc:
      let mel = configuration.mel
      bands = mel.count
      let lowest = mel.scale.mels(mel.lowFrequency)
      let highest = mel.scale.mels(mel.highFrequency ?? Double(configuration.sampleRate) / 2)
      centers = (1...bands).map {
        mel.scale.frequency(lowest + (highest - lowest) * Double($0) / Double(mel.count + 1))
      }
    }
    guard configuration.kind == .mfcc else {
      (analysis, synthesis) = ([], [])
      return
    }
    // Rows of the orthonormal DCT-II; scale and lifter are undone and done again, so only their ratio would matter,
    // and it is one. Where energy stands for coefficient 0, that coefficient says nothing of the spectrum's shape.
    let cepstrum = configuration.cepstrum
    var analysis: [Double] = []
    var synthesis = [Double](repeating: 0, count: bands * coefficients)
    for place in 0..<coefficients {
      let n = cepstrum.zerothPosition == .last ? (place + 1) % coefficients : place
      let scale = n == 0 && cepstrum.energy != .none ? 0 : Double.sqrt((n == 0 ? 1 : 2) / Double(bands))
      let weight = cepstrum.weight(n, mels: bands)
      for band in 0..<bands {
        let value = scale * Double.cos(Double.pi * Double(n) * (Double(band) + 0.5) / Double(bands))
        analysis.append(value * weight)
        synthesis[band * coefficients + place] = value / weight
      }
    }
    (self.analysis, self.synthesis) = (analysis, synthesis)
  }

  /// What stretching the frequency axis by `factor` and then setting `masks` to their mean over the file does.
  func change(warp factor: Double, masks: [Range<Int>]) -> Change {
    // The change of the spectrum less identity, so that what coefficients do not describe stays.
    var warp = [Double](repeating: 0, count: bands * bands)
    var masked = [Double](repeating: 0, count: bands * bands)
    let isMasked = (0..<bands).map { band in masks.contains { $0.contains(band) } }
    for band in 0..<bands {
      let (below, share) = place(of: warped(centers[band], factor))
      for (target, weight) in [(below, 1 - share), (min(bands - 1, below + 1), share)] {
        if isMasked[band] { masked[band * bands + target] += weight } else { warp[band * bands + target] += weight }
      }
      warp[band * bands + band] -= 1
    }
    var matrix = onCoefficients(warp)
    for i in 0..<coefficients { matrix[i * coefficients + i] += 1 }
    return Change(
      matrix: matrix.map { Float($0) }, meanMatrix: masks.isEmpty ? [] : onCoefficients(masked).map { Float($0) },
      keepsMean: !masks.isEmpty)
  }

  /// What gains in dB, evenly spaced over the bands and straight between, do to the coefficients: a term for
  /// logarithmic ones, a factor for energies.
  func gain(decibels: [Double]) -> (values: [Float], isFactor: Bool) {
    let curve = (0..<bands).map { band -> Double in
      let position = Double(band) / Double(max(1, bands - 1)) * Double(decibels.count - 1)
      let below = min(decibels.count - 1, Int(position))
      let above = min(decibels.count - 1, below + 1)
      return decibels[below] + (position - Double(below)) * (decibels[above] - decibels[below])
    }
    guard isLogarithmic else { return (curve.map { Float(Double.pow(10, $0 / decibelsPerDecade)) }, true) }
    let terms = curve.map { $0 * unitsPerDecibel }
    guard !analysis.isEmpty else { return (terms.map { Float($0) }, false) }
    return (product(analysis, terms, coefficients, bands, 1).map { Float($0) }, false)
  }

  /// Straight up to 0.8 of the highest frequency, then to its end, which stays.
  private func warped(_ frequency: Double, _ factor: Double) -> Double {
    let highest = centers[bands - 1]
    let knee = 0.8 * highest / max(1, factor)
    if frequency <= knee { return frequency * factor }
    return knee * factor + (frequency - knee) * (highest - knee * factor) / (highest - knee)
  }

  private func place(of frequency: Double) -> (below: Int, share: Double) {
    guard frequency > centers[0] else { return (0, 0) }
    let above = centers.firstIndex { $0 >= frequency } ?? bands - 1
    guard above > 0 else { return (0, 0) }
    let share = (frequency - centers[above - 1]) / (centers[above] - centers[above - 1])
    return (above - 1, min(1, share))
  }

  private func onCoefficients(_ spectrum: [Double]) -> [Double] {
    guard !analysis.isEmpty else { return spectrum }
    return product(
      product(analysis, spectrum, coefficients, bands, bands), synthesis, coefficients, bands, coefficients)
  }

  private func product(_ a: [Double], _ b: [Double], _ rows: Int, _ inner: Int, _ columns: Int) -> [Double] {
    var result = [Double](repeating: 0, count: rows * columns)
    for i in 0..<rows {
      for k in 0..<inner where a[i * inner + k] != 0 {
        for j in 0..<columns { result[i * columns + j] += a[i * inner + k] * b[k * columns + j] }
      }
    }
    return result
  }
}

extension FeatureConfiguration.Cepstrum {
  /// What coefficient `n` of the orthonormal DCT is multiplied by.
  fileprivate func weight(_ n: Int, mels: Int) -> Double {
    let scale =
      switch normalization {
      case .orthonormal: 1.0
      case .htk: n == 0 ? Double.sqrt(2) : 1
      case .none: n == 0 ? 2 * Double.sqrt(Double(mels)) : Double.sqrt(2 * Double(mels))
      }
    guard lifter > 0 else { return scale }
    let lifted = 1 + lifter / 2 * Double.sin(Double.pi * Double(lifterConvention == .librosa ? n + 1 : n) / lifter)
    return scale * (abs(lifted) < 1e-6 ? 1e-6 : lifted)
  }
}
