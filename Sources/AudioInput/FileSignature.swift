/// What the first bytes of a file that libsndfile refused say it is.
///
/// libsndfile's own reason for a failed open lies in variables shared by all threads, so it cannot be trusted when
/// files are opened concurrently.
enum FileSignature: Equatable {
  /// An audio format libsndfile reads.
  case audio(String)
  /// Sound, or a film, of a format it does not read; a phrase with its article.
  case media(String)
  /// Anything else that is recognized; a phrase with its article.
  case other(String)
  case unknown

  static let zeros = "a file of zeros"

  /// How many bytes `init` looks at.
  static let length = 512

  init(_ bytes: [UInt8]) {
    let known = Self.magics.first { magic in
      bytes.dropFirst(magic.offset).starts(with: magic.text.utf8)
        && bytes.dropFirst(8).starts(with: magic.form.utf8)
    }
    if let known {
      self = known.kind(known.name)
    } else if bytes.count >= 2 && bytes[0] == 0xFF && bytes[1] & 0xE0 == 0xE0 && bytes[1] & 0x06 != 0 {
      self = .audio("MP3")
    } else if let binary = Self.binaries.first(where: { bytes.starts(with: $0.magic) }) {
      self = binary.kind(binary.name)
    } else if Self.isText(bytes) {
      self = .other("text")
    } else if bytes.allSatisfy({ $0 == 0 }) {
      self = .other(FileSignature.zeros)
    } else {
      self = .unknown
    }
  }

  /// `text` at `offset`, and `form` (the kind of a RIFF or IFF file) at byte 8.
  private static let magics:
    [(text: String, offset: Int, form: String, name: String, kind: @Sendable (String) -> FileSignature)] = [
      ("RIFF", 0, "WAVE", "WAV", FileSignature.audio), ("RIFX", 0, "WAVE", "WAV", FileSignature.audio),
      ("RF64", 0, "", "RF64", FileSignature.audio),
      ("riff", 0, "", "W64", FileSignature.audio), ("FORM", 0, "AIFF", "AIFF", FileSignature.audio),
      ("FORM", 0, "AIFC", "AIFF", FileSignature.audio),
      ("FORM", 0, "8SVX", "SVX", FileSignature.audio), ("fLaC", 0, "", "FLAC", FileSignature.audio),
      ("OggS", 0, "", "Ogg", FileSignature.audio),
      ("caff", 0, "", "CAF", FileSignature.audio), (".snd", 0, "", "AU", FileSignature.audio),
      ("dns.", 0, "", "AU", FileSignature.audio),
      ("ID3", 0, "", "MP3", FileSignature.audio), ("Creative Voice File", 0, "", "VOC", FileSignature.audio),
      ("NIST_1A", 0, "", "NIST", FileSignature.audio),
      ("RIFF", 0, "AVI ", "an AVI film", FileSignature.media), ("RIFF", 0, "WEBP", "a WebP image", FileSignature.other),
      ("ftyp", 4, "", "MPEG-4, as .m4a, .aac and .mp4 files are", FileSignature.media),
      ("#!AMR", 0, "", "AMR audio", FileSignature.media),
      ("%PDF", 0, "", "a PDF document", FileSignature.other), ("GIF8", 0, "", "a GIF image", FileSignature.other),
      ("PK\u{3}\u{4}", 0, "", "a ZIP archive", FileSignature.other),
    ]

  private static let binaries: [(magic: [UInt8], name: String, kind: @Sendable (String) -> FileSignature)] = [
    ([0x89, 0x50, 0x4E, 0x47], "a PNG image", FileSignature.other),
    ([0xFF, 0xD8, 0xFF], "a JPEG image", FileSignature.other),
    ([0x1F, 0x8B], "a gzip archive", FileSignature.other),
    ([0x1A, 0x45, 0xDF, 0xA3], "Matroska or WebM", FileSignature.media),
    ([0x30, 0x26, 0xB2, 0x75], "Windows Media", FileSignature.media),
    ([0x7F, 0x45, 0x4C, 0x46], "a program", FileSignature.other),
    ([0xFF, 0xF1], "AAC audio", FileSignature.media), ([0x0B, 0x77], "Dolby AC-3", FileSignature.media),
    ([0xFF, 0xF9], "AAC audio", FileSignature.media),
  ]

  /// The name of a format of sound or film.
  var format: String? {
    switch self {
    case .audio(let name): name
    case .media(let name): name.split(separator: ",").first.map { String($0) }
    case .other, .unknown: nil
    }
  }

  static func isMPEG4(_ name: String) -> Bool { name.hasPrefix("MPEG-4") }

  /// The encoding that an MPEG-4 file's description of its sound names; that is at its beginning or its end.
  static func codec(ofMPEG4 source: ByteSource) -> String? {
    let parts = [0..<1 << 16, max(0, source.byteCount - (1 << 18))..<source.byteCount]
    let bytes = parts.flatMap { source.bytes($0) }
    let codecs = [("mp4a", "AAC"), ("alac", "ALAC"), ("ac-3", "Dolby AC-3"), ("Opus", "Opus")]
    return codecs.first { name, _ in
      let name = Array(name.utf8)
      return bytes.indices.dropLast(3).contains { bytes[$0] == name[0] && bytes[$0..<$0 + 4].elementsEqual(name) }
    }?.1
  }

  /// UTF-8 without control characters other than white space; a character cut off at the end is forgiven.
  private static func isText(_ bytes: [UInt8]) -> Bool {
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) }
    return isPlain && (0...3).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
  }
}
