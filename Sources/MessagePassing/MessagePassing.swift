import AuricleBase
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Processes that MPI has started, as a group that trains together.
///
///     trainer.group = try MessagePassing.processes()
///
/// Part of the package with its trait `MPI` alone: Open MPI or MPICH, whichever `pkg-config` finds. Without it, there is
/// always one process.
public enum MessagePassing {
  /// The processes that `mpirun` (or Slurm's `srun`) has started together with this one; this one alone where it was started by
  /// itself. To be called once, and the group's `end` before the program ends.
  ///
  /// Throws `MessagePassingError`.
  public static func processes() throws(MessagePassingError) -> any ProcessGroup {
    guard let launched = launchedCount else { return SingleProcess() }
    #if MPI
      let group = try MPIProcessGroup()
      guard group.count == launched || launched == 0 else {
        group.end()
        throw .otherLauncher(started: launched, found: group.count)
      }
      return group
    #else
      guard launched <= 1 else { throw .notBuiltIn(started: launched) }
      return SingleProcess()
    #endif
  }

  /// How many processes a launcher says it has started; 0 where it does not say, nil where there was none.
  private static var launchedCount: Int? {
    let environment = ProcessInfo.processInfo.environment
    // Of Open MPI; of MPICH, and what speaks its protocol; of what speaks that of OpenPMIx.
    for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"] {
      if let count = environment[name].flatMap({ Int($0) }) { return count }
    }
    return environment["PMIX_RANK"] == nil ? nil : 0
  }
}

/// Why processes cannot train together.
public enum MessagePassingError: Error, Hashable, Sendable, CustomStringConvertible {
  case notBuiltIn(started: Int)
  case otherLauncher(started: Int, found: Int)
  case notStarted

  public var description: String {
    switch self {
    case .notBuiltIn(let started):
      "started as \(started) processes, but this program was built without MPI: each would train the same model; build it "
        + "with 'swift build -c release --traits MPI', or unset OMPI_COMM_WORLD_SIZE and PMI_SIZE to train \(started) times"
    case .otherLauncher(let started, let found):
      "started as \(started) processes, of which MPI finds \(found): the program was built with another MPI than mpirun's "
        + "(Open MPI, MPICH); use that one's mpirun"
    case .notStarted: "MPI cannot be started, or allows no calls from several threads"
    }
  }
}
