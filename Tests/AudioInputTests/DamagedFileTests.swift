import AudioInput
import AuricleBase
import Testing

@Suite("Files with something wrong")
struct DamagedFileTests {
  private func refusal(_ path: String, channel: ChannelSelection = .mix) -> AudioError? {
    #expect(throws: AudioError.self) { try Waveform(contentsOf: path, channel: channel) }
  }

  @Test("each kind of file that is no sound has its own error")
  func errors() throws {
    let nowhere = fixture("nowhere.wav")
    #expect(refusal(nowhere) == .missing(path: nowhere))
    #expect(refusal(fixture("")) == .isDirectory(path: fixture("")))
    #expect(refusal(fixture("empty.wav")) == .emptyFile(path: fixture("empty.wav")))
    #expect(refusal("/dev/null") == .emptyFile(path: "/dev/null"))
    #expect(refusal(fixture("header-only.wav")) == .noSamples(path: fixture("header-only.wav")))
    let nan = AudioError.invalidSample(path: fixture("nan.wav"), seconds: 0.05, value: "nan")
    #expect(refusal(fixture("nan.wav")) == nan)
    #expect(nan.description == "\(fixture("nan.wav")): the sample at 0.05 s is nan; samples must be within ±4294967296")
    let below = fixture("word.wav/below.wav")
    #expect(refusal(below) == .unreadable(path: below, reason: "Not a directory"))
  }

  @Test(
    "what is not audio is named after its first bytes",
    arguments: [
      ("\u{89}PNG\r\n\u{1A}\n\0\0\0\rIHDR", "a PNG image"), ("\0\0\0\u{20}ftypM4A \0\0", "MPEG-4, as .m4a, .aac and"),
      ("PK\u{3}\u{4}\u{14}\0", "a ZIP archive"), ("{\"label\": \"one\"}", "text"), ("\0\0\0\0\0\0", "a file of zeros"),
    ])
  func notAudio(start: String, resemblance: String) throws {
    let folder = try TemporaryFolder()
    // A file without a known header would be raw mu-law to libsndfile, were it asked by this name.
    let path = try folder.file("one.au", start.unicodeScalars.map { UInt8($0.value) })
    let sentence = try #require(refusal(path)?.description)
    #expect(sentence.hasPrefix("\(path): not an audio file libsndfile can read (it looks like \(resemblance)"))
  }

  @Test("text is recognized, in any alphabet")
  func text() {
    let path = fixture("text.wav")
    #expect(refusal(path) == .notAudio(path: path, resemblance: "text"))
    #expect(refusal(path)?.description == "\(path): not an audio file libsndfile can read (it looks like text)")
  }

