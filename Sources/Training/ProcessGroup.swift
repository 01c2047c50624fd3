import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The processes that train one model together, on one machine or many, and how they hand each other what they have found.
///
/// The model is the same, byte for byte, whatever their number: each computes some of the fixed shards of every batch, and
/// the gradients are added in the order of the shards (see `BatchGradient`). `SingleProcess` is one process alone;
/// `MessagePassing` makes a group of those that MPI has started.
///
/// All processes of a group run the same program with the same settings and data, and call `exchange` equally often, in the
/// same order. Where one fails, it tells so in its next exchange, and all throw the same `ProcessGroupError`.
public protocol ProcessGroup: Sendable {
  /// The number of this process. The first, 0, is the one that saves, logs and reports.
  var rank: Int { get }
  /// How many processes there are.
  var count: Int { get }
  /// Gives `parts[k]` to process `k`, and returns what each process gave this one, in the order of their ranks.
  ///
  /// Throws where the others cannot be reached. Called by one task at a time.
  func exchange(_ parts: [[UInt8]]) async throws -> [[UInt8]]
  /// What the exchanges have cost so far; nil where that is not measured.
  var traffic: ProcessTraffic? { get }
  /// Leaves the group, when all leave it.
  func end()
}

extension ProcessGroup {
  public var traffic: ProcessTraffic? { nil }
  public func end() {}
}

/// What the exchanges of a process have cost.
public struct ProcessTraffic: Codable, Hashable, Sendable {
  public var exchanges = 0
  /// Given to others.
  public var bytes = 0
  /// Spent until all had come, and until the bytes were there.
  public var secondsWaiting = 0.0
  public var secondsMoving = 0.0

  public init() {}
}

/// One process alone.
public struct SingleProcess: ProcessGroup {
  public init() {}
  public var rank: Int { 0 }
  public var count: Int { 1 }
  public func exchange(_ parts: [[UInt8]]) -> [[UInt8]] { parts }
}

/// Why a group of processes ends. The first three are known to all of them.
public enum ProcessGroupError: Error, Hashable, Sendable, CustomStringConvertible {
  case failed(rank: Int, reason: String)
  case cancelled
  /// A process has other settings or data than the first, or another program.
  case different(rank: Int, what: String)
  /// The features of a file are not those that another process found.
  case otherFeatures(path: String, rank: Int)
  /// The others do not answer, or say what cannot be understood.
  case broken(String)

  public var description: String {
    switch self {
    case .failed(let rank, let reason): rank == 0 ? reason : "process \(rank): \(reason)"
    case .cancelled: "stopped"
    case .different(let rank, let what):
      "process \(rank) does not train what process 0 trains: \(what) is different; all need the same program, options and files"
    case .otherFeatures(let path, let rank):
      "\(path): its features here are not those that process \(rank) found: another file, another program, "
        + "or another kind of processor"
    case .broken(let reason): "the processes cannot reach each other: \(reason)"
    }
  }

  /// Whether all processes throw it, and none waits for another.
  public var isKnownToAll: Bool {
    switch self {
    case .failed, .cancelled, .different: true
    case .otherFeatures, .broken: false
    }
  }
}

// MARK: What is exchanged

extension ProcessGroup {
  /// Exchanges what this process has found, or tells that it has failed; then all throw.
  ///
  /// Throws `ProcessGroupError`; of one process, the error itself.
  package func exchange(_ parts: Result<[[UInt8]], any Error>) async throws -> [[UInt8]] {
    guard count > 1 else { return try parts.get() }
    // The last byte says what comes before it.
    var given: [[UInt8]]
    switch parts {
    case .success(let found):
      given = found
      for index in given.indices { given[index].append(0) }
    case .failure(let error):
      let isCancelled = error is CancellationError || error as? ProcessGroupError == .cancelled
      given = Array(repeating: isCancelled ? [1] : Array("\(error)".utf8) + [2], count: count)
    }
    var taken = try await exchange(given)
    guard taken.count == count, taken.allSatisfy({ (0...2).contains($0.last ?? 3) }) else {
      throw ProcessGroupError.broken("an answer of another kind")
    }
    if let rank = taken.firstIndex(where: { $0.last == 2 }) {
      throw ProcessGroupError.failed(rank: rank, reason: String(decoding: taken[rank].dropLast(), as: UTF8.self))
    }
    if taken.contains(where: { $0.last == 1 }) { throw ProcessGroupError.cancelled }
    for index in taken.indices { taken[index].removeLast() }
    return taken
  }

