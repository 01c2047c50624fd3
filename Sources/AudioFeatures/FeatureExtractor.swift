import AudioInput
import AuricleBase
import CKernels

/// Computes the features of a sound as a `FeatureConfiguration` says. A value that any number of threads share.
///
///     let extractor = try FeatureExtractor(.librosa(sampleRate: 16_000))
///     let mfcc = try extractor.features(of: Waveform(contentsOf: "seven.wav", sampleRate: 16_000))
///     print(mfcc.frames, mfcc.coefficients)      // 21 20
///
/// The flow: frames -> offset, pre-emphasis, window -> power spectrum (FFTW) -> mel filterbank -> logarithm -> DCT ->
/// lifter -> deltas -> normalisation.
public struct FeatureExtractor: Sendable {
  public let configuration: FeatureConfiguration

  private let window: [Float]
  private let transform: FourierTransform
  private let bands: [auricle_band]
  private let bandWeights: [Float]
  /// The DCT, packed for the matrix product.
  private let dct: [Float]
  /// What a constant spectrum of 1 gives coefficient 0; it gives the others nothing.
  private let meanWeight: Double

  /// Frames that go through the spectrum together, so that they stay in the cache.
  private static let block = 16

  /// Throws `FeatureError.configuration` for what cannot be computed.
  public init(_ configuration: FeatureConfiguration) throws(FeatureError) {
    try configuration.validate()
    self.configuration = configuration
    window = configuration.window.values(configuration.frameLength)
    transform = try FourierTransform(length: configuration.fftLength)
    let mel = configuration.kind == .spectrogram ? nil : try MelBands(configuration)
    bands = mel?.bands ?? []
    bandWeights = mel?.weights ?? []
    dct = configuration.kind == .mfcc ? FeatureExtractor.packedTransform(configuration) : []
    meanWeight = configuration.cepstrum.meanWeight(mels: configuration.mel.count)
  }

  /// `frames x coefficients` of a mono sound at the configuration's rate.
  ///
  /// Throws `FeatureError.sampleRate` for another rate, `.tooShort` where no frame fits (only framings that do not pad),
  /// `.notFinite` for samples so large that their power is not a number.
  public func features(of waveform: Waveform) throws(FeatureError) -> FeatureMatrix {
    guard waveform.sampleRate == configuration.sampleRate else {
      throw .sampleRate(found: waveform.sampleRate, wanted: configuration.sampleRate)
    }
    let grid = FrameGrid(configuration, samples: waveform.samples.count)
    guard grid.count > 0 else { throw .tooShort(samples: waveform.samples.count, wanted: configuration.frameLength) }
    let base = waveform.samples.withUnsafeBufferPointer { cepstra(energies($0, grid)) }
    guard base.values.allSatisfy(\.isFinite) else { throw .notFinite }
    var features = configuration.deltas.appended(to: base)
    normalize(&features)
    return features
  }

  // MARK: From samples to (log) energies

  private struct Energies {
    /// `frames x columns`, padded to whole kernel columns.
    var values: [Float]
    let frames: Int
    let columns: Int
    let padded: Int
    /// The logarithm of each frame's energy, if the cepstrum wants it.
    var frameEnergy: [Float]
  }

