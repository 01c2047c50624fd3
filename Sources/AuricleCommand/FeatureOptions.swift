import ArgumentParser
import Auricle
import AuricleBase

/// Which features are computed: a preset or a configuration file, and single fields that are changed.
struct FeatureOptions: ParsableArguments {
  @Option(help: "Whose conventions.")
  var preset: FeatureConfiguration.Preset?
  @Option(help: "How far the flow is followed (default: mfcc).")
  var kind: FeatureConfiguration.Kind?
  @Option(
    help: ArgumentHelp("A configuration in JSON, as --print-config writes it; any of its fields.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Resample to this rate first (default: each file's own).", valueName: "Hz"))
  var sampleRate: Int?
  @Option(help: ArgumentHelp("Length of a frame, in samples or as in 25ms.", valueName: "length"))
  var frameLength: Length?
  @Option(help: ArgumentHelp("From frame to frame, in samples or as in 10ms.", valueName: "length"))
  var hopLength: Length?
  @Option(help: ArgumentHelp("Points of the Fourier transform.", valueName: "n"))
  var fftLength: Int?
  @Option(help: "Where frames lie, and what is beyond the ends.")
  var framing: FeatureConfiguration.Framing?
  @Option(help: "Shape of the window.")
  var window: FeatureConfiguration.Window.Shape?
  @Option(help: ArgumentHelp("Coefficient of the pre-emphasis, 0 for none.", valueName: "x"))
  var preEmphasis: Double?
  @Option(help: ArgumentHelp("Noise added to every sample: its standard deviation.", valueName: "x"))
  var dither: Double?
  @Option(help: ArgumentHelp("Mel filters.", valueName: "n"))
  var mels: Int?
  @Option(help: "Formula of the mel scale.")
  var melScale: FeatureConfiguration.MelFilterbank.Scale?
  @Option(help: ArgumentHelp("Where the lowest mel filter begins.", valueName: "Hz"))
  var lowFrequency: Double?
  @Option(help: ArgumentHelp("Where the highest mel filter ends.", valueName: "Hz"))
  var highFrequency: Double?
  @Flag(
    help:
      "Per-channel energy normalisation of mel energies, in place of a logarithm, of samples on the scale of 16 bits; the fields of \"pcen\" in --config change it."
  )
  var pcen = false
  @Option(help: ArgumentHelp("Cepstral coefficients, counting coefficient 0.", valueName: "n"))
  var cepstra: Int?
  @Option(help: ArgumentHelp("The lifter's L, 0 for none.", valueName: "x"))
  var lifter: Double?
  @Option(help: "An energy in place of coefficient 0.")
  var energy: FeatureConfiguration.Cepstrum.Energy?
  @Option(help: ArgumentHelp("0: none, 1: deltas, 2: and delta-deltas.", valueName: "order"))
  var deltas: Int?
  @Option(help: "What is subtracted and divided by over each file (global is left to a model).")
  var normalize: FeatureConfiguration.Normalization?

  /// The members of the JSON form that options give.
  private var members: [(path: String, value: JSONValue?)] {
    func name(_ value: (some RawRepresentable<String>)?) -> JSONValue? { value.map { .text($0.rawValue) } }
    func integer(_ value: Int?) -> JSONValue? { value.map { .integer(Int64($0)) } }
    func number(_ value: Double?) -> JSONValue? { value.map { .number($0) } }
    return [
      ("preset", name(preset)), ("kind", name(kind) ?? (pcen ? .text("mel") : nil)),
      ("pcen", pcen ? .object([:]) : nil), ("inputScale", pcen ? .text("int16") : nil),
      ("sampleRate", integer(sampleRate)),
      ("frameLength", frameLength?.value), ("hopLength", hopLength?.value), ("fftLength", integer(fftLength)),
      ("framing", name(framing)), ("window.shape", name(window)), ("preEmphasis.coefficient", number(preEmphasis)),
      ("dither.amount", number(dither)), ("mel.count", integer(mels)), ("mel.scale", name(melScale)),
      ("mel.lowFrequency", number(lowFrequency)), ("mel.highFrequency", number(highFrequency)),
      ("cepstrum.count", integer(cepstra)), ("cepstrum.lifter", number(lifter)), ("cepstrum.energy", name(energy)),
      ("deltas.order", integer(deltas)), ("normalization", name(normalize)),
    ]
  }

