import AudioInput
import AuricleBase
import RealModule
import Testing

@testable import Augmentation

/// A second of a 440 Hz tone at 8 kHz.
let tone = Waveform(
  samples: (0..<8000).map { Float(0.5 * Double.sin(2 * Double.pi * 440 * Double($0) / 8000)) }, sampleRate: 8000)

func generator(_ example: Int = 0, epoch: Int = 1, seed: UInt64 = 1) -> SeededGenerator {
  .augmentation(seed: seed, epoch: epoch, example: example)
}

private func power(_ samples: [Float]) -> Double {
  samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(samples.count)
}

/// Zero crossings a second, over two: the frequency of a tone.
private func pitch(_ waveform: Waveform) -> Double {
  let crossings = zip(waveform.samples, waveform.samples.dropFirst()).count { ($0 < 0) != ($1 < 0) }
  return Double(crossings) / 2 / waveform.duration
}

@Suite("Augmentation of waveforms")
struct WaveformAugmenterTests {
  private func augmented(
    _ waveform: Waveform = tone, _ example: Int = 0, noises: [Waveform] = [], rooms: [Waveform] = [],
    _ change: (inout Augmentation) -> Void
  ) throws -> Waveform {
    var augmentation = Augmentation.none
    change(&augmentation)
    var generator = generator(example)
    return try WaveformAugmenter(augmentation, sampleRate: 8000, noises: noises, rooms: rooms)
      .augmented(waveform, using: &generator)
  }

  @Test("nothing is changed when nothing is asked for")
  func none() throws {
    #expect(try augmented { _ in } == tone)
  }

  @Test("gain changes loudness within its limit, and nothing else", arguments: 0..<8)
  func gain(example: Int) throws {
    let changed = try augmented(tone, example) { $0.gain = 6 }
    let ratio = changed.samples[1] / tone.samples[1]
    #expect(ratio != 1 && abs(20 * Double.log10(Double(ratio))) <= 6)
    #expect(zip(changed.samples, tone.samples).allSatisfy { abs($0 - ratio * $1) < 1e-6 })
  }

  @Test("shift moves the sound within its limit and keeps its length", arguments: 0..<8)
  func shift(example: Int) throws {
    var click = Waveform(samples: [Float](repeating: 0, count: 8000), sampleRate: 8000)
    click.samples[4000] = 1
    let changed = try augmented(click, example) { $0.shift = 0.1 }
    let place = try #require(changed.samples.firstIndex(of: 1))
    #expect(changed.samples.count == 8000 && place != 4000 && abs(place - 4000) <= 800)
    #expect(try augmented(tone, example) { $0.shift = 100 }.samples.count == 8000)
  }

  @Test("speed changes length and pitch together", arguments: 0..<8)
  func speed(example: Int) throws {
    let changed = try augmented(tone, example) { $0.speed = 0.2 }
    let factor = Double(tone.samples.count) / Double(changed.samples.count)
    #expect(factor >= 0.79 && factor <= 1.21)
    #expect(abs(pitch(changed) - 440 * factor) < 4)
  }

  @Test("tilt raises low frequencies against high ones, or lowers them, within its limit")
  func tilt() throws {
    var click = Waveform(samples: [Float](repeating: 0, count: 10), sampleRate: 8000)
    click.samples[5] = 1
    var tilts: [Double] = []
    for example in 0..<100 {
      let changed = try augmented(click, example) { $0.tilt = 20 }.samples
      // The gain of the lowest frequency is the sum of the impulse response, that of the highest its alternating sum.
      let (low, high) = (changed[5] + changed[6], changed[5] - changed[6])
      tilts.append(20 * Double.log10(Double(low / high)))
      #expect(changed[5] == 1 && changed[..<5].allSatisfy { $0 == 0 } && changed[7...].allSatisfy { $0 == 0 })
    }
    #expect(tilts.allSatisfy { abs($0) < 20.01 } && tilts.contains { $0 > 15 } && tilts.contains { $0 < -15 })
  }

