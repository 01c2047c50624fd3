import Auricle
import Benchmark
import CFourier
import Dispatch

/// A minute of noise at 16 kHz: features take the same time whatever the sound.
let minute: Waveform = {
  var generator = SeededGenerator(seed: 1)
  return Waveform(samples: (0..<16_000 * 60).map { _ in Float(0.1 * generator.normal()) }, sampleRate: 16_000)
}()

/// 25 ms frames every 10 ms, 40 mels, 13 cepstra, in one tool's manner.
func configuration(_ preset: FeatureConfiguration.Preset) -> FeatureConfiguration {
  var configuration = preset.configuration(sampleRate: 16_000)
  (configuration.frameLength, configuration.hopLength, configuration.fftLength) = (400, 160, 512)
  (configuration.mel.count, configuration.cepstrum.count, configuration.deltas.order) = (40, 13, 0)
  return configuration
}

let frames = 5998

/// FFTW alone: as many real transforms of 512 points, single precision, with the best plan it finds.
func transforms(_ benchmark: Benchmark) {
  guard let input = fftwf_alloc_real(512), let output = fftwf_alloc_complex(257),
    let plan = fftwf_plan_dft_r2c_1d(512, input, output, UInt32(FFTW_MEASURE))
  else { return }
  for i in 0..<512 { input[i] = minute.samples[i] }
  for _ in benchmark.scaledIterations {
    for _ in 0..<frames { fftwf_execute(plan) }
  }
  fftwf_destroy_plan(plan)
  fftwf_free(input)
  fftwf_free(output)
}

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock], warmupIterations: 3, maxDuration: .seconds(2), maxIterations: 200)

  Benchmark("FFTs alone") { transforms($0) }

  for preset in [FeatureConfiguration.Preset.speech, .kaldi, .torchaudio, .librosa, .htk] {
    Benchmark("MFCC \(preset.rawValue)") { benchmark in
      let extractor = try FeatureExtractor(configuration(preset))
      for _ in benchmark.scaledIterations { blackHole(try extractor.features(of: minute)) }
    }
  }

  Benchmark("MFCC speech, two threads, twice the sound") { benchmark in
    let extractor = try FeatureExtractor(configuration(.speech))
    for _ in benchmark.scaledIterations {
      DispatchQueue.concurrentPerform(iterations: 2) { _ in blackHole(try? extractor.features(of: minute)) }
    }
  }
}
