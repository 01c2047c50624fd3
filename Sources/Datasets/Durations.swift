import AudioInput
import AuricleBase

extension Dataset {
  /// So many of the smallest and of the largest files are opened.
  private static let opened = 5

  /// Durations, in seconds, of the examples that may be the shortest and the longest, by their identities: of those that
  /// are spans, and of the few files of the fewest and of the most bytes, whose headers alone are read as a rule.
  public func extremeDurations() -> [String: Double] {
    var durations: [String: Double] = [:]
    var files: [(example: Example, size: Int)] = []
    for example in examples {
      if let seconds = example.sound.seconds {
        durations[example.identity] = seconds.upperBound - seconds.lowerBound
      } else if let size = FileAccess.size(of: example.path), size > 0 {
        files.append((example, size))
      }
    }
    files.sort { ($0.size, $0.example.path) < ($1.size, $1.example.path) }
    let middle = files.dropFirst(Self.opened).dropLast(Self.opened).indices
    for (index, file) in files.enumerated() where !middle.contains(index) {
      guard let info = try? AudioFile(of: file.example.sound).info, info.frames > 0 else { continue }
      durations[file.example.identity] = Double(info.frames) / Double(info.sampleRate)
    }
    return durations
  }
}
