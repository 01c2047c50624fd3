extension FeatureConfiguration {
  /// A well-known tool whose features, with its own defaults, Auricle reproduces; and Auricle's own.
  ///
  ///     let configuration = FeatureConfiguration.Preset.kaldi.configuration(sampleRate: 8_000, kind: .logMel)
  public enum Preset: String, CaseIterable, Sendable {
    case speech, librosa, torchaudio, kaldi, htk, opensmile
    case pythonSpeechFeatures = "python-speech-features"
    case tensorflow

    /// The rate, in Hz, that the tool itself assumes unless told otherwise.
    public var sampleRate: Int { self == .librosa ? 22_050 : 16_000 }

    /// The tool's defaults for sound at `sampleRate` Hz: what it takes in milliseconds is turned into samples as the tool
    /// does it, what it takes in samples stays.
    public func configuration(sampleRate: Int, kind: Kind = .mfcc) -> FeatureConfiguration {
      switch self {
      case .speech: .speech(sampleRate: sampleRate, kind: kind)
      case .librosa: .librosa(sampleRate: sampleRate, kind: kind)
      case .torchaudio: .torchaudio(sampleRate: sampleRate, kind: kind)
      case .kaldi: .kaldi(sampleRate: sampleRate, kind: kind)
      case .htk: .htk(sampleRate: sampleRate, kind: kind)
      case .opensmile: .opensmile(sampleRate: sampleRate, kind: kind)
      case .pythonSpeechFeatures: .pythonSpeechFeatures(sampleRate: sampleRate, kind: kind)
      case .tensorflow: .tensorflow(sampleRate: sampleRate, kind: kind)
      }
    }
  }

  /// 13 MFCC with deltas and delta-deltas, 25 ms frames every 10 ms, 40 mel filters from 20 Hz: what `auricle train`
  /// uses unless told otherwise.
  public static func speech(sampleRate: Int, kind: Kind = .mfcc) -> FeatureConfiguration {
    let frameLength = max(1, milliseconds(25, sampleRate))
    return FeatureConfiguration(
      kind: kind, sampleRate: sampleRate, inputScale: .unit, frameLength: frameLength,
      hopLength: max(1, milliseconds(10, sampleRate)), fftLength: nextPowerOfTwo(frameLength),
      framing: .centerReflect, removesOffset: false, preEmphasis: PreEmphasis(0.97),
      window: Window(.hamming, isPeriodic: true), usesPower: true, mel: MelFilterbank(count: 40, lowFrequency: 20),
      logarithm: Logarithm(.natural, floor: 1e-8), cepstrum: Cepstrum(count: 13), deltas: Deltas(order: 2),
      normalization: .global)
  }

  /// `librosa.feature.mfcc(y, sr)` of librosa 0.10 and later, with its defaults: 20 coefficients of 128 Slaney mels,
  /// frames of 2,048 samples every 512, power in dB within 80 dB of the greatest. `mel` is `melspectrogram`, `logmel`
  /// its `power_to_db`.
  public static func librosa(sampleRate: Int = 22_050, kind: Kind = .mfcc) -> FeatureConfiguration {
    FeatureConfiguration(
      kind: kind, sampleRate: sampleRate, inputScale: .unit, frameLength: 2048, hopLength: 512, fftLength: 2048,
      framing: .centerZero, removesOffset: false, preEmphasis: PreEmphasis(0),
      window: Window(.hann, isPeriodic: true), usesPower: true,
      mel: MelFilterbank(
        count: 128, scale: .slaney, edges: .hertz, normalization: .slaney, emptyFilters: .zero),
      logarithm: Logarithm(.decibels, floor: 1e-10, range: 80),
      cepstrum: Cepstrum(count: 20, lifterConvention: .librosa),
      deltas: Deltas(order: 0, halfWidth: 4, method: .savitzkyGolay), normalization: .none)
  }

  /// `torchaudio.transforms.MFCC(sample_rate)` with its defaults: 40 coefficients of 128 HTK mels, frames of 400 samples
  /// every 200, power in dB within 80 dB of the greatest. `mel` is `MelSpectrogram`, `logmel` its `AmplitudeToDB` with
  /// `top_db=80`, `spectrogram` is `Spectrogram`.
  public static func torchaudio(sampleRate: Int = 16_000, kind: Kind = .mfcc) -> FeatureConfiguration {
    FeatureConfiguration(
      kind: kind, sampleRate: sampleRate, inputScale: .unit, frameLength: 400, hopLength: 200, fftLength: 400,
      framing: .centerReflect, removesOffset: false, preEmphasis: PreEmphasis(0),
      window: Window(.hann, isPeriodic: true), usesPower: true,
      mel: MelFilterbank(
        count: 128, highFrequency: Double(sampleRate / 2), scale: .htk, edges: .hertz, emptyFilters: .zero,
        roundsNyquist: true),
      logarithm: Logarithm(.decibels, floor: 1e-10, range: 80), cepstrum: Cepstrum(count: 40),
      deltas: Deltas(order: 0), normalization: .none)
  }

  /// `compute-mfcc-feats --dither=0` of Kaldi, with its other defaults: 13 coefficients of 23 mels from 20 Hz, the raw
  /// log energy in place of coefficient 0, lifter 22, Povey window. `logmel` is `compute-fbank-feats --dither=0`, `mel`
  /// the same with `--use-log-fbank=false`.
  public static func kaldi(sampleRate: Int = 16_000, kind: Kind = .mfcc) -> FeatureConfiguration {
    let frameLength = max(1, milliseconds(25, sampleRate))
    return FeatureConfiguration(
      kind: kind, sampleRate: sampleRate, inputScale: .int16, frameLength: frameLength,
      hopLength: max(1, milliseconds(10, sampleRate)), fftLength: nextPowerOfTwo(frameLength), framing: .snipEdges,
      removesOffset: true, preEmphasis: PreEmphasis(0.97, scope: .frame), window: Window(.povey, isPeriodic: false),
      usesPower: true, mel: MelFilterbank(count: 23, lowFrequency: 20),
      logarithm: Logarithm(.natural, floor: Double(Float.ulpOfOne)),
      cepstrum: Cepstrum(count: 13, lifter: 22, energy: .raw), deltas: Deltas(order: 0), normalization: .none)
  }

  /// HTK's `HCopy` with `TARGETKIND = MFCC_0_D_A` as the HTK book configures it (section 3.1.5): 12 coefficients of 26
  /// mels, then coefficient 0, with deltas and accelerations; magnitudes, Hamming window, pre-emphasis 0.97, lifter 22.
  /// `logmel` is `FBANK`, `mel` is `MELSPEC`.
  public static func htk(sampleRate: Int = 16_000, kind: Kind = .mfcc) -> FeatureConfiguration {
    let frameLength = max(1, milliseconds(25, sampleRate))
    return FeatureConfiguration(
      kind: kind, sampleRate: sampleRate, inputScale: .int16, frameLength: frameLength,
      hopLength: max(1, milliseconds(10, sampleRate)), fftLength: nextPowerOfTwo(frameLength), framing: .snipEdges,
      removesOffset: false, preEmphasis: PreEmphasis(0.97, scope: .frame),
      window: Window(.hamming, isPeriodic: false), usesPower: false, mel: MelFilterbank(count: 26, roundsLimits: true),
      logarithm: Logarithm(.natural, floor: 1),
      cepstrum: Cepstrum(count: 13, normalization: .htk, lifter: 22, zerothPosition: .last),
      deltas: Deltas(order: kind == .mfcc ? 2 : 0), normalization: .none)
  }

  /// openSMILE's `MFCC12_0_D_A.conf`: as `htk`, with the power spectrum, mels up to 8,000 Hz at most, lengths rounded to
  /// the nearest sample, bins placed as if a frame lasted 25 ms exactly, and deltas that go on beyond the end. (In a
  /// sound of fewer than four frames, its deltas take 0 for frames it has not got; that is not imitated.)
  public static func opensmile(sampleRate: Int = 16_000, kind: Kind = .mfcc) -> FeatureConfiguration {
    var configuration = htk(sampleRate: sampleRate, kind: kind)
    configuration.usesPower = true
    configuration.frameLength = max(1, (sampleRate * 25 + 500) / 1000)
    configuration.hopLength = max(1, (sampleRate * 10 + 500) / 1000)
    configuration.fftLength = nextPowerOfTwo(configuration.frameLength)
    let binRate = Double(configuration.frameLength) / 0.025
    configuration.mel.binRate = binRate
    configuration.mel.highFrequency = min(8000, binRate / 2)
    configuration.deltas.extendsEnd = true
    return configuration
  }

  /// `python_speech_features.mfcc(signal, samplerate)` of version 0.6 with its defaults: 13 coefficients of 26 mels, the
  /// log of the spectrum's sum in place of coefficient 0, lifter 22, no window, a transform of 512 points at any rate.
  /// `logmel` is `logfbank`, `mel` is `fbank`, `spectrogram` is `sigproc.powspec`.
  public static func pythonSpeechFeatures(sampleRate: Int = 16_000, kind: Kind = .mfcc) -> FeatureConfiguration {
    let epsilon = Double.ulpOfOne
    return FeatureConfiguration(
      kind: kind, sampleRate: sampleRate, inputScale: .int16, frameLength: max(1, (sampleRate * 25 + 500) / 1000),
      hopLength: max(1, (sampleRate * 10 + 500) / 1000), fftLength: 512, truncatesFrames: true, framing: .padEnd,
      removesOffset: false, preEmphasis: PreEmphasis(0.97), window: Window(.rectangular, isPeriodic: false),
      usesPower: true, spectrumNormalization: .length,
      mel: MelFilterbank(count: 26, edges: .bins, emptyFilters: .zero),
      logarithm: Logarithm(.natural, floor: epsilon),
      cepstrum: Cepstrum(count: 13, lifter: 22, energy: .spectrum, energyFloor: epsilon), deltas: Deltas(order: 0),
      normalization: .none)
  }

  /// The recipe in TensorFlow's documentation of `tf.signal.mfccs_from_log_mel_spectrograms`: 13 coefficients of 80 mels
  /// from 80 to 7,600 Hz (at most half the sample rate), magnitudes of frames of 1,024 samples every 256, logarithms of
  /// energy + 1e-6.
  public static func tensorflow(sampleRate: Int = 16_000, kind: Kind = .mfcc) -> FeatureConfiguration {
    FeatureConfiguration(
      kind: kind, sampleRate: sampleRate, inputScale: .unit, frameLength: 1024, hopLength: 256, fftLength: 1024,
      framing: .snipEdges, removesOffset: false, preEmphasis: PreEmphasis(0),
      window: Window(.hann, isPeriodic: true), usesPower: false,
      mel: MelFilterbank(
        count: 80, lowFrequency: 80, highFrequency: min(7600, Double(sampleRate) / 2), emptyFilters: .zero),
      logarithm: Logarithm(.natural, floor: 0, offset: 1e-6), cepstrum: Cepstrum(count: 13, normalization: .htk),
      deltas: Deltas(order: 0), normalization: .none)
  }

  /// Whole samples in a time.
  static func milliseconds(_ time: Int, _ sampleRate: Int) -> Int { sampleRate * time / 1000 }

  static func nextPowerOfTwo(_ n: Int) -> Int {
    var power = 1
    while power < n { power *= 2 }
    return power
  }
}
