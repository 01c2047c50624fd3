import AuricleBase

/// Answers lines of lists with the events that are in their files: `events`, from the earliest on, each with `start`, `end`,
/// `label` and `probability`, and the `duration` that was heard.
public struct ListDetector: Sendable {
  private let detector: SoundDetector
  private let shard: Shard?
  private let isMarked: Bool
  /// By which model and settings events are found.
  public let fingerprint: String

  private static let memberNames: Set<String> = ["path", "events", "duration", "error", "stage", "model"]

  /// With `isMarked`, rows say by which model and settings they are. Throws `ModelError`.
  public init(_ detector: SoundDetector, shard: Shard? = nil, isMarked: Bool = false) throws {
    (self.detector, self.shard, self.isMarked) = (detector, shard, isMarked)
    let settings = "\(detector.window)/\(detector.hop) \(detector.overlap) \(detector.events)"
    fingerprint = try detector.classifier.model.fingerprint(
      listeningTo: "\(detector.classifier.channel) \(settings)")
  }

  /// A row for each of `files`, in order.
  public func rows(for files: ArraySlice<ListedFile>) async -> [BatchRow] {
    var rows: [BatchRow] = []
    for file in files { rows.append(await row(for: file)) }
    return rows
  }

  private func row(for file: ListedFile) async -> BatchRow {
    var members = [("path", jsonString(file.identity))]
    var (problem, warnings): (String?, [String]) = (nil, [])
    do {
      if file.problem == nil {
        var events: [SoundEvent] = []
        let summary = try await detector.detect(in: file.example.sound) { events.append($0) }
        let texts = events.sorted(by: SoundEvent.precedes).map { $0.located(in: nil).jsonLine }
        members.append(("events", "[" + texts.joined(separator: ",") + "]"))
        members.append(("duration", "\(summary.duration)"))
        warnings = summary.warnings.map(\.description)
      }
      problem = file.problem
    } catch {
      problem = Stage(of: error) == .model ? "\(file.identity): \(error)" : "\(error)"
      members.append(("error", jsonString(problem ?? "")))
      members.append(("stage", jsonString(Stage(of: error).rawValue)))
    }
    if let problem = file.problem {
      members += [("error", jsonString(problem)), ("stage", jsonString(Stage.list.rawValue))]
    }
    if isMarked { members.append(("model", jsonString(fingerprint))) }
    return BatchRow(
      members, of: file, reserved: Self.memberNames, shard: shard, error: problem, warnings: warnings)
  }
}
