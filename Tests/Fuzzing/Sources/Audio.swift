import Auricle

private let extractor = try? FeatureExtractor(.speech(sampleRate: 16_000))

/// A file of any bytes is an error that names it, or samples that are sound: the same whole, in blocks and as features.
@Sendable func fuzzAudio(_ bytes: [UInt8]) throws {
  let path = try write(bytes, to: "sound")
  do throws(AudioError) {
    let file = try AudioFile(path: path)
    var samples: [Float] = []
    // A compressed file may rightly hold more than there is time for.
    while samples.count < 1 << 20, try file.read(frames: 1000, into: &samples) > 0 {}
    check(!samples.isEmpty, "no samples and no error")
    check(samples.allSatisfy { $0.magnitude <= AudioFile.largestMagnitude }, "a sample out of range")
    check(AudioFile.sampleRates.contains(file.info.sampleRate) && file.info.channels > 0, "\(file.info)")
    guard samples.count < 1 << 20 else { return }
    let whole = try Waveform(contentsOf: path)
    check(whole.samples == samples, "\(whole.samples.count) samples whole, \(samples.count) in blocks")
    let resampled = try Waveform(contentsOf: path, sampleRate: 16_000)
    check(resampled.samples.allSatisfy(\.isFinite), "a resampled value is not finite")
  } catch {
    check(error.description.hasPrefix(path), "the error does not name the file: \(error)")
    return
  }
  guard let extractor else { return }
  do {
    let sound = try extractor.features(ofFile: path)
    let (features, duration) = (sound.features, sound.duration)
    check(features.frames > 0 && features.values.allSatisfy(\.isFinite) && duration > 0, "features that are not finite")
    var streamed: [Float] = []
    _ = try extractor.features(ofFile: path) { streamed += $0.values }
    check(streamed == features.values, "features differ in blocks")
  } catch let error as FeatureError {
    check(error.description.hasPrefix(path), "the error does not name the file: \(error)")
  }
}
