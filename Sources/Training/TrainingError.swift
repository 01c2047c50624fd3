/// What can be wrong with a training run.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  case configuration(String)
  /// No example to train on.
  case noExamples
  /// The loss stopped being a number.
  case diverged(epoch: Int)
  /// The folder holds a checkpoint, and nobody asked to go on from it.
  case checkpointExists(folder: String)
  /// The checkpoint is of other data or settings: what differs, what it was and what it is now, and what else differs.
  case otherCheckpoint(folder: String, what: String, was: String, isNow: String, others: [String])
  case unusableCheckpoint(path: String, reason: String)

  public var description: String {
    switch self {
    case .configuration(let reason): "impossible training: \(reason)"
    case .noExamples: "there is nothing to train on"
    case .diverged(let epoch): "the loss is no longer a number in epoch \(epoch); try a smaller learning rate"
    case .checkpointExists(let folder):
      "\(folder): holds a checkpoint already; add --resume to go on from it, or name another folder"
    case .otherCheckpoint(let folder, let what, let was, let isNow, let others):
      "\(folder): its checkpoint is of another training: \(Self.difference(what, was, isNow))"
        + (others.isEmpty ? "" : "; also different: \(others.joined(separator: ", "))")
        + "; repeat the same command, or name another folder"
    case .unusableCheckpoint(let path, let reason):
      "\(path): not a usable checkpoint: \(reason); remove it to begin anew"
    }
  }

  /// Long texts, such as a network's, are not shown.
  private static func difference(_ what: String, _ was: String, _ isNow: String) -> String {
    if was.utf8.count + isNow.utf8.count > 80 { return "the \(what) is different" }
    return "\(what) was \(was) and is \(isNow) now"
  }
}
