#if MPI
  import AuricleBase
  import CMPI
  import Training

  /// The processes of `MPI_COMM_WORLD`.
  ///
  /// While it waits for others it sleeps, where MPI would use up a core. MPI may be called from any thread, one at a time.
  final class MPIProcessGroup: ProcessGroup {
    let rank: Int
    let count: Int
    private let measured = Locked(ProcessTraffic())
    var traffic: ProcessTraffic? { measured.withLock { $0 } }

    /// Bytes that MPI, which counts in 32 bits, is given at once.
    private static let mostBytes = 1 << 30

    init() throws(MessagePassingError) {
      var (rank, count): (Int32, Int32) = (0, 0)
      guard cmpi_start(&rank, &count) != 0, count > 0 else { throw .notStarted }
      (self.rank, self.count) = (Int(rank), Int(count))
    }

    func end() { cmpi_end() }

    func exchange(_ parts: [[UInt8]]) async throws -> [[UInt8]] {
      precondition(parts.count == count, "a part for each process")
      let start = ContinuousClock.now
      // How much each gives to each, and the most that anyone gives to anyone, which decides the number of rounds.
      let most = parts.map(\.count).max() ?? 0
      let sizes = try await numbers(parts.map { [UInt64($0.count), UInt64(most)] })
      let arrived = ContinuousClock.now
      let limit = Self.mostBytes / count
      guard sizes.allSatisfy({ $0[0] <= $0[1] && $0[1] < 1 << 48 }) else {
        throw ProcessGroupError.broken("an answer of another kind")
      }
      let rounds = (Int(sizes.map { $0[1] }.max() ?? 0) + limit - 1) / limit
      var taken = sizes.map { _ in [UInt8]() }
      for round in 0..<rounds {
        let pieces = parts.map { $0[min($0.count, round * limit)..<min($0.count, (round + 1) * limit)] }
        let counts = sizes.map { max(0, min(limit, Int($0[0]) - round * limit)) }
        for (rank, piece) in try await bytes(pieces, taking: counts).enumerated() { taken[rank] += piece }
      }
      let end = ContinuousClock.now
      let given = parts.enumerated().reduce(0) { $0 + ($1.offset == rank ? 0 : $1.element.count) }
      measured.withLock { measured in
        measured.exchanges += 1
        measured.bytes += given
        measured.secondsWaiting += (arrived - start) / .seconds(1)
        measured.secondsMoving += (end - arrived) / .seconds(1)
      }
      return taken
    }

    private func numbers(_ rows: [[UInt64]]) async throws -> [[UInt64]] {
      let each = rows[0].count
      let (give, take) = (Buffer(rows.flatMap { $0 }), Buffer([UInt64](repeating: 0, count: each * count)))
      try await finish { cmpi_exchange_numbers(give.start, take.start, Int32(each), $0) }
      let found = take.values
      return (0..<count).map { Array(found[$0 * each..<($0 + 1) * each]) }
    }

    private func bytes(_ pieces: [ArraySlice<UInt8>], taking counts: [Int]) async throws -> [ArraySlice<UInt8>] {
      func places(_ counts: [Int]) -> [Int32] {
        counts.indices.map { Int32(counts[..<$0].reduce(0, +)) }
      }
      let give = Buffer(pieces.flatMap { $0 })
      let take = Buffer([UInt8](repeating: 0, count: counts.reduce(0, +)))
      let giveCounts = Buffer(pieces.map { Int32($0.count) })
      let givePlaces = Buffer(places(pieces.map(\.count)))
      let (takeCounts, takePlaces) = (Buffer(counts.map { Int32($0) }), Buffer(places(counts)))
      // MPI may read the counts until all is done.
      try await finish {
        cmpi_exchange_bytes(
          give.start, giveCounts.start, givePlaces.start, take.start, takeCounts.start, takePlaces.start, $0)
      }
      withExtendedLifetime((give, giveCounts, givePlaces, takeCounts, takePlaces)) {}
      let found = take.values
      return counts.indices.map { found[Int(takePlaces.values[$0])...].prefix(counts[$0]) }
    }

    /// Begins, and waits until it is done: first with all its might, then with pauses.
    private func finish(_ begin: (UnsafeMutablePointer<cmpi_request>) -> Int32) async throws {
      let request = Buffer([cmpi_request()])
      try check(begin(request.start))
      let start = ContinuousClock.now
      var isDone: Int32 = 0
      while true {
        try check(cmpi_test(request.start, &isDone))
        if isDone != 0 { return }
        if ContinuousClock.now - start > .milliseconds(1) {
          // Once the task is cancelled there is no sleep any more.
          if (try? await Task.sleep(for: .microseconds(100))) == nil { await Task.yield() }
        }
      }
    }

    private func check(_ result: Int32) throws(ProcessGroupError) {
      guard result != 0 else { return }  // MPI_SUCCESS
      var text = [CChar](repeating: 0, count: 512)
      cmpi_error(result, &text, Int32(text.count))
      throw .broken(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Memory that stays where it is while MPI reads or writes it. `@unchecked Sendable`: one task uses it.
    private final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
      let start: UnsafeMutablePointer<Element>
      private let count: Int

      init(_ values: [Element]) {
        count = values.count
        start = .allocate(capacity: max(1, count))
        values.withUnsafeBufferPointer {
          if let base = $0.baseAddress { start.initialize(from: base, count: $0.count) }
        }
      }

      deinit { start.deallocate() }

      var values: [Element] { Array(UnsafeBufferPointer(start: start, count: count)) }
    }
  }
#endif