  @Test("cutting takes a drawn share off the beginning and off the end, each in half of the examples")
  func cut() throws {
    let ramp = Waveform(samples: (0..<1000).map { Float($0) }, sampleRate: 8000)
    var shares: [Float] = []
    for example in 0..<200 {
      let changed = try augmented(ramp, example) { $0.cut = 0.2 }.samples
      let (first, last) = (try #require(changed.first), try #require(changed.last))
      #expect(zip(changed, changed.dropFirst()).allSatisfy { $1 == $0 + 1 })
      shares += [first / 1000, (999 - last) / 1000]
    }
    #expect(shares.allSatisfy { $0 >= 0 && $0 <= 0.2 } && shares.contains { $0 > 0.18 })
    #expect(shares.count { $0 == 0 } > 160 && shares.count { $0 == 0 } < 240)
  }

  @Test("ends are of a drawn length, each in half of the examples, with noise 20 to 70 dB below the sound")
  func ends() throws {
    var click = Waveform(samples: [Float](repeating: 0, count: 8000), sampleRate: 8000)
    click.samples[4000] = 1
    var lengths: [Int] = []
    var ratios: [Double] = []
    for example in 0..<200 {
      var changed = try augmented(click, example) { $0.ends = 0.5 }.samples
      let place = try #require(changed.firstIndex { abs($0) > 0.5 })
      lengths += [place - 4000, changed.count - place - 4000]
      changed[place] = 0
      ratios.append(10 * Double.log10(power(click.samples) / power(changed)))
    }
    #expect(lengths.allSatisfy { $0 >= 0 && $0 <= 4000 } && lengths.contains { $0 > 3500 })
    #expect(lengths.count { $0 == 0 } > 160 && lengths.count { $0 == 0 } < 240)
    #expect(ratios.allSatisfy { $0 > 19 && $0 < 71 } && ratios.contains { $0 < 30 } && ratios.contains { $0 > 60 })
    let silence = Waveform(samples: [Float](repeating: 0, count: 100), sampleRate: 8000)
    #expect(try augmented(silence, 1) { $0.ends = 0.5 }.samples.allSatisfy { $0 == 0 })
  }

  @Test("noise comes at the drawn ratio, to the drawn share of examples")
  func noise() throws {
    var count = 0
    for example in 0..<200 {
      let changed = try augmented(tone, example) {
        $0.noise = .init(probability: 0.5, lowestRatio: 10, highestRatio: 20)
      }
      if changed == tone { continue }
      count += 1
      let noise = zip(changed.samples, tone.samples).map { $0 - $1 }
      let ratio = 10 * Double.log10(power(tone.samples) / power(noise))
      #expect(ratio > 9.9 && ratio < 20.1)
    }
    #expect(count > 75 && count < 125)
  }

  @Test("recordings of noise are used where there are any; silence gets none")
  func recordedNoise() throws {
    let recording = Waveform(samples: [1, 0, 0, 0], sampleRate: 8000)
    let changed = try augmented(noises: [recording]) { $0.noise = .init(probability: 1) }
    let noise = zip(changed.samples, tone.samples).map { $0 - $1 }
    #expect(noise.count { abs($0) > 1e-5 } == 2000)
    let silence = Waveform(samples: [Float](repeating: 0, count: 100), sampleRate: 8000)
    #expect(try augmented(silence) { $0.noise = .init(probability: 1) } == silence)
  }

  @Test("a room's impulse response begins at its peak and keeps the loudness")
  func room() throws {
    let response = Waveform(samples: [0, 0.1, 3, 0, 4], sampleRate: 8000)
    var click = Waveform(samples: [Float](repeating: 0, count: 50), sampleRate: 8000)
    click.samples[10] = 1
    // The peak is 4, the last sample: an impulse alone, so nothing changes.
    let same = try augmented(click, rooms: [response]) { $0.roomProbability = 1 }
    #expect(same.samples.count == click.samples.count)
    #expect(zip(same.samples, click.samples).allSatisfy { abs($0 - $1) < 1e-6 })
    let echo = Waveform(samples: [0, 4, 0, 3], sampleRate: 8000)
    let changed = try augmented(click, rooms: [echo]) { $0.roomProbability = 1 }
    #expect(abs(changed.samples[10] - 0.8) < 1e-6 && abs(changed.samples[12] - 0.6) < 1e-6)
  }

  @Test("without recordings a room is synthetic: a tail that decays, 0 to 20 dB below the sound", arguments: 0..<8)
  func syntheticRoom(example: Int) throws {
    var click = Waveform(samples: [Float](repeating: 0, count: 8000), sampleRate: 8000)
    click.samples[1000] = 1
    let changed = try augmented(click, example) { $0.roomProbability = 1 }.samples
    #expect(changed.count == 8000)
    #expect(zip(changed, click.samples).prefix(1001).allSatisfy { abs($0 - $1) < 1e-6 })
    let tail = changed[1001...].reduce(0) { $0 + Double($1) * Double($1) }
    #expect(tail > 0.0099 && tail < 1.01)
    let soon = changed[1001..<1401].reduce(0) { $0 + Double($1) * Double($1) }
    #expect(soon > 0.7 * tail && changed[5020...].allSatisfy { abs($0) < 1e-6 })
    #expect(try augmented(click, example) { $0.roomProbability = 0 } == click)
  }

  @Test("draws depend on seed, epoch and example, and on nothing else")
  func deterministic() throws {
    let augmenter = try WaveformAugmenter(.strong, sampleRate: 8000)
    func augmented(_ generator: SeededGenerator) throws -> Waveform {
      var generator = generator
      return try augmenter.augmented(tone, using: &generator)
    }
    let first = try augmented(generator())
    #expect(try augmented(generator()) == first)
    for other in [generator(1), generator(epoch: 2), generator(seed: 2)] { #expect(try augmented(other) != first) }
  }

  @Test("pink noise falls by 3 dB an octave")
  func pink() throws {
    // Differences of neighbours and of neighbours' sums measure high and low halves; white noise would give 1.
    let silence = Waveform(samples: tone.samples.map { $0 * 1e-3 }, sampleRate: 8000)
    var ratios: [Double] = []
    for example in 0..<40 {
      let changed = try augmented(silence, example) {
        $0.noise = .init(probability: 1, lowestRatio: -40, highestRatio: -40)
      }
      let high = zip(changed.samples, changed.samples.dropFirst()).map { $0 - $1 }
      let low = zip(changed.samples, changed.samples.dropFirst()).map { $0 + $1 }
      ratios.append(power(low) / power(high))
    }
    #expect(ratios.contains { $0 > 0.8 && $0 < 1.25 }, "no white noise: \(ratios)")
    #expect(ratios.contains { $0 > 4 }, "no pink noise: \(ratios)")
  }

  @Test("values out of range are refused, and named")
  func refused() {
    let changes: [(inout Augmentation) -> Void] = [
      { $0.gain = -1 }, { $0.speed = 0.9 }, { $0.noise.probability = 2 }, { $0.noise.lowestRatio = 50 },
      { $0.shift = .nan }, { $0.ends = -0.1 }, { $0.tilt = 61 }, { $0.cut = 0.5 }, { $0.timeWarp = 0.6 },
      { $0.timeMasks = -1 },
      { $0.mixup = -1 },
    ]
    for change in changes {
      var augmentation = Augmentation.none
      change(&augmentation)
      #expect(throws: AugmentationError.self) { try augmentation.validate() }
    }
  }

  @Test("two sounds at once: so much of each, as long as the first")
  func mixed() {
    let first = Waveform(samples: [1, 2, 3, 4], sampleRate: 8000)
    let second = Waveform(samples: [8, -8], sampleRate: 8000)
    #expect(WaveformAugmenter.mixed(first, second, share: 0.75).samples == [2.75, -0.5, 2.25, 3])
    #expect(WaveformAugmenter.mixed(second, first, share: 0.5).samples == [4.5, -3])
  }
}
