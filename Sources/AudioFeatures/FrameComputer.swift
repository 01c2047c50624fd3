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
  private let signal, plainSignal, frame, spectra, scratch, power, cepstra, sums: UnsafeMutablePointer<Float>

  init(_ extractor: FeatureExtractor) {
    let configuration = extractor.configuration
    let (group, used, fft) = (FrameComputer.group, extractor.usedLength, configuration.fftLength)
    self.extractor = extractor
    columns = configuration.kind == .spectrogram ? configuration.binCount : configuration.mel.count
    energiesSize = (columns + 1) * group
    spectrumStride = roundedUp(fft + 2)
    let stretch = (group - 1) * min(configuration.hopLength, used) + used
    let sizes = [
      stretch, stretch, fft, group * spectrumStride, group * (fft + 2),
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
    (signal, plainSignal, frame, spectra) = (parts[0], parts[1], parts[2], parts[3])
    (scratch, power, cepstra, sums) = (parts[4], parts[5], parts[6], parts[7])
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
    let inFrame = configuration.preEmphasis.scope == .frame ? configuration.preEmphasis.coefficient : 0
    let repeats = configuration.preEmphasis.scope == .frame && configuration.preEmphasis.firstSample == .repeated
    let energyScale = configuration.inputScale.factor * configuration.inputScale.factor
    let wantsRaw = configuration.energy == .raw

    func prepare(
      _ x: UnsafePointer<Float>, _ t: Int, coefficient: Double, before: UnsafePointer<Float>? = nil, energy wanted: Bool
    ) {
      var energy = 0.0
      withUnsafeMutablePointer(to: &energy) { energy in
        kernels.prepare_frame(
          used, configuration.fftLength, x, repeats ? x : before, extractor.window, configuration.removesOffset,
          coefficient, wanted ? energy : nil, frame)
      }
      if wanted { frameEnergies[t] = Float(energy * energyScale) }
    }

    // A frame within the signal is read where it is, and the kernel applies the pre-emphasis of the whole signal, too.
    // That rounds differently, so it must depend on the frame alone: in a stream its neighbours may not be there yet.
    let readsInPlace = preparation.dither == 0 && !(isEmphasised && configuration.removesOffset)
    let isWithin = window.untouched(from: start, count: (count - 1) * hop + used) != nil
    let needsPlain = wantsRaw && isEmphasised
    if !readsInPlace || !isWithin {
      copy(window, from: start, count: count, preparation, to: signal)
      if needsPlain {
        var plain = preparation
        plain.emphasis = 0
        copy(window, from: start, count: count, plain, to: plainSignal)
      }
    }
    for t in 0..<count {
      if readsInPlace, let samples = window.untouched(from: start + t * hop, count: used) {
        if isEmphasised {
          prepare(samples, t, coefficient: Double(preparation.emphasis), before: samples - 1, energy: wantsRaw)
        } else {
          prepare(samples, t, coefficient: inFrame, energy: wantsRaw)
        }
      } else {
        let place = t * min(hop, used)
        if needsPlain { prepare(plainSignal + place, t, coefficient: 0, energy: true) }
        prepare(signal + place, t, coefficient: inFrame, energy: wantsRaw && !needsPlain)
      }
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

  /// Fills `buffer` with the samples under the frames; frames farther apart than their length each with their own.
  private func copy(
    _ window: SignalWindow, from start: Int, count: Int, _ preparation: SignalWindow.Preparation,
    to buffer: UnsafeMutablePointer<Float>
  ) {
    let (hop, used) = (extractor.configuration.hopLength, extractor.usedLength)
    if hop <= used {
      window.copy(from: start, count: (count - 1) * hop + used, preparation, to: buffer)
    } else {
      for t in 0..<count { window.copy(from: start + t * hop, count: used, preparation, to: buffer + t * used) }
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
