/// What can be wrong with a model: each case carries what a person needs to mend it.
public enum ModelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A configuration that cannot be built.
  case configuration(String)
  /// A file that is not a model, or not a whole one.
  case file(path: String, reason: String)
  /// Features of another shape than the model was trained on.
  case inputSize(found: Int, wanted: Int)
  /// A sequence without a frame.
  case noFrames
  /// A feature that is NaN or infinite.
  case notFinite(frame: Int, coefficient: Int)
  /// Features so large that the network's output is not a number.
  case overflow
  /// A recurrent state of another network, or for another number of sequences.
  case state
  /// A model of other sequences, asked about sound.
  case notForSound
  /// A model that cannot work on a stream.
  case stream(String)

  public var description: String {
    switch self {
    case .configuration(let reason): "impossible model: \(reason)"
    case .file(let path, let reason): "\(path): not a model Auricle can use: \(reason)"
    case .inputSize(let found, let wanted): "the features have \(found) coefficients a frame; the model takes \(wanted)"
    case .noFrames: "the features hold no frame"
    case .notFinite(let frame, let coefficient):
      "coefficient \(coefficient) of frame \(frame) is not a finite number"
    case .overflow: "the network overflows: the features are too large for it, or its training diverged"
    case .state: "the recurrent state does not fit the network and the number of sequences"
    case .notForSound:
      "this model was trained on sequences that did not say which features of sound they are: it takes such sequences, not sound"
    case .stream(let reason): "this model cannot work on a stream: \(reason)"
    }
  }
}
