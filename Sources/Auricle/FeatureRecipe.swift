/// Features at any sample rate: a configuration that may leave the rate to each file.
///
///     let recipe = try FeatureRecipe(json: #"{"preset": "kaldi", "kind": "logmel"}"#)
///     try recipe.configuration(at: 8_000).sampleRate      // 8000
public struct FeatureRecipe: Sendable {
  /// The configuration in JSON; see `FeatureConfiguration.init(json:)`.
  public let json: String
  /// The rate that all files are brought to, in Hz; nil where each is taken at its own.
  public let sampleRate: Int?
  /// Whose conventions it begins with, if it says so.
  public let preset: FeatureConfiguration.Preset?

  /// Throws `FeatureError.configuration` for what cannot be read, or can be computed at no file's rate.
  public init(json: String) throws {
    _ = try FeatureConfiguration(json: json)
    try self.init(JSONValue(json: json))
  }

  /// All files are brought to the configuration's rate. Throws as the other does.
  public init(_ configuration: FeatureConfiguration) throws { try self.init(json: configuration.json) }

  package init(_ json: JSONValue) throws {
    self.json = try json.json
    let configuration = try FeatureConfiguration(json: self.json)
    preset = if case .text(let name)? = json["preset"] { FeatureConfiguration.Preset(rawValue: name) } else { nil }
    sampleRate = json["sampleRate"] == nil ? nil : configuration.sampleRate
    if sampleRate != nil { try configuration.validate() }
  }

  /// For files at `rate` Hz, unless the recipe has its own.
  public func configuration(at rate: Int?) throws(FeatureError) -> FeatureConfiguration {
    try FeatureConfiguration(json: json, sampleRate: sampleRate ?? rate)
  }
}
