import Auricle
import Foundation

// Auricle's features of a minute of sound in memory: answers requests of `features.py`, `PRESET THREADS SECONDS`, on
// standard input. Every thread has the whole minute.

/// A minute of noise at 16 kHz: features take the same time whatever the sound.
let minute: Waveform = {
  var generator = SeededGenerator(seed: 1)
  return Waveform(samples: (0..<16_000 * 60).map { _ in Float(0.1 * generator.normal()) }, sampleRate: 16_000)
}()

/// 25 ms frames every 10 ms, 40 mels, 13 cepstra, in one tool's manner.
func extractor(_ preset: String) throws -> FeatureExtractor {
  var configuration = (FeatureConfiguration.Preset(rawValue: preset) ?? .speech).configuration(sampleRate: 16_000)
  (configuration.frameLength, configuration.hopLength, configuration.fftLength) = (400, 160, 512)
  (configuration.mel.count, configuration.cepstrum.count, configuration.deltas.order) = (40, 13, 0)
  return try FeatureExtractor(configuration)
}

/// Microseconds a frame of the fastest of the calls that fit in `seconds`.
func measure(_ preset: String, threads: Int, seconds: Double) throws -> Double {
  let extractor = try extractor(preset)
  let frames = try extractor.features(of: minute).frames
  let clock = ContinuousClock()
  var best = Duration.seconds(1_000)
  let end = clock.now + .seconds(seconds)
  repeat {
    best = min(
      best,
      try clock.measure {
        if threads == 1 {
          _ = try extractor.features(of: minute)
        } else {
          DispatchQueue.concurrentPerform(iterations: threads) { _ in _ = try? extractor.features(of: minute) }
        }
      })
  } while clock.now < end
  return best / .microseconds(1) / Double(frames * threads)
}

/// To a pipe, standard output is written when it is told to.
func answer(_ line: Any) {
  print(line)
  fflush(nil)
}

answer("Auricle")
while let fields = readLine()?.split(separator: " ").map(String.init), fields.count == 3,
  let threads = Int(fields[1]), let seconds = Double(fields[2])
{
  answer(try measure(fields[0], threads: threads, seconds: seconds))
}
