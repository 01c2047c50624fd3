/// A small mel spectrogram of a whole sound.
enum MelThumbnail {
  private static let widest = 96
  /// From the loudest down to silence, in nats: 80 dB.
  private static let range: Float = 18.42

  /// `HTMLReport.spectrogramHeight x frames` levels, the highest band first, 96 frames at most: the loudest of those
  /// that fall together. Bands lie between 20 Hz and 8 kHz.
  static func levels(of waveform: Waveform) throws -> [UInt8] {
    var configuration = FeatureConfiguration.speech(sampleRate: waveform.sampleRate, kind: .logMel)
    configuration.deltas.order = 0
    configuration.normalization = .none
    configuration.preEmphasis.coefficient = 0
    configuration.logarithm.floor = 1e-12
    configuration.mel.count = HTMLReport.spectrogramHeight
    configuration.mel.highFrequency = min(8000, Double(waveform.sampleRate) / 2)
    configuration.mel.emptyFilters = .zero
    let features = try FeatureExtractor(configuration).features(of: waveform)

    let (height, frames) = (HTMLReport.spectrogramHeight, features.frames)
    let width = min(widest, frames)
    let loudest = features.values.max() ?? 0
    var levels = [UInt8](repeating: 0, count: width * height)
    for column in 0..<width {
      let source = column * frames / width..<max((column + 1) * frames / width, column * frames / width + 1)
      for band in 0..<height {
        let value = source.reduce(-Float.infinity) { max($0, features.values[$1 * height + band]) }
        levels[(height - 1 - band) * width + column] = UInt8(min(255, max(0, 255 * (1 + (value - loudest) / range))))
      }
    }
    return levels
  }
}
