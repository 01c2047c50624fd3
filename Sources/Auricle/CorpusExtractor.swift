import AuricleBase

/// Computes the features of many files, each at its own rate unless the recipe names one, and writes them.
///
///     let extractor = CorpusExtractor(try FeatureRecipe(json: #"{"preset": "kaldi"}"#))
///     try await extractor.extract(Corpus(paths: ["recordings"]).files, to: .archive("features.npz", .npz)) { print($0.frames ?? 0) }
///
/// A run that was interrupted is continued by the same call: what is already written whole is skipped.
public final class CorpusExtractor: Sendable {
  public let recipe: FeatureRecipe
  private let channel: ChannelSelection
  private let extractors = Locked<[Int: FeatureExtractor]>([:])

  public init(_ recipe: FeatureRecipe, channel: ChannelSelection = .mix) {
    self.recipe = recipe
    self.channel = channel
  }

  /// Of the files that were looked at, in Hz.
  public var sampleRates: Set<Int> { extractors.withLock { Set($0.keys) } }

  /// What is to be known of the features of the files that were looked at, a sentence each.
  public var warnings: [String] {
    let configurations = extractors.withLock { $0.sorted { $0.key < $1.key }.map(\.value.configuration) }
    return configurations.flatMap { $0.warnings(preset: recipe.preset) }.reduce(into: []) { found, warning in
      if !found.contains(warning) { found.append(warning) }
    }
  }

  /// A file that was looked at, and what will extract it.
  public struct Source {
    fileprivate let sound: SoundSpan
    fileprivate let extractor: FeatureExtractor
    /// Sound that cannot be read twice.
    fileprivate let waveform: Waveform?

    public var configuration: FeatureConfiguration { extractor.configuration }

    /// Hands out the features in blocks. Throws `AudioError` and `FeatureError`.
    public func forEachBlock(_ body: (FeatureMatrix) throws -> Void) throws {
      guard let waveform else {
        _ = try extractor.features(of: sound, each: body)
        return
      }
      let features: FeatureMatrix
      do {
        features = try extractor.features(of: waveform)
      } catch {
        throw FeatureError.file(path: sound.path, reason: error.description)
      }
      try body(features)
    }
  }

  /// Opens the file as far as needed to know its rate. Throws `AudioError` and `FeatureError`.
  public func source(_ span: SoundSpan) throws -> Source {
    let span = span.heard(in: channel)
    let path = span.path
    var waveform: Waveform?
    let rate: Int
    if let fixed = recipe.sampleRate {
      rate = fixed
    } else if FileAccess.size(of: path) != nil {
      rate = try AudioFile(of: span).info.sampleRate
    } else {
      let sound = try Waveform(of: span)
      (rate, waveform) = (sound.sampleRate, sound)
    }
    do {
      return Source(sound: span, extractor: try extractor(rate), waveform: waveform)
    } catch {
      throw FeatureError.file(path: path, reason: error.description)
    }
  }

  private func extractor(_ rate: Int) throws(FeatureError) -> FeatureExtractor {
    if let extractor = extractors.withLock({ $0[rate] }) { return extractor }
    let extractor = try FeatureExtractor(try recipe.configuration(at: rate))
    return extractors.withLock { extractors in
      let first = extractors[rate] ?? extractor
      extractors[rate] = first
      return first
    }
  }

  /// Writes the features of `files` to `destination` on `jobs` threads, and hands what became of each to `each`, in order.
  /// A file that fails gives an outcome with an `error` and stops nothing; what is there already is skipped, unless
  /// `overwrite`. When `stop` says so, those in flight are finished, and `CancellationError` is thrown.
  ///
  /// Throws `FileError` and `FeatureFileError` where nothing can be written, or features of another configuration are
  /// there, and `DatasetError.sameName` for two names that are one in Kaldi's archive.
  public func extract(
    _ files: [Corpus.File], to destination: FeatureDestination, overwrite: Bool = false, jobs: Int = 1,
    isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool = false, each: (Extraction) throws -> Void
  ) async throws {
    let files = try destination.named(files)
    let run = try ExtractionRun(self, to: destination, overwrite: overwrite)
    // Whatever ends the run, the note says of which rates the sounds were.
    defer { run.keepRates() }
    try await orderedMap(Array(files.enumerated()), jobs: jobs, until: stop()) { turn, file in
      await run.write(file, turn: turn)
    } each: { _, result in
      try each(result.get())
    }
    try await run.finish()
  }
}
