import AuricleBase
import Testing

@testable import AudioInput

@Suite("Damage in MP3")
struct MPEGDamageTests {
  private func accepts(_ damage: MPEGDamage, _ samples: [Float]) -> Bool {
    var damage = damage
    return samples.withUnsafeBufferPointer { damage.accepts($0, channels: 1) }
  }

  private let silence = [Float](repeating: 0, count: 2 * 576)

  @Test("a granule with bits enough for sound is damaged when it is silent, also after silence")
  func silentGranule() {
    #expect(accepts(MPEGDamage(sounds: [false, false]), silence))
    #expect(!accepts(MPEGDamage(sounds: [false, true]), silence))
    #expect(accepts(MPEGDamage(sounds: [false, true]), silence.dropLast() + [1e-5]))
    #expect(accepts(MPEGDamage(sounds: [false, true]), Array(silence.dropLast())), "it is not known yet")
  }

  @Test("frames of sound have bits, and none is taken for silence")
  func sideInformation() throws {
    for name in ["whole.mp3", "variable-rate.mp3", "other-rate.mp3"] {
      let source = try ByteSource(path: container(name))
      let found = try #require(try MPEGStream.sections(source, 0..<source.byteCount, path: name)).sections[0]
      let frames = found.delay + (found.frames ?? 0)
      #expect(found.sounds.count * 576 >= frames && found.sounds.contains(true))
      #expect(try !Waveform(contentsOf: container(name)).samples.isEmpty)
    }
  }
}
