/// How features are stored.
public enum FeatureFileFormat: String, CaseIterable, Sendable {
  /// NumPy's array, a file for each sound: float32, frames x coefficients.
  case npy
  /// One zip archive of such arrays, `numpy.load`'s dictionary.
  case npz
  /// Comma-separated values, a file for each sound, a line for each frame.
  case csv
  /// Parameter files of the Hidden Markov Model Toolkit, a file for each sound.
  case htk
  /// One Kaldi archive of float matrices, with a script file (`.scp`) that says where each of them is.
  case ark

  /// Whether all sounds go to one file.
  public var isArchive: Bool { self == .npz || self == .ark }
}
