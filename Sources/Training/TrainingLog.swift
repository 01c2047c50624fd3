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
    try FileAccess.checkWritable("\(folder)/training.csv")
  }

  public func write(_ record: TrainingRecord) throws(FileError) {
    try FileAccess.writeAtomically(TrainingLog.csv(record), to: "\(folder)/training.csv")
    var events = EventFile()
    for epoch in record.epochs {
      events.append(
        step: epoch.number,
        [("learning_rate", epoch.learningRate)]
          + TrainingLog.measures(epoch).compactMap { name, value in
            value.map { (name, $0) }
          })
    }
    try bring("\(folder)/events.out.tfevents.0.auricle", to: events.bytes)
  }

  /// Adds what is missing at the end of the file, since TensorBoard goes on reading the one it has opened; a file that does
  /// not begin so, which is of another run, is replaced.
  private func bring(_ path: String, to bytes: [UInt8]) throws(FileError) {
    let present = (try? FileAccess.read(path)) ?? []
    if !present.isEmpty && bytes.starts(with: present) {
      try AppendableFile(path: path, keeping: present.count).append(bytes.dropFirst(present.count))
    } else {
      try FileAccess.writeAtomically(bytes, to: path)
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
