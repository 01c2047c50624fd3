import AudioInput
import AuricleBase
import Testing

/// Every kind of file here was read wrongly, without a word, or refused without a reason, by version 0.1.
@Suite("Containers")
struct ContainerTests {
  private static let samples = (0..<4000).map { Int16(truncatingIfNeeded: $0 * 7919 % 30_011 - 15_000) }
  private static let expected = samples.map { Float($0) / 32_768 }

  private func read(_ bytes: [UInt8]) throws -> (samples: [Float], warnings: [AudioWarning], path: String) {
    let folder = try TemporaryFolder()
    let path = try folder.file("sound", bytes)
    let blocks = try SoundBlocks(SoundSpan(path))
    return (try Waveform(reading: blocks).samples, blocks.warnings, path)
  }

  private func refusal(_ bytes: [UInt8]) throws -> String {
    let error = #expect(throws: AudioError.self) { try read(bytes) }
    return error?.description ?? ""
  }

  private static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func chunk(_ name: String, _ contents: [UInt8], size: Int? = nil) -> [UInt8] {
    Array(name.utf8) + little(size ?? contents.count, 4) + contents
  }

  private static func riff(_ chunks: [UInt8]...) -> [UInt8] {
    let body = Array("WAVE".utf8) + chunks.joined()
    return chunk("RIFF", body)
  }

  private static func format(bits: Int = 16, align: Int = 2) -> [UInt8] {
    chunk(
      "fmt ",
      little(1, 2) + little(1, 2) + little(8000, 4) + little(8000 * align, 4) + little(align, 2) + little(bits, 2))
  }

  private static let data = samples.withUnsafeBytes { Array($0) }
  private static let tag1 = Array("TAG".utf8) + [UInt8](repeating: 0x41, count: 125)
  private static let tag2 = Array("ID3".utf8) + [3, 0, 0, 0, 0, 16, 4] + [UInt8](repeating: 0x52, count: 2052)
  private static let tagAPE: [UInt8] = {
    let item = little(5, 4) + little(0, 4) + Array("Title\0sound".utf8)
    let start = Array("APETAGEX".utf8) + little(2000, 4) + little(item.count + 32, 4) + little(1, 4)
    return start + little(0xA000_0000, 4) + little(0, 8) + item + start + little(0x8000_0000, 4) + little(0, 8)
  }()
  private static let noise = (0..<700).map { UInt8(truncatingIfNeeded: ($0 * $0 * 31 + $0 * 7) >> 3 & 0x7F) }

  private static let wholeFiles: [(String, [UInt8])] = [
    (
      "size 0, of a recorder that was killed",
      riff(chunk("JUNK", .init(repeating: 0, count: 28)), format(), chunk("data", data, size: 0))
    ),
    ("size 0xFFFFFFFF, of a pipe", riff(format(), chunk("data", data, size: 0xFFFF_FFFF))),
    ("size too large", riff(format(), chunk("data", data, size: data.count + 999))),
    ("odd chunk, padded", riff(format(), chunk("note", [1, 2, 3]) + [0], chunk("data", data))),
    ("odd chunk, not padded", riff(format(), chunk("note", [1, 2, 3]), chunk("data", data))),
    (
      "LIST padded to four bytes",
      riff(
        format(), chunk("LIST", Array("INFOINAM".utf8) + little(5, 4) + Array("abcde".utf8)) + [0, 0, 0],
        chunk("data", data))
    ),
    (
      "LIST and cue after",
      riff(format(), chunk("data", data), chunk("LIST", Array("INFO".utf8)), chunk("cue ", little(0, 4)))
    ),
    ("odd fact", riff(format(), chunk("fact", [0xFF, 0xFF, 0xFF]) + [0], chunk("data", data))),
    ("zeros after", riff(format(), chunk("data", data)) + [UInt8](repeating: 0, count: 999)),
    ("ID3v2 before", tag2 + riff(format(), chunk("data", data))),
    ("ID3v1 after", riff(format(), chunk("data", data)) + tag1),
    ("APE after", riff(format(), chunk("data", data)) + tagAPE),
    ("block align 0", riff(format(align: 0), chunk("data", data))),
    (
      "24 bits in four bytes, low",
      riff(format(bits: 24, align: 4), chunk("data", samples.flatMap { little(Int($0) * 256, 4) }))
    ),
    (
      "24 bits in four bytes, high",
      riff(format(bits: 24, align: 4), chunk("data", samples.flatMap { little(Int($0) * 65_536, 4) }))
    ),
  ]

