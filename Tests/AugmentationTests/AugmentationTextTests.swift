import Augmentation
import Testing

@Suite("Augmentation as text")
struct AugmentationTextTests {
  @Test("a preset, then single fields")
  func fields() throws {
    #expect(try Augmentation("none") == .none && Augmentation("light") == .light && Augmentation("strong") == .strong)
    #expect(try Augmentation("normal") == .normal && !Augmentation.normal.changesWaveform)
    var wanted = Augmentation.strong
    wanted.noise.probability = 0
    wanted.timeMasks = 3
    #expect(try Augmentation("strong,noise=0,time-masks=3") == wanted)
    #expect(try Augmentation("gain=3").gain == 3)
  }

  @Test("every field can be named, and changes what it names")
  func everyField() throws {
    var wanted = Augmentation.none
    (wanted.gain, wanted.shift, wanted.speed, wanted.tilt, wanted.cut, wanted.ends) = (1, 2, 0.3, 4, 0.05, 6)
    wanted.noise = Augmentation.Noise(probability: 0.7, lowestRatio: 8, highestRatio: 9)
    (wanted.roomProbability, wanted.frequencyWarp, wanted.filter, wanted.tempo) = (0.1, 0.11, 12, 0.13)
    (wanted.timeWarp, wanted.timeMasks, wanted.timeMaskShare) = (0.14, 15, 0.16)
    (wanted.level, wanted.floor, wanted.background, wanted.move, wanted.roll) = (20, 0.21, 0.22, 0.23, 0.24)
    (wanted.frequencyMasks, wanted.frequencyMaskShare, wanted.mixup) = (17, 0.18, 19)
    let text = """
      gain=1,shift=2,speed=0.3,tilt=4,cut=0.05,ends=6,noise=0.7,noise-lowest-ratio=8,noise-highest-ratio=9,room=0.1,\
      frequency-warp=0.11,filter=12,tempo=0.13,time-warp=0.14,time-masks=15,time-mask-share=0.16,frequency-masks=17,\
      frequency-mask-share=0.18,mixup=19,level=20,floor=0.21,background=0.22,move=0.23,roll=0.24
      """
    #expect(try Augmentation(text) == wanted)
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
