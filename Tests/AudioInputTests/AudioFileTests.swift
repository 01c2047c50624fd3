import AudioInput
import AuricleBase
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Files")
struct AudioFileTests {
  @Test("the header is reported as it is")
  func info() throws {
    let file = try AudioFile(path: fixture("word-stereo-44k.wav"))
    let info = file.info
    #expect(info.container == "WAV" && info.encoding == "16-bit PCM" && info.sampleRate == 44_100)
    #expect(info.channels == 2 && info.frames == 17_640 && info.duration == 0.4)
    #expect(file.byteCount == 44 + 4 * info.frames)
  }

  @Test(
    "container and encoding have names",
    arguments: [
      ("word-24-bit.wav", "WAV", "24-bit PCM"), ("word-float.wav", "WAV", "32-bit float"), ("word.opus", "Ogg", "Opus"),
      ("word-mu-law.wav", "WAV", "mu-law"), ("word-a-law.wav", "WAV", "A-law"), ("word.ogg", "Ogg", "Vorbis"),
      ("word.flac", "FLAC", "16-bit PCM"), ("word.aiff", "AIFF", "16-bit PCM"), ("word.caf", "CAF", "16-bit PCM"),
      ("word.rf64", "RF64", "16-bit PCM"), ("word.w64", "W64", "16-bit PCM"), ("word.mp3", "MPEG", "MPEG layer III"),
      ("promises-4-billion-frames.wav", "WAV", "8-bit PCM"),
    ])
  func names(file: String, container: String, encoding: String) throws {
    let info = try AudioFile(path: fixture(file)).info
    #expect(info.container == container && info.encoding == encoding)
  }

  @Test("blocks of any size are the whole file, and the end is 0", arguments: [1, 7, 4096, 5000, 100_000])
  func blocks(frames: Int) throws {
    let whole = try Waveform(contentsOf: fixture("word-stereo-44k.wav"))
    let file = try AudioFile(path: fixture("word-stereo-44k.wav"))
    var samples: [Float] = []
    while case let count = try file.read(frames: frames, into: &samples), count > 0 {
      #expect(count == frames || samples.count == whole.samples.count)
    }
    #expect(samples == whole.samples)
    #expect(try file.read(frames: frames, into: &samples) == 0)
  }

  @Test("pipes and standard input are read like files", arguments: ["word.wav", "word.flac", "word.ogg"])
  func pipes(name: String) throws {
    let expected = try Waveform(contentsOf: fixture(name))
    let bytes = try FileAccess.read(fixture(name))
    #expect(try withPipe(bytes) { try Waveform(contentsOf: "/dev/fd/\($0)") } == expected)
  }

  @Test("standard input is called by its name")
  func standardInput() throws {
    let input = dup(0)
    defer {
      dup2(input, 0)
      close(input)
    }
    func read(_ bytes: [UInt8]) throws -> Waveform {
      try withPipe(bytes) { descriptor in
        dup2(descriptor, 0)
        return try Waveform(contentsOf: "-")
      }
    }
    #expect(try read(FileAccess.read(fixture("word.wav"))) == Waveform(contentsOf: fixture("word.wav")))
    let error = #expect(throws: AudioError.self) { try read([]) }
    #expect(error?.description == "standard input: is empty (0 bytes)")
  }

  /// Calls `body` with the reading end of a pipe that holds `bytes`, fewer than a pipe's buffer of 16 KiB.
  private func withPipe<Result>(_ bytes: [UInt8], _ body: (Int32) throws -> Result) throws -> Result {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let written = write(ends[1], bytes, bytes.count)
    close(ends[1])
    try #require(written == bytes.count)
    return try body(ends[0])
  }

  @Test("a scan takes files for audio by their extension")
  func extensions() {
    for path in ["one.wav", "a/b.c/ONE.WAV", "x.Flac", "/x.tar.ogg", "ü.aiff"] { #expect(AudioFormats.isAudio(path)) }
    for path in ["one.txt", "wav", ".wav", "a/._one.wav", "a.wav/one", "", "one.wav/", "one."] {
      #expect(!AudioFormats.isAudio(path))
    }
  }
}
