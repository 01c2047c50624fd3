/// Maps `inputs` on `jobs` concurrent workers and hands each result to `each`, in the order of the inputs.
///
///     try await orderedMap(files, jobs: 4) { file in measure(file) } each: { index, result in print(result) }
///
/// As many inputs are in flight as there are jobs: a worker takes the next input when it has finished its last, so a
/// slow input holds up nothing but the delivery of those after it. An input is taken from `inputs`, which may be lazy, and
/// begun only when it is at most `window * jobs` ahead of the last one delivered: no more results than that are waiting,
/// however slow one input or `each` is, and however many there are. `transform` runs on the workers; `each` runs in the
/// caller's own context, one call at a time, as soon as a result and all before it are there.
///
/// When `each` throws, or the calling task is cancelled, no new input is begun, those in flight are finished, and the
/// error is rethrown. When `stop` says so, no new input is begun, those in flight are finished and handed to `each` like
/// all others, and then `CancellationError` is thrown.
public func orderedMap<Inputs: Sequence, Output: Sendable>(
  _ inputs: sending Inputs,
  jobs: Int,
  window: Int = 8,
  isolation: isolated (any Actor)? = #isolation,
  until stop: @autoclosure @escaping @Sendable () -> Bool = false,
  transform: @escaping @Sendable (Inputs.Element) async -> Output,
  each: (Int, Output) throws -> Void
) async throws where Inputs.Element: Sendable, Inputs.Iterator: SendableMetatype {
  let jobs = max(1, jobs)
  let source = WindowedSource(inputs.makeIterator(), window: max(1, window) * jobs)
  let (results, continuation) = AsyncStream.makeStream(of: (Int, Output).self)
  try await withThrowingTaskGroup(of: Void.self) { group in
    _ = isolation  // A closure runs where its function does only if it mentions where that is.
    group.addTask {
      await withTaskGroup(of: Void.self) { workers in
        for _ in 0..<jobs {
          workers.addTask {
            while let (index, input) = await source.next(unless: stop) {
              continuation.yield((index, await transform(input)))
              // Where all threads are at work, the caller would not see a result before the last is done.
              await Task.yield()
            }
          }
        }
      }
      continuation.finish()
    }
    var waiting: [Int: Output] = [:]
    var position = 0
    do {
      for await (index, output) in results {
        waiting[index] = output
        while let ready = waiting.removeValue(forKey: position) {
          try each(position, ready)
          position += 1
          source.delivered()
        }
      }
      try Task.checkCancellation()
      if !source.isExhausted() { throw CancellationError() }
    } catch {
      source.stop()
      throw error
    }
  }
}

/// What the workers of one `orderedMap` take their inputs from.
private final class WindowedSource<Inputs: IteratorProtocol & SendableMetatype>: Sendable
where Inputs.Element: Sendable {
  private struct State {
    var inputs: Inputs
    var taken = 0
    var delivered = 0
    var isExhausted = false
    var isStopped = false
    /// Workers that have come to the end of the window.
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Locked<State>
  private let window: Int

  init(_ inputs: sending Inputs, window: Int) {
    state = Locked(State(inputs: inputs))
    self.window = window
  }

  /// Whether all inputs were begun; asked when no more are to begin.
  func isExhausted() -> Bool {
    state.withLock { $0.isExhausted || $0.inputs.next() == nil }
  }

  /// The next input and its place, once it is in the window; nil after the last, or when no more are to begin.
  func next(unless stop: @Sendable () -> Bool) async -> (Int, Inputs.Element)? {
    while !stop() && !Task.isCancelled {
      let (isInWindow, input) = state.withLock { state -> (Bool, (Int, Inputs.Element)?) in
        if state.isStopped || state.isExhausted { return (true, nil) }
        guard state.taken < state.delivered + window else { return (false, nil) }
        guard let input = state.inputs.next() else {
          state.isExhausted = true
          return (true, nil)
        }
        state.taken += 1
        return (true, (state.taken - 1, input))
      }
      if isInWindow { return input }
      await withCheckedContinuation { continuation in
        let waits = state.withLock { state in
          guard !state.isStopped, state.taken >= state.delivered + window else { return false }
          state.waiting.append(continuation)
          return true
        }
        if !waits { continuation.resume() }
      }
    }
    return nil
  }

  /// The next result has been handed on: the window moves by one.
  func delivered() {
    state.withLock { state in
      state.delivered += 1
      return state.waiting.popLast()
    }?.resume()
  }

  func stop() {
    let waiting = state.withLock { state in
      state.isStopped = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