  private func energies(_ samples: UnsafeBufferPointer<Float>, _ grid: FrameGrid) -> Energies {
    let kernels = auricle_kernels_f32().pointee
    let (frame, hop, bins) = (configuration.frameLength, configuration.hopLength, configuration.binCount)
    let block = FeatureExtractor.block
    let wantsMel = configuration.kind != .spectrogram
    let columns = wantsMel ? bands.count : bins
    let padded = roundedUp(columns)
    let fftStride = roundedUp(configuration.fftLength)
    // A band's last vector may reach a whole unit beyond the last bin.
    let binStride = roundedUp(bins) + Int(AURICLE_COLUMN_UNIT)
    let (scale, emphasis) = (configuration.inputScale == .int16 ? Float(32_768) : 1, configuration.preEmphasis)
    let perFrame = emphasis.scope == .frame ? emphasis.coefficient : 0
    let perSignal = emphasis.scope == .signal ? Float(emphasis.coefficient) : 0
    let wantsRawEnergy = configuration.kind == .mfcc && configuration.cepstrum.energy == .raw
    let wantsWindowedEnergy = configuration.kind == .mfcc && configuration.cepstrum.energy == .windowed
    var frameEnergy = [Float](repeating: 0, count: wantsRawEnergy || wantsWindowedEnergy ? grid.count : 0)

    let values = [Float](unsafeUninitializedCapacity: grid.count * padded) { values, count in
      count = grid.count * padded
      values.initialize(repeating: 0)
      Scratch.with(
        signal: (block - 1) * hop + frame, frames: block * fftStride, spectrum: block * 2 * binStride,
        power: block * binStride
      ) { scratch in
        for first in stride(from: 0, to: grid.count, by: block) {
          let frames = min(block, grid.count - first)
          let signal = stretch(
            samples, grid, from: first, frames: frames, scale: scale, emphasis: perSignal, into: scratch.signal)
          frameEnergy.withUnsafeMutableBufferPointer { energy in
            kernels.prepare_frames(
              frames, frame, hop, fftStride, signal, window, configuration.removesOffset, perFrame, 1 - perFrame,
              wantsRawEnergy ? energy.baseAddress.map { UnsafeMutableRawPointer($0 + first) } : nil, scratch.frames)
            if wantsWindowedEnergy {
              for t in 0..<frames {
                energy[first + t] = Float(
                  kernels.sum_of_squares(configuration.frameLength, scratch.frames + t * fftStride))
              }
            }
          }
          for t in 0..<frames {
            transform.execute(scratch.frames + t * fftStride, scratch.spectrum + t * 2 * binStride)
          }
          let target = values.baseAddress! + first * padded  // not empty: there is a frame
          kernels.power_spectrum(
            frames, bins, !configuration.usesPower, scratch.spectrum, 2 * binStride,
            wantsMel ? scratch.power : target, wantsMel ? binStride : padded)
          if wantsMel {
            kernels.banded_product(frames, bands.count, bands, bandWeights, scratch.power, binStride, target, padded)
          }
        }
      }
      if configuration.kind == .logMel || configuration.kind == .mfcc {
        let log = configuration.logarithm
        kernels.logarithm(count, log.offset, log.floor, log.factor, values.baseAddress!, values.baseAddress!)
      }
    }
    if !frameEnergy.isEmpty {
      let smallest = Double(Float.ulpOfOne)
      let factor = configuration.logarithm.factor
      for t in frameEnergy.indices {
        frameEnergy[t] = Float(naturalLogarithm(max(Double(frameEnergy[t]), smallest)) * factor)
      }
    }
    return Energies(values: values, frames: grid.count, columns: columns, padded: padded, frameEnergy: frameEnergy)
  }

  /// The samples under `frames` frames from frame `first`, scaled and pre-emphasised: in the signal itself where it can
  /// be read as it is, else in `buffer`.
  private func stretch(
    _ samples: UnsafeBufferPointer<Float>, _ grid: FrameGrid, from first: Int, frames: Int, scale: Float,
    emphasis: Float, into buffer: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let start = grid.origin + first * configuration.hopLength
    let length = (frames - 1) * configuration.hopLength + configuration.frameLength
    let isInside = start >= 0 && start + length <= samples.count
    if isInside && scale == 1 && emphasis == 0, let base = samples.baseAddress { return UnsafePointer(base + start) }

    func sample(_ index: Int) -> Float {
      guard let i = grid.source(of: index) else { return 0 }
      return scale * (i > 0 ? samples[i] - emphasis * samples[i - 1] : samples[i])
    }
    let inside = max(start, 1)..<max(max(start, 1), min(start + length, samples.count))
    for index in start..<min(inside.lowerBound, start + length) { buffer[index - start] = sample(index) }
    if let base = samples.baseAddress {
      for index in inside { buffer[index - start] = scale * (base[index] - emphasis * base[index - 1]) }
    }
    for index in max(inside.upperBound, start)..<max(start + length, max(inside.upperBound, start)) {
      buffer[index - start] = sample(index)
    }
    return UnsafePointer(buffer)
  }

  // MARK: From energies to cepstra