  @Test("of a WAV file with an odd header, every sample is read, and nothing else", arguments: wholeFiles)
  func oddHeaders(what: String, bytes: [UInt8]) throws {
    let found = try read(bytes)
    #expect(found.samples == Self.expected && found.warnings.isEmpty)
  }

  @Test("bytes after the samples that are nothing else are samples, with a warning")
  func sizeTooSmall() throws {
    let found = try read(Self.riff(Self.format(), Self.chunk("data", Self.data, size: 500)))
    #expect(found.samples == Self.expected)
    #expect(found.warnings == [.bytesAfterSamples(path: found.path, count: Self.data.count - 500)])
  }

  @Test("a second WAV file after the first is refused")
  func concatenated() throws {
    let whole = Self.riff(Self.format(), Self.chunk("data", Self.data))
    #expect(try refusal(whole + whole).contains("several WAV files one after the other"))
    let tail = Self.riff(Self.format(), Self.chunk("data", Self.data), Self.chunk("data", Self.data))
    #expect(try refusal(tail).contains("several WAV files"))
  }

  @Test("a block align that contradicts the bits is refused with both", arguments: [1, 3, 8])
  func contradiction(align: Int) throws {
    let sentence = try refusal(Self.riff(Self.format(align: align), Self.chunk("data", Self.data)))
    #expect(sentence.contains("its header says 1 x 16 bits, and \(align) bytes for them"))
  }

  @Test(
    "tags before and after are no sound, in any format",
    arguments: ["aiff", "au", "caf", "flac", "ogg", "opus", "mp3", "rf64", "w64"])
  func tags(format: String) throws {
    let path = fixture("word.\(format)")
    let bytes = try FileAccess.read(path)
    let expected = try Waveform(contentsOf: path).samples
    for whole in [
      Self.tag2 + bytes, bytes + Self.tag1, bytes + Self.tagAPE, bytes + Self.tagAPE + Self.tag1,
      bytes + [UInt8](repeating: 0, count: 3000),
    ] {
      let found = try read(whole)
      #expect(found.samples == expected && found.warnings.isEmpty)
    }
  }

  @Test(
    "a file after another of its kind is never left out in silence", arguments: ["aiff", "au", "caf", "rf64", "w64"])
  func twice(format: String) throws {
    let bytes = try FileAccess.read(fixture("word.\(format)"))
    #expect(try refusal(bytes + bytes).contains("files one after the other"))
  }

  @Test("a size that was never filled in, or is too small, leaves no sample out")
  func otherSizes() throws {
    let expected = try Waveform(contentsOf: fixture("word.wav")).samples
    var au = try FileAccess.read(fixture("word.au"))
    for size in [0, 100, 0xFFFF_FFFF] {
      au.replaceSubrange(8..<12, with: Self.little(size, 4).reversed())
      let found = try read(au)
      #expect(found.samples == expected && found.warnings.isEmpty == (size != 100))
    }
    var flac = try FileAccess.read(fixture("word.flac"))
    for count in [0, 100] {
      flac.replaceSubrange(22..<26, with: Self.little(count, 4).reversed())
      #expect(try read(flac).samples == expected)
    }
  }

  @Test(
    "links of a chain are all read",
    arguments: [("vorbis", "ogg", 2400), ("opus", "opus", 2400), ("flac", "oga", 2400)])
  func chains(codec: String, format: String, frames: Int) throws {
    let first = try Waveform(contentsOf: container("link-\(codec).\(format)"))
    let both = try Waveform(contentsOf: container("chained-\(codec).\(format)"))
    #expect(first.samples.count == frames && both.samples.count == 2 * frames)
    #expect(Array(both.samples.prefix(frames)) == first.samples)
    let span = SoundSpan(container("chained-\(codec).\(format)"), seconds: 0.1..<0.2)
    #expect(try Waveform(of: span).samples == Array(both.samples[1600..<3200]))
    let flac = try FileAccess.read(fixture("word.flac"))
    #expect(try read(flac + flac).samples.count == 12_800)
  }

  @Test("sounds of different rates are no chain")
  func unevenChain() throws {
    let link = try FileAccess.read(container("link-vorbis.ogg"))
    let other = try FileAccess.read(fixture("word.opus"))
    let stereo = try FileAccess.read(container("link-flac.oga"))
    #expect(try read(link + stereo).samples.count == 4800)
    #expect(try read(link + other).samples.count == 2400 + 6400)
    let mp3 = try FileAccess.read(fixture("word.mp3")) + FileAccess.read(container("other-rate.mp3"))
    #expect(try refusal(mp3).contains("several sounds one after the other, and that at 0.4 s has 24000 Hz"))
  }

