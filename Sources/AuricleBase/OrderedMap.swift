import Synchronization

/// Maps `inputs` on `jobs` concurrent workers and hands each result to `each`, in the order of the inputs.
///
///     try await orderedMap(files, jobs: 4) { file in measure(file) } each: { index, result in print(result) }
///
/// As many inputs are in flight as there are jobs: a worker takes the next input when it has finished its last, so a
/// slow input holds up nothing but the printing of those behind it. `transform` runs on the workers; `each` runs in
/// the caller's own context, one call at a time. When `each` throws, or the calling task is cancelled, no new input is
/// begun, those in flight are finished, and the error is rethrown. When `stop` says so, no new input is begun, those in
/// flight are finished and handed to `each` like all others, and then `CancellationError` is thrown.
public func orderedMap<Input: Sendable, Output: Sendable>(
  _ inputs: [Input],
  jobs: Int,
  isolation: isolated (any Actor)? = #isolation,
  until stop: @autoclosure @escaping @Sendable () -> Bool = false,
  transform: @escaping @Sendable (Input) async -> Output,
  each: (Int, Output) throws -> Void
) async throws {
  let next = NextIndex(end: inputs.count)
  let (results, continuation) = AsyncStream.makeStream(of: (Int, Output).self)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for _ in 0..<max(1, min(jobs, inputs.count)) {
      group.addTask {
        while !stop(), let index = next.take() {
          continuation.yield((index, await transform(inputs[index])))
          // Where all threads are at work, the caller would not see a result before the last is done.
          await Task.yield()
        }
        if next.workerIsDone(of: max(1, min(jobs, inputs.count))) { continuation.finish() }
      }
    }
    var waiting: [Int: Output] = [:]
    var position = 0
    do {
      for await (index, output) in results {
        waiting[index] = output
        while let ready = waiting.removeValue(forKey: position) {
          try each(position, ready)
          position += 1
        }
      }
      try Task.checkCancellation()
      if position < inputs.count { throw CancellationError() }
    } catch {
      next.stop()
      throw error
    }
  }
}

/// A counter shared by the workers of one `orderedMap`.
private final class NextIndex: Sendable {
  private let index = Atomic(0)
  private let finished = Atomic(0)
  private let end: Int

  init(end: Int) {
    self.end = end
  }

  func take() -> Int? {
    guard !Task.isCancelled else { return nil }
    let taken = index.wrappingAdd(1, ordering: .relaxed).oldValue
    return taken < end ? taken : nil
  }

  /// True for the last of `count` workers to finish.
  func workerIsDone(of count: Int) -> Bool {
    finished.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == count
  }

  func stop() {
    index.store(end, ordering: .relaxed)
  }
}