  /// What every process has found, in the order of their ranks.
  package func gather<Value: Codable & Sendable>(_ own: Result<Value, any Error>) async throws -> [Value] {
    guard count > 1 else { return [try own.get()] }
    let encoded = Result { Array(repeating: Array(try JSONEncoder().encode(own.get())), count: count) }
    return try await exchange(encoded).map { bytes in
      do { return try JSONDecoder().decode(Value.self, from: Data(bytes)) } catch {
        throw ProcessGroupError.broken("an answer of another kind")
      }
    }
  }

  /// The same for numbers, which need not be finite.
  package func gather(_ own: Result<[Double], any Error>) async throws -> [[Double]] {
    guard count > 1 else { return [try own.get()] }
    return try await exchange(own.map { Array(repeating: bytes(of: $0[...]), count: count) }).map {
      try numbers(in: $0)
    }
  }

  /// What the first process gives, on all of them.
  package func broadcast(_ own: Result<[UInt8], any Error>) async throws -> [UInt8] {
    try await exchange(own.map { Array(repeating: rank == 0 ? $0 : [], count: count) })[0]
  }

  /// Throws on all processes where any has failed.
  package func agree(_ own: Result<Void, any Error>) async throws {
    _ = try await exchange(own.map { Array(repeating: [], count: count) })
  }

  /// Throws `ProcessGroupError.different` on all processes where these are not the same on each.
  package func requireSame(_ facts: [(key: String, value: String)]) async throws {
    guard count > 1 else { return }
    let all = try await gather(.success(facts.map { [$0.key, $0.value] }))
    for (rank, found) in all.enumerated() where found != all[0] {
      let what = zip(found, all[0]).first { $0 != $1 }?.0.first ?? "what there is to train"
      throw ProcessGroupError.different(rank: rank, what: what)
    }
  }

  /// The part of `count` things in a row that falls to process `rank`, in as many parts as there are processes.
  package func part(_ rank: Int, of things: Int) -> Range<Int> {
    things * rank / count..<things * (rank + 1) / count
  }

  /// The sum over all shards of a batch, added in their order, of which this process has every `count`th from `rank` on.
  ///
  /// Each process adds up one part of the parameters and gives it to all: what a process gives and takes does not grow with
  /// their number (a reduce-scatter and an all-gather, as in Thakur, Rabenseifner and Gropp, 2005, in a fixed order).
  func sum(
    _ own: Result<[BatchGradient.Result], any Error>, shards: Int, parameters: Int
  ) async throws -> BatchGradient.Result {
    func shardCount(_ rank: Int) -> Int { (shards - rank + count - 1) / count }
    let taken = try await exchange(
      own.map { results in
        (0..<count).map { rank in
          results.flatMap { bytes(of: [$0.loss, Double($0.correct)]) }
            + results.flatMap { bytes(of: $0.gradient[part(rank, of: parameters)]) }
        }
      })
    let range = part(rank, of: parameters)
    var (losses, gradients): ([[Double]], [[Float]]) = ([], [])
    for (rank, message) in taken.enumerated() {
      let head = 2 * MemoryLayout<Double>.size * shardCount(rank)
      guard message.count == head + MemoryLayout<Float>.size * range.count * shardCount(rank) else {
        throw ProcessGroupError.broken("a gradient of another network")
      }
      losses.append(try numbers(in: message[..<head]))
      gradients.append(try numbers(in: message[head...]))
    }
    var total = BatchGradient.Result(gradient: [])
    for shard in 0..<shards {
      let (rank, place) = (shard % count, shard / count)
      let first = place * range.count
      total.add(
        BatchGradient.Result(
          loss: losses[rank][2 * place], correct: Int(losses[rank][2 * place + 1]),
          gradient: Array(gradients[rank][first..<first + range.count])))
    }
    let sums = try await exchange(.success(Array(repeating: bytes(of: total.gradient[...]), count: count)))
    total.gradient = try sums.flatMap { try numbers(in: $0) }
    guard total.gradient.count == parameters else { throw ProcessGroupError.broken("a gradient of another network") }
    return total
  }
}

private func bytes<Number: BitwiseCopyable>(of numbers: ArraySlice<Number>) -> [UInt8] {
  numbers.withUnsafeBytes { Array($0) }
}

private func numbers<Number: BitwiseCopyable>(in bytes: some Collection<UInt8>) throws -> [Number] {
  let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: MemoryLayout<Number>.size)
  guard rest == 0 else { throw ProcessGroupError.broken("an answer of another kind") }
  return [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
    UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
    initialized = count
  }
}
