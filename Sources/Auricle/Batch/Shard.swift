/// One of several parts of a run over many files, each done by a process of its own: the files whose path's hash falls to
/// it, so that every machine finds the same files in the same shard, whatever else is in its list.
///
///     let shard = try Shard("3/8")
///     shard.contains("recordings/seven.wav")      // the same on every machine
///
/// The hash is 64-bit FNV-1a of the path's UTF-8, mixed by the finaliser of MurmurHash3, modulo the number of shards.
public struct Shard: Hashable, Sendable, CustomStringConvertible {
  /// From 1 to `count`.
  public let index: Int
  public let count: Int

  /// Why there is no such shard.
  public struct Unusable: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
  }

  public init(_ index: Int, of count: Int) throws(Unusable) {
    guard count >= 1, (1...count).contains(index) else {
      throw Unusable(description: "there is no shard \(index) of \(count); the first is 1")
    }
    (self.index, self.count) = (index, count)
  }

  /// Reads "3/8", the third of eight.
  public init(_ text: String) throws(Unusable) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1] else {
      throw Unusable(description: "'\(text)' is no shard; the third of eight is 3/8")
    }
    try self.init(index, of: count)
  }

  /// The shard of a task of a Slurm job array, by `SLURM_ARRAY_TASK_ID`, `_MIN`, `_MAX`, `_STEP` and `_COUNT`, whatever
  /// number the array begins with. Throws where the array is no plain range, as a part of one that is run again: only the
  /// whole array has as many tasks as there are shards.
  public init(slurm environment: [String: String]) throws(Unusable) {
    func number(_ name: String) -> Int? { environment["SLURM_ARRAY_TASK_\(name)"].flatMap { Int($0) } }
    guard let id = number("ID"), let count = number("COUNT") else {
      throw Unusable(
        description: "SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT are not set: this is no task of a job array")
    }
    let (first, step) = (number("MIN") ?? 1, max(1, number("STEP") ?? 1))
    let (place, rest) = (id - first).quotientAndRemainder(dividingBy: step)
    guard rest == 0, (0..<max(1, count)).contains(place),
      number("MAX").map({ $0 == first + (count - 1) * step }) ?? true
    else {
      throw Unusable(
        description:
          "the job array is no plain range of tasks, so its \(count) tasks are not \(count) shards; say which "
          + "shard this is, for example with --shard $SLURM_ARRAY_TASK_ID/8")
    }
    try self.init(place + 1, of: count)
  }

  public var description: String { "\(index)/\(count)" }

  public func contains(_ path: String) -> Bool { contains(path.utf8) }

  func contains(_ bytes: some Sequence<UInt8>) -> Bool {
    count == 1 || pathHash(bytes) % UInt64(count) == UInt64(index - 1)
  }
}

/// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), whose low bits are poor, and MurmurHash3's finaliser, which mends
/// them.
func pathHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
  hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
  return hash ^ hash >> 33
}
