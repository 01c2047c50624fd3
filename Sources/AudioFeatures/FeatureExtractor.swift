import AudioInput
import AuricleBase
import CKernels
import RealModule

/// Computes the features of a sound as a `FeatureConfiguration` says. A value that any number of threads share.
///
///     let extractor = try FeatureExtractor(.librosa(sampleRate: 16_000))
///     let mfcc = try extractor.features(of: Waveform(contentsOf: "seven.wav", sampleRate: 16_000))
///     print(mfcc.frames, mfcc.coefficients)      // 21 20
///
/// The flow: frames -> offset, pre-emphasis, window -> power spectrum (FFTW) -> mel filterbank -> logarithm -> DCT ->
/// lifter -> deltas -> normalisation. `FeatureStream` does the same for sound that comes in blocks.
public struct FeatureExtractor: Sendable {
  public let configuration: FeatureConfiguration

  /// Samples of a frame that reach the transform.
  let usedLength: Int
  /// The window, with all constant factors folded in.
  let window: [Float]
  /// What turns the energy of a windowed frame into that on the input scale.
  let windowedEnergyScale: Double
  let transform: FourierTransform
  let bands: [auricle_band]
  let bandWeights: [Float]
  /// The DCT, `count x mels`, its rows in the order of the output.
  let dct: [Float]
  /// What a constant spectrum of 1 gives coefficient 0; it gives the others nothing.
  let meanWeight: Double
  let preparation: SignalWindow.Preparation

  /// Throws `FeatureError.configuration` for what cannot be computed.
  public init(_ configuration: FeatureConfiguration) throws(FeatureError) {
    try configuration.validate()
    self.configuration = configuration
    usedLength = min(configuration.frameLength, configuration.fftLength)
    let shape = configuration.window.values(configuration.frameLength)
    let factor = configuration.inputScale.factor * Double.sqrt(configuration.spectrumScale(of: shape)) / 2
    window = shape[..<usedLength].map { Float($0 * factor) }
    windowedEnergyScale = Double.pow(configuration.inputScale.factor / factor, 2)
    transform = try FourierTransform(length: configuration.fftLength)
    let mel = configuration.kind == .spectrogram ? nil : try MelBands(configuration)
    bands = mel?.bands ?? []
    bandWeights = mel?.weights ?? []
    dct = configuration.kind == .mfcc ? configuration.cepstrum.matrix(mels: configuration.mel.count) : []
    meanWeight = configuration.cepstrum.meanWeight(mels: configuration.mel.count)
    preparation = SignalWindow.Preparation(
      emphasis: configuration.preEmphasis.scope == .signal ? Float(configuration.preEmphasis.coefficient) : 0,
      firstSample: configuration.preEmphasis.firstSample,
      dither: configuration.dither.amount / configuration.inputScale.factor, ditherSeed: configuration.dither.seed)
  }

  /// `frames x coefficients` of a mono sound at the configuration's rate.
  ///
  /// Throws `FeatureError.sampleRate` for another rate, `.tooShort` where no frame fits (only framings that do not pad),
  /// `.tooLong` for more than 268,435,456 numbers (1 GiB), `.notFinite` for samples that are not numbers or so large that their power is not.
  public func features(of waveform: Waveform) throws(FeatureError) -> FeatureMatrix {
    guard waveform.sampleRate == configuration.sampleRate else {
      throw .sampleRate(found: waveform.sampleRate, wanted: configuration.sampleRate)
    }
    let grid = FrameGrid(configuration, samples: waveform.samples.count)
    guard grid.count > 0 else { throw .tooShort(samples: waveform.samples.count, wanted: configuration.fewestSamples) }
    try configuration.requireRoom(frames: grid.count)
    let values = try waveform.samples.withUnsafeBufferPointer { samples throws(FeatureError) in
      try rows(SignalWindow(samples: samples, start: 0, grid: grid))
    }
    var features = configuration.deltas.appended(
      to: FeatureMatrix(coefficients: configuration.baseCount, values: values))
    configuration.normalizeUtterance(&features)
    return features
  }

  /// All frames of a signal, before deltas, row by row.
  private func rows(_ window: SignalWindow) throws(FeatureError) -> [Float] {
    let (frames, width, group) = (window.grid.count, configuration.baseCount, FrameComputer.group)
    let computer = FrameComputer(self)
    let groups = (frames + group - 1) / group
    // Where rows depend on the greatest energy, all energies are kept until it is known.
    let size = computer.energiesSize
    let keeps = configuration.needsGreatest
    let energies = UnsafeMutableBufferPointer<Float>.allocate(capacity: size * (keeps ? groups : 1))
    defer { energies.deallocate() }
    var greatest = -Float.infinity
    var failure: FeatureError?
    var normalizer = EnergyNormalizer(configuration)
    let values = [Float](unsafeUninitializedCapacity: frames * width) { rows, initialized in
      guard let rows = rows.baseAddress, let energies = energies.baseAddress else { return }
      do throws(FeatureError) {
        for index in 0..<groups {
          let block = energies + (keeps ? index * size : 0)
          let count = min(group, frames - index * group)
          try computer.computeEnergies(window, from: index * group, count: count, block)
          if keeps {
            greatest = max(greatest, computer.greatest(block))
          } else {
            computer.makeRows(block, count: count, greatest: greatest, rows + index * group * width)
            normalizer?.apply(to: rows + index * group * width, count: count)
          }
        }
        if keeps {
          for index in 0..<groups {
            let count = min(group, frames - index * group)
            computer.makeRows(
              energies + index * size, count: count, greatest: greatest, rows + index * group * width)
          }
        }
        initialized = frames * width
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }
}

extension FeatureConfiguration {
  /// The most frames whose features may be in memory at once: 1 GiB of them.
  var mostFrames: Int { 1 << 28 / coefficientCount }

  /// Throws `FeatureError.tooLong` when `frames` are more than `mostFrames`.
  func requireRoom(frames: Int) throws(FeatureError) {
    if frames > mostFrames { throw .tooLong(frames: frames, coefficients: coefficientCount) }
  }

  /// Normalises the features of a whole utterance over its own frames, where the configuration says so.
  package func normalizeUtterance(_ features: inout FeatureMatrix) {
    guard needsStatistics else { return }
    var statistics = FeatureStatistics(coefficients: features.coefficients)
    statistics.add(features)
    normalize(&features, by: statistics.normalizer)
  }

  /// Applies an utterance's own mean, and its deviation where the normalisation asks for it.
  func normalize(_ features: inout FeatureMatrix, by normalizer: FeatureNormalizer) {
    let width = features.coefficients
    features.values.withUnsafeMutableBufferPointer { values in
      for i in values.indices {
        values[i] -= normalizer.mean[i % width]
        if normalization == .utteranceMeanVariance { values[i] *= normalizer.scale[i % width] }
      }
    }
  }
}
