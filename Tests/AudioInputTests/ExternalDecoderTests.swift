import AudioInput
import AuricleBase
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Where ffmpeg is installed.
@Suite("External decoder", .enabled(if: ExternalDecoder.ffmpeg.version != nil))
struct ExternalDecoderTests {
  @Test(
    "what libsndfile does not read is decoded by ffmpeg, and says so",
    arguments: [("aac.m4a", "MPEG-4", 16_000), ("opus.webm", "Matroska or WebM", 48_000), ("g726.wav", "WAV", 8000)])
  func decodes(name: String, container format: String, rate: Int) throws {
    let span = SoundSpan(container(name), fallback: .ffmpeg)
    let blocks = try SoundBlocks(span)
    #expect(blocks.decodedBy == .ffmpeg && blocks.info.sampleRate == rate)
    #expect(blocks.info.container.hasSuffix(format) && blocks.info.encoding == "decoded by ffmpeg")
    let samples = try Waveform(of: span, sampleRate: 16_000).samples
    let word = try Waveform(contentsOf: fixture("word.wav"), sampleRate: 16_000).samples
    // The same word, but for what the encodings have changed.
    #expect(abs(samples.count - word.count) < 1200)
    #expect(abs(power(samples) / power(word) - 1) < 0.3)
  }

  private func power(_ samples: [Float]) -> Double { samples.reduce(0) { $0 + Double($1) * Double($1) } }

  @Test("nothing is decoded by it that libsndfile reads, or unless it is asked for")
  func unasked() throws {
    #expect(try AudioFile(of: SoundSpan(fixture("word.flac"), fallback: .ffmpeg)).decodedBy == nil)
    #expect(throws: AudioError.self) { try AudioFile(path: container("aac.m4a")) }
  }

  @Test("damage, text and pictures are refused as without it", arguments: ["text.wav", "damaged-frame.mp3"])
  func refused(name: String) {
    let path = name == "text.wav" ? fixture(name) : container(name)
    func refusal(_ fallback: ExternalDecoder?) -> AudioError? {
      #expect(throws: AudioError.self) { try Waveform(of: SoundSpan(path, fallback: fallback)) }
    }
    #expect(refusal(.ffmpeg) == refusal(nil))
  }

  @Test(
    "a name that might be an option or an address is a file's name", arguments: ["-i.m4a", "a:b.m4a", "it's %d.m4a"])
  func names(name: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file(name, FileAccess.read(container("aac.m4a")))
    let info = try AudioFile(path: path, fallback: .ffmpeg).info
    #expect(info.sampleRate == 16_000 && info.frames > 4000)
  }

  @Test("a list of files names others, which are not read")
  func playlists() throws {
    let folder = try TemporaryFolder()
    let list = try folder.file("list.m3u8", Array("\u{1}#EXTM3U\n#EXTINF:1,\n\(fixture("word.wav"))\n".utf8))
    let error = #expect(throws: AudioError.self) { try AudioFile(path: list, fallback: .ffmpeg) }
    #expect(error?.description.contains("neither libsndfile nor ffmpeg reads it: ") == true)
  }

  @Test("what ffmpeg complains of is a warning")
  func complaints() throws {
    let folder = try TemporaryFolder()
    let whole = try FileAccess.read(container("opus.webm"))
    let path = try folder.file("cut.webm", Array(whole.dropLast(whole.count / 3)))
    let file = try AudioFile(path: path, fallback: .ffmpeg)
    guard case .complaint(path, "ffmpeg", _)? = file.warnings.first else {
      Issue.record("\(file.warnings)")
      return
    }
  }
}
