extension FeatureConfiguration {
  /// What a person should know of features that are computed all the same, each a sentence; `preset` is the one that was
  /// asked for, if one was. Of a configuration that cannot be computed, none.
  public func warnings(preset: Preset? = nil) -> [String] {
    guard (try? validate()) != nil else { return [] }
    var found: [String] = []
    if truncatesFrames && frameLength > fftLength {
      found.append(
        "frames have \(frameLength) samples, of which the transform takes the first \(fftLength)")
    }
    guard kind != .spectrogram else { return found }
    let empty = MelBands.filters(self).enumerated().filter { $0.element.allSatisfy { $0 == 0 } }.map { $0.offset + 1 }
    if let first = empty.first {
      found.append(
        "\(empty.count == 1 ? "mel filter \(first)" : "\(empty.count) mel filters (\(first) first)") of \(mel.count) "
          + "\(empty.count == 1 ? "holds" : "hold") no bin of the \(fftLength)-point spectrum and \(empty.count == 1 ? "is" : "are") "
          + "always the same; take fewer filters or a longer transform")
    }
    if let edge = preset?.highestFrequency, let high = mel.highFrequency, high < edge,
      2 * high >= Double(sampleRate) - 1
    {
      found.append(
        "the preset's mel filters go up to \(Int(edge)) Hz; at \(sampleRate) Hz they end at \(Int(high)) Hz, and are others"
      )
    }
    return found
  }
}

extension FeatureConfiguration.Preset {
  /// Where the highest mel filter of the tool ends at any sample rate that goes so far, in Hz; nil for half the rate.
  var highestFrequency: Double? {
    switch self {
    case .opensmile: 8000
    case .tensorflow: 7600
    case .speech, .librosa, .torchaudio, .kaldi, .htk, .pythonSpeechFeatures: nil
    }
  }
}
