import AudioInput
import AuricleBase
import Testing

@Suite("Decoding")
struct WaveformTests {
  @Test(
    "every lossless format of 16-bit sound gives the same samples",
    arguments: [
      "word-24-bit.wav", "word-float.wav", "word.aiff", "word.au", "word.caf", "word.rf64", "word.w64", "word.flac",
      "promises-68-billion-frames.flac",
    ])
  func lossless(name: String) throws {
    let expected = try Waveform(contentsOf: fixture("word.wav"))
    #expect(expected.sampleRate == 16_000 && expected.samples.count == 6400 && expected.duration == 0.4)
    #expect(try Waveform(contentsOf: fixture(name)) == expected)
  }

  @Test(
    "lossy encodings come close to the original",
    arguments: [
      ("word-mu-law.wav", "word-8k.wav", 30.0), ("word-a-law.wav", "word-8k.wav", 30), ("word.ogg", "word.wav", 10),
      ("word.opus", "word.wav", 5), ("word.mp3", "word.wav", 5),
    ])
  func lossy(name: String, original: String, decibels: Double) throws {
    let expected = try Waveform(contentsOf: fixture(original))
    let found = try Waveform(contentsOf: fixture(name))
    #expect(found.sampleRate == expected.sampleRate && found.samples.count == expected.samples.count)
    #expect(signalToNoise(found.samples, expected.samples.map(Double.init)) > decibels)
  }

  @Test("integers are scaled to [-1, 1), and floats stay as they are, beyond 1 too")
  func scale() throws {
    let folder = try TemporaryFolder()
    let integers = try folder.file("integers.wav", wav([0, 16_384, .max, .min] as [Int16], format: 1))
    #expect(try Waveform(contentsOf: integers).samples == [0, 0.5, 32_767 / 32_768, -1])
    let floats = try folder.file("floats.wav", wav([0, 0.1, 2.5, -1e9] as [Float], format: 3))
    #expect(try Waveform(contentsOf: floats).samples == [0, 0.1, 2.5, -1e9])
    let eightBit = try Waveform(contentsOf: fixture("promises-4-billion-frames.wav")).samples
    #expect(eightBit == (0..<100).map { Float($0) / 128 })
  }

  @Test("a mix is the mean of the channels, and a channel is that channel alone")
  func channels() throws {
    let path = fixture("word-stereo-44k.wav")
    let left = try Waveform(contentsOf: path, channel: .channel(1)).samples
    let right = try Waveform(contentsOf: path, channel: .channel(2)).samples
    #expect(left != right && left.contains { $0 > 0.5 })
    #expect(try Waveform(contentsOf: path).samples == zip(left, right).map { ($0 + $1) / 2 })
  }

  @Test("1024 channels are the most there can be")
  func manyChannels() throws {
    let folder = try TemporaryFolder()
    let frame = (0..<1024).map { Int16($0 - 512) * 32 }
    let samples = (0..<150).flatMap { _ in frame }
    let path = try folder.file("many.wav", wav(samples, format: 1, channels: 1024))
    #expect(try Waveform(contentsOf: path).samples == Array(repeating: -0.5 / 1024, count: 150))
    let last = try Waveform(contentsOf: path, channel: .channel(1024)).samples
    #expect(last == Array(repeating: 511 / 1024, count: 150))
    let tooMany = try folder.file("too many.wav", wav(samples + [0], format: 1, channels: 1025))
    #expect(throws: AudioError.damaged(path: tooMany, container: "WAV")) { try Waveform(contentsOf: tooMany) }
  }

  @Test("resampling while reading gives what resampling afterwards gives")
  func resampled() throws {
    let path = fixture("word-stereo-44k.wav")
    let whole = try Waveform(contentsOf: path, channel: .channel(1))
    let narrow = try Waveform(contentsOf: path, sampleRate: 16_000, channel: .channel(1))
    #expect(narrow.sampleRate == 16_000 && narrow.duration == 0.4)
    #expect(try narrow.samples == Resampler.resample(whole.samples, from: 44_100, to: 16_000))
    // The word at 16 kHz was made from the same recording by sox, whose transition band is narrower.
    let expected = try Waveform(contentsOf: fixture("word.wav"))
    #expect(signalToNoise(narrow.samples, expected.samples.map(Double.init)) > 25)
    #expect(throws: AudioError.invalidSampleRate(0)) { try Waveform(contentsOf: path, sampleRate: 0) }
  }

  @Test("many threads may read at the same time, good files and bad")
  func concurrency() async throws {
    let names = ["word.wav", "word.flac", "word.ogg", "text.wav", "truncated.flac", "word.mp3", "nan.wav", "word.caf"]
    @Sendable func read(_ name: String) -> Result<Waveform, AudioError> {
      Result { () throws(AudioError) in try Waveform(contentsOf: fixture(name), sampleRate: 8000) }
    }
    let alone = names.map(read)
    let inputs = (0..<200).map { names[$0 % names.count] }
    try await orderedMap(inputs, jobs: 8, transform: { read($0) }, each: { #expect($1 == alone[$0 % names.count]) })
  }
}
