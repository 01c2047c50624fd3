import AuricleBase
import CKernels

/// Computes frames before their deltas, a group at a time: what sound in memory and sound in a stream share. Owns the
/// buffers that takes, so each thread has one of its own.
final class FrameComputer {
  /// Frames that are computed together.
  static let group = Int(AURICLE_COLUMN_UNIT)

  /// Elements of a block of energies: a row of `group` for each filter (or bin), and one for the energies of the frames.
  let energiesSize: Int

  private let extractor: FeatureExtractor
  private let kernels = auricle_kernels_f32().pointee
  private let columns: Int
  /// Elements from one frame's spectrum to the next.
  private let spectrumStride: Int
  private let memory: UnsafeMutableRawPointer
  private let signal, frame, spectra, scratch, power, cepstra, sums: UnsafeMutablePointer<Float>

  init(_ extractor: FeatureExtractor) {
    let configuration = extractor.configuration
    let (group, used, fft) = (FrameComputer.group, extractor.usedLength, configuration.fftLength)
    self.extractor = extractor
    columns = configuration.kind == .spectrogram ? configuration.binCount : configuration.mel.count
    energiesSize = (columns + 1) * group
    spectrumStride = roundedUp(fft + 2)
    let sizes = [
      (group - 1) * min(configuration.hopLength, used) + used, fft, group * spectrumStride, group * (fft + 2),
      configuration.binCount * group, configuration.cepstrum.count * group, group,
    ].map(roundedUp)
    memory = .allocate(byteCount: sizes.reduce(0, +) * MemoryLayout<Float>.stride, alignment: 64)
    var next = memory.bindMemory(to: Float.self, capacity: sizes.reduce(0, +))
    next.initialize(repeating: 0, count: sizes.reduce(0, +))
    var parts: [UnsafeMutablePointer<Float>] = []
    for size in sizes {
      parts.append(next)
      next += size
    }
    (signal, frame, spectra, scratch) = (parts[0], parts[1], parts[2], parts[3])
    (power, cepstra, sums) = (parts[4], parts[5], parts[6])
  }

  deinit { memory.deallocate() }

  // MARK: From samples to (log) energies

  /// The energies of `count` frames, at most a group, from frame `first`: `energiesSize` elements, as logarithms where
  /// the kind of features takes them. Throws `notFinite`.
  func computeEnergies(
    _ window: SignalWindow, from first: Int, count: Int, _ energies: UnsafeMutablePointer<Float>
  ) throws(FeatureError) {
    let configuration = extractor.configuration
    let group = FrameComputer.group
    let frameEnergies = energies + columns * group
    transformFrames(window, from: first, count: count, frameEnergies)

    let isSpectrogram = configuration.kind == .spectrogram
    let power = isSpectrogram ? energies : power
    extractor.transform.twiddles.withUnsafeBufferPointer { twiddles in
      kernels.power_spectra(
        configuration.fftLength, twiddles.isEmpty ? nil : twiddles.baseAddress, !configuration.usesPower, spectra,
        spectrumStride, scratch, power)
    }
    if configuration.energy == .spectrum {
      frameEnergies.update(repeating: 0, count: group)
      kernels.add_column_sums(configuration.binCount, group, power, group, frameEnergies)
    }
    if !isSpectrogram {
      kernels.banded_product(extractor.bands.count, extractor.bands, extractor.bandWeights, power, energies)
    }
    sums.update(repeating: 0, count: group)
    kernels.add_column_sums(columns, group, energies, group, sums)
    for lane in 0..<group where !sums[lane].isFinite { throw .notFinite }

    guard configuration.kind == .logMel || configuration.kind == .mfcc else { return }
    let log = configuration.logarithm
    let factor = configuration.logarithmFactor
    kernels.logarithm(columns * group, log.offset, log.floor, factor, energies, energies)
    if configuration.energy != .none {
      kernels.logarithm(group, 0, configuration.cepstrum.energyFloor, log.factor, frameEnergies, frameEnergies)
    }
  }