  @Test("every page of an Ogg file is checked", arguments: ["vorbis.ogg", "opus.opus", "flac.oga"])
  func oggDamage(name: String) throws {
    var bytes = try FileAccess.read(container("link-\(name)"))
    bytes[bytes.count - 20] ^= 4
    #expect(try refusal(bytes).contains("the Ogg file is damaged, or lacks a part, at byte "))
  }

  @Test("an MP3 file is read to its end, whatever a header says of its frames")
  func mp3Counts() throws {
    // 14 frames of 576 samples, of which nothing is known to be padding.
    #expect(try Waveform(contentsOf: container("variable-rate.mp3")).samples.count == 14 * 576)
    let whole = try Waveform(contentsOf: container("whole.mp3")).samples
    #expect(whole.count == 6400)
    var bytes = try FileAccess.read(container("whole.mp3"))
    let tag = try #require(bytes.indices.first { bytes[$0...].starts(with: "Info".utf8) })
    for count in [0, 1, 100, 100_000] {
      bytes.replaceSubrange(tag + 8..<tag + 12, with: Self.little(count, 4).reversed())
      let samples = try read(bytes).samples
      #expect(samples.count >= 6400 && Array(samples.prefix(6400)) == whole)
    }
  }

  @Test("MP3 files one after the other are one sound, with anything between them")
  func mp3Chains() throws {
    let bytes = try FileAccess.read(fixture("word.mp3"))
    let whole = try Waveform(contentsOf: fixture("word.mp3")).samples
    let zeros = [UInt8](repeating: 0, count: 1000)
    for between in [[], Self.tag1, Self.tag2, Self.tagAPE + Self.tag1 + Self.tag2, zeros, Self.tag1 + zeros] {
      let found = try read(bytes + between + bytes)
      #expect(found.samples == whole + whole && found.warnings.isEmpty)
    }
    #expect(try read(zeros + bytes).samples == whole)
  }

  @Test("what is no MP3 is left out with a warning, wherever it stands")
  func mp3Garbage() throws {
    let bytes = try FileAccess.read(fixture("word.mp3"))
    let whole = try Waveform(contentsOf: fixture("word.mp3")).samples
    for (file, count, seconds) in [
      (Self.noise + bytes, 1, 0.0), (bytes + Self.noise, 1, 0.504), (bytes + Self.noise + bytes, 2, 0.504),
    ] {
      let found = try read(file)
      #expect(found.samples == (count == 1 ? whole : whole + whole))
      #expect(found.warnings == [.skippedBytes(path: found.path, count: 700, seconds: seconds)])
    }
  }

  @Test("a damaged MP3 frame is an error with its place, and a changed bit a warning")
  func mp3Damage() throws {
    let path = container("damaged-frame.mp3")
    let error = #expect(throws: AudioError.self) { try Waveform(contentsOf: path) }
    #expect(error?.description.hasPrefix("\(path): cannot be decoded after 0.") == true)
    var bytes = try FileAccess.read(container("whole.mp3"))
    bytes[2000] ^= 1
    let outcome = Result { try read(bytes) }
    switch outcome {
    case .success(let found): #expect(found.warnings == [.wrongChecksum(path: found.path)])
    case .failure(let error): #expect("\(error)".contains("damaged"))
    }
  }

  @Test("a granule that the decoder fills with zeros after a pause is an error, not silence")
  func mp3DamageAfterPause() throws {
    let path = container("damaged-after-pause.mp3")
    let error = #expect(throws: AudioError.self) { try Waveform(contentsOf: path) }
    #expect(error?.description.hasSuffix("an MP3 frame near there is damaged") == true, "\(String(describing: error))")
    // The same bytes before they were changed.
    var bytes = try FileAccess.read(path)
    bytes[921] ^= 0x55
    #expect(try read(bytes).warnings.isEmpty)
  }

  @Test("an AIFF-C file whose samples are little-endian is read")
  func sowt() throws {
    #expect(try Waveform(contentsOf: container("sowt.aiff")) == Waveform(contentsOf: fixture("word.wav")))
  }

