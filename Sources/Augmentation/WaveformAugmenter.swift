import AudioInput
import AuricleBase
import RealModule

/// Changes waveforms at random: speed, tilt, cut, silent ends, room, noise, shift, gain, in this order.
///
///     let augmenter = try WaveformAugmenter(.strong, sampleRate: 16_000)
///     var generator = SeededGenerator.augmentation(seed: 1, epoch: 3, example: 17)
///     let changed = try augmenter.augmented(waveform, using: &generator)
///
/// A value that any number of threads share; the same generator gives the same samples.
public struct WaveformAugmenter: Sendable {
  public let augmentation: Augmentation
  public let sampleRate: Int
  private let noises: [[Float]]
  private let rooms: [Convolution]
  /// Changes with any sample of the recordings of noise and rooms.
  public let checksum: UInt32

  /// - Parameters:
  ///   - sampleRate: of the waveforms to come, in Hz.
  ///   - noises: recordings to add instead of white and pink noise, at that rate.
  ///   - rooms: impulse responses to use instead of synthetic ones, at that rate; each is cut to its first second, begins
  ///     at its peak, and is scaled so that the loudness stays.
  ///
  /// Throws `AugmentationError.configuration` for a value out of range, and where all of the noises, or of the rooms, are
  /// silent.
  public init(
    _ augmentation: Augmentation, sampleRate: Int, noises: [Waveform] = [], rooms: [Waveform] = []
  ) throws(AugmentationError) {
    try augmentation.validate()
    self.augmentation = augmentation
    self.sampleRate = sampleRate
    self.noises = noises.map(\.samples).filter { $0.contains { $0 != 0 } }
    self.rooms = rooms.compactMap { room in
      Self.impulseResponse(room.samples, longest: sampleRate).flatMap { Convolution($0) }
    }
    if self.noises.isEmpty && !noises.isEmpty { throw .configuration("the recordings of noise are silent") }
    if self.rooms.isEmpty && !rooms.isEmpty { throw .configuration("the room impulse responses are silent") }
    var checksum = Checksum()
    for recordings in [noises, rooms] {
      withUnsafeBytes(of: recordings.count) { checksum.update($0) }
      for recording in recordings {
        withUnsafeBytes(of: recording.samples.count) { checksum.update($0) }
        recording.samples.withUnsafeBytes { checksum.update($0) }
      }
    }
    self.checksum = checksum.value
  }

  /// The waveform as this epoch hears it. Throws `AudioError` for a sample rate that cannot be changed.
  public func augmented(_ waveform: Waveform, using generator: inout SeededGenerator) throws(AudioError) -> Waveform {
    var samples = waveform.samples
    if augmentation.speed > 0 {
      let percent = Int((100 * generator.uniform(in: 1 - augmentation.speed...1 + augmentation.speed)).rounded())
      // Played `percent` / 100 times as fast: as many fewer samples, at the same rate.
      samples = try Resampler.resample(samples, from: 1000 * percent, to: 100_000)
    }
    if augmentation.tilt > 0 { tilt(&samples, by: generator.uniform(in: -augmentation.tilt...augmentation.tilt)) }
    if augmentation.cut > 0 {
      let most = augmentation.cut * Double(samples.count)
      let (first, last) = (drawEnd(most, using: &generator), drawEnd(most, using: &generator))
      samples = Array(samples.dropFirst(first).dropLast(last))
    }
    if augmentation.ends > 0 { addEnds(to: &samples, using: &generator) }
    if augmentation.roomProbability > 0, generator.uniform() < augmentation.roomProbability {
      if rooms.isEmpty {
        addReverberation(to: &samples, using: &generator)
      } else {
        samples = rooms[generator.index(rooms.count)].applied(to: samples) ?? samples
      }
    }
    if augmentation.noise.probability > 0, generator.uniform() < augmentation.noise.probability {
      addNoise(to: &samples, using: &generator)
    }
    if augmentation.shift > 0 {
      let most = augmentation.shift * Double(sampleRate)
      move(&samples, by: Int(generator.uniform(in: -most...most).rounded()))
    }
    if augmentation.gain > 0 {
      let factor = Float(Double.pow(10, generator.uniform(in: -augmentation.gain...augmentation.gain) / 20))
      for i in samples.indices { samples[i] *= factor }
    }
    return Waveform(samples: samples, sampleRate: waveform.sampleRate)
  }

  /// `share` of `first` and the rest of `second`, from their beginnings on; as long as `first`.
  public static func mixed(_ first: Waveform, _ second: Waveform, share: Double) -> Waveform {
    var samples = first.samples.map { Float(share) * $0 }
    for (i, sample) in second.samples.prefix(samples.count).enumerated() { samples[i] += Float(1 - share) * sample }
    return Waveform(samples: samples, sampleRate: first.sampleRate)
  }

  /// y[n] = x[n] + w x[n - 1]: for |w| < 1, the gain in dB is 0 on average over frequency.
  private func tilt(_ samples: inout [Float], by decibels: Double) {
    let ratio = Double.pow(10, decibels / 20)
    let weight = Float((ratio - 1) / (ratio + 1))
    var last: Float = 0
    for i in samples.indices { (samples[i], last) = (samples[i] + weight * last, samples[i]) }
  }

