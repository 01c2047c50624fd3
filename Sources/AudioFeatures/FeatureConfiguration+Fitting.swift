extension FeatureConfiguration {
  /// Log-mel energies that suit any kind of sound at `sampleRate` Hz, of which most lasts no longer than `seconds`: what
  /// `auricle train` uses unless told otherwise.
  ///
  ///     FeatureConfiguration.fitting(sampleRate: 2_000, seconds: 30).mel.count     // 32
  ///
  /// Frames of 25 ms every 10 ms, 40 filters; where sounds are longer than 2.5 s, frames of 40 ms every 20 ms and 64
  /// filters; 64 filters also above 16 kHz. No frame has fewer than 128 samples, so that low rates have the resolution
  /// in frequency that their filters need, and above 100 kHz, where sound is ultrasound, frames have 4 ms, rounded up to
  /// a power of two. There are as many filters, at most, as find a bin each.
  public static func fitting(sampleRate: Int, seconds: Double) -> FeatureConfiguration {
    let isLong = seconds > 2.5
    let isUltrasound = sampleRate > 100_000
    var frame = max(128, milliseconds(isLong ? 40 : 25, sampleRate))
    var hop = max(1, milliseconds(isLong ? 20 : seconds < 0.5 ? 5 : 10, sampleRate), frame / 4)
    if isUltrasound {
      frame = nextPowerOfTwo(milliseconds(4, sampleRate))
      hop = frame / 2
    }
    var configuration = FeatureConfiguration.speech(sampleRate: sampleRate, kind: .logMel)
    (configuration.frameLength, configuration.hopLength) = (frame, hop)
    configuration.fftLength = nextPowerOfTwo(frame)
    configuration.window = Window(.hann, isPeriodic: true)
    configuration.preEmphasis = PreEmphasis(0)
    configuration.deltas.order = 0
    configuration.mel.lowFrequency = isUltrasound ? 1_000 : 20
    // Two bins for each filter, or more.
    let most = min(isLong || sampleRate > 16_000 ? 64 : 40, configuration.fftLength / 4)
    for count in stride(from: most, through: 8, by: -4) {
      configuration.mel.count = count
      if (try? MelBands(configuration)) != nil { return configuration }
    }
    configuration.mel.emptyFilters = .zero
    return configuration
  }
}
