import AuricleBase
import SequenceModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A folder that keeps a training run, so that it can go on where it stopped, to the very same model.
///
/// `checkpoint.safetensors` in it holds the weights (`parameters/...`), those of the best epoch (`best/...`), their moving
/// average (`average/...`), the optimiser's state (`moment.0/...`) and, as text, where the run is and what it is a run of.
/// The file is replaced as a whole: whatever ends the program, it is the last checkpoint or the one before.
public struct CheckpointFolder: Sendable {
  public let path: String
  public let resumes: Bool

  private var file: String { "\(path)/checkpoint.safetensors" }

  /// A run that is kept in the folder at `path`, and with `resuming` goes on from what is there. Touches no file.
  public init(_ path: String, resuming: Bool) {
    self.path = path
    resumes = resuming
  }

  /// Makes the folder and removes what is left in it of a checkpoint that was not finished. A training run does this
  /// first of all; done before, it refuses what cannot work before hours are spent on reading data.
  ///
  /// Throws `TrainingError.checkpointExists` where there is a checkpoint that nobody asked to go on from, and `FileError`
  /// where none can be written.
  public func prepare() throws {
    if !resumes && holdsCheckpoint { throw TrainingError.checkpointExists(folder: path) }
    try FileAccess.makeFolder(path)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where name.hasPrefix("checkpoint.safetensors.") && name.hasSuffix(".part") {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
    try FileAccess.checkWritable(file)
  }

  /// Whether there is one to go on from.
  public var holdsCheckpoint: Bool { FileAccess.exists(file) }

  /// `path` for one part of a run.
  public func subfolder(_ name: String) -> CheckpointFolder {
    CheckpointFolder("\(path)/\(name)", resuming: resumes)
  }

  private struct Description: Codable {
    var format = Self.currentFormat
    var identity: [String: String]
    var progress: TrainingState.Progress
    var step: Int
    var record: TrainingRecord

    static let currentFormat = 2
  }

  /// What a run is a run of, by name, most telling first.
  typealias Identity = [(key: String, value: String)]

  func save(_ state: TrainingState, layout: ParameterLayout, identity: Identity) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let description = Description(
      identity: Dictionary(identity) { $1 }, progress: state.progress, step: state.optimizer.step, record: state.record)
    var tensors = TensorFile(
      metadata: ["auricle.checkpoint": String(decoding: try encoder.encode(description), as: UTF8.self)])
    func add(_ prefix: String, _ values: [Float]) {
      for tensor in layout.tensors {
        tensors.tensors["\(prefix)/\(tensor.name)"] = TensorFile.Tensor(
          Array(values[tensor.range]), shape: tensor.shape)
      }
    }
    add("parameters", state.parameters)
    add("best", state.best)
    if let average = state.average { add("average", average) }
    for (index, moment) in state.optimizer.moments.enumerated() { add("moment.\(index)", moment) }
    try FileAccess.writeAtomically(tensors.bytes(), to: file)
  }

  /// Prepares the folder, and reads what was saved; nil where nothing was. Throws as `prepare` does, and `FileError`.
  func saved() throws -> [UInt8]? {
    try prepare()
    return resumes && holdsCheckpoint ? try FileAccess.read(file) : nil
  }

  /// Puts what was saved into `state`, which is fresh. Throws `TrainingError.otherCheckpoint` where the checkpoint is not of
  /// a run of this `identity`, and `unusableCheckpoint` for damaged bytes.
  func restore(
    _ state: inout TrainingState, from bytes: [UInt8], layout: ParameterLayout, identity: Identity
  ) throws {
    func refuse(_ reason: String) -> TrainingError { .unusableCheckpoint(path: file, reason: reason) }
    let tensors: TensorFile
    do { tensors = try TensorFile(bytes: bytes, path: file) } catch { throw refuse("it is damaged") }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let text = tensors.metadata["auricle.checkpoint"],
      let saved = try? decoder.decode(Description.self, from: Data(text.utf8)),
      saved.format == Description.currentFormat
    else { throw refuse("its description is missing or of another version") }
    let different = identity.filter { $0.value != saved.identity[$0.key] }
    if let (what, isNow) = different.first {
      throw TrainingError.otherCheckpoint(
        folder: path, what: what, was: saved.identity[what] ?? "absent", isNow: isNow,
        others: different.dropFirst().map(\.key))
    }
    func values(_ prefix: String) throws(TrainingError) -> [Float] {
      var values: [Float] = []
      for tensor in layout.tensors {
        guard let found = tensors.tensors["\(prefix)/\(tensor.name)"], found.kind == .float32,
          found.shape == tensor.shape
        else { throw refuse("tensor '\(prefix)/\(tensor.name)' is missing or has another shape") }
        values += found.floats
      }
      return values
    }
    guard saved.progress.epoch >= 1, saved.progress.batch >= 0, saved.step >= 0,
      saved.record.epochs.count == saved.progress.epoch - 1
    else { throw refuse("its numbers contradict each other") }
    state.parameters = try values("parameters")
    state.best = try values("best")
    if state.average != nil { state.average = try values("average") }
    for index in state.optimizer.moments.indices { state.optimizer.moments[index] = try values("moment.\(index)") }
    state.optimizer.step = saved.step
    state.record = saved.record
    state.progress = saved.progress
  }
}