  @Test(
    "what cannot be read is named, with what makes it readable",
    arguments: [
      ("aac.m4a", "MPEG-4, as .m4a, .aac and .mp4 files are, with AAC"), ("opus.webm", "Matroska or WebM"),
      ("g726.wav", "a WAV file of G.726"),
    ])
  func remedies(name: String, words: String) {
    let path = container("\(name)")
    let error = #expect(throws: AudioError.self) { try Waveform(contentsOf: path) }
    #expect(error?.description.contains(words) == true)
    #expect(
      error?.description.hasSuffix("convert it to WAV or FLAC, for example with: ffmpeg -i \(path) out.wav") == true)
  }

  @Test("a path that a shell would not take for one word is quoted")
  func quotes() {
    let error = AudioError.unsupportedFormat(path: "it's mine.m4a", name: "AAC")
    #expect(error.description.hasSuffix(#"ffmpeg -i 'it'\''s mine.m4a' out.wav"#))
  }

  @Test("Shorten in a NIST SPHERE file is named")
  func shorten() throws {
    let header = "NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n"
    let sentence = try refusal(Array(header.utf8) + [UInt8](repeating: 0x20, count: 2000))
    #expect(sentence.contains("a NIST SPHERE file of Shorten"))
  }

  @Test("channels that cancel are a warning, once they have been read")
  func cancelling() throws {
    let folder = try TemporaryFolder()
    let samples = Self.samples.flatMap { [$0, -$0] }
    let path = try folder.file("anti.wav", wav(samples, format: 1, channels: 2))
    let blocks = try SoundBlocks(SoundSpan(path))
    #expect(blocks.warnings.isEmpty)
    #expect(try Waveform(reading: blocks).samples.allSatisfy { $0 == 0 })
    #expect(blocks.warnings == [.cancellingChannels(path: path)])
    let left = try SoundBlocks(SoundSpan(path, channel: .channel(1)))
    #expect(try Waveform(reading: left).samples == Self.expected && left.warnings.isEmpty)
    let word = try SoundBlocks(SoundSpan(fixture("word-stereo-44k.wav")))
    #expect(try !Waveform(reading: word).samples.isEmpty && word.warnings.isEmpty)
    let silence = try SoundBlocks(
      SoundSpan(folder.file("silence.wav", wav([Int16](repeating: 0, count: 800), format: 1, channels: 2))))
    #expect(try !Waveform(reading: silence).samples.isEmpty && silence.warnings.isEmpty)
  }

  @Test("samples without a header are read as their format says", arguments: RawFormat.Encoding.allCases)
  func raw(encoding: RawFormat.Encoding) throws {
    let bytes: [UInt8] =
      switch encoding {
      case .s8: [0x40, 0xC0]
      case .u8: [0xC0, 0x40]
      case .s16le: [0, 0x40, 0, 0xC0]
      case .s16be: [0x40, 0, 0xC0, 0]
      case .s24le: [0, 0, 0x40, 0, 0, 0xC0]
      case .s24be: [0x40, 0, 0, 0xC0, 0, 0]
      case .s32le: [0, 0, 0, 0x40, 0, 0, 0, 0xC0]
      case .s32be: [0x40, 0, 0, 0, 0xC0, 0, 0, 0]
      case .f32le: [0, 0, 0, 0x3F, 0, 0, 0, 0xBF]
      case .f32be: [0x3F, 0, 0, 0, 0xBF, 0, 0, 0]
      case .f64le: [0, 0, 0, 0, 0, 0, 0xE0, 0x3F, 0, 0, 0, 0, 0, 0, 0xE0, 0xBF]
      case .f64be: [0x3F, 0xE0, 0, 0, 0, 0, 0, 0, 0xBF, 0xE0, 0, 0, 0, 0, 0, 0]
      // The codes whose values are nearest to a half, by ITU-T G.711.
      case .aLaw: [0xBA, 0x3A]
      case .muLaw: [0x90, 0x10]
      }
    let folder = try TemporaryFolder()
    let path = try folder.file("raw", bytes)
    let format = try #require(RawFormat("\(encoding.rawValue):8000:1"))
    let samples = try Waveform(of: SoundSpan(path, raw: format)).samples
    #expect(samples.count == 2 && (samples[0] - 0.5).magnitude < 0.02 && (samples[1] + 0.5).magnitude < 0.02)
    let info = try SoundBlocks(SoundSpan(path, raw: format)).info
    #expect(info.frames == 2 && info.sampleRate == 8000)
    #expect(try AudioFile(path: path, raw: RawFormat(encoding, sampleRate: 16_000, channels: 2)).info.frames == 1)
  }

  @Test("a raw format is text of three parts")
  func rawText() {
    #expect(RawFormat("s16le:16000:2") == RawFormat(.s16le, sampleRate: 16_000, channels: 2))
    #expect(RawFormat("f32be:8000")?.description == "f32be:8000:1")
    for text in [
      "", "s16le", "s16:8000:1", "s16le:0:1", "s16le:8000:0", "s16le:8000:1:1", "s16le:x:1", "s16le:8000:1025",
    ] {
      #expect(RawFormat(text) == nil)
    }
  }
}
