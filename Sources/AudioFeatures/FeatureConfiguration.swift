/// Every choice between samples and features, so that a model and its user cannot disagree about one.
///
///     var configuration = FeatureConfiguration.speech(sampleRate: 8_000)
///     configuration.mel.count = 26
///     let extractor = try FeatureExtractor(configuration)     // refuses what cannot be computed
///
/// Sizes are in samples at `sampleRate`. Other tools' conventions are in `FeatureConfiguration+Presets.swift`, the JSON
/// form in `FeatureConfiguration+JSON.swift`.
public struct FeatureConfiguration: Hashable, Sendable {
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

  /// Noise added to every sample, so that digital silence has no zeros.
  public struct Dither: Hashable, Sendable {
    /// Standard deviation of the normally distributed noise, on the input scale; 0 for none.
    public var amount: Double
    /// The noise of a sample follows from this and the sample's position, and so is the same in every run. (Kaldi draws
    /// anew for every frame, from a generator that nothing seeds.)
    public var seed: UInt64

    public init(_ amount: Double, seed: UInt64 = 0) {
      self.amount = amount
      self.seed = seed
    }
  }

  public struct Window: Hashable, Sendable {
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
  public struct PreEmphasis: Hashable, Sendable {
    public enum Scope: String, Codable, CaseIterable, Sendable {
      /// Over the whole signal (python_speech_features).
      case signal
      /// In each frame apart (Kaldi, HTK).
      case frame
    }
    /// What becomes of the first sample, which has none before it.
    public enum FirstSample: String, Codable, CaseIterable, Sendable {
      /// It stays as it is (python_speech_features).
      case kept
      /// The sample before it is taken to equal it: x[0] * (1 - coefficient) (Kaldi, HTK).
      case repeated
    }
    /// 0 for none, 0.97 as a rule.
    public var coefficient: Double
    public var scope: Scope
    public var firstSample: FirstSample

    /// The first sample is `kept` in a signal and `repeated` in a frame unless told otherwise.
    public init(_ coefficient: Double, scope: Scope = .signal, firstSample: FirstSample? = nil) {
      self.coefficient = coefficient
      self.scope = scope
      self.firstSample = firstSample ?? (scope == .signal ? .kept : .repeated)
    }
  }

  /// What the power spectrum is divided by.
  public enum SpectrumNormalization: String, Codable, CaseIterable, Sendable {
    case none
    /// The length of the transform (python_speech_features).
    case length
    /// The sum of the squares of the window (torchaudio `normalized=True`).
    case window
  }

  public struct MelFilterbank: Hashable, Sendable {
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
      /// On the axis of Hz between corners moved down to whole bins (python_speech_features).
      case bins
    }
    public enum Normalization: String, Codable, CaseIterable, Sendable {
      /// Triangles of height 1.
      case none
      /// Triangles of equal area: 2 / (width in Hz) high.
      case slaney
    }
    /// What is done about a filter so narrow that no bin falls into it.
    public enum EmptyFilters: String, Codable, CaseIterable, Sendable {
      /// The configuration is refused (Kaldi).
      case refused
      /// Its energy is 0 (librosa and torchaudio, with a warning; python_speech_features, TensorFlow).
      case zero
    }
    /// Number of filters.
    public var count: Int
    /// In Hz; a high frequency of nil is half the sample rate.
    public var lowFrequency: Double
    public var highFrequency: Double?
    public var scale: Scale
    public var edges: Edges
    public var normalization: Normalization
    public var emptyFilters: EmptyFilters
    /// The last bin is taken to lie at half the sample rate rounded down to whole Hz, which only matters for odd rates
    /// (torchaudio).
    public var roundsNyquist: Bool
    /// Only bins between those nearest to the low and the high frequency count, these two not (HTK, openSMILE).
    public var roundsLimits: Bool
    /// The sample rate, in Hz, that the frequencies of bins are computed from; nil for the sound's. openSMILE takes its
    /// frames to last 25 ms exactly, and so the rate to be frame length / 25 ms.
    public var binRate: Double?

