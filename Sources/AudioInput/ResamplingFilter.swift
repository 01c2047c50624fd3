import AuricleBase
import RealModule

/// The low-pass filter between two sample rates: a Kaiser-windowed sinc, cut into phases.
///
/// Output `n` lies `n * from / to` input samples after the first input: at a whole number of samples and a fraction.
/// A phase is the filter's taps for one such fraction. When the rates' ratio in lowest terms is `up / down`, there are
/// `up` fractions, and a table of all of them is exact. Otherwise `phases` fractions are tabulated, and taps for those
/// between are interpolated.
final class ResamplingFilter: Sendable {
  /// `to` and `from` over their greatest common divisor.
  let up: Int
  let down: Int
  /// Taps per phase, a multiple of 16.
  let taps: Int
  let phases: Int
  /// `(phases + 1) x taps`; phase `p` is for the fraction `p / phases`, and its taps add up to 1.
  let coefficients: [Float]

  /// Resolution of a table that is not exact, in phases per sample of the lower rate. Linear interpolation errs by at
  /// most (pi / 4096)^2 / 8 = 7.4e-8 (-143 dB) of a tone, far below the stop-band.
  private static let resolution = 4096

  private init(from: Int, to: Int) {
    let divisor = greatestCommonDivisor(from, to)
    up = to / divisor
    down = from / divisor
    // Time runs in samples of the lower rate, whose Nyquist frequency is 0.5.
    let stretch = min(1, Double(to) / Double(from))
    let sides = Int((Resampler.zeroCrossings / stretch).rounded(.up))
    let taps = (2 * sides + 15) / 16 * 16
    let phases = min(up, max(1, Int((Double(Self.resolution) * stretch).rounded(.up))))
    let kernel = KaiserSinc(
      cutoff: (1 + Resampler.passband) / 4, halfWidth: Resampler.zeroCrossings,
      attenuation: Resampler.stopbandAttenuation)

    var coefficients: [Float] = []
    coefficients.reserveCapacity((phases + 1) * taps)
    for phase in 0...phases {
      let fraction = Double(phase) / Double(phases)
      let row = (0..<taps).map { kernel.value(at: (Double($0 - taps / 2 + 1) - fraction) * stretch) }
      let sum = row.reduce(0, +)
      coefficients.append(contentsOf: row.map { Float($0 / sum) })
    }
    self.taps = taps
    self.phases = phases
    self.coefficients = coefficients
  }

  private static let cache = Locked<[ResamplingFilter]>([])

  /// Coefficients to keep: 16 MB, all the speeds that augmentation draws, or the tables of two pairs of odd rates.
  private static let cacheSize = 4 << 20

  /// The filter for a pair of rates, from a small cache shared by all threads: a batch of files has one or two pairs,
  /// augmentation a pair for each speed.
  static func between(_ from: Int, _ to: Int) -> ResamplingFilter {
    let divisor = greatestCommonDivisor(from, to)
    return cache.withLock { cache in
      if let known = cache.first(where: { $0.up == to / divisor && $0.down == from / divisor }) { return known }
      let filter = ResamplingFilter(from: from, to: to)
      cache.append(filter)
      while cache.count > 1, cache.reduce(0, { $0 + $1.coefficients.count }) > cacheSize { cache.removeFirst() }
      return filter
    }
  }
}

/// An ideal low-pass filter's impulse response under a Kaiser window.
///
/// J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974; the formula for
/// beta is that of Oppenheim and Schafer, "Discrete-Time Signal Processing", section 7.5.3.
private struct KaiserSinc {
  /// Where the response has fallen by half, in cycles per unit of time.
  let cutoff: Double
  let halfWidth: Double
  let beta: Double

  init(cutoff: Double, halfWidth: Double, attenuation: Double) {
    self.cutoff = cutoff
    self.halfWidth = halfWidth
    beta = 0.1102 * (attenuation - 8.7)
  }

  func value(at time: Double) -> Double {
    let x = time / halfWidth
    guard x.magnitude < 1 else { return 0 }
    let angle = 2 * Double.pi * cutoff * time
    return (angle == 0 ? 1 : Double.sin(angle) / angle) * Self.bessel(beta * (1 - x * x).squareRoot())
  }

  /// The modified Bessel function of the first kind and order zero, by its power series.
  private static func bessel(_ x: Double) -> Double {
    var sum = 1.0
    var term = 1.0
    var k = 1.0
    while term > sum * 1e-17 {
      term *= (x / (2 * k)) * (x / (2 * k))
      sum += term
      k += 1
    }
    return sum
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
