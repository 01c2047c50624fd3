/// The sound of a span in blocks of bounded size: opened once, mixed down, and at the rate that is wanted.
///
///     let blocks = try SoundBlocks(SoundSpan("meeting.flac", seconds: 61.5..<64), sampleRate: 16_000)
///     var block: [Float] = []
///     while try blocks.next(into: &block) {
///       use(block)
///       block.removeAll(keepingCapacity: true)
///     }
///
/// A span of seconds holds the samples from `round(lowerBound * rate)` up to `round(upperBound * rate)`, at the file's own
/// rate: those that reading from the front gives. They are resampled as if they were a file of their own.
///
/// A span may end up to `tolerance` seconds after the file does, as manifests round; it is then cut.
///
/// Not `Sendable`: any number of threads may each read blocks of their own, but not share them.
public final class SoundBlocks {
  public let span: SoundSpan
  /// What the file's header says; of the whole file, at its own rate.
  public let info: AudioFileInfo
  /// Of the samples that `next(into:)` gives, in Hz.
  public let sampleRate: Int
  /// How long after the end of the file a span may end, in seconds.
  public static let tolerance = 0.1

  /// The most frames that are decoded for one block.
  private static let blockFrames = 32_768

  private let file: AudioFile
  /// In frames of the file; the end is `Int.max` where the span has none.
  private let frames: Range<Int>
  private var resampler: Resampler
  private var decoded: [Float] = []
  private var isFinished = false

  /// Opens the file of `span`, whose sound will come at `sampleRate` (Hz), or at its own rate.
  ///
  /// Throws as `AudioFile.init`, `invalidSpan` for a span that holds no sample, and `invalidSampleRate`.
  public init(_ span: SoundSpan, sampleRate: Int? = nil) throws(AudioError) {
    if let seconds = span.seconds {
      guard seconds.lowerBound >= 0, seconds.upperBound.isFinite, !seconds.isEmpty else {
        throw .invalidSpan(path: span.path, start: seconds.lowerBound, end: seconds.upperBound)
      }
    }
    file = try AudioFile(of: span)
    self.span = span
    info = file.info
    self.sampleRate = sampleRate ?? file.info.sampleRate
    resampler = try Resampler(from: file.info.sampleRate, to: self.sampleRate)
    if let seconds = span.seconds {
      let rate = Double(file.info.sampleRate)
      func frame(_ seconds: Double) -> Int { Int(min((seconds * rate).rounded(), 0x1p53)) }
      frames = frame(seconds.lowerBound)..<frame(seconds.upperBound)
      guard !frames.isEmpty else {
        throw .invalidSpan(path: span.path, start: seconds.lowerBound, end: seconds.upperBound)
      }
    } else {
      frames = 0..<Int.max
    }
  }

  /// What a person should know of the sound; that channels cancel is known when it has been read.
  public var warnings: [AudioWarning] { file.warnings }

  /// What decoded the file instead of libsndfile, if anything did.
  public var decodedBy: ExternalDecoder? { file.decodedBy }

  /// Samples that will come at most, at `sampleRate`, by the words of the header and of the span; 0 when they say nothing.
  public var expectedSamples: Int {
    let end = info.frames == 0 ? frames.upperBound : min(frames.upperBound, info.frames)
    guard end < .max else { return 0 }
    // No encoding that is read gives more than some 100 samples for a byte.
    let count = min(max(0, end - frames.lowerBound), 128 * file.byteCount)
    return Int((Double(count) * Double(sampleRate) / Double(info.sampleRate)).rounded(.up))
  }

  /// Appends the next samples, some ten thousand; false at the end, when there are none.
  ///
  /// Throws as `AudioFile.read`, `spanAfterEnd` where the span begins at or after the end of the file, and `spanPastEnd`
  /// where it ends more than `tolerance` seconds after it.
  public func next(into samples: inout [Float]) throws(AudioError) -> Bool {
    let before = samples.count
    while samples.count == before && !isFinished {
      if file.position < frames.lowerBound { try skip() }
      let wanted = min(SoundBlocks.blockFrames, frames.upperBound - file.position)
      if sampleRate == info.sampleRate {
        isFinished = try file.read(frames: wanted, into: &samples) < wanted
      } else {
        decoded.removeAll(keepingCapacity: true)
        isFinished = try file.read(frames: wanted, into: &decoded) < wanted
        resampler.process(decoded.span, into: &samples)
      }
      if isFinished { try checkEnd() }
      isFinished = isFinished || file.position == frames.upperBound
      if isFinished { resampler.finish(into: &samples) }
    }
    return samples.count > before
  }

  /// Begins again with the first sample.
  public func rewind() throws(AudioError) {
    try file.seek(toFrame: 0)
    var rest: [Float] = []
    resampler.finish(into: &rest)
    isFinished = false
  }

  private func skip() throws(AudioError) {
    try file.seek(toFrame: frames.lowerBound)
    guard file.position == frames.lowerBound else {
      throw .spanAfterEnd(path: span.path, start: span.seconds?.lowerBound ?? 0, duration: duration)
    }
  }

  /// The file has ended, perhaps before the span.
  private func checkEnd() throws(AudioError) {
    guard let seconds = span.seconds else { return }
    if file.position == frames.lowerBound {
      throw .spanAfterEnd(path: span.path, start: seconds.lowerBound, duration: duration)
    }
    if Double(frames.upperBound - file.position) > (SoundBlocks.tolerance * Double(info.sampleRate)).rounded(.up) {
      throw .spanPastEnd(path: span.path, end: seconds.upperBound, duration: duration)
    }
  }

  /// Of the file, once its end has been reached, in seconds.
  private var duration: Double { Double(file.position) / Double(info.sampleRate) }
}
