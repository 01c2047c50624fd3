#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The JSON form: an object with a member for each field, of the field's name.
///
///     { "preset": "kaldi", "kind": "logmel", "frameLength": "32 ms", "mel": { "count": 80 } }
///
/// Members that are missing keep the values of the `preset` (which is `speech` if that is missing too) at the sample
/// rate. Lengths are in samples, or text in milliseconds; a transform that would be too short for its frame becomes the
/// next power of two, unless `fftLength` says otherwise. Unknown members and values are refused by name.
extension FeatureConfiguration: Codable {
  /// Reads `json`. Where it names no sample rate, `sampleRate` is taken, or else the preset's own.
  ///
  /// Throws `FeatureError.configuration` for text that is not JSON, an unknown member or a wrong value.
  public init(json: String, sampleRate: Int? = nil) throws(FeatureError) {
    let decoder = JSONDecoder()
    if let sampleRate { decoder.userInfo[FeatureConfiguration.sampleRateKey] = sampleRate }
    do {
      self = try decoder.decode(FeatureConfiguration.self, from: Data(json.utf8))
    } catch let error as FeatureError {
      throw error
    } catch {
      throw .configuration("the text is not JSON with an object in it")
    }
  }

  /// Every field, indented, in alphabetical order.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""  // only NaN cannot be written
  }

  /// Where a JSON decoder's `userInfo` carries the sample rate.
  private static let sampleRateKey = CodingUserInfoKey(rawValue: "auricle.sampleRate").unsafelyUnwrapped

  public init(from decoder: any Decoder) throws {
    guard let members = try? decoder.container(keyedBy: Member.self) else {
      throw FeatureError.configuration("the configuration must be an object")
    }
    let base = try members.value(Preset.self, "preset", "") ?? .speech
    let rate =
      try members.value(Int.self, "sampleRate", "") ?? decoder.userInfo[FeatureConfiguration.sampleRateKey] as? Int
      ?? base.sampleRate
    // Presets multiply the rate, so it is checked before.
    try FeatureConfiguration.requireSampleRate(rate)
    self = base.configuration(sampleRate: rate, kind: try members.value(Kind.self, "kind", "") ?? .mfcc)
    try read(members, path: "", ignoring: ["preset"])
    if !members.contains("fftLength"), fftLength < frameLength, frameLength <= 1 << 20, !truncatesFrames {
      fftLength = FeatureConfiguration.nextPowerOfTwo(frameLength)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: Member.self)
    try write(&members)
  }
}

// MARK: The fields

extension FeatureConfiguration: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] {
    [
      .value("kind", \.kind), .value("sampleRate", \.sampleRate), .value("inputScale", \.inputScale),
      .object("dither", \.dither), .length("frameLength", \.frameLength), .length("hopLength", \.hopLength),
      .value("fftLength", \.fftLength), .value("truncatesFrames", \.truncatesFrames), .value("framing", \.framing),
      .value("removesOffset", \.removesOffset), .object("preEmphasis", \.preEmphasis), .object("window", \.window),
      .value("usesPower", \.usesPower), .value("spectrumNormalization", \.spectrumNormalization),
      .object("mel", \.mel), .optionalObject("pcen", \.pcen, standard: PCEN()),
      .object("logarithm", \.logarithm), .object("cepstrum", \.cepstrum),
      .object("deltas", \.deltas), .value("normalization", \.normalization),
    ]
  }
}

extension FeatureConfiguration.Dither: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] { [.value("amount", \.amount), .value("seed", \.seed)] }
}

extension FeatureConfiguration.Window: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] { [.value("shape", \.shape), .value("isPeriodic", \.isPeriodic)] }
}

extension FeatureConfiguration.PreEmphasis: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] {
    [
      .value("coefficient", \.coefficient), .value("scope", \.conventionalScope),
      .value("firstSample", \.firstSample),
    ]
  }

  /// A scope brings its own rule for the first sample, which `firstSample` may then change.
  private var conventionalScope: Scope {
    get { scope }
    set { self = Self(coefficient, scope: newValue) }
  }
}

extension FeatureConfiguration.MelFilterbank: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] {
    [
      .value("count", \.count), .value("lowFrequency", \.lowFrequency), .optional("highFrequency", \.highFrequency),
      .value("scale", \.scale), .value("edges", \.edges), .value("normalization", \.normalization),
      .value("emptyFilters", \.emptyFilters), .value("roundsNyquist", \.roundsNyquist),
      .value("roundsLimits", \.roundsLimits), .optional("binRate", \.binRate),
    ]
  }
}

extension FeatureConfiguration.Logarithm: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] {
    [
      .value("unit", \.unit), .value("floor", \.floor), .value("offset", \.offset), .value("reference", \.reference),
      .optional("range", \.range),
    ]
  }
}

extension FeatureConfiguration.Cepstrum: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] {
    [
      .value("count", \.count), .value("normalization", \.normalization), .value("lifter", \.lifter),
      .value("lifterConvention", \.lifterConvention), .value("energy", \.energy), .value("energyFloor", \.energyFloor),
      .value("zerothPosition", \.zerothPosition),
    ]
  }
}

extension FeatureConfiguration.Deltas: ConfigurationObject {
  static var fields: [ConfigurationField<Self>] {
    [
      .value("order", \.order), .value("halfWidth", \.halfWidth), .value("method", \.method),
      .value("extendsEnd", \.extendsEnd),
    ]
  }
}