  /// Cuts, prepares and transforms the frames; the rest of the group's spectra are zero.
  private func transformFrames(
    _ window: SignalWindow, from first: Int, count: Int, _ frameEnergies: UnsafeMutablePointer<Float>
  ) {
    let configuration = extractor.configuration
    let (hop, used, preparation) = (configuration.hopLength, extractor.usedLength, extractor.preparation)
    let start = window.grid.origin + first * hop
    let isEmphasised = preparation.emphasis != 0
    // Where the samples can be read as they are, the kernel also applies the pre-emphasis of the whole signal.
    let direct =
      preparation.dither > 0 || (isEmphasised && configuration.removesOffset)
      ? nil : window.untouched(from: start, count: (count - 1) * hop + used)
    let stride = direct == nil ? min(hop, used) : hop
    let inSignal = direct == nil ? 0 : Double(preparation.emphasis)
    let coefficient = configuration.preEmphasis.scope == .frame ? configuration.preEmphasis.coefficient : inSignal
    let repeats = configuration.preEmphasis.scope == .frame && configuration.preEmphasis.firstSample == .repeated
    let energyScale = configuration.inputScale.factor * configuration.inputScale.factor
    let wantsRaw = configuration.energy == .raw

    func prepare(_ x: UnsafePointer<Float>, _ t: Int, coefficient: Double, energy wantsEnergy: Bool) {
      var energy = 0.0
      withUnsafeMutablePointer(to: &energy) { energy in
        kernels.prepare_frame(
          used, configuration.fftLength, x, repeats ? x : inSignal != 0 ? x - 1 : nil, extractor.window,
          configuration.removesOffset, coefficient, wantsEnergy ? energy : nil, frame)
      }
      if wantsEnergy { frameEnergies[t] = Float(energy * energyScale) }
    }

    let needsRawCopy = direct == nil && wantsRaw && isEmphasised
    if needsRawCopy {
      var plain = preparation
      plain.emphasis = 0
      copy(window, from: start, count: count, plain)
      for t in 0..<count { prepare(signal + t * stride, t, coefficient: 0, energy: true) }
    }
    if direct == nil { copy(window, from: start, count: count, preparation) }
    for t in 0..<count {
      prepare(
        (direct ?? UnsafePointer(signal)) + t * stride, t, coefficient: coefficient, energy: wantsRaw && !needsRawCopy)
      if configuration.energy == .windowed {
        frameEnergies[t] = Float(kernels.sum_of_squares(used, frame) * extractor.windowedEnergyScale)
      }
      extractor.transform.execute(frame, spectra + t * spectrumStride)
    }
    for t in count..<FrameComputer.group {
      (spectra + t * spectrumStride).update(repeating: 0, count: spectrumStride)
      frameEnergies[t] = 0
    }
  }

  /// Fills `signal` with the samples under the frames; frames farther apart than their length each with their own.
  private func copy(_ window: SignalWindow, from start: Int, count: Int, _ preparation: SignalWindow.Preparation) {
    let (hop, used) = (extractor.configuration.hopLength, extractor.usedLength)
    if hop <= used {
      window.copy(from: start, count: (count - 1) * hop + used, preparation, to: signal)
    } else {
      for t in 0..<count { window.copy(from: start + t * hop, count: used, preparation, to: signal + t * used) }
    }
  }

  // MARK: From energies to rows

  /// The greatest of a block of energies.
  func greatest(_ energies: UnsafePointer<Float>) -> Float {
    Float(kernels.greatest(columns * FrameComputer.group, energies))
  }

  /// Turns a block of energies, which is used up, into `count` rows of features. `greatest` is the sound's greatest
  /// energy, where the logarithm has a range.
  func makeRows(
    _ energies: UnsafeMutablePointer<Float>, count: Int, greatest: Float, _ rows: UnsafeMutablePointer<Float>
  ) {
    let configuration = extractor.configuration
    let group = FrameComputer.group
    let log = configuration.logarithm
    let isLogarithmic = configuration.kind == .logMel || configuration.kind == .mfcc
    if isLogarithmic, log.shift(usesPower: configuration.usesPower) != 0 || log.range != nil {
      let least = log.range.map { Double(greatest - Float($0)) } ?? -Double(Float.greatestFiniteMagnitude)
      kernels.raise_and_shift(columns * group, least, log.shift(usesPower: configuration.usesPower), energies)
    }
    guard configuration.kind == .mfcc else {
      kernels.transpose(columns, count, energies, group, rows, columns)
      return
    }
    // Logarithms have a large mean, which only coefficient 0 sees. Taking it out first keeps the sums small and exact.
    let coefficients = configuration.cepstrum.count
    kernels.center_columns(columns, energies, sums)
    kernels.gemm(coefficients, group, columns, extractor.dct, columns, energies, nil, false, cepstra, group)
    let zeroth = cepstra + configuration.cepstrum.zerothIndex * group
    for lane in 0..<group {
      zeroth[lane] =
        configuration.energy == .none
        ? zeroth[lane] + Float(Double(sums[lane]) * extractor.meanWeight) : energies[columns * group + lane]
    }
    kernels.transpose(coefficients, count, cepstra, group, rows, coefficients)
  }
}

private func roundedUp(_ count: Int) -> Int {
  let unit = Int(AURICLE_COLUMN_UNIT)
  return (count + unit - 1) / unit * unit
}
