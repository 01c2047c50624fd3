/// Why a model cannot leave in another tool's form.
public enum ModelExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Features that the form has no means for; the reason names the field.
  case features(String)
  /// A model of other sequences than sound, asked to take samples.
  case notForSound
  /// Larger than the form allows: so many bytes.
  case tooLarge(bytes: Int)

  public var description: String {
    switch self {
    case .features(let reason): "these features cannot be computed in the exported graph: \(reason)"
    case .notForSound: "this model takes other sequences than sound, so it cannot take samples"
    case .tooLarge(let bytes): "the exported model would have \(bytes) bytes; an ONNX file holds at most 2147483647"
    }
  }
}