  @Test("bytes that are nothing known are refused without a guess")
  func noise() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("noise.wav", [0xC0, 0x01, 0x92, 0x03, 0xF5, 0x00, 0x99])
    #expect(refusal(path) == .notAudio(path: path, resemblance: nil))
    #expect(refusal(path)?.description == "\(path): not an audio file libsndfile can read")
  }

  @Test("a WAV file of an unknown encoding is told from one that is no WAV file")
  func unknownEncoding() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("odd.wav", wav([1, 2, 3] as [Int16], format: 0x1234))
    #expect(refusal(path) == .damaged(path: path, container: "WAV"))
  }

  @Test("sample rates from 1 kHz to 1 MHz are read", arguments: [999, 1000, 1_000_000, 1_000_001])
  func rates(rate: Int) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("rate.wav", wav([1, 2, 3] as [Int16], format: 1, rate: rate))
    if (1000...1_000_000).contains(rate) {
      #expect(try Waveform(contentsOf: path).sampleRate == rate)
    } else {
      #expect(refusal(path) == .unsupportedSampleRate(path: path, sampleRate: rate))
    }
  }

  @Test("a channel the file does not have is refused", arguments: [-1, 0, 3, .max])
  func noSuchChannel(channel: Int) {
    let path = fixture("word-stereo-44k.wav")
    let error = refusal(path, channel: .channel(channel))
    #expect(error == .noSuchChannel(path: path, channel: channel, channels: 2))
    #expect(error?.description == "\(path): there is no channel \(channel); it has 1 to 2")
  }

  @Test(
    "samples no sound has are refused, with their place",
    arguments: [Float.infinity, -.infinity, .nan, 1e10, -1e38])
  func invalidSamples(value: Float) throws {
    let folder = try TemporaryFolder()
    var samples = [Float](repeating: 0.5, count: 12_000)
    samples[9000] = value
    let path = try folder.file("spoiled.wav", wav(samples, format: 3))
    #expect(refusal(path) == .invalidSample(path: path, seconds: 1.125, value: "\(value)"))
    #expect(refusal(path, channel: .channel(1)) != nil)
  }

  @Test("only the channel that is kept has to be sound")
  func invalidOtherChannel() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("half.wav", wav([0.5, .nan, 0.25, .nan] as [Float], format: 3, channels: 2))
    #expect(try Waveform(contentsOf: path, channel: .channel(1)).samples == [0.5, 0.25])
    #expect(refusal(path) == .invalidSample(path: path, seconds: 0, value: "nan"))
  }

  @Test("of a truncated WAV file, what is there is given")
  func truncated() throws {
    let whole = try Waveform(contentsOf: fixture("word.wav")).samples
    let part = try Waveform(contentsOf: fixture("truncated.wav")).samples
    #expect(part.count == 3189 && part == Array(whole.prefix(3189)))
  }

  @Test("a FLAC file cut inside a frame is an error")
  func truncatedFLAC() {
    let path = fixture("truncated.flac")
    #expect(refusal(path)?.description.hasPrefix("\(path): cannot be decoded after 0.0 s: flac decoder lost") == true)
  }

  @Test("a header's promise is not believed")
  func promises() throws {
    #expect(try Waveform(contentsOf: fixture("promises-4-billion-frames.wav")).samples.count == 100)
    let file = try AudioFile(path: fixture("promises-68-billion-frames.flac"))
    #expect(file.info.frames == 68_719_476_735)
    #expect(try Waveform(contentsOf: fixture("promises-68-billion-frames.flac")).samples.count == 6400)
  }

  @Test("a WAV file cut anywhere is an error or the beginning of its samples")
  func cutAnywhere() throws {
    let folder = try TemporaryFolder()
    let samples = (0..<120).map { Int16($0 * 250 - 15_000) }
    let whole = wav(samples, format: 1)
    for length in 0..<whole.count {
      let path = try folder.file("cut.wav", Array(whole.prefix(length)))
      switch Result(catching: { () throws(AudioError) in try Waveform(contentsOf: path) }) {
      case .success(let waveform):
        #expect(waveform.samples == samples.prefix((length - 44) / 2).map { Float($0) / 32_768 })
      case .failure(let error):
        #expect(length < 46, "\(length) bytes: \(error)")
        #expect(error.description.hasPrefix(path))
      }
    }
  }

  @Test(
    "bytes changed at random never bring down the reader",
    arguments: [
      "word.wav", "word-float.wav", "word-24-bit.wav", "word-mu-law.wav", "word.rf64", "word.w64", "word.aiff",
      "word.au", "word.caf", "word.flac", "word.ogg",
    ])
  func flippedBytes(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try FileAccess.read(fixture(name))
    for seed in 0..<200 {
      var generator = SeededGenerator(seed: UInt64(seed))
      var bytes = whole
      // Most of them in the header.
      for _ in 0...seed % 8 {
        let end = generator.next() % 4 == 0 ? bytes.count : 100
        bytes[Int.random(in: 0..<end, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      let path = try folder.file("flipped", bytes)
      switch Result(catching: { () throws(AudioError) in try Waveform(contentsOf: path, sampleRate: 16_000) }) {
      case .success(let waveform):
        #expect(!waveform.samples.isEmpty && waveform.samples.allSatisfy(\.isFinite), "seed \(seed)")
      case .failure(let error):
        #expect(error.description.hasPrefix(path), "seed \(seed)")
      }
    }
  }
}
