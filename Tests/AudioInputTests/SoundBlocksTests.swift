import AudioInput
import AuricleBase
import Testing

@Suite("Spans")
struct SoundBlocksTests {
  static let sounds = [
    "word.wav", "word.flac", "word.ogg", "word.opus", "word.mp3", "word.aiff", "word-mu-law.wav", "word-stereo-44k.wav",
    "promises-68-billion-frames.flac",
  ]

  @Test("a span holds the samples that reading from the front gives, in every format", arguments: sounds)
  func slices(name: String) throws {
    let whole = try Waveform(contentsOf: fixture(name))
    let rate = Double(whole.sampleRate)
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<40 {
      let start = Int.random(in: 0..<whole.samples.count, using: &generator)
      let end = Int.random(in: start + 1...whole.samples.count, using: &generator)
      let span = SoundSpan(fixture(name), seconds: Double(start) / rate..<Double(end) / rate)
      #expect(try Waveform(of: span).samples == Array(whole.samples[start..<end]), "\(start)..<\(end)")
    }
  }

  @Test("a span is resampled as if it were a file of its own", arguments: [8_000, 16_000, 44_100, 48_000])
  func resampled(rate: Int) throws {
    let whole = try Waveform(contentsOf: fixture("word-stereo-44k.wav"), channel: .channel(1))
    let span = SoundSpan(fixture("word-stereo-44k.wav"), seconds: 0.05..<0.3, channel: .channel(1))
    let expected = try Resampler.resample(Array(whole.samples[2205..<13_230]), from: 44_100, to: rate)
    #expect(try Waveform(of: span, sampleRate: rate).samples == expected)
  }

  @Test("long sounds come in blocks, and begin again after rewinding", arguments: [8_000, 16_000, 11_025])
  func blocks(rate: Int) throws {
    let folder = try TemporaryFolder()
    var generator = SeededGenerator(seed: 2)
    let samples = (0..<200_000).map { _ in Int16.random(in: -9000...9000, using: &generator) }
    let path = try folder.file("long.wav", wav(samples, format: 1))
    let part = samples[8000..<192_000].map { Float($0) / 32_768 }
    let expected = try Resampler.resample(part, from: 8000, to: rate)
    let blocks = try SoundBlocks(SoundSpan(path, seconds: 1..<24), sampleRate: rate)
    #expect(blocks.expectedSamples == expected.count)
    for read in [3, 100, 100] {
      var found: [Float] = []
      var block: [Float] = []
      for _ in 0..<read where try blocks.next(into: &block) {
        #expect(!block.isEmpty && block.count < 100_000)
        found += block
        block.removeAll()
      }
      #expect(found == Array(expected.prefix(found.count)) && (read == 3 || found.count == expected.count))
      try blocks.rewind()
    }
  }

  @Test("a sound of any format begins again after rewinding", arguments: sounds)
  func rewinding(name: String) throws {
    let expected = try Waveform(contentsOf: fixture(name)).samples
    let blocks = try SoundBlocks(SoundSpan(fixture(name)))
    for _ in 0..<3 {
      #expect(try Waveform(reading: blocks).samples == expected)
      try blocks.rewind()
    }
  }

  @Test("samples of a span are those nearest to its seconds, each in one of two neighbours")
  func rounding() throws {
    let whole = try Waveform(contentsOf: fixture("word.wav")).samples
    func samples(_ seconds: Range<Double>) throws -> [Float] {
      try Waveform(of: SoundSpan(fixture("word.wav"), seconds: seconds)).samples
    }
    for cut in stride(from: 0.0137, to: 0.39, by: 0.0291) {
      #expect(try samples(0..<cut) + samples(cut..<0.4) == whole)
    }
    #expect(try samples(0.1..<0.1 + 1 / 16_000) == [whole[1600]])
  }

  @Test("a span may end a little after its file, and is cut")
  func tolerance() throws {
    for name in ["word.wav", "word.mp3"] {
      let whole = try Waveform(contentsOf: fixture(name)).samples
      #expect(try Waveform(of: SoundSpan(fixture(name), seconds: 0.2..<0.5)).samples == Array(whole[3200...]))
    }
  }

  @Test("a span that is not in its file is refused in one line", arguments: ["word.wav", "word.flac", "word.mp3"])
  func outside(name: String) {
    let path = fixture(name)
    func error(_ seconds: Range<Double>) -> AudioError? {
      #expect(throws: AudioError.self) { try Waveform(of: SoundSpan(path, seconds: seconds), sampleRate: 8000) }
    }
    #expect(error(0.2..<0.6) == .spanPastEnd(path: path, end: 0.6, duration: 0.4))
    #expect(error(0.4..<0.45) == .spanAfterEnd(path: path, start: 0.4, duration: 0.4))
    #expect(error(7..<8)?.description == "\(path): nothing begins at 7.0 s; it is 0.4 s long")
    #expect(error(0..<1e300)?.description == "\(path): nothing ends at 1e+300 s; it is 0.4 s long")
    #expect(error(1e300..<1e301) == .invalidSpan(path: path, start: 1e300, end: 1e301))
    #expect(error(0.1..<0.1) == .invalidSpan(path: path, start: 0.1, end: 0.1))
    #expect(error(0.1..<0.100001) == .invalidSpan(path: path, start: 0.1, end: 0.100001))
    #expect(error(-0.1..<0.1) == .invalidSpan(path: path, start: -0.1, end: 0.1))
    #expect(
      error(0..<Double.infinity)?.description
        == "\(path): there is no sound from 0.0 s to inf s; a span begins at 0 or later and ends after it begins")
  }
}
