import AuricleBase
import Dispatch

/// The lines of a list of files, taken by several threads, a few at a time, in order.
///
/// The list is read when lines are wanted, and as far as they are there: one that comes through a pipe is answered line by
/// line, and one of a million lines takes no more memory than one of a thousand.
public final class FileList: Sendable {
  /// What an earlier run has answered: so many lines from the first on, with a hash of what they name.
  public struct Answered: Hashable, Sendable {
    public internal(set) var rows = 0
    var hash: UInt64 = 0

    public init() {}

    mutating func add(_ identity: String) {
      rows += 1
      hash = hash &* 0x100_0000_01B3 &+ pathHash(identity.utf8)
    }
  }

  /// Where the list is; `-` for standard input.
  public let path: String
  private let shard: Shard?
  let jobs: Int
  private let answered: Answered
  private let checksNames: Bool
  private let decoding: SoundDecoding
  private let found = Locked(LeftOut())
  private let reader: ListReader
  /// Whether lines are paths, whatever they look like.
  private let arePaths: Bool
  private let state: Locked<State>
  /// Reading waits, which no thread of the tasks may.
  private let queue = DispatchQueue(label: "auricle.list")

  private struct State {
    var line = 0
    var skipped = Answered()
    var lines: ArraySlice<ListedFile> = []
    var turn = 0
    var place = 0
    /// Of what was made of earlier lines: which line it was, by the hash of the name.
    var names: [UInt64: Int] = [:]
    var isReading = false
    var isEnded = false
    var failure: (any Error)?
    var waiting: [CheckedContinuation<Void, Never>] = []

    mutating func wake() -> [CheckedContinuation<Void, Never>] {
      defer { waiting = [] }
      return waiting
    }
  }

  /// Files that were passed over in folders so far.
  public var leftOut: LeftOut { found.withLock { $0 } }

  /// Lines handed out together at most.
  private static let most = 16

  /// Opens the list at `path`, of which only the lines of `shard` count, and of those not the first ones, which are
  /// `answered`. With `checksNames`, lines are handed out one by one, and no two have one `outputName`. Throws `FileError`.
  public init(
    path: String, shard: Shard? = nil, answered: Answered = Answered(), checksNames: Bool = false, jobs: Int = 1,
    decoding: SoundDecoding = SoundDecoding()
  ) throws {
    self.path = path
    (self.shard, self.answered, self.checksNames, self.jobs) = (shard, answered, checksNames, jobs)
    self.decoding = decoding
    let lines = try LineReader(path)
    reader = ListReader { try lines.next() }
    arePaths = false
    state = Locked(State())
  }

  /// The same of audio files and folders of them, which are looked through as files are wanted: as `AudioFiles.expand` does,
  /// whose errors are thrown on the way.
  public init(
    files: [String], shard: Shard? = nil, answered: Answered = Answered(), jobs: Int = 1,
    decoding: SoundDecoding = SoundDecoding()
  ) {
    path = "the files given"
    (self.shard, self.answered, checksNames, self.jobs) = (shard, answered, false, jobs)
    self.decoding = decoding
    var walk = AudioFileWalk(files, extensions: decoding.extensions)
    reader = ListReader { [found] in
      var lines: [ArraySlice<UInt8>] = []
      while lines.count < 256, let file = try walk.next() { lines.append(Array(file.utf8)[...]) }
      let leftOut = walk.leftOut
      found.withLock { $0 = leftOut }
      return lines.isEmpty ? nil : lines
    }
    arePaths = true
    state = Locked(State())
  }

  /// The next lines; nil after the last. Each turn, from 0 on, is asked for once.
  ///
  /// Throws `FileError`, and `EvaluationError.notResumed` where the first lines are not those that were answered.
  func lines(turn: Int) async throws -> ArraySlice<ListedFile>? {
    while true {
      let found = try state.withLock {
        state -> (lines: ArraySlice<ListedFile>?, woken: [CheckedContinuation<Void, Never>])? in
        if state.turn == turn && !state.lines.isEmpty {
          // What is there is shared out evenly.
          let count = checksNames ? 1 : min(Self.most, max(1, state.lines.count / (4 * jobs)))
          let lines = state.lines.prefix(count)
          state.lines = state.lines.dropFirst(count)
          state.turn += 1
          return (lines, state.wake())
        }
        if let failure = state.failure { throw failure }
        if state.isEnded && state.lines.isEmpty { return (nil, []) }
        return nil
      }
      if let found {
        for continuation in found.woken { continuation.resume() }
        return found.lines
      }
      await withCheckedContinuation { continuation in
        let next = state.withLock { state -> (waits: Bool, reads: Bool) in
          let canGoOn =
            state.turn == turn && !state.lines.isEmpty || state.failure != nil || state.isEnded && state.lines.isEmpty
          if canGoOn { return (false, false) }
          state.waiting.append(continuation)
          let reads = state.lines.isEmpty && !state.isReading && !state.isEnded
          if reads { state.isReading = true }
          return (true, reads)
        }
        if !next.waits { continuation.resume() }
        if next.reads { queue.async { self.read() } }
      }
    }
  }

  /// No more lines are handed out, and nobody waits for one.
  func stop() {
    let waiting = state.withLock { state in
      state.isEnded = true
      state.lines = []
      return state.wake()
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Reads until there is a line to hand out.
  private func read() {
    while true {
      // Without the lock, so that others can take lines meanwhile.
      let outcome = Result { try reader.next() }
      let (isDone, waiting) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
        do {
          if let lines = try outcome.get() {
            try take(lines, &state)
            if state.lines.isEmpty && !state.isEnded { return (false, []) }
          } else {
            state.isEnded = true
            if state.skipped != answered { throw mismatch() }
          }
        } catch {
          state.failure = error
        }
        state.isReading = false
        return (true, state.wake())
      }
      for continuation in waiting { continuation.resume() }
      if isDone { return }
    }
  }

  private func take(_ lines: [ArraySlice<UInt8>], _ state: inout State) throws {
    for bytes in lines {
      state.line += 1
      // Most lines are plain paths of other shards.
      let isObject = !arePaths && bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
      if let shard, !isObject, !shard.contains(bytes) { continue }
      var file =
        arePaths
        ? ListedFile(path: String(decoding: bytes, as: UTF8.self), line: state.line)
        : ListedFile(bytes, line: state.line)
      if let shard, isObject {
        guard file.example.path.isEmpty ? shard.contains(bytes) : shard.contains(file.example.path) else { continue }
      }
      if state.skipped.rows < answered.rows {
        state.skipped.add(file.identity)
        if state.skipped.rows == answered.rows && state.skipped != answered { throw mismatch() }
      } else if !state.isEnded {
        file.example.sound = file.example.sound.decoded(by: decoding)
        file.place = state.place
        state.place += 1
        if checksNames, file.problem == nil {
          if let earlier = state.names.updateValue(file.line, forKey: pathHash(file.outputName.utf8)) {
            file.problem =
              "line \(file.line) of the list: what is made of it is called '\(file.outputName)', as of line \(earlier); "
              + "give it an 'id'"
          }
        }
        state.lines.append(file)
      }
    }
  }

  private func mismatch() -> EvaluationError {
    .notResumed(
      path: path, reason: "its first \(answered.rows) lines are not those that were answered; go on with the same list")
  }
}

/// Used by one thread at a time: the one that has set `isReading`.
private struct ListReader: @unchecked Sendable {
  let next: () throws -> [ArraySlice<UInt8>]?
}
