import AuricleBase
import RealModule

// What the fields of a configuration come to in numbers.

extension FeatureConfiguration {
  /// What stands in place of coefficient 0, of kinds that have one.
  package var energy: Cepstrum.Energy { kind == .mfcc ? cepstrum.energy : .none }

  /// Whether features depend on the sound's greatest energy.
  package var needsGreatest: Bool { (kind == .logMel || kind == .mfcc) && logarithm.range != nil }

  /// Whether features depend on the mean of the whole sound.
  package var needsStatistics: Bool { normalization == .utteranceMean || normalization == .utteranceMeanVariance }

  /// What the natural logarithm of the spectrum's energies is multiplied by.
  package var logarithmFactor: Double { logarithm.factor * (logarithm.unit == .decibels && !usesPower ? 2 : 1) }

  /// What the power spectrum is multiplied by, for a window of these values.
  package func spectrumScale(of window: [Double]) -> Double {
    switch spectrumNormalization {
    case .none: 1
    case .length: 1 / Double(fftLength)
    case .window: 1 / window.reduce(0) { $0 + $1 * $1 }
    }
  }
}

extension FeatureConfiguration.InputScale {
  /// What samples within [-1, 1] are multiplied by.
  package var factor: Double { self == .int16 ? 32_768 : 1 }
}

extension FeatureConfiguration.Logarithm {
  /// What the natural logarithm of a power is multiplied by.
  package var factor: Double {
    switch unit {
    case .natural: 1
    case .decimal: 1 / Double.log(10)
    case .decibels: 10 / Double.log(10)
    }
  }

  /// What is subtracted afterwards: the reference in dB.
  package func shift(usesPower: Bool) -> Double {
    unit == .decibels ? (usesPower ? 10 : 20) * Double.log10(max(reference, floor)) : 0
  }
}