    public init(
      count: Int, lowFrequency: Double = 0, highFrequency: Double? = nil, scale: Scale = .htk, edges: Edges = .mel,
      normalization: Normalization = .none, emptyFilters: EmptyFilters = .refused, roundsNyquist: Bool = false,
      roundsLimits: Bool = false, binRate: Double? = nil
    ) {
      self.count = count
      self.lowFrequency = lowFrequency
      self.highFrequency = highFrequency
      self.scale = scale
      self.edges = edges
      self.normalization = normalization
      self.emptyFilters = emptyFilters
      self.roundsNyquist = roundsNyquist
      self.roundsLimits = roundsLimits
      self.binRate = binRate
    }
  }

  public struct Logarithm: Hashable, Sendable {
    public enum Unit: String, Codable, CaseIterable, Sendable {
      case natural
      case decimal
      /// 10 log10(x / reference), and 20 log10 where x comes of magnitudes.
      case decibels
    }
    public var unit: Unit
    /// Energies below it are taken for it.
    public var floor: Double
    /// Added before the logarithm (TensorFlow's recipe).
    public var offset: Double
    /// The energy of 0 dB, for decibels.
    public var reference: Double
    /// Values further below the file's greatest than this are raised to it, librosa's `top_db`; nil for no such limit.
    /// In `unit`s.
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

  public struct Cepstrum: Hashable, Sendable {
    public enum Normalization: String, Codable, CaseIterable, Sendable {
      /// The orthonormal DCT-II.
      case orthonormal
      /// sqrt(2 / N) for every coefficient (HTK, TensorFlow).
      case htk
      /// The bare sum, twice (scipy's `norm=None`).
      case none
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
      /// The logarithm of the sum over the bins of the spectrum (python_speech_features).
      case spectrum
    }
    public enum ZerothPosition: String, Codable, CaseIterable, Sendable {
      case first
      /// After all others, as in HTK's `MFCC_0`.
      case last
    }
    /// Number of coefficients, counting coefficient 0.
    public var count: Int
    public var normalization: Normalization
    /// L in the formulas; 0 for none.
    public var lifter: Double
    public var lifterConvention: LifterConvention
    public var energy: Energy
    /// Energies below it are taken for it.
    public var energyFloor: Double
    /// Where coefficient 0, or the energy, stands.
    public var zerothPosition: ZerothPosition

    public init(
      count: Int, normalization: Normalization = .orthonormal, lifter: Double = 0,
      lifterConvention: LifterConvention = .htk, energy: Energy = .none, energyFloor: Double = Double(Float.ulpOfOne),
      zerothPosition: ZerothPosition = .first
    ) {
      self.count = count
      self.normalization = normalization
      self.lifter = lifter
      self.lifterConvention = lifterConvention
      self.energy = energy
      self.energyFloor = energyFloor
      self.zerothPosition = zerothPosition
    }
  }

  /// Slopes over time, appended to each frame.
  public struct Deltas: Hashable, Sendable {
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
    /// Delta-deltas at the end follow the deltas of `halfWidth` more frames that repeat the last, instead of the last
    /// delta repeated (openSMILE). For `regression`.
    public var extendsEnd: Bool

    public init(order: Int, halfWidth: Int = 2, method: Method = .regression, extendsEnd: Bool = false) {
      self.order = order
      self.halfWidth = halfWidth
      self.method = method
      self.extendsEnd = extendsEnd
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
  public var dither = Dither(0)
  /// Samples in a frame, the length of the window.
  public var frameLength: Int
  /// Samples from frame to frame.
  public var hopLength: Int
  /// Points of the Fourier transform, at least `frameLength`.
  public var fftLength: Int
  /// Frames longer than the transform are cut to its length, not refused (python_speech_features).
  public var truncatesFrames = false
  public var framing: Framing
  /// Subtracts each frame's mean.
  public var removesOffset: Bool
  public var preEmphasis: PreEmphasis
  public var window: Window
  /// The power spectrum, or the magnitude.
  public var usesPower: Bool
  public var spectrumNormalization = SpectrumNormalization.none
  public var mel: MelFilterbank
  /// Of mel energies, which are not normalised if nil.
  public var pcen: PCEN?
  public var logarithm: Logarithm
  public var cepstrum: Cepstrum
  public var deltas: Deltas
  public var normalization: Normalization

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
}
