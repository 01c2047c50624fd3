import AuricleBase

extension FileList {
  /// Gives each line to `answer`, a few at a time, on `jobs` threads, and hands the answers to `each`, one for each line, in
  /// order, each as soon as it and all before it are there.
  ///
  /// When `stop` says so, those in flight are finished and handed to `each` too, and `CancellationError` is thrown. Throws
  /// what the list cannot be read for, what is thrown by `each`, and what `answer` gives as a failure.
  public func answers<Answer: Sendable>(
    isolation: isolated (any Actor)? = #isolation, until stop: @autoclosure @escaping @Sendable () -> Bool = false,
    by answer: @escaping @Sendable (ArraySlice<ListedFile>, _ turn: Int) async throws -> [Answer],
    each: (ListedFile, Answer) throws -> Void
  ) async throws {
    do {
      try await orderedMap(0..., jobs: jobs, until: stop()) { turn -> Result<[(ListedFile, Answer)]?, any Error> in
        do {
          guard let files = try await self.lines(turn: turn) else { return .success(nil) }
          return .success(Array(zip(files, try await answer(files, turn))))
        } catch {
          return .failure(error)
        }
      } each: { _, result in
        do {
          guard let answers = try result.get() else { throw EndOfList() }
          for (file, answer) in answers { try each(file, answer) }
        } catch {
          // Nobody waits for a line any more that may be long in coming.
          self.stop()
          throw error
        }
      }
    } catch is EndOfList {
      return
    }
  }
}

private struct EndOfList: Error {}
