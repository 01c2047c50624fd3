/// What can be wrong with a file of features, each a sentence that names it.
public enum FeatureFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// More coefficients than the format can hold.
  case tooManyCoefficients(path: String, coefficients: Int, limit: Int)
  /// Frames of another number of coefficients than the file's.
  case otherWidth(path: String, found: Int, wanted: Int)
  /// An archive that cannot be continued; the reason is a clause.
  case notContinued(path: String, reason: String)
  /// Another program is writing the archive.
  case inUse(path: String)
  /// A file that features cannot be read from; the reason is a clause.
  case unusable(path: String, reason: String)
  /// Sequences that nobody says the classes of.
  case noLabels(path: String)

  public var description: String {
    switch self {
    case .tooManyCoefficients(let path, let coefficients, let limit):
      "\(path): \(coefficients) coefficients are more than the \(limit) this format can hold"
    case .otherWidth(let path, let found, let wanted):
      "\(path): frames of \(found) coefficients do not belong into a file of \(wanted)"
    case .notContinued(let path, let reason): "\(path): cannot be continued: \(reason); write another, or overwrite it"
    case .inUse(let path): "\(path): is being written by another run"
    case .unusable(let path, let reason): "\(path): not features Auricle can use: \(reason)"
    case .noLabels(let path):
      "\(path): its sequences have no labels; say them with a file of labels, or a pattern of names"
    }
  }
}
