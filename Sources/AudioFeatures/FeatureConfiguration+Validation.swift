extension FeatureConfiguration {
  /// Throws `FeatureError.configuration`, which says what is wrong, unless every field can be computed.
  public func validate() throws(FeatureError) {
    try FeatureConfiguration.requireSampleRate(sampleRate)
    try require(
      (1...1 << 20).contains(frameLength), "a frame length of \(frameLength) samples; it must be 1 to 1048576")
    try require(
      (1...1 << 20).contains(hopLength), "a hop length of \(hopLength) samples; it must be 1 to 1048576")
    try require(
      fftLength >= (truncatesFrames ? 2 : frameLength) && fftLength <= 1 << 20,
      "a transform of \(fftLength) points for frames of \(frameLength) samples; it must be at least as long, and at most 1048576"
    )
    try require(
      dither.amount >= 0 && dither.amount <= 1e6, "a dither of \(dither.amount); it must be 0 to 1000000")
    try require(
      (0...1).contains(preEmphasis.coefficient), "a pre-emphasis of \(preEmphasis.coefficient); it must be 0 to 1")
    try require((0...2).contains(deltas.order), "deltas of order \(deltas.order); it must be 0, 1 or 2")
    try require(
      deltas.order == 0 || (1...1000).contains(deltas.halfWidth),
      "deltas over \(deltas.halfWidth) frames on either side; it must be 1 to 1000")
    if let pcen {
      try require(kind == .mel, "PCEN of \(kind.rawValue) features; it is for mel energies, in place of a logarithm")
      try require(
        [pcen.gain, pcen.bias, pcen.power].allSatisfy { (0...1e6).contains($0) },
        "PCEN with gain \(pcen.gain), bias \(pcen.bias) and power \(pcen.power); none may be negative")
      try require(
        (1e-6...1e6).contains(pcen.timeConstant) && (1e-30...1e6).contains(pcen.epsilon),
        "PCEN with a time constant of \(pcen.timeConstant) s and epsilon \(pcen.epsilon); both must be positive")
    }
    guard kind != .spectrogram else { return }
    try require(
      mel.binRate.map { (100...10_000_000).contains($0) } ?? true,
      "a rate of \(mel.binRate ?? 0) Hz for the bins; it must be 100 to 10000000")
    let nyquist = (mel.binRate ?? Double(sampleRate)) / 2
    let high = mel.highFrequency ?? nyquist
    try require(
      (1...binCount).contains(mel.count), "\(mel.count) mel filters on \(binCount) bins; it must be 1 to \(binCount)")
    try require(
      high <= nyquist, "mel filters up to \(high) Hz; at \(sampleRate) Hz there is nothing above \(nyquist) Hz")
    try require(
      mel.lowFrequency >= 0 && mel.lowFrequency < high, "mel filters from \(mel.lowFrequency) Hz to \(high) Hz")
    try require(
      mel.count * binCount <= 1 << 24,
      "\(mel.count) mel filters on \(binCount) bins; the product must be at most 16777216")
    guard kind != .mel else { return }
    try require(
      logarithm.floor >= 0 && logarithm.offset >= 0 && logarithm.floor + logarithm.offset >= 1e-37
        && logarithm.floor + logarithm.offset < 1e37,
      "a logarithm with floor \(logarithm.floor) and offset \(logarithm.offset); one must be positive, or silence has none"
    )
    try require(
      logarithm.reference > 0 && logarithm.reference.isFinite, "a reference energy of \(logarithm.reference)")
    try require(logarithm.range.map { $0 > 0 } ?? true, "a range of \(logarithm.range ?? 0); it must be positive")
    guard kind == .mfcc else { return }
    try require(
      (1...mel.count).contains(cepstrum.count),
      "\(cepstrum.count) cepstra of \(mel.count) mel filters; it must be 1 to \(mel.count)")
    try require(cepstrum.lifter >= 0 && cepstrum.lifter.isFinite, "a lifter of \(cepstrum.lifter)")
    try require(
      cepstrum.energyFloor >= 1e-37 && cepstrum.energyFloor < 1e37,
      "an energy floor of \(cepstrum.energyFloor); it must be positive, or silence has no logarithm")
  }

  static func requireSampleRate(_ rate: Int) throws(FeatureError) {
    try require((100...10_000_000).contains(rate), "a sample rate of \(rate) Hz; it must be 100 to 10000000")
  }
}

private func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(FeatureError) {
  if !condition { throw .configuration(reason()) }
}
