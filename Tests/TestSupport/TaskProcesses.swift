import Training

/// A process group whose processes are tasks of one.
public struct TaskProcess: ProcessGroup {
  public let rank: Int
  public let count: Int
  private let meeting: Meeting

  /// What each of `count` processes finds, in the order of their ranks.
  public static func run<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (TaskProcess) async -> Result
  ) async -> [Result] {
    let meeting = Meeting(count: count)
    return await withTaskGroup(of: (Int, Result).self) { group in
      for rank in 0..<count {
        group.addTask { (rank, await body(TaskProcess(rank: rank, count: count, meeting: meeting))) }
      }
      var results: [Int: Result] = [:]
      for await (rank, result) in group { results[rank] = result }
      return (0..<count).compactMap { results[$0] }
    }
  }

  public func exchange(_ parts: [[UInt8]]) async -> [[UInt8]] { await meeting.exchange(rank, parts) }

  /// Where they wait until all have come.
  private actor Meeting {
    private let count: Int
    private var given: [Int: [[UInt8]]] = [:]
    private var waiting: [(rank: Int, continuation: CheckedContinuation<[[UInt8]], Never>)] = []

    init(count: Int) { self.count = count }

    func exchange(_ rank: Int, _ parts: [[UInt8]]) async -> [[UInt8]] {
      given[rank] = parts
      return await withCheckedContinuation { continuation in
        waiting.append((rank, continuation))
        guard waiting.count == count else { return }
        for (rank, continuation) in waiting {
          continuation.resume(returning: (0..<count).map { given[$0]?[rank] ?? [] })
        }
        (given, waiting) = ([:], [])
      }
    }
  }
}
