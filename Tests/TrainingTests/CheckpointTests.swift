import AuricleBase
import Foundation
import SequenceModel
import TestSupport
import Testing

@testable import Training

@Suite("Checkpoints and logs")
struct CheckpointTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)"

  private var configuration: TrainingConfiguration {
    var configuration = TrainingConfiguration()
    (configuration.epochs, configuration.batchSize, configuration.averageDecay) = (3, 30, 0.9)
    configuration.optimizer = .adamW
    configuration.schedule = .plateau
    return configuration
  }

  private func train(
    _ configuration: TrainingConfiguration, resuming: Bool? = nil, identity: [String: String] = [:],
    stoppingAfter limit: Int = .max
  ) async throws -> (parameters: [Float], record: TrainingRecord) {
    var trainer = try Trainer(configuration)
    if let resuming { trainer.checkpoint = CheckpointFolder("\(folder)/run", resuming: resuming) }
    trainer.log = try TrainingLog(folder: "\(folder)/\(resuming == nil ? "plain" : "kept")")
    let network = try classicNetwork(
      inputSize: 2, inputNormalization: .batch, hiddenSize: 8, layers: 1, dropout: 0.2,
      classCount: 2)
    let runner = trainer
    return try await Task {
      var batches = 0
      return try await runner.train(
        network, on: risesAndFalls(120, seed: 1), validatingOn: risesAndFalls(40, seed: 2), identity: identity
      ) { progress in
        if case .batch = progress {
          batches += 1
          if batches == limit { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
    }.value
  }

  @Test("a run stopped at any batch goes on to the very same parameters, record and log", arguments: [1, 2, 3, 4, 7])
  func resume(batches: Int) async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try await train(configuration)
    await #expect(throws: CancellationError.self) {
      try await train(configuration, resuming: false, stoppingAfter: batches)
    }
    // And a second time, soon after; more jobs change nothing.
    await #expect(throws: CancellationError.self) {
      try await train(configuration, resuming: true, stoppingAfter: 2)
    }
    var faster = configuration
    faster.jobs = 2
    let resumed = try await train(faster, resuming: true)
    #expect(resumed.parameters == whole.parameters && resumed.record == whole.record)
    for file in ["training.csv", "events.out.tfevents.0.auricle"] {
      #expect(try FileAccess.read("\(folder)/plain/\(file)") == FileAccess.read("\(folder)/kept/\(file)"))
    }
    // A finished run has nothing left to do.
    #expect(try await train(configuration, resuming: true).parameters == whole.parameters)
  }

  @Test("a checkpoint of other data or settings is refused, and so is one that nobody asked to go on from")
  func refused() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try await train(configuration, resuming: false, identity: ["data": "a"])
    await #expect(throws: TrainingError.checkpointExists(folder: "\(folder)/run")) {
      try await train(configuration, resuming: false)
    }
    await #expect(
      throws: TrainingError.otherCheckpoint(
        folder: "\(folder)/run", what: "data", was: "a", isNow: "b", others: ["more of it"])
    ) { try await train(configuration, resuming: true, identity: ["data": "b", "more of it": "1"]) }
    for (name, change) in settingChanges {
      var other = configuration
      change(&other)
      if other.settings == configuration.settings { continue }  // this is what was trained
      await #expect { try await train(other, resuming: true, identity: ["data": "a"]) } throws: { error in
        if case TrainingError.otherCheckpoint(_, let what, _, _, _) = error { what == name } else { false }
      }
    }
  }

  @Test("a folder is described without being touched; preparing it makes it and removes what was not finished")
  func prepare() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = CheckpointFolder(folder, resuming: false).subfolder("run")
    #expect(!FileAccess.exists(folder) && !run.holdsCheckpoint)
    try run.prepare()
    #expect(FileAccess.isFolder("\(folder)/run"))
    let left = "\(folder)/run/checkpoint.safetensors.1.2.part"
    try FileAccess.writeAtomically([1], to: left)
    _ = CheckpointFolder("\(folder)/run", resuming: true)
    #expect(FileAccess.exists(left))
    try run.prepare()
    #expect(!FileAccess.exists(left))
    try FileAccess.writeAtomically([1], to: "\(folder)/run/checkpoint.safetensors")
    #expect(throws: TrainingError.checkpointExists(folder: "\(folder)/run")) { try run.prepare() }
    try CheckpointFolder("\(folder)/run", resuming: true).prepare()
    #expect(throws: FileError.self) {
      try CheckpointFolder("\(folder)/run/checkpoint.safetensors/no", resuming: false).prepare()
    }
  }

  @Test("a damaged checkpoint is refused, whatever it was cut to or changed into")
  func damaged() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try await train(configuration, resuming: false)
    let file = "\(folder)/run/checkpoint.safetensors"
    let bytes = try FileAccess.read(file)
    for length in [0, 7, 100, bytes.count / 2, bytes.count - 1] {
      try FileAccess.writeAtomically(Array(bytes[..<length]), to: file)
      await #expect(throws: TrainingError.unusableCheckpoint(path: file, reason: "it is damaged")) {
        try await train(configuration, resuming: true)
      }
    }
    try FileAccess.writeAtomically(TensorFile(metadata: ["auricle.checkpoint": "{}"]).bytes(), to: file)
    await #expect(throws: TrainingError.self) { try await train(configuration, resuming: true) }
  }

  @Test("the log has a line per epoch")
  func log() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let record = try await train(configuration).record
    let lines = String(decoding: try FileAccess.read("\(folder)/plain/training.csv"), as: UTF8.self).split(
      separator: "\n")
    #expect(lines.count == 4 && lines[0].hasPrefix("epoch,learning_rate,"))
    #expect(lines[2].hasPrefix("2,\(record.epochs[1].learningRate),\(record.epochs[1].trainingLoss),"))
  }

  @Test("what TensorBoard has opened grows by the epochs to come; another run's file is replaced")
  func liveLog() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let record = try await train(configuration).record
    let path = "\(folder)/plain/events.out.tfevents.0.auricle"
    let whole = try FileAccess.read(path)
    let log = try TrainingLog(folder: "\(folder)/plain")
    var earlier = record
    earlier.epochs.removeLast()
    try log.write(earlier)
    let opened = try #require(FileHandle(forReadingAtPath: path))
    #expect(try [UInt8](opened.readToEnd() ?? Data()) == FileAccess.read(path))
    let length = try FileAccess.read(path).count
    try log.write(record)
    #expect(try [UInt8](opened.readToEnd() ?? Data()) == Array(whole[length...]))
    // Cut within a record, as by a full disk.
    try FileAccess.writeAtomically(Array(whole.dropLast(5)), to: path)
    try log.write(record)
    #expect(try FileAccess.read(path) == whole)
    try FileAccess.writeAtomically([1, 2, 3], to: path)
    try log.write(record)
    #expect(try FileAccess.read(path) == whole)
  }

  @Test("CRC-32C of 32 zeros is that of RFC 3720")
  func checksum() {
    #expect(castagnoli([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(castagnoli(Array("123456789".utf8)) == 0xE306_9283)
  }
}
