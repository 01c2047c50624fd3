/// Mono sound in memory.
///
///     let waveform = try Waveform(contentsOf: "one.wav", sampleRate: 16_000)
///     waveform.sampleRate // 16000
///     waveform.duration   // 0.432125
public struct Waveform: Sendable, Equatable {
  /// Nominally within [-1, 1]; files of floats may go beyond.
  public var samples: [Float]
  /// Hz.
  public var sampleRate: Int

  /// `samples.count / sampleRate`, in seconds.
  public var duration: Double {
    sampleRate > 0 ? Double(samples.count) / Double(sampleRate) : 0
  }

  public init(samples: [Float], sampleRate: Int) {
    self.samples = samples
    self.sampleRate = sampleRate
  }

  /// Opens, validates, decodes and mixes down the file at `path` (`-` for standard input), and resamples it when
  /// `sampleRate` (Hz) is given and is not the file's own.
  ///
  /// There is at least one sample, and all are finite, or an `AudioError` is thrown; see `AudioFile` for what is read
  /// and how, and `Resampler` for the filter.
  public init(
    contentsOf path: String, sampleRate: Int? = nil, channel: ChannelSelection = .mix
  ) throws(AudioError) {
    try self.init(of: SoundSpan(path, channel: channel), sampleRate: sampleRate)
  }

  /// The sound of a span, likewise; see `SoundBlocks` for what a span holds.
  public init(of span: SoundSpan, sampleRate: Int? = nil) throws(AudioError) {
    try self.init(reading: SoundBlocks(span, sampleRate: sampleRate))
  }

  /// The rest of a sound that comes in blocks.
  public init(reading blocks: SoundBlocks) throws(AudioError) {
    self.init(samples: [], sampleRate: blocks.sampleRate)
    samples.reserveCapacity(blocks.expectedSamples)
    while try blocks.next(into: &samples) {}
  }
}