  private func cepstra(_ energies: consuming Energies) -> FeatureMatrix {
    let (columns, padded) = (energies.columns, energies.padded)
    let log = configuration.logarithm
    if configuration.kind == .logMel || configuration.kind == .mfcc, log.shift != 0 || log.range != nil {
      var largest = -Float.infinity
      for t in 0..<energies.frames {
        for i in 0..<columns { largest = max(largest, energies.values[t * padded + i]) }
      }
      let (shift, least) = (Float(log.shift), log.range.map { largest - Float($0) } ?? -.infinity)
      for i in energies.values.indices { energies.values[i] = max(energies.values[i], least) - shift }
    }
    guard configuration.kind == .mfcc else {
      return compacted(energies.values, frames: energies.frames, columns: columns, padded: padded)
    }
    // Logarithms have a large mean, which only coefficient 0 sees. Taking it out first keeps the sums small and exact.
    let kernels = auricle_kernels_f32().pointee
    var means = [Float](repeating: 0, count: energies.frames)
    kernels.center_rows(energies.frames, columns, &energies.values, padded, &means)
    let count = configuration.cepstrum.count
    let width = roundedUp(count)
    var result = [Float](unsafeUninitializedCapacity: energies.frames * width) { buffer, initialized in
      kernels.gemm(
        energies.frames, width, padded, energies.values, padded, dct, nil, false, buffer.baseAddress!, width)
      initialized = energies.frames * width
    }
    for (t, mean) in means.enumerated() { result[t * width] += Float(Double(mean) * meanWeight) }
    for (t, energy) in energies.frameEnergy.enumerated() { result[t * width] = energy }
    return compacted(result, frames: energies.frames, columns: count, padded: width)
  }

  /// Without the padding of its rows.
  private func compacted(_ values: [Float], frames: Int, columns: Int, padded: Int) -> FeatureMatrix {
    if columns == padded { return FeatureMatrix(coefficients: columns, values: values) }
    let dense = [Float](unsafeUninitializedCapacity: frames * columns) { dense, count in
      values.withUnsafeBufferPointer { values in
        for t in 0..<frames {
          for i in 0..<columns { dense.initializeElement(at: t * columns + i, to: values[t * padded + i]) }
        }
      }
      count = frames * columns
    }
    return FeatureMatrix(coefficients: columns, values: dense)
  }

  private static func packedTransform(_ configuration: FeatureConfiguration) -> [Float] {
    let (mels, count) = (configuration.mel.count, configuration.cepstrum.count)
    let (rows, columns) = (roundedUp(mels), roundedUp(count))
    let matrix = configuration.cepstrum.matrix(mels: mels)
    var padded = [Float](repeating: 0, count: rows * columns)
    for m in 0..<mels {
      for n in 0..<count { padded[m * columns + n] = matrix[m * count + n] }
    }
    var packed = [Float](repeating: 0, count: auricle_packed_size(rows, columns))
    auricle_pack_f32(rows, columns, padded, columns, 1, &packed)
    return packed
  }

  // MARK: Normalisation

  private func normalize(_ features: inout FeatureMatrix) {
    guard configuration.normalization == .utteranceMean || configuration.normalization == .utteranceMeanVariance else {
      return
    }
    var statistics = FeatureStatistics(coefficients: features.coefficients)
    statistics.add(features)
    let normalizer = statistics.normalizer
    for i in features.values.indices {
      let coefficient = i % features.coefficients
      features.values[i] -= normalizer.mean[coefficient]
      if configuration.normalization == .utteranceMeanVariance { features.values[i] *= normalizer.scale[coefficient] }
    }
  }
}

extension FeatureConfiguration.Logarithm {
  /// What the natural logarithm is multiplied by.
  var factor: Double {
    switch unit {
    case .natural: 1
    case .decimal: 1 / naturalLogarithm(10)
    case .decibels: 10 / naturalLogarithm(10)
    }
  }

  /// What is subtracted afterwards: the reference in dB.
  var shift: Double { unit == .decibels ? 10 * decimalLogarithm(max(reference, floor)) : 0 }
}

private func roundedUp(_ count: Int) -> Int {
  let unit = Int(AURICLE_COLUMN_UNIT)
  return (count + unit - 1) / unit * unit
}

/// The buffers of one call, cut from one aligned block, zero at first.
private struct Scratch {
  let signal, frames, spectrum, power: UnsafeMutablePointer<Float>

  static func with<Result>(
    signal: Int, frames: Int, spectrum: Int, power: Int, _ body: (Scratch) -> Result
  ) -> Result {
    let sizes = [signal, frames, spectrum, power].map { roundedUp($0) }
    let total = sizes.reduce(0, +)
    return withUnsafeTemporaryAllocation(byteCount: total * MemoryLayout<Float>.stride, alignment: 64) { memory in
      let base = memory.bindMemory(to: Float.self)
      base.initialize(repeating: 0)
      let start = base.baseAddress!  // not empty: every size is positive
      return body(
        Scratch(
          signal: start, frames: start + sizes[0], spectrum: start + sizes[0] + sizes[1],
          power: start + sizes[0] + sizes[1] + sizes[2]))
    }
  }
}
