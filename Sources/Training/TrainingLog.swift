import AuricleBase
import SequenceModel

/// A folder with the course of a training run: `training.csv`, a line per epoch, and a TensorBoard event file.
///
/// Both follow from the record of the epochs alone, so that a run that was interrupted leaves the same log as one that
/// was not. Event times are all zero: choose the axis "step", which counts epochs.
public struct TrainingLog: Sendable {
  public let folder: String

  /// Makes the folder. Throws `FileError` where nothing can be written.
  public init(folder: String) throws(FileError) {
    self.folder = folder
    try FileAccess.makeFolder(folder)
    for path in [table, eventFile] { try FileAccess.checkWritable(path) }
  }

  private var table: String { "\(folder)/training.csv" }
  private var eventFile: String { "\(folder)/events.out.tfevents.0.auricle" }

  public func write(_ record: TrainingRecord) throws(FileError) {
    try FileAccess.writeAtomically(TrainingLog.csv(record), to: table)
    var events = EventFile()
    for epoch in record.epochs {
      events.append(
        step: epoch.number,
        [("learning_rate", epoch.learningRate)]
          + TrainingLog.measures(epoch).compactMap { name, value in
            value.map { (name, $0) }
          })
    }
    try write(events: events.bytes)
  }

  /// Adds what is missing at the end of the file, since TensorBoard goes on reading the one it has opened; a file that does
  /// not begin so, which is of another run, is replaced.
  private func write(events: [UInt8]) throws(FileError) {
    if let size = FileAccess.size(of: eventFile), size > 0, size <= events.count,
      FileAccess.hasPrefix(eventFile, Array(events[..<size]))
    {
      try AppendableFile(path: eventFile, keeping: size).append(events[size...])
    } else {
      try FileAccess.writeAtomically(events, to: eventFile)
    }
  }

  /// A header, then a line per epoch, in full precision; no validation leaves cells empty.
  static func csv(_ record: TrainingRecord) -> String {
    var lines = ["epoch,learning_rate,training_loss,training_accuracy,validation_loss,validation_accuracy"]
    for epoch in record.epochs {
      let cells = measures(epoch).map { $0.value.map { "\($0)" } ?? "" }
      lines.append((["\(epoch.number)", "\(epoch.learningRate)"] + cells).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Names that TensorBoard groups by what stands before the stroke.
  private static func measures(_ epoch: TrainingRecord.Epoch) -> [(name: String, value: Double?)] {
    [
      ("loss/training", epoch.trainingLoss), ("accuracy/training", epoch.trainingAccuracy),
      ("loss/validation", epoch.validationLoss), ("accuracy/validation", epoch.validationAccuracy),
    ]
  }
}
