/// Every choice between samples and features, so that a model and its user cannot disagree about one.
///
///     var configuration = FeatureConfiguration.speech(sampleRate: 8_000)
///     configuration.mel.count = 26
///     let extractor = try FeatureExtractor(configuration)     // refuses what cannot be computed
///
/// Sizes are in samples at `sampleRate`. The defaults are those of `speech(sampleRate:)`; other tools' conventions are
/// in `FeatureConfiguration+Presets.swift`.
public struct FeatureConfiguration: Codable, Hashable, Sendable {
  /// How far the flow is followed.
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// The spectrum itself, `fftLength / 2 + 1` bins.
    case spectrogram
    /// Energies of the mel filterbank.
    case mel
    /// Their logarithms.
    case logMel = "logmel"
    /// Mel-frequency cepstral coefficients (Davis and Mermelstein, 1980).
    case mfcc
  }

  /// Where frames lie on the signal, and what is there beyond its ends.
  public enum Framing: String, Codable, CaseIterable, Sendable {
    /// Frame `t` is centred on sample `t * hopLength`; zeros beyond the ends (librosa since 0.10).
    case centerZero = "center-zero"
    /// The same, with the signal mirrored beyond its ends (torchaudio).
    case centerReflect = "center-reflect"
    /// Frame `t` begins at sample `t * hopLength`, and only whole frames count (Kaldi `snip-edges`, HTK, TensorFlow).
    case snipEdges = "snip-edges"
    /// The same, with zeros at the end so that every sample is in a frame (python_speech_features).
    case padEnd = "pad-end"
    /// A frame for every whole hop, centred in it, with the signal mirrored beyond its ends (Kaldi
    /// `--snip-edges=false`).
    case kaldiCenter = "kaldi-center"
  }

  /// The scale that samples are brought to first.
  public enum InputScale: String, Codable, CaseIterable, Sendable {
    /// [-1, 1).
    case unit
    /// [-32768, 32768), as Kaldi and HTK read 16-bit samples.
    case int16
  }

  public struct Window: Codable, Hashable, Sendable {
    public enum Shape: String, Codable, CaseIterable, Sendable {
      case hann, hamming, blackman, rectangular
      /// Hann to the power 0.85 (Kaldi).
      case povey
    }
    public var shape: Shape
    /// Periodic windows divide by the length, symmetric ones by the length less 1.
    public var isPeriodic: Bool

    public init(_ shape: Shape, isPeriodic: Bool) {
      self.shape = shape
      self.isPeriodic = isPeriodic
    }
  }

  /// y[n] = x[n] - coefficient * x[n - 1].
  public struct PreEmphasis: Codable, Hashable, Sendable {
    public enum Scope: String, Codable, CaseIterable, Sendable {
      /// Over the whole signal; its first sample stays as it is (python_speech_features).
      case signal
      /// In each frame apart, where the sample before the first is taken to equal it (Kaldi, HTK).
      case frame
    }
    /// 0 for none, 0.97 as a rule.
    public var coefficient: Double
    public var scope: Scope

    public init(_ coefficient: Double, scope: Scope = .signal) {
      self.coefficient = coefficient
      self.scope = scope
    }
  }

  public struct MelFilterbank: Codable, Hashable, Sendable {
    public enum Scale: String, Codable, CaseIterable, Sendable {
      /// 2595 log10(1 + f / 700) (HTK; O'Shaughnessy, 1987).
      case htk
      /// Linear below 1 kHz, logarithmic above (Slaney's Auditory Toolbox, 1998; librosa).
      case slaney
    }
    /// Where a triangle's sides are straight.
    public enum Edges: String, Codable, CaseIterable, Sendable {
      /// On the axis of Hz (librosa, torchaudio).
      case hertz
      /// On the mel axis (HTK, Kaldi, TensorFlow).
      case mel
      /// On the axis of Hz between corners moved to whole bins (python_speech_features).
      case bins
    }
    public enum Normalization: String, Codable, CaseIterable, Sendable {
      /// Triangles of height 1.
      case none
      /// Triangles of equal area: 2 / (width in Hz) high.
      case slaney
    }
    /// Number of filters.
    public var count: Int
    /// In Hz; a high frequency of nil is half the sample rate.
    public var lowFrequency: Double
    public var highFrequency: Double?
    public var scale: Scale
    public var edges: Edges
    public var normalization: Normalization

    public init(
      count: Int, lowFrequency: Double = 0, highFrequency: Double? = nil, scale: Scale = .htk, edges: Edges = .mel,
      normalization: Normalization = .none
    ) {
      self.count = count
      self.lowFrequency = lowFrequency
      self.highFrequency = highFrequency
      self.scale = scale
      self.edges = edges
      self.normalization = normalization
    }
  }

  public struct Logarithm: Codable, Hashable, Sendable {
    public enum Unit: String, Codable, CaseIterable, Sendable {
      case natural
      case decimal
      /// 10 log10(x / reference).
      case decibels
    }
    public var unit: Unit
    /// Energies below it are taken for it.
    public var floor: Double
    /// Added before the logarithm (TensorFlow's recipe).
    public var offset: Double
    /// The energy of 0 dB, for decibels.
    public var reference: Double
    /// Values further below the file's greatest than this are raised to it; nil for no such limit. In `unit`s.
    public var range: Double?

    public init(
      _ unit: Unit, floor: Double, offset: Double = 0, reference: Double = 1, range: Double? = nil
    ) {
      self.unit = unit
      self.floor = floor
      self.offset = offset
      self.reference = reference
      self.range = range
    }
  }

  public struct Cepstrum: Codable, Hashable, Sendable {
    public enum Normalization: String, Codable, CaseIterable, Sendable {
      /// The orthonormal DCT-II.
      case orthonormal
      /// sqrt(2 / N) for every coefficient (HTK, TensorFlow).
      case htk
    }
    public enum LifterConvention: String, Codable, CaseIterable, Sendable {
      /// 1 + L/2 sin(pi n / L), n from 0 (HTK, Kaldi).
      case htk
      /// 1 + L/2 sin(pi (n + 1) / L) (librosa).
      case librosa
    }
    /// What stands in place of coefficient 0.
    public enum Energy: String, Codable, CaseIterable, Sendable {
      case none
      /// The logarithm of the frame's energy before pre-emphasis and window (Kaldi `raw-energy`).
      case raw
      /// The same after them.
      case windowed
    }
    /// Number of coefficients, counting coefficient 0.
    public var count: Int
    public var normalization: Normalization
    /// L in the formulas; 0 for none.
    public var lifter: Double
    public var lifterConvention: LifterConvention
    public var energy: Energy

    public init(
      count: Int, normalization: Normalization = .orthonormal, lifter: Double = 0,
      lifterConvention: LifterConvention = .htk, energy: Energy = .none
    ) {
      self.count = count
      self.normalization = normalization
      self.lifter = lifter
      self.lifterConvention = lifterConvention
      self.energy = energy
    }
  }

  /// Slopes over time, appended to each frame.
  public struct Deltas: Codable, Hashable, Sendable {
    public enum Method: String, Codable, CaseIterable, Sendable {
      /// The regression formula of HTK; frames beyond the ends repeat the outermost; second order is the delta of the
      /// delta.
      case regression
      /// Local polynomials of the delta's order, at the ends those of the outermost whole window (Savitzky and Golay,
      /// 1964; librosa's `delta`).
      case savitzkyGolay = "savitzky-golay"
    }
    /// 0 for none, 1 for deltas, 2 for deltas and delta-deltas.
    public var order: Int
    /// Frames on either side.
    public var halfWidth: Int
    public var method: Method

    public init(order: Int, halfWidth: Int = 2, method: Method = .regression) {
      self.order = order
      self.halfWidth = halfWidth
      self.method = method
    }
  }

  /// What brings coefficients to a common scale, last of all.
  public enum Normalization: String, Codable, CaseIterable, Sendable {
    case none
    /// Each coefficient's mean over the file is subtracted.
    case utteranceMean = "utterance-mean"
    /// The same, then division by the standard deviation over the file.
    case utteranceMeanVariance = "utterance-mean-variance"
    /// Mean and standard deviation over the training data, kept in the model; the extractor leaves features as they
    /// are, the model applies it.
    case global
  }

  public var kind: Kind
  /// In Hz. Sound of another rate is resampled to it first.
  public var sampleRate: Int
  public var inputScale: InputScale
  /// Samples in a frame, the length of the window.
  public var frameLength: Int
  /// Samples from frame to frame.
  public var hopLength: Int
  /// Points of the Fourier transform, at least `frameLength`.
  public var fftLength: Int
  public var framing: Framing
  /// Subtracts each frame's mean.
  public var removesOffset: Bool
  public var preEmphasis: PreEmphasis
  public var window: Window
  /// The power spectrum, or the magnitude.
  public var usesPower: Bool
  public var mel: MelFilterbank
  public var logarithm: Logarithm
  public var cepstrum: Cepstrum
  public var deltas: Deltas
  public var normalization: Normalization

  /// 13 MFCC with deltas and delta-deltas, 25 ms frames every 10 ms, 40 mel filters from 20 Hz: what `auricle train`
  /// uses unless told otherwise.
  public static func speech(sampleRate: Int) -> FeatureConfiguration {
    let frameLength = max(1, sampleRate * 25 / 1000)
    return FeatureConfiguration(
      kind: .mfcc, sampleRate: sampleRate, inputScale: .unit, frameLength: frameLength,
      hopLength: max(1, sampleRate / 100), fftLength: nextPowerOfTwo(frameLength), framing: .centerReflect,
      removesOffset: false, preEmphasis: PreEmphasis(0.97), window: Window(.hamming, isPeriodic: true),
      usesPower: true, mel: MelFilterbank(count: 40, lowFrequency: 20), logarithm: Logarithm(.natural, floor: 1e-8),
      cepstrum: Cepstrum(count: 13), deltas: Deltas(order: 2), normalization: .global)
  }

  /// Bins of the spectrum.
  public var binCount: Int { fftLength / 2 + 1 }

  /// Coefficients in a frame before deltas.
  public var baseCount: Int {
    switch kind {
    case .spectrogram: binCount
    case .mel, .logMel: mel.count
    case .mfcc: cepstrum.count
    }
  }

  /// Coefficients in a frame.
  public var coefficientCount: Int { baseCount * (1 + deltas.order) }

  static func nextPowerOfTwo(_ n: Int) -> Int {
    var power = 1
    while power < n { power *= 2 }
    return power
  }
}
