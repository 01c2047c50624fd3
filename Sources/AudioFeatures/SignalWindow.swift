import AuricleBase

/// The samples of a signal that are at hand: all of them, or those a stream holds. Gives the stretch under some frames,
/// with what lies beyond the signal's ends.
struct SignalWindow {
  /// The samples at hand, the first of which is the signal's sample `start`.
  let samples: UnsafeBufferPointer<Float>
  let start: Int
  let grid: FrameGrid

  /// What is done to samples before they are cut into frames.
  struct Preparation {
    /// Pre-emphasis over the signal as a whole; 0 for none.
    var emphasis: Float = 0
    var firstSample = FeatureConfiguration.PreEmphasis.FirstSample.kept
    /// Standard deviation of the noise, on the scale of the samples.
    var dither = 0.0
    var ditherSeed: UInt64 = 0
  }

  /// A pointer to the samples from `first`, which may lie before the signal, as they are and with one more sample before
  /// them; nil where there are not so many.
  func untouched(from first: Int, count: Int) -> UnsafePointer<Float>? {
    guard first > start, first + count <= start + samples.count, let base = samples.baseAddress else { return nil }
    return base + (first - start)
  }

  /// Writes the samples from `first` to `buffer`, prepared, and with what lies beyond the signal's ends.
  func copy(
    from first: Int, count: Int, _ preparation: Preparation, to buffer: UnsafeMutablePointer<Float>
  ) {
    guard let base = samples.baseAddress.map({ $0 - start }) else { return }
    let emphasis = preparation.emphasis

    func at(_ i: Int) -> Float {
      guard preparation.dither > 0 else { return base[i] }
      var noise = SeededGenerator(seed: preparation.ditherSeed, stream: UInt64(i))
      return base[i] + Float(noise.normal() * preparation.dither)
    }
    func prepared(_ index: Int) -> Float {
      guard let i = grid.source(of: index) else { return 0 }
      if i > 0 { return at(i) - emphasis * at(i - 1) }
      return preparation.firstSample == .kept ? at(0) : at(0) - emphasis * at(0)
    }
    // The middle, where nothing needs asking; the ends, sample by sample.
    let last = first + count
    let isPlain = preparation.dither == 0
    let low = isPlain ? min(max(first, 1), last) : last
    let high = isPlain ? max(low, min(last, grid.samples, start + samples.count)) : last
    for index in first..<low { buffer[index - first] = prepared(index) }
    for index in low..<high { buffer[index - first] = base[index] - emphasis * base[index - 1] }
    for index in high..<last { buffer[index - first] = prepared(index) }
  }
}