  /// Noise 20 to 70 dB weaker than the sound, below it and for up to so many seconds beyond either end.
  private func addEnds(to samples: inout [Float], using generator: inout SeededGenerator) {
    let longest = augmentation.ends * Double(sampleRate)
    let (before, after) = (drawEnd(longest, using: &generator), drawEnd(longest, using: &generator))
    let ratio = generator.uniform(in: 20...70)
    let factor = Float(Double.sqrt(meanPower(samples) * Double.pow(10, -ratio / 10)))
    var result = Noise.drawn(before + samples.count + after, using: &generator).map { factor * $0 }
    for i in samples.indices { result[before + i] += samples[i] }
    samples = result
  }

  /// 0 in half of the cases, else evenly up to `most`.
  private func drawEnd(_ most: Double, using generator: inout SeededGenerator) -> Int {
    Int(max(0, generator.uniform(in: -most...most)))
  }

  private func addNoise(to samples: inout [Float], using generator: inout SeededGenerator) {
    let ratio = generator.uniform(in: augmentation.noise.lowestRatio...augmentation.noise.highestRatio)
    let noise: [Float]
    if noises.isEmpty {
      noise = Noise.drawn(samples.count, using: &generator)
    } else {
      // From a random place of a random recording, round and round.
      let recording = noises[generator.index(noises.count)]
      let start = generator.index(recording.count)
      noise = samples.indices.map { recording[(start + $0) % recording.count] }
    }
    let (signalPower, noisePower) = (meanPower(samples), meanPower(noise))
    guard signalPower > 0, noisePower > 0 else { return }  // silence stays silent
    let factor = Float(Double.sqrt(signalPower / noisePower * Double.pow(10, -ratio / 10)))
    for i in samples.indices { samples[i] += factor * noise[i] }
  }

  /// Later for a positive count; what leaves at one end is gone, what comes in at the other is silence.
  private func move(_ samples: inout [Float], by count: Int) {
    let distance = min(abs(count), samples.count)
    let silence = [Float](repeating: 0, count: distance)
    samples = count >= 0 ? silence + samples.dropLast(distance) : Array(samples.dropFirst(distance)) + silence
  }

  /// The reverberation of a synthetic room after the sound, whose length stays: it falls by 60 dB in 0.1 to 0.5 s, and
  /// is 0 to 20 dB weaker than the sound. Its impulses are few, of random place and sign: velvet noise, which is smooth to
  /// the ear from 1,500 a second (Karjalainen and Jarvelainen, "Reverberation modeling using velvet noise", AES 2007).
  private func addReverberation(to samples: inout [Float], using generator: inout SeededGenerator) {
    let duration = Double(sampleRate) * Double.pow(10, generator.uniform(in: -1 ... -0.3))
    let ratio = generator.uniform(in: -20...0)
    let spacing = max(1, Double(sampleRate) / 1500)
    // Of the tail alone, without the sound itself. An impulse beyond the sound falls on the last place, unheard.
    var response = [Float](repeating: 0, count: 1 + Int(min(duration + spacing, Double(samples.count))))
    var energy = 0.0
    for start in stride(from: 1, to: min(duration, Double(samples.count)), by: spacing) {
      let delay = Int(start + generator.uniform() * spacing)
      let weight = Double.pow(10, -3 * Double(delay) / duration)
      response[min(delay, response.count - 1)] = Float(generator.uniform() < 0.5 ? -weight : weight)
      energy += weight * weight
    }
    guard energy > 0, let tail = Convolution(response, count: samples.count)?.applied(to: samples) else { return }
    let scale = Float(Double.sqrt(Double.pow(10, ratio / 10) / energy))
    for i in samples.indices { samples[i] += scale * tail[i] }
  }

  /// From the peak on, at most `longest` samples, of unit energy; nil for silence.
  private static func impulseResponse(_ samples: [Float], longest: Int) -> [Float]? {
    guard let peak = samples.indices.max(by: { abs(samples[$0]) < abs(samples[$1]) }), samples[peak] != 0 else {
      return nil
    }
    let response = samples[peak...].prefix(longest)
    let scale = Float(1 / Double.sqrt(response.reduce(0) { $0 + Double($1) * Double($1) }))
    return response.map { $0 * scale }
  }

  private func meanPower(_ samples: [Float]) -> Double {
    samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(max(1, samples.count))
  }
}

/// Noise of unit power.
private enum Noise {
  /// White or pink, as likely.
  static func drawn(_ count: Int, using generator: inout SeededGenerator) -> [Float] {
    generator.uniform() < 0.5 ? white(count, using: &generator) : pink(count, using: &generator)
  }

  private static func white(_ count: Int, using generator: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in Float(sample(using: &generator)) }
  }

  /// Of unit variance and even distribution: as white as normal samples, and quicker.
  private static func sample(using generator: inout SeededGenerator) -> Double {
    Double.sqrt(12) * (generator.uniform() - 0.5)
  }

  /// Power that falls by 3 dB an octave: white noise through Paul Kellet's filter (0.5 dB from 9 Hz at 44.1 kHz up), and
  /// scaled, for the filter's power is 9.16.
  private static func pink(_ count: Int, using generator: inout SeededGenerator) -> [Float] {
    let poles = [0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616]
    let gains = [0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980]
    var states = [Double](repeating: 0, count: poles.count)
    var last = 0.0
    return (0..<count).map { _ in
      let white = sample(using: &generator)
      var sum = white * 0.5362 + last
      for i in states.indices {
        states[i] = poles[i] * states[i] + gains[i] * white
        sum += states[i]
      }
      last = white * 0.115926
      return Float(0.3305 * sum)
    }
  }
}
