import AuricleBase
import Foundation
import Testing

@Suite("An ordered map")
struct OrderedMapTests {
  struct Odd: Error {}

  @Test(
    "results come in the order of the inputs, each once", arguments: [(1, 1), (1, 8), (2, 1), (4, 2), (8, 8), (0, 0)])
  func order(jobs: Int, window: Int) async throws {
    var order: [Int] = []
    try await orderedMap(Array(0..<300), jobs: jobs, window: window) { number in
      if number % 7 == 0 { usleep(300) }
      return 3 * number
    } each: { index, result in
      #expect(result == 3 * index)
      order.append(index)
    }
    #expect(order == Array(0..<300))
  }

  @Test("nothing in, nothing out")
  func nothing() async throws {
    try await orderedMap([Int](), jobs: 4, transform: { $0 }, each: { _, _ in Issue.record("a result of nothing") })
  }

  @Test("results are handed on while the work goes on, though every processor is at it")
  func promptness() async throws {
    let begun = Locked(0)
    var atFirst: Int?
    try await orderedMap(
      Array(0..<200), jobs: ProcessInfo.processInfo.activeProcessorCount, window: 200
    ) { _ in
      begun.withLock { $0 += 1 }
      usleep(1_000)
    } each: { _, _ in
      atFirst = atFirst ?? begun.withLock { $0 }
    }
    #expect(try #require(atFirst) < 200)
  }

  /// Opened by one task, waited for by another.
  private struct Gate: Sendable {
    private let ends = AsyncStream.makeStream(of: Void.self)
    func open() { ends.continuation.finish() }
    func wait() async { for await _ in ends.stream {} }
  }

  @Test(
    "while the first input is at work, no input begins beyond the window, and all within it",
    arguments: [(2, 1), (2, 3), (3, 4), (4, 8)])
  func bound(jobs: Int, window: Int) async throws {
    let (gate, begun, greatest) = (Gate(), Locked(0), Locked(0))
    let taken = Locked(0)
    // Lazy, and without an end of its own.
    let numbers = sequence(first: 0) { $0 + 1 }.lazy.map { number in
      taken.withLock { $0 = max($0, number) }
      return number
    }.prefix(1_000)
    try await orderedMap(numbers, jobs: jobs, window: window) { number in
      greatest.withLock { $0 = max($0, number) }
      // The last that the window lets begin opens the gate; had it begun without, the test would not end.
      if begun.withLock({
        $0 += 1
        return $0
      }) == jobs * window {
        Task {
          try await Task.sleep(for: .milliseconds(30))
          #expect(greatest.withLock { $0 } == jobs * window - 1)
          #expect(taken.withLock { $0 } == jobs * window - 1)
          gate.open()
        }
      }
      if number == 0 { await gate.wait() }
      return number
    } each: { index, number in
      #expect(index == number)
      #expect(taken.withLock { $0 } <= index + jobs * window)
    }
    #expect(greatest.withLock { $0 } == 999)
  }

  @Test("a slow receiver holds the workers back, too")
  func slowReceiver() async throws {
    let begun = Locked(0)
    var delivered = 0
    try await orderedMap(Array(0..<60), jobs: 2, window: 2) { _ in
      begun.withLock { $0 += 1 }
    } each: { _, _ in
      usleep(500)
      #expect(begun.withLock { $0 } <= delivered + 4)
      delivered += 1
    }
    #expect(delivered == 60)
  }

  @Test("an error of the receiver ends the map: no new input is begun, those in flight are finished")
  func receiverThrows() async throws {
    let (begun, finished) = (Locked(0), Locked(0))
    await #expect(throws: Odd.self) {
      try await orderedMap(Array(0..<10_000), jobs: 4, window: 2) { _ in
        begun.withLock { $0 += 1 }
        usleep(100)
        finished.withLock { $0 += 1 }
      } each: { index, _ in
        if index == 20 { throw Odd() }
      }
    }
    #expect(begun.withLock { $0 } == finished.withLock { $0 })
    #expect(begun.withLock { $0 } <= 20 + 8)
  }

  @Test(
    "a stop finishes and delivers what has begun, begins nothing more, and ends with CancellationError",
    arguments: [1, 8])
  func stop(window: Int) async throws {
    let (begun, isStopped) = (Locked(0), Locked(false))
    var delivered = 0
    await #expect(throws: CancellationError.self) {
      try await orderedMap(Array(0..<10_000), jobs: 3, window: window, until: isStopped.withLock { $0 }) { number in
        begun.withLock { $0 += 1 }
        if number == 50 { isStopped.withLock { $0 = true } }
      } each: { _, _ in
        delivered += 1
      }
    }
    #expect(delivered == begun.withLock { $0 } && (51...60).contains(delivered))
  }

  @Test("a stop after the last input has begun changes nothing")
  func lateStop() async throws {
    let isStopped = Locked(false)
    var delivered = 0
    try await orderedMap(Array(0..<10), jobs: 2, until: isStopped.withLock { $0 }) { number in
      if number == 9 { isStopped.withLock { $0 = true } }
    } each: { _, _ in
      delivered += 1
    }
    #expect(delivered == 10)
  }

  @Test("cancelling the task ends the map, workers that wait at the window included")
  func cancel() async throws {
    let (begun, finished, gate) = (Locked(0), Locked(0), Gate())
    let task = Task {
      try await orderedMap(Array(0..<10_000), jobs: 4, window: 1) { number in
        begun.withLock { $0 += 1 }
        if number == 0 { await gate.wait() }
        finished.withLock { $0 += 1 }
      } each: { _, _ in
      }
    }
    while begun.withLock({ $0 }) < 4 { try await Task.sleep(for: .milliseconds(1)) }
    task.cancel()
    gate.open()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(begun.withLock { $0 } == finished.withLock { $0 })
    #expect(begun.withLock { $0 } <= 8)
  }

  @Test("the receiver runs where the caller does")
  @MainActor func isolation() async throws {
    var count = 0
    try await orderedMap(Array(0..<20), jobs: 2) { number in
      number
    } each: { _, _ in
      MainActor.assertIsolated()
      count += 1
    }
    #expect(count == 20)
  }
}
