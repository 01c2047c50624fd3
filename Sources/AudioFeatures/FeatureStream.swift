/// Features of sound that comes in blocks, in bounded memory: bit for bit those of the same sound in one piece.
///
///     let stream = try FeatureStream(FeatureExtractor(.kaldi(sampleRate: 16_000)))
///     for block in blocks {
///       if let rows = try stream.process(block.span) { use(rows) }
///     }
///     if let rows = try stream.finish() { use(rows) }
///
/// A row comes with the last sample that it depends on: the last under its frame or under those that its deltas look
/// ahead to. Not `Sendable`: one stream, one thread.
public final class FeatureStream {
  private let extractor: FeatureExtractor
  private let computer: FrameComputer
  private let normalizer: FeatureNormalizer?
  private let purpose: Purpose
  /// The greatest energy: in the first of two passes that found so far, in the second that of the whole sound.
  private(set) var greatest: Float
  private var energyNormalizer: EnergyNormalizer?
  private var deltas: DeltaWindow
  private var energies: [Float]
  private var base: [Float]
  /// The samples that frames still need, the first of which is the sound's sample `start`.
  private var samples: [Float] = []
  private var start = 0
  private var nextFrame = 0

  enum Purpose { case rows, greatest }

  /// Throws `FeatureError.configuration` for what depends on the whole sound: a logarithm's `range`, and normalisation by
  /// the utterance. (`FeatureExtractor.features(ofFile:each:)` computes them, reading the file more than once.)
  public convenience init(_ extractor: FeatureExtractor) throws(FeatureError) {
    guard !extractor.configuration.needsGreatest, !extractor.configuration.needsStatistics else {
      throw .configuration(
        "a logarithm's range and normalisation by the utterance depend on the whole sound, which a stream has not got")
    }
    self.init(extractor, purpose: .rows)
  }

  /// One of several passes over the same sound.
  init(
    _ extractor: FeatureExtractor, purpose: Purpose, greatest: Float = -.infinity, normalizer: FeatureNormalizer? = nil
  ) {
    self.extractor = extractor
    self.purpose = purpose
    self.greatest = greatest
    self.normalizer = normalizer
    computer = FrameComputer(extractor)
    energyNormalizer = EnergyNormalizer(extractor.configuration)
    deltas = DeltaWindow(extractor.configuration)
    energies = Array(repeating: 0, count: computer.energiesSize)
    base = Array(repeating: 0, count: FrameComputer.group * extractor.configuration.baseCount)
  }

  /// Takes the next samples, at the configuration's rate, and gives the rows that are complete. Throws `notFinite`.
  public func process(_ block: Span<Float>) throws(FeatureError) -> FeatureMatrix? {
    block.withUnsafeBufferPointer { samples.append(contentsOf: $0) }
    let configuration = extractor.configuration
    let grid = FrameGrid(configuration, samples: FrameGrid.unknownLength)
    let received = start + samples.count
    try compute(grid, upTo: FrameGrid.complete(configuration, received: received, length: extractor.usedLength))
    // What may be mirrored at the end is kept.
    let kept = 2 * max(configuration.frameLength, configuration.fftLength)
    let needed = min(grid.origin + nextFrame * configuration.hopLength - 1, received - kept)
    if needed - start > samples.count / 2 {
      samples.removeFirst(needed - start)
      start = needed
    }
    return finished(isLast: false)
  }

  /// The rest, now that the sound has ended; the stream is of no use afterwards.
  ///
  /// Throws `tooShort` where no frame fits, or `notFinite`.
  public func finish() throws(FeatureError) -> FeatureMatrix? {
    let grid = FrameGrid(extractor.configuration, samples: start + samples.count)
    guard grid.count > 0 else {
      throw .tooShort(samples: start + samples.count, wanted: extractor.configuration.fewestSamples)
    }
    try compute(grid, upTo: grid.count)
    return finished(isLast: true)
  }

  private func compute(_ grid: FrameGrid, upTo end: Int) throws(FeatureError) {
    try samples.withUnsafeBufferPointer { samples throws(FeatureError) in
      let window = SignalWindow(samples: samples, start: start, grid: grid)
      while nextFrame < end {
        let count = min(FrameComputer.group, end - nextFrame)
        try energies.withUnsafeMutableBufferPointer { energies throws(FeatureError) in
          guard let energies = energies.baseAddress else { return }
          try computer.computeEnergies(window, from: nextFrame, count: count, energies)
          switch purpose {
          case .greatest: greatest = max(greatest, computer.greatest(energies))
          case .rows:
            base.withUnsafeMutableBufferPointer { base in
              guard let rows = base.baseAddress else { return }
              computer.makeRows(energies, count: count, greatest: greatest, rows)
              energyNormalizer?.apply(to: rows, count: count)
              deltas.append(UnsafeBufferPointer(start: rows, count: count * extractor.configuration.baseCount))
            }
          }
        }
        nextFrame += count
      }
    }
  }

  private func finished(isLast: Bool) -> FeatureMatrix? {
    guard var rows = deltas.take(isLast: isLast) else { return nil }
    if let normalizer { extractor.configuration.normalize(&rows, by: normalizer) }
    return rows
  }
}
