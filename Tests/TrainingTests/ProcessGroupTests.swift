import AuricleBase
import Foundation
import SequenceModel
import TestSupport
import Testing

@testable import Training

@Suite("Training in several processes")
struct ProcessGroupTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)"

  /// Batches of 75 are 5 shards, the last one of an epoch 3; with what depends on the shards: dropout and batch statistics.
  private static func train(
    _ group: any ProcessGroup = SingleProcess(), _ change: (inout Trainer) -> Void = { _ in },
    on examples: any TrainingSource = risesAndFalls(120, seed: 1), identity: [String: String] = [:],
    stoppingAfter limit: Int = .max
  ) async throws -> (parameters: [Float], record: TrainingRecord) {
    var configuration = TrainingConfiguration()
    (configuration.epochs, configuration.batchSize, configuration.averageDecay) = (3, 75, 0.9)
    var trainer = try Trainer(configuration)
    trainer.group = group
    change(&trainer)
    let network = try NetworkConfiguration(
      input: 2,
      [
        .batchNormalization(), .recurrent(.gru, units: 8),
        .batchNormalization(), .dropout(0.2), .pooling(.mean),
        .dense(2),
      ])
    let runner = trainer
    return try await Task {
      var batches = 0
      return try await runner.train(
        network, on: examples, validatingOn: risesAndFalls(70, seed: 2), identity: identity
      ) { progress in
        if case .batch = progress {
          batches += 1
          if batches == limit { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
    }.value
  }

  private static func outcomes<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (TaskProcess) async throws -> Value
  ) async -> [Result<Value, any Error>] {
    await TaskProcess.run(count) { process in
      do { return .success(try await body(process)) } catch { return .failure(error) }
    }
  }

  @Test("the parameters and the record are those of one process, to the last bit", arguments: [2, 7])
  func sameBits(count: Int) async throws {
    let one = try await Self.train()
    for outcome in await Self.outcomes(
      count,
      { process in
        // Processes may have other numbers of threads.
        try await Self.train(process, { if process.rank == 1 { $0 = Self.faster($0) } })
      })
    {
      let several = try outcome.get()
      #expect(several.parameters == one.parameters && several.record == one.record)
    }
  }

  private static func faster(_ trainer: Trainer) -> Trainer {
    var configuration = trainer.configuration
    configuration.jobs = 2
    guard var faster = try? Trainer(configuration) else { return trainer }
    faster.group = trainer.group
    return faster
  }

  @Test("stopped in one process, all end, the first keeps the run, and another number of them goes on to the same bits")
  func resume() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try await Self.train()
    let folder = folder
    let stopped = await Self.outcomes(3) { process in
      try await Self.train(
        process, { if process.rank == 0 { $0.checkpoint = CheckpointFolder(folder, resuming: false) } },
        stoppingAfter: process.rank == 2 ? 3 : .max)
    }
    for outcome in stopped {
      #expect(throws: ProcessGroupError.cancelled) { try outcome.get() }
    }
    let resumed = await Self.outcomes(2) { process in
      try await Self.train(
        process, { if process.rank == 0 { $0.checkpoint = CheckpointFolder(folder, resuming: true) } })
    }
    for outcome in resumed { #expect(try outcome.get().parameters == whole.parameters) }
    let alone = try await Self.train { $0.checkpoint = CheckpointFolder(folder, resuming: true) }
    #expect(alone.parameters == whole.parameters && alone.record == whole.record)
  }

  /// Fails for one example.
  private struct Broken: TrainingSource {
    struct Failure: Error, CustomStringConvertible { var description: String { "a.wav: it is broken" } }
    var examples = risesAndFalls(120, seed: 1)
    var labels: [Int] { examples.labels }
    var lengths: [Int] { examples.lengths }

    func example(_ index: Int, epoch: Int) throws -> LabeledFeatures {
      if index == 41 && epoch == 2 { throw Failure() }
      return examples[index]
    }
  }

  @Test("an error in one process ends all, and all know whose it was")
  func failure() async throws {
    var found: Set<ProcessGroupError> = []
    for outcome in await Self.outcomes(3, { try await Self.train($0, on: Broken()) }) {
      do {
        _ = try outcome.get()
        Issue.record("a process has not failed")
      } catch let error as ProcessGroupError {
        found.insert(error)
      }
    }
    #expect(found.count == 1)
    guard case .failed(_, "a.wav: it is broken") = found.first else {
      Issue.record("not the reason: \(found)")
      return
    }
  }

  @Test("processes that are given other data or settings are refused")
  func different() async throws {
    for outcome in await Self.outcomes(
      3,
      { process in
        try await Self.train(process, identity: ["checksum of the data": process.rank == 2 ? "2" : "1"])
      })
    {
      #expect(throws: ProcessGroupError.different(rank: 2, what: "checksum of the data")) { try outcome.get() }
    }
    // An answer that is too short, of a program that is another.
    for outcome in await Self.outcomes(
      2,
      { process in
        try await process.sum(
          .success(process.rank == 0 ? [BatchGradient.Result(gradient: [1, 2])] : []), shards: 2, parameters: 2)
      })
    {
      #expect(throws: ProcessGroupError.self) { try outcome.get() }
    }
  }

  @Test("shards are added in their order, also where there are fewer of them, or of parameters, than processes")
  func sums() async throws {
    for (shards, parameters) in [(1, 5), (4, 2), (9, 1), (6, 13)] {
      let results = (0..<shards).map { shard in
        var generator = SeededGenerator(seed: UInt64(shard))
        return BatchGradient.Result(
          loss: generator.normal(), correct: shard,
          gradient: (0..<parameters).map { _ in Float(generator.normal() * 1e4) })
      }
      var expected = BatchGradient.Result(gradient: [])
      for result in results { expected.add(result) }
      for outcome in await Self.outcomes(
        4,
        { process in
          let own = stride(from: process.rank, to: shards, by: 4).map { results[$0] }
          return try await process.sum(.success(own), shards: shards, parameters: parameters)
        })
      {
        let sum = try outcome.get()
        #expect(sum.gradient == expected.gradient && sum.loss == expected.loss && sum.correct == expected.correct)
      }
    }
  }
}
