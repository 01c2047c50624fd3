import AudioFeatures

/// What an HTK file says it holds: a basic kind and qualifiers (the HTK Book, section 5.10.1), such as `MFCC_0_D_A`.
///
///     HTKParameterKind(.htk(sampleRate: 16_000)).name     // "MFCC_0_D_A"
///
/// HTK has coefficient 0 or the energy after the other coefficients. Where the configuration has it first the kind is
/// `USER`, since `MFCC_0` would not be true.
public struct HTKParameterKind: Hashable, Sendable {
  public let name: String
  /// The number in the file's header.
  public let code: Int16

  public init(_ configuration: FeatureConfiguration) {
    var name: String
    var code: Int16
    switch configuration.kind {
    case .mfcc where configuration.cepstrum.zerothPosition == .last:
      (name, code) = configuration.cepstrum.energy == .none ? ("MFCC_0", 6 | 0o20000) : ("MFCC_E", 6 | 0o100)
    case .logMel: (name, code) = ("FBANK", 7)
    case .mel: (name, code) = ("MELSPEC", 8)
    case .mfcc, .spectrogram: (name, code) = ("USER", 9)
    }
    if configuration.deltas.order > 0 {
      name += "_D"
      code |= 0o400
    }
    if configuration.deltas.order > 1 {
      name += "_A"
      code |= 0o1000
    }
    if configuration.kind == .mfcc, [.utteranceMean, .utteranceMeanVariance].contains(configuration.normalization) {
      name += "_Z"
      code |= 0o4000
    }
    self.name = name
    self.code = code
  }
}
