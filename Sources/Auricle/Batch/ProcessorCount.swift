import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// How many processors this process may use.
public enum ProcessorCount {
  /// The cores it may run on, but no more than Slurm gave its task (`SLURM_CPUS_PER_TASK`) and its control group lets it use
  /// (a quota of 150% counts as 2); at least 1. As it was when it was first asked for.
  public static let available = limited(
    ProcessInfo.processInfo.activeProcessorCount, environment: ProcessInfo.processInfo.environment, root: "/")

  /// `root` is where the system's files are.
  static func limited(_ cores: Int, environment: [String: String], root: String) -> Int {
    let limits = [environment["SLURM_CPUS_PER_TASK"].flatMap { Int($0) }, controlGroupLimit(root: root)]
    return max(1, limits.compactMap { $0 }.filter { $0 > 0 }.reduce(cores, min))
  }

  /// The tightest quota of the process's control group and those above it (version 2: `cpu.max`; version 1:
  /// `cpu.cfs_quota_us` and `cpu.cfs_period_us`); nil where there is none.
  private static func controlGroupLimit(root: String) -> Int? {
    var limits: [Int] = []
    func note(_ quota: Substring?, _ period: Substring?) {
      guard let quota = quota.flatMap({ Double($0) }), let period = period.flatMap({ Double($0) }), quota > 0,
        period > 0, quota / period < 1e6
      else { return }
      limits.append(Int((quota / period).rounded(.up)))
    }
    for line in text(root + "proc/self/cgroup").split(separator: "\n") {
      // "0::/user.slice", "4:cpu,cpuacct:/docker/1234"
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",")
      guard parts[1].isEmpty || controllers.contains("cpu") else { continue }
      // In a container the group's path may not be seen from inside; its top is.
      var folder = parts[2].split(separator: "/")[...]
      while true {
        let path = folder.map { "/" + $0 }.joined()
        if parts[1].isEmpty {
          let words = text(root + "sys/fs/cgroup\(path)/cpu.max").split { $0 == " " || $0 == "\n" }
          note(words.first, words.dropFirst().first)
        } else {
          for mount in [String(parts[1]), "cpu"] {
            let file = root + "sys/fs/cgroup/\(mount)\(path)/cpu.cfs_"
            note(
              text(file + "quota_us").split(separator: "\n").first,
              text(file + "period_us").split(separator: "\n").first)
          }
        }
        if folder.popLast() == nil { break }
      }
    }
    return limits.min()
  }

  private static func text(_ path: String) -> String {
    (try? FileAccess.read(path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
