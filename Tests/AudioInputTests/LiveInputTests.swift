import AudioInput
import AuricleBase
import Testing

@Suite("Live input")
struct LiveInputTests {
  private func all(_ input: LiveInput) throws -> [Float] {
    var samples: [Float] = []
    while try input.next(into: &samples) {}
    return samples
  }

  private func random(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 3)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  @Test(
    "raw samples of every integer and G.711 encoding are those that a file gives",
    arguments: RawFormat.Encoding.allCases)
  func raw(encoding: RawFormat.Encoding) throws {
    guard ![.f32le, .f32be, .f64le, .f64be].contains(encoding) else { return }
    let folder = try TemporaryFolder()
    // Two channels, and half a frame too much.
    let path = try folder.file("raw", random(12 * 40_001 + 1))
    let format = try #require(RawFormat(encoding, sampleRate: 8_000, channels: 2))
    for channel in [ChannelSelection.mix, .channel(2)] {
      let file = try SoundBlocks(SoundSpan(path, channel: channel, raw: format))
      let live = try LiveInput(path: path, raw: format, channel: channel)
      #expect(try all(live) == Waveform(reading: file).samples)
    }
  }

  @Test("floats of both orders and widths are given as they are")
  func floats() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [0, 0.25, -1.5, 3]
    let texts: [(String, [UInt8])] = [
      ("f32le", values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian) { Array($0) } }),
      ("f32be", values.flatMap { withUnsafeBytes(of: $0.bitPattern.bigEndian) { Array($0) } }),
      ("f64le", values.flatMap { withUnsafeBytes(of: Double($0).bitPattern.littleEndian) { Array($0) } }),
      ("f64be", values.flatMap { withUnsafeBytes(of: Double($0).bitPattern.bigEndian) { Array($0) } }),
    ]
    for (name, bytes) in texts {
      let path = try folder.file(name, bytes)
      #expect(try all(LiveInput(path: path, raw: RawFormat("\(name):16000:1"))) == values)
    }
  }

  @Test(
    "a WAV gives the samples of the file",
    arguments: [
      "word.wav", "word-24-bit.wav", "word-float.wav", "word-a-law.wav", "word-mu-law.wav", "word-8k.wav",
      "word-stereo-44k.wav", "word.rf64",
    ])
  func wavFile(name: String) throws {
    let input = try LiveInput(path: fixture(name))
    let file = try Waveform(contentsOf: fixture(name))
    #expect(input.format.sampleRate == file.sampleRate)
    #expect(try all(input) == file.samples)
  }

  @Test("a header that promises nothing, 2 GiB or 4 GiB has all that comes", arguments: [0, 0x7FFF_F000, 0xFFFF_FFFF])
  func endless(size: Int) throws {
    let folder = try TemporaryFolder()
    var bytes = wav([Int16](repeating: 8192, count: 100), format: 1)
    for byte in 0..<4 { bytes[40 + byte] = UInt8(truncatingIfNeeded: size >> (8 * byte)) }
    #expect(try all(LiveInput(path: folder.file("a.wav", bytes))) == [Float](repeating: 0.25, count: 100))
  }

  @Test("what follows the samples of a WAV is no sound, chunks before them are passed over")
  func chunks() throws {
    let folder = try TemporaryFolder()
    var bytes = wav([Int16](repeating: 8192, count: 100), format: 1)
    bytes.insert(contentsOf: Array("LIST".utf8) + [3, 0, 0, 0, 1, 2, 3, 0], at: 12)
    bytes += Array("LIST".utf8) + [4, 0, 0, 0, 1, 2, 3, 4]
    #expect(try all(LiveInput(path: folder.file("a.wav", bytes))).count == 100)
  }

  @Test("what cannot be heard is an error that says so")
  func errors() throws {
    let folder = try TemporaryFolder()
    func failure(_ bytes: [UInt8], raw: String? = nil, channel: ChannelSelection = .mix) throws -> AudioError? {
      let path = try folder.file("input", bytes)
      return #expect(throws: AudioError.self) {
        _ = try all(LiveInput(path: path, raw: raw.flatMap { RawFormat($0) }, channel: channel))
      }
    }
    let path = folder.path + "/input"
    #expect(try failure([]) == .emptyFile(path: path))
    #expect(try failure([], raw: "s16le:8000:1") == .noSamples(path: path))
    #expect(try failure(Array("just a text, nothing to hear".utf8)) == .unsuitableForLive(path: path, what: "text"))
    #expect(try failure(Array("fLaC".utf8) + random(600)) == .unsuitableForLive(path: path, what: "FLAC"))
    #expect(
      try failure(Array(wav([Int16](repeating: 1, count: 9), format: 1).prefix(30)))
        == .damaged(path: path, container: "WAV"))
    #expect(
      try failure(wav([Int16](repeating: 1, count: 9), format: 2))
        == .unsuitableForLive(path: path, what: "a WAV of encoding 2 with 16 bits"))
    #expect(
      try failure([0, 0, 0, 0], raw: "s16le:8000:2", channel: .channel(3))
        == .noSuchChannel(path: path, channel: 3, channels: 2))
    #expect(
      try failure([0, 0, 0xC0, 0x7F], raw: "f32le:8000:1") == .invalidSample(path: path, seconds: 0, value: "nan"))
  }

  @Test("waiting ends when it is told to")
  func stop() throws {
    // Standard input of the tests may be anything; it is not read where the answer is to stop.
    #expect(throws: CancellationError.self) { try LiveInput(until: { true }) }
    let input = try LiveInput(raw: RawFormat("s16le:8000:1"), until: { true })
    var samples: [Float] = []
    #expect(try !input.next(into: &samples) && samples.isEmpty)
  }
}
