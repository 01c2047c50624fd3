import CSndfile

/// Which of a file's channels become the one that is kept.
public enum ChannelSelection: Hashable, Sendable {
  /// The mean of all channels.
  case mix
  /// One channel as it is; the first is 1.
  case channel(Int)
}

/// An open audio file, read from front to back as mono blocks: hours of sound in bounded memory.
///
///     let file = try AudioFile(path: "meeting.flac")
///     var block: [Float] = []
///     while try file.read(frames: 4096, into: &block) > 0 {
///       use(block, file.info.sampleRate)
///       block.removeAll(keepingCapacity: true)
///     }
///
/// Everything libsndfile decodes is read: WAV, RF64, W64, AIFF, CAF, AU, FLAC, Ogg (Vorbis, Opus), MP3 and more.
/// Integers of any width come scaled to [-1, 1); floats come as they are, so that values beyond 1 are kept.
///
/// A header that promises more than the file holds is no error: what is there is given (but a FLAC frame cut in two is
/// an error). Memory is never allocated on a header's word.
///
/// A regular file is read as it is needed. Standard input (`-`), a pipe or a device is first read whole into memory,
/// at most 1 GiB.
///
/// Not `Sendable`: any number of threads may each read a file of their own, but not share one.
public final class AudioFile {
  public let path: String
  public let info: AudioFileInfo
  /// Size of the encoded file in bytes.
  public let byteCount: Int

  /// The rates a file may have, in Hz.
  public static let sampleRates = 1_000...1_000_000

  /// No sample may be larger, so that nothing computed from samples, such as a power spectrum, can overflow. A 32-bit
  /// integer that was stored as a float without scaling still fits.
  public static let largestMagnitude: Float = 0x1p32

  /// The next frame that will be read; at the end, the number of frames there are.
  public var position: Int { decoder.position }

  /// What decoded the file instead of libsndfile, if anything did.
  public let decodedBy: ExternalDecoder?

  private var decoder: SoundDecoder
  private let channel: ChannelSelection
  private var block: [Float]
  /// Sums of squares, of the mean of all channels and of each.
  private var mixedPower = 0.0
  private var channelPower = 0.0
  private let foundWarnings: [AudioWarning]

  /// Opens the file at `path`, or standard input for `-`; `raw` says how its bytes are samples when it has no header, and
  /// `fallback` what decodes it where libsndfile does not read its kind.
  ///
  /// Throws when it cannot be opened, is not audio, has a rate outside `sampleRates`, or lacks the `channel`.
  public init(
    path: String, channel: ChannelSelection = .mix, raw: RawFormat? = nil, fallback: ExternalDecoder? = nil
  ) throws(AudioError) {
    var source = try ByteSource(path: path)
    var found: SoundSections
    let decoder: SoundDecoder
    var kind: FileSignature?
    do throws(AudioError) {
      found = if let raw { raw.sections(source) } else { try SoundSections(of: source, path: path) }
      decoder = try SoundDecoder(found.sections, path: path)
    } catch {
      guard let fallback, raw == nil, error.isOfKind else { throw error }
      kind = FileSignature(source.bytes(0..<FileSignature.length))
      let (sound, complaint) = try fallback.decode(source, path: path)
      source = sound
      found = try SoundSections(of: sound, path: path)
      found.warnings += complaint.map { [.complaint(path: path, decoder: fallback.rawValue, text: $0)] } ?? []
      decoder = try SoundDecoder(found.sections, path: path)
    }
    var info = AudioFileInfo(decoder.info)
    decodedBy = kind == nil ? nil : fallback
    if let kind, let fallback {
      info.container = kind.format ?? "unknown"
      info.encoding = "decoded by \(fallback.rawValue)"
    }
    guard Self.sampleRates.contains(info.sampleRate) else {
      throw .unsupportedSampleRate(path: path, sampleRate: info.sampleRate)
    }
    if case .channel(let number) = channel, !(1...info.channels).contains(number) {
      throw .noSuchChannel(path: path, channel: number, channels: info.channels)
    }
    if let frames = found.frames { info.frames = frames }
    self.path = path
    self.info = info
    self.channel = channel
    byteCount = source.byteCount
    foundWarnings = found.warnings
    self.decoder = decoder
    block = Array(repeating: 0, count: min(4096, max(1, 65_536 / info.channels)) * info.channels)
  }

