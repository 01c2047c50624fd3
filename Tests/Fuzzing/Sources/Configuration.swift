import Auricle

/// Text of any kind is refused with a sentence, or becomes features that can be computed, a network, a pattern, a condition,
/// an augmentation. The first byte says which.
@Sendable func fuzzConfiguration(_ bytes: [UInt8]) throws {
  let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
  switch (bytes.first ?? 0) % 8 {
  case 0: if let pattern = try? LabelPattern(text) { _ = pattern.text }
  case 1: if let condition = try? FieldCondition(text) { check(!condition.field.isEmpty, "a condition on nothing") }
  case 2: _ = try? Augmentation(text)
  case 3:
    guard let network = try? NetworkConfiguration(json: text) else { return }
    check(network.parameterCount > 0, "a network without parameters")
    check(try NetworkConfiguration(json: network.json) == network, "a network changes when written")
  default: try fuzzFeatures(text)
  }
}

private func fuzzFeatures(_ json: String) throws {
  do throws(FeatureError) {
    let configuration = try FeatureConfiguration(json: json)
    try configuration.validate()
    check(try FeatureConfiguration(json: configuration.json) == configuration, "a configuration changes when written")
    // What may rightly take long.
    guard configuration.fftLength <= 4096, configuration.hopLength >= 16, configuration.mel.count <= 256 else { return }
    let extractor = try FeatureExtractor(configuration)
    let noise = (0..<5000).map { Float($0 * 7919 % 101) / 50 - 1 }
    let features = try extractor.features(of: Waveform(samples: noise, sampleRate: configuration.sampleRate))
    check(features.coefficients == configuration.coefficientCount, "another width than promised")
    check(features.values.allSatisfy(\.isFinite), "features that are not finite")
  } catch {
    check(!error.description.isEmpty, "an error without a sentence")
  }
}
