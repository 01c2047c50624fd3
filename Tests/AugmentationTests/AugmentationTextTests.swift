import Augmentation
import Testing

@Suite("Augmentation as text")
struct AugmentationTextTests {
  @Test("a preset, then single fields")
  func fields() throws {
    #expect(try Augmentation("none") == .none && Augmentation("light") == .light && Augmentation("strong") == .strong)
    var wanted = Augmentation.strong
    wanted.noise.probability = 0
    wanted.timeMasks = 3
    #expect(try Augmentation("strong,noise=0,time-masks=3") == wanted)
    #expect(try Augmentation("gain=3").gain == 3)
  }

  @Test(
    "every field can be named, and changes what it names",
    arguments: [
      "gain=0.1", "shift=0.1", "speed=0.1", "tilt=1", "cut=0.1", "ends=0.1", "noise=0.1", "noise-lowest-ratio=0",
      "noise-highest-ratio=40", "room=0.1", "frequency-warp=0.2", "filter=1", "tempo=0.01", "time-warp=0.1",
      "time-masks=9",
      "time-mask-share=0.5", "frequency-masks=9", "frequency-mask-share=0.5", "mixup=0.1",
    ])
  func everyField(text: String) throws {
    #expect(try Augmentation("none," + text) != .none)
  }

  @Test(
    "nonsense is refused",
    arguments: ["", "medium", "gain", "gain=loud", "light,strong", "volume=1", "time-masks=1.5", "gain=-1"])
  func refused(text: String) {
    #expect(throws: AugmentationError.self) { try Augmentation(text) }
  }

  @Test("settings that do nothing alone leave it off")
  func off() throws {
    #expect(try !Augmentation("time-mask-share=0.5,noise-lowest-ratio=1").isOn)
    #expect(Augmentation.light.isOn && Augmentation.strong.isOn && !Augmentation.none.isOn)
    #expect(!Augmentation.light.changesWaveform && Augmentation.strong.changesWaveform)
  }
}