  /// Opens the file that `span` is of.
  public convenience init(of span: SoundSpan) throws(AudioError) {
    try self.init(path: span.path, channel: span.channel, raw: span.raw, fallback: span.fallback)
  }

  /// What a person should know of the sound; that channels cancel is known when it has been read.
  public var warnings: [AudioWarning] {
    // 30 dB.
    let cancels = channelPower > 1e-8 * Double(position) && mixedPower < 1e-3 * channelPower
    return foundWarnings + (cancels ? [.cancellingChannels(path: path)] : [])
  }

  /// Appends the next `frames` mono samples, or as many as are left, and returns their number: 0 at the end.
  ///
  /// Throws `noSamples` when the first read finds none, `invalidSample` at one that is NaN, infinite or
  /// beyond `largestMagnitude`,
  /// and `undecodable` when the decoder fails midway. Samples before the failure may have been appended.
  public func read(frames: Int, into samples: inout [Float]) throws(AudioError) -> Int {
    var appended = 0
    while appended < frames {
      let count = try readBlock(frames: min(frames - appended, block.count / info.channels))
      guard count > 0 else { break }
      samples.append(contentsOf: block[..<count])
      appended += count
    }
    return appended
  }

  /// Makes `frame`, or the end of a file that has fewer, the next to be read: the samples that come are those that
  /// reading from the front gives. Of encodings in which a frame depends on those before it (MP3, Vorbis, Opus, GSM),
  /// everything before is decoded; the others, all of PCM and FLAC among them, take no time.
  ///
  /// Throws `undecodable` when the decoder fails on the way.
  public func seek(toFrame frame: Int) throws(AudioError) {
    if frame != position { try decoder.jump(toFrame: frame) }
    while position < frame {
      guard try decode(frames: min(frame - position, block.count / info.channels)) > 0 else { return }
    }
  }

  /// Decodes up to `frames` frames to the beginning of `block`, all channels; 0 at the end.
  private func decode(frames: Int) throws(AudioError) -> Int {
    try block.withUnsafeMutableBufferPointer { block throws(AudioError) in
      try decoder.read(frames: frames, into: block)
    }
  }

  /// Decodes and mixes down up to `frames` frames to the beginning of `block`.
  private func readBlock(frames: Int) throws(AudioError) -> Int {
    let channels = info.channels
    let count = try decode(frames: frames)
    let areValid = block.withUnsafeMutableBufferPointer { block in
      switch channel {
      case _ where channels == 1: break
      case .channel(let number):
        for frame in 0..<count { block[frame] = block[frame * channels + number - 1] }
      case .mix:
        let scale = 1 / Float(channels)
        var (mixed, each): (Float, Float) = (0, 0)
        for frame in 0..<count {
          var sum: Float = 0
          for index in frame * channels..<(frame + 1) * channels {
            sum += block[index]
            each += block[index] * block[index]
          }
          let mean = sum / Float(channels)
          block[frame] = mean
          mixed += mean * mean
        }
        mixedPower += Double(mixed)
        channelPower += Double(each * scale)
      }
      return Self.areValid(UnsafeBufferPointer(rebasing: block[..<count]))
    }
    let start = position - count
    guard areValid else {
      let index = block[..<count].firstIndex { !($0.magnitude <= Self.largestMagnitude) } ?? 0
      throw .invalidSample(path: path, seconds: seconds(start + index), value: "\(block[index])")
    }
    if position == 0 { throw .noSamples(path: path) }
    return count
  }

  private func seconds(_ frames: Int) -> Double {
    Double(frames) / Double(info.sampleRate)
  }

  /// Compares bit patterns as integers, which, unlike a test of each number, the compiler turns into vector code.
  private static func areValid(_ samples: UnsafeBufferPointer<Float>) -> Bool {
    var largest: Int32 = 0
    for sample in samples { largest = max(largest, Int32(bitPattern: sample.bitPattern & 0x7FFF_FFFF)) }
    return largest <= Int32(bitPattern: largestMagnitude.bitPattern)
  }
}
