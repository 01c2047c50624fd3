import Auricle
import AuricleBase

/// Extracts files by a recipe: each at its own rate unless the recipe names one, with one extractor for each rate.
final class CorpusExtractor: Sendable {
  let recipe: FeatureRecipe
  private let channel: ChannelSelection
  private let extractors = Locked<[Int: FeatureExtractor]>([:])

  init(_ recipe: FeatureRecipe, channel: ChannelSelection) {
    self.recipe = recipe
    self.channel = channel
  }

  /// Of the files that were looked at.
  var sampleRates: Set<Int> { extractors.withLock { Set($0.keys) } }

  /// What is to be known of the features of the files that were looked at, a sentence each.
  public var warnings: [String] {
    let configurations = extractors.withLock { $0.sorted { $0.key < $1.key }.map(\.value.configuration) }
    return configurations.flatMap { $0.warnings(preset: recipe.preset) }.reduce(into: []) { found, warning in
      if !found.contains(warning) { found.append(warning) }
    }
  }

  /// A file that was looked at, and what will extract it.
  struct Source {
    fileprivate let sound: SoundSpan
    fileprivate let extractor: FeatureExtractor
    /// Sound that cannot be read twice.
    fileprivate let waveform: Waveform?

    var configuration: FeatureConfiguration { extractor.configuration }

    /// Hands out the features in blocks.
    func forEachBlock(_ body: (FeatureMatrix) throws -> Void) throws {
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

  /// Opens the file as far as needed to know its rate.
  func source(_ span: SoundSpan) throws -> Source {
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
}
