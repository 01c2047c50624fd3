extension FeatureConfiguration {
  /// `librosa.feature.mfcc(y, sr)` of librosa 0.10 and later, with its defaults: 20 coefficients of 128 Slaney mels,
  /// frames of 2,048 samples every 512, power in dB within 80 dB of the greatest.
  public static func librosa(sampleRate: Int = 22_050) -> FeatureConfiguration {
    FeatureConfiguration(
      kind: .mfcc, sampleRate: sampleRate, inputScale: .unit, frameLength: 2048, hopLength: 512, fftLength: 2048,
      framing: .centerZero, removesOffset: false, preEmphasis: PreEmphasis(0),
      window: Window(.hann, isPeriodic: true), usesPower: true,
      mel: MelFilterbank(count: 128, scale: .slaney, edges: .hertz, normalization: .slaney),
      logarithm: Logarithm(.decibels, floor: 1e-10, range: 80),
      cepstrum: Cepstrum(count: 20, lifterConvention: .librosa),
      deltas: Deltas(order: 0, halfWidth: 4, method: .savitzkyGolay), normalization: .none)
  }
}
