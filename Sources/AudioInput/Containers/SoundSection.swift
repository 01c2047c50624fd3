/// A part of a file that a decoder reads from front to back: the whole of most files, a link of a chained one.
struct SoundSection {
  let view: ByteView
  /// Frames at the beginning that are the encoder's delay, and no sound.
  var delay = 0
  /// Frames after the delay, where reading the file before it is decoded has counted them: neither more nor fewer come.
  var frames: Int?
  /// Frames that the header promises, where the decoder is not told of them.
  var promisedFrames: Int?
  /// Whether zeros after the sound may be left, of which the decoder complains.
  var isPadded = false
  /// Of MPEG layer III, in which damage can be seen by them.
  var granules: [MPEGGranule]?
  /// What samples are multiplied by.
  var gain: Float = 1
  /// How the bytes are samples, where they have no header.
  var raw: RawFormat?
}

/// A file, cut into what decoders read rightly.
///
/// Decoders stop where a header, or their own guess, says that the sound ends, and skip what they do not understand. Each
/// container's own file here looks at all the bytes first, and hands on only those that its decoder reads to the end.
struct SoundSections {
  var sections: [SoundSection]
  var warnings: [AudioWarning] = []

  init(_ sections: [SoundSection], warnings: [AudioWarning] = []) {
    self.sections = sections
    self.warnings = warnings
  }

  /// One section: the bytes of `range` as they are.
  init(_ source: ByteSource, _ range: Range<Int>) {
    self.init([SoundSection(view: ByteView(source, [.file(range)]))])
  }

  /// Frames of all sections, where they have been counted or are promised; nil where only the decoder knows.
  var frames: Int? {
    sections.reduce(0) { sum, section in
      (section.frames ?? section.promisedFrames).flatMap { frames in sum.map { $0 + frames } }
    }
  }

  /// Looks at the bytes of the file at `path`.
  init(of source: ByteSource, path: String) throws(AudioError) {
    let range = Tags.contents(of: source)
    let start = source.bytes(range.prefix(12))
    if start.starts(with: "NIST_1A".utf8), Self.isShortened(source.bytes(range.prefix(1024))) {
      throw .unsupportedCodec(path: path, container: "NIST SPHERE", codec: "Shorten")
    }
    if start.starts(with: "RIFF".utf8) || start.starts(with: "RIFX".utf8), start.dropFirst(8).elementsEqual("WAVE".utf8)
    {
      self = try WAVFile(source, range, path: path).sections()
    } else if start.starts(with: "OggS".utf8) {
      var stream = OggStream(source, range, path: path)
      self = try stream.sections()
    } else if start.starts(with: "fLaC".utf8) {
      var file = FLACFile(source, range)
      self = file.sections()
    } else if let chunk = SampleChunk(source, range, path: path) {
      self = try chunk.sections()
    } else if Self.mayBeMPEG(source, range), let stream = try MPEGStream.sections(source, range, path: path) {
      self = stream
    } else {
      self.init(source, range)
    }
  }

  private static func isShortened(_ header: [UInt8]) -> Bool {
    String(decoding: header, as: UTF8.self).contains("embedded-shorten")
  }

  /// Whether the bytes are of no other kind that is known. MP3 may begin with anything.
  private static func mayBeMPEG(_ source: ByteSource, _ range: Range<Int>) -> Bool {
    switch FileSignature(source.bytes(range.prefix(FileSignature.length))) {
    case .audio("MP3"), .unknown: true
    case .other(let name): name == FileSignature.zeros
    default: false
    }
  }
}

extension Range<Int> {
  /// Its first `count` elements.
  func prefix(_ count: Int) -> Range<Int> { lowerBound..<Swift.min(upperBound, lowerBound + count) }

  /// Without its first `count` elements.
  func dropFirst(_ count: Int) -> Range<Int> { Swift.min(upperBound, lowerBound + count)..<upperBound }
}
