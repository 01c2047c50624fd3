import AudioFeatures

extension FeatureConfiguration {
  /// Samples of a frame that reach the transform.
  var usedLength: Int { min(frameLength, fftLength) }

  /// Throws `ModelExchangeError.features` for what only Auricle computes.
  func requireExportable() throws(ModelExchangeError) {
    func refuse(_ condition: Bool, _ reason: String) throws(ModelExchangeError) {
      if condition { throw .features(reason) }
    }
    try refuse(pcen != nil, "per-channel energy normalisation (pcen); train with log-mel energies")
    try refuse(dither.amount > 0, "dither draws a random number for each sample; train with dither 0")
    try refuse(deltas.order > 0 && deltas.method != .regression, "deltas by Savitzky and Golay; train with regression")
    try refuse(deltas.order > 0 && deltas.extendsEnd, "deltas that go on beyond the end (extendsEnd)")
  }
}
