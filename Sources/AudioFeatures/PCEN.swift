import AuricleBase
import RealModule

extension FeatureConfiguration {
  /// Per-channel energy normalisation of mel energies: each is divided by its own recent mean, and the result compressed by
  /// a root, in place of a logarithm (Wang et al., "Trainable frontend for robust and far-field keyword spotting", ICASSP
  /// 2017). The formula and the defaults are librosa's `pcen`:
  ///
  ///     m[t] = (1 - s) m[t - 1] + s e[t]
  ///     y[t] = (e[t] / (epsilon + m[t])^gain + bias)^power - bias^power
  ///
  /// where m before the first frame is 1: energies should be of the order of 16-bit samples' (`InputScale.int16`).
  public struct PCEN: Hashable, Sendable {
    public var gain: Double
    public var bias: Double
    /// 0 gives ln(1 + e[t] / (epsilon + m[t])^gain).
    public var power: Double
    /// Of the mean, in seconds; s = (sqrt(1 + 4 T^2) - 1) / (2 T^2) for T frames.
    public var timeConstant: Double
    public var epsilon: Double

    public init(
      gain: Double = 0.98, bias: Double = 2, power: Double = 0.5, timeConstant: Double = 0.4, epsilon: Double = 1e-6
    ) {
      (self.gain, self.bias, self.power) = (gain, bias, power)
      (self.timeConstant, self.epsilon) = (timeConstant, epsilon)
    }
  }
}

extension FeatureConfiguration.PCEN: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] {
    [
      .value("gain", \.gain), .value("bias", \.bias), .value("power", \.power),
      .value("timeConstant", \.timeConstant), .value("epsilon", \.epsilon),
    ]
  }
}

/// The running means of a sound's energies, and what they make of its rows.
struct EnergyNormalizer {
  private let pcen: FeatureConfiguration.PCEN
  private let share: Double
  private var means: [Double]

  /// Nil where the configuration does not ask for it.
  init?(_ configuration: FeatureConfiguration) {
    guard let pcen = configuration.pcen else { return nil }
    let frames = pcen.timeConstant * Double(configuration.sampleRate) / Double(configuration.hopLength)
    self.pcen = pcen
    share = (Double.sqrt(1 + 4 * frames * frames) - 1) / (2 * frames * frames)
    means = Array(repeating: 1, count: configuration.baseCount)
  }

  /// Normalises the next `count` rows in place.
  mutating func apply(to rows: UnsafeMutablePointer<Float>, count: Int) {
    let root = Double.pow(pcen.bias, pcen.power)
    for row in 0..<count {
      for band in means.indices {
        let place = row * means.count + band
        let energy = Double(rows[place])
        means[band] += share * (energy - means[band])
        let ratio = energy * Double.exp(-pcen.gain * Double.log(pcen.epsilon + means[band]))
        rows[place] = Float(
          pcen.power == 0
            ? Double.log(1 + ratio) : Double.pow(ratio + pcen.bias, pcen.power) - root)
      }
    }
  }
}
