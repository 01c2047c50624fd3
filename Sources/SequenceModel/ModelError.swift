/// What can be wrong with a model: each case carries what a person needs to mend it.
public enum ModelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A configuration that cannot be built.
  case configuration(String)
  /// A file that is not a model, or not a whole one.
  case file(path: String, reason: String)
  /// Features of another shape than the model was trained on.
  case inputSize(found: Int, wanted: Int)

  public var description: String {
    switch self {
    case .configuration(let reason): "impossible model: \(reason)"
    case .file(let path, let reason): "\(path): not a model Auricle can use: \(reason)"
    case .inputSize(let found, let wanted): "the features have \(found) coefficients a frame; the model takes \(wanted)"
    }
  }
}
