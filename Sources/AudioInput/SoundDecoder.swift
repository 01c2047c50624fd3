import CSndfile

/// Decodes the sections of a file one after the other.
struct SoundDecoder: ~Copyable {
  private let path: String
  private let sections: [SoundSection]
  private var index = 0
  private var handle: SoundHandle
  /// Frames that the section's decoder has given, those of its delay included.
  private var decoded = 0
  private var damage: MPEGDamage?
  /// The next frame of the sound.
  private(set) var position = 0

  /// At least one section.
  init(_ sections: [SoundSection], path: String) throws(AudioError) {
    self.path = path
    self.sections = sections
    handle = try Self.open(sections[0], path)
    damage = sections[0].granules.map(MPEGDamage.init)
  }

  /// What the first section's header says.
  var info: SF_INFO { handle.info }

  private static func open(_ section: SoundSection, _ path: String) throws(AudioError) -> SoundHandle {
    if let handle = SoundHandle(section) { return handle }
    let source = section.view.source
    if let reason = source.failure { throw .unreadable(path: path, reason: reason) }
    switch FileSignature(section.view.start(FileSignature.length)) {
    case .audio(let container): throw .damaged(path: path, container: container)
    case .media(let name):
      let codec = FileSignature.isMPEG4(name) ? FileSignature.codec(ofMPEG4: source) : nil
      throw .unsupportedFormat(path: path, name: name + (codec.map { ", with \($0)" } ?? ""))
    case .other(let resemblance): throw .notAudio(path: path, resemblance: resemblance)
    case .unknown: throw .notAudio(path: path, resemblance: nil)
    }
  }

  /// Decodes up to `frames` frames, all channels, to the beginning of `block`, which has room for them; 0 at the end.
  mutating func read(frames: Int, into block: UnsafeMutableBufferPointer<Float>) throws(AudioError) -> Int {
    while true {
      let section = sections[index]
      let left = section.frames.map { section.delay + $0 - decoded } ?? frames
      let skipped = max(0, section.delay - decoded)
      let wanted = min(frames, skipped > 0 ? skipped : left)
      let count =
        wanted == 0 ? 0 : max(0, Int(sf_readf_float(handle.sound, block.baseAddress, sf_count_t(wanted))))
      decoded += count
      if let reason = handle.failure, !(section.isPadded && decoded == section.promisedFrames) {
        throw .undecodable(path: path, seconds: seconds, reason: reason)
      }
      let channels = Int(handle.info.channels)
      let samples = UnsafeBufferPointer(rebasing: block[..<(count * channels)])
      guard damage?.accepts(samples, channels: channels) ?? true else {
        throw .undecodable(path: path, seconds: seconds, reason: "an MP3 frame near there is damaged")
      }
      if count > 0 && skipped > 0 { continue }
      if count > 0 {
        if section.gain != 1 {
          for index in samples.indices { block[index] *= section.gain }
        }
        position += count
        return count
      }
      if wanted > 0 && section.frames != nil {
        throw .undecodable(path: path, seconds: seconds, reason: "the decoder stopped before the end")
      }
      guard index + 1 < sections.count else { return 0 }
      try begin(section: index + 1)
    }
  }

  private mutating func begin(section next: Int) throws(AudioError) {
    let (before, end) = (handle.info, seconds)
    handle = try Self.open(sections[next], path)
    index = next
    decoded = 0
    damage = sections[next].granules.map(MPEGDamage.init)
    let info = handle.info
    guard info.samplerate == before.samplerate, info.channels == before.channels else {
      throw .unevenChain(
        path: path, seconds: end,
        reason:
          "\(info.samplerate) Hz and \(info.channels) channels, that before it \(before.samplerate) Hz and \(before.channels)"
      )
    }
  }

  /// Goes to `frame` at once where the very samples come that reading from the front gives; otherwise to the beginning,
  /// where it does not lie ahead.
  mutating func jump(toFrame frame: Int) throws(AudioError) {
    var isLost = frame < position
    if sections.count == 1 && handle.seeksExactly && frame < handle.info.frames {
      if sf_seek(handle.sound, sf_count_t(frame), SEEK_SET) == frame {
        position = frame
        decoded = frame
        return
      }
      // A decoder that has not found the frame may have lost its place.
      isLost = true
    }
    if isLost {
      handle = try Self.open(sections[0], path)
      index = 0
      decoded = 0
      damage = sections[0].granules.map(MPEGDamage.init)
      position = 0
    }
  }

  private var seconds: Double { Double(position) / Double(handle.info.samplerate) }
}