  var isEmpty: Bool { config == nil && members.allSatisfy { $0.value == nil } }

  /// Whether nothing is asked for but how coefficients are normalised.
  var isOnlyNormalization: Bool {
    config == nil && members.allSatisfy { $0.value == nil || $0.path == "normalization" }
  }

  /// The configuration file with the options' members put over it.
  func recipe() throws -> FeatureRecipe {
    var json = JSONValue.object([:])
    if let config {
      let text = String(decoding: try FileAccess.read(config, limit: 1 << 20), as: UTF8.self)
      do {
        _ = try FeatureConfiguration(json: text)
        json = try JSONValue(json: text)
      } catch {
        throw CommandError("\(config): \(error)")
      }
    }
    for case (let path, let value?) in members { json[path] = value }
    json["preset"] = json["preset"] ?? .text(FeatureConfiguration.Preset.speech.rawValue)
    return try FeatureRecipe(json)
  }

  /// For sound at `rate` Hz to train on: `base` with the options' members put over it or, with a preset, a file or another
  /// kind, those. Each coefficient is normalised over the training data, unless an option or the file says otherwise.
  func configuration(base: FeatureConfiguration, rate: Int) throws -> FeatureConfiguration {
    if isEmpty { return base }
    var options = self
    options.sampleRate = rate
    guard preset == nil && config == nil && (kind == nil || kind == base.kind || kind == .mel) else {
      var configuration = try options.recipe().configuration(at: rate)
      let says = try config.map {
        let text = String(decoding: try FileAccess.read($0, limit: 1 << 20), as: UTF8.self)
        return try JSONValue(json: text)["normalization"] != nil
      }
      if normalize == nil && says != true { configuration.normalization = .global }
      return configuration
    }
    var json = try JSONValue(json: base.json)
    for case (let path, let value?) in options.members { json[path] = value }
    if fftLength == nil {
      let length = try FeatureConfiguration(json: json.json).frameLength
      if length > base.fftLength || frameLength != nil {
        var power = 1
        while power < min(length, 1 << 20) { power *= 2 }
        json["fftLength"] = .integer(Int64(power))
      }
    }
    let configuration = try FeatureConfiguration(json: json.json)
    try configuration.validate()
    return configuration
  }

  /// A stretch of time or a number of samples, as the JSON form takes it.
  struct Length: ExpressibleByArgument {
    let value: JSONValue

    init?(argument: String) {
      let number = { (suffix: String) in Double(argument.dropLast(suffix.count).filter { $0 != " " }) }
      if let samples = Int(argument) {
        value = .integer(Int64(samples))
      } else if argument.hasSuffix("ms"), let time = number("ms") {
        value = .text("\(time) ms")
      } else if argument.hasSuffix("s"), let time = number("s") {
        value = .text("\(time * 1000) ms")
      } else {
        return nil
      }
    }
  }
}

extension FeatureConfiguration.Preset: ExpressibleByArgument {}
extension FeatureConfiguration.Kind: ExpressibleByArgument {}
extension FeatureConfiguration.Framing: ExpressibleByArgument {}
extension FeatureConfiguration.Window.Shape: ExpressibleByArgument {}
extension FeatureConfiguration.MelFilterbank.Scale: ExpressibleByArgument {}
extension FeatureConfiguration.Cepstrum.Energy: ExpressibleByArgument {}
extension FeatureConfiguration.Normalization: ExpressibleByArgument {}
