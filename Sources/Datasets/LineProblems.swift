/// What is wrong in the lines of a file, so that all of it is told at once.
struct LineProblems {
  let path: String
  private var errors: [DatasetError] = []

  init(path: String) {
    self.path = path
  }

  mutating func add(_ error: DatasetError) { errors.append(error) }

  /// Throws the one error there is, or all of them in one.
  func check() throws(DatasetError) {
    guard let first = errors.first else { return }
    if errors.count == 1 { throw first }
    var reasons: [String] = []
    var lines: [String: [Int]] = [:]
    for error in errors {
      guard let (line, reason) = error.lineAndReason else { throw error }
      if lines[reason] == nil { reasons.append(reason) }
      lines[reason, default: []].append(line)
    }
    let problems = reasons.map { DatasetError.LineProblem(lines: lines[$0] ?? [], reason: $0) }
    throw .severalLines(path: path, problems: problems)
  }
}
