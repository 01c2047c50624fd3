import Foundation
import Testing

@testable import Auricle

@Suite("Shards and processors")
struct ShardTests {
  @Test("every path is in one shard, shards are about alike, and the hash is the documented one")
  func hash() throws {
    let paths = (0..<4000).map { "recordings/\($0 * 2).wav" }
    for count in [1, 2, 3, 8, 64] {
      let shards = try (1...count).map { try Shard($0, of: count) }
      let sizes = shards.map { shard in paths.count { shard.contains($0) } }
      #expect(sizes.reduce(0, +) == paths.count)
      let mean = Double(paths.count) / Double(count)
      #expect(sizes.allSatisfy { abs(Double($0) - mean) < 5 * mean.squareRoot() }, "\(sizes)")
    }
    // FNV-1a of "a" is 0xAF63DC4C8601EC8C (its authors' test vectors); MurmurHash3's finaliser of it by Python's integers.
    #expect(pathHash("a".utf8) == 0x82A2_A958_A9BE_CE5B)
  }

  @Test(
    "a shard is read from text, and what is none is refused", arguments: ["", "3", "0/3", "4/3", "1/0", "1/2/3", "a/b"])
  func text(wrong: String) throws {
    #expect(try Shard("3/8") == Shard(3, of: 8))
    #expect(throws: Shard.Unusable.self) { try Shard(wrong) }
  }

  @Test(
    "the task of a job array is its shard, whatever the array begins with and steps by",
    arguments: [(1, 1, 8, 1, 8, "1/8"), (7, 0, 7, 1, 8, "8/8"), (20, 10, 40, 10, 4, "2/4"), (5, 5, 5, 1, 1, "1/1")])
  func slurm(id: Int, least: Int, most: Int, step: Int, count: Int, shard: String) throws {
    #expect(try Shard(slurm: array(id, least, most, step, count)).description == shard)
  }

  @Test("tasks that are no range, as those of an array that are run again, are no shards")
  func slurmRefused() {
    #expect(throws: Shard.Unusable.self) { try Shard(slurm: [:]) }
    #expect(throws: Shard.Unusable.self) { try Shard(slurm: array(7, 3, 7, 1, 2)) }  // --array=3,7
    #expect(throws: Shard.Unusable.self) { try Shard(slurm: array(9, 1, 8, 1, 8)) }
  }

  private func array(_ id: Int, _ least: Int, _ most: Int, _ step: Int, _ count: Int) -> [String: String] {
    [
      "SLURM_ARRAY_TASK_ID": "\(id)", "SLURM_ARRAY_TASK_MIN": "\(least)", "SLURM_ARRAY_TASK_MAX": "\(most)",
      "SLURM_ARRAY_TASK_STEP": "\(step)", "SLURM_ARRAY_TASK_COUNT": "\(count)",
    ]
  }

  @Test("as many jobs as Slurm and the control group allow, of either version, in the group or above it")
  func processors() throws {
    let root = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)/"
    defer { try? FileManager.default.removeItem(atPath: root) }
    func write(_ path: String, _ text: String) throws {
      let url = URL(filePath: root + path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    func limited(_ environment: [String: String] = [:]) -> Int {
      ProcessorCount.limited(16, environment: environment, root: root)
    }
    #expect(limited() == 16)
    #expect(limited(["SLURM_CPUS_PER_TASK": "3"]) == 3 && limited(["SLURM_CPUS_PER_TASK": "x"]) == 16)
    try write("proc/self/cgroup", "0::/job/task\n")
    try write("sys/fs/cgroup/job/task/cpu.max", "max 100000\n")
    #expect(limited() == 16)
    try write("sys/fs/cgroup/job/cpu.max", "450000 100000\n")
    #expect(limited() == 5 && limited(["SLURM_CPUS_PER_TASK": "2"]) == 2)
    try write("sys/fs/cgroup/job/task/cpu.max", "50000 100000\n")
    #expect(limited() == 1)
    try write("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/12\n")
    try write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
    try write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    #expect(limited() == 16)
    try write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n")
    #expect(limited() == 3)
  }
}
