import AuricleBase

/// Why a model cannot leave in another tool's form, or come in it.
public enum ModelExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Features that the form has no means for; the reason names the field.
  case features(String)
  /// A model of other sequences than sound, asked to take samples.
  case notForSound
  /// A network that the form has no means for.
  case network(String)
  /// A value that cannot be.
  case option(String)
  /// Larger than the form allows: so many bytes.
  case tooLarge(bytes: Int)
  /// Weights that are no network that Auricle knows, or not the one that was described.
  case weights(path: String, reason: String)

  public var description: String {
    switch self {
    case .features(let reason): "these features cannot be computed in the exported model: \(reason)"
    case .notForSound: "this model takes other sequences than sound, so it cannot take samples"
    case .network(let reason): "this network cannot be exported so: \(reason)"
    case .option(let reason): reason
    case .tooLarge(let bytes): "the exported model would have \(bytes) bytes, which is more than its form allows"
    case .weights(let path, let reason):
      // Names in a reason come from the file.
      "\(path): cannot be imported: "
        + reason.replacingScalars { $0.properties.generalCategory == .control ? "\u{FFFD}" : nil }
    }
  }
}
