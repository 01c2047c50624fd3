/// Why scores did not become events, or text did not become annotations.
public enum DetectionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A line of an annotation file, counted from 1, that is not what its format wants.
  case malformed(path: String, line: Int, reason: String)
  /// Neither the name nor the content of the file tells the format of its annotations.
  case unrecognizedFormat(path: String)
  /// The bytes of a file that should be text are neither UTF-8 nor UTF-16 with a byte order mark.
  case notText(path: String)
  /// Events that a format cannot hold.
  case unwritable(format: AnnotationFormat, reason: String)
  /// An event that cannot be: it ends before it begins, or has no label.
  case invalidEvent(reason: String)
  /// A value of a configuration out of its range; `name` is the property's.
  case invalidConfiguration(name: String, reason: String)
  /// A row of scores of another width than there are labels, or a track's numbers that do not make rows.
  case wrongShape(found: Int, wanted: Int)
  /// A score that is not a number, at `seconds`.
  case invalidScore(seconds: Double)
  /// A row that does not end after the one before it, or a piece that does not begin where the last one ended.
  case wrongTime(found: Double, wanted: Double)
  case duplicateLabel(String)
  case unknownLabel(String, known: [String])
  /// Files whose length is needed and was not given.
  case unknownDuration(path: String)
  /// Annotations of a sound that is not there, or may be one of several.
  case unknownSound(String, annotations: String, candidates: [String])

  public var description: String {
    switch self {
    case .malformed(let path, let line, let reason): "\(Self.name(path)), line \(line): \(reason)"
    case .unrecognizedFormat(let path):
      "\(Self.name(path)): neither its name nor its content tells the format of its annotations; "
        + "known are \(AnnotationFormat.allCases.map(\.title).joined(separator: ", "))"
    case .notText(let path): "\(Self.name(path)): not text in UTF-8, or in UTF-16 with a byte order mark"
    case .unwritable(let format, let reason): "\(format.title) cannot hold these events: \(reason)"
    case .invalidEvent(let reason): "not an event: \(reason)"
    case .invalidConfiguration(let name, let reason): "\(name): \(reason)"
    case .wrongShape(let found, let wanted): "\(found) scores, but \(wanted) are wanted"
    case .invalidScore(let seconds): "the score at \(seconds) s is not a number"
    case .wrongTime(let found, let wanted): "scores at \(found) s, but those after \(wanted) s are wanted"
    case .duplicateLabel(let label): "the label '\(label)' stands in the list of labels twice"
    case .unknownLabel(let label, let known):
      "there is no label '\(label)'; there are \(known.map { "'\($0)'" }.joined(separator: ", "))"
    case .unknownDuration(let path):
      "\(path.isEmpty ? "the sound" : path): how long it is must be known to judge its events"
    case .unknownSound(let name, let file, let candidates):
      candidates.isEmpty
        ? "\(Self.name(file)): it annotates '\(name)', but there is no such sound"
        : "\(Self.name(file)): it annotates '\(name)', which may be \(candidates.joined(separator: " or "))"
    }
  }

  private static func name(_ path: String) -> String {
    path == "-" ? "standard input" : path
  }
}

/// Throws unless `labels` are all different.
func checkUnique(_ labels: [String]) throws(DetectionError) {
  var seen: Set<String> = []
  for label in labels where !seen.insert(label).inserted { throw .duplicateLabel(label) }
}
