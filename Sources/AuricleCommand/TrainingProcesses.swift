import ArgumentParser
import Auricle
import AuricleBase
import MessagePassing
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A command that runs in several processes at once, started by MPI: they do the same, the first alone speaks and writes, and
/// all end together.
enum TrainingProcesses {
  /// How long others may take to hear of an error; then MPI ends them.
  private static let patience = Duration.seconds(10)

  static func run(_ body: (any ProcessGroup) async throws -> Void) async throws {
    let group = try MessagePassing.processes()
    defer { group.end() }
    guard group.count > 1 else { return try await body(group) }
    isSilent.store(group.rank != 0, ordering: .relaxed)
    do {
      do {
        try await group.requireSame([("the program", program), ("its options", options)])
        try await body(group)
        try await group.agree(.success(()))
      } catch let status as ExitStatus {
        try await group.agree(.success(()))
        throw status
      } catch let error where (error as? ProcessGroupError)?.isKnownToAll != true {
        try await tell(error, group)
      }
    } catch let error as ProcessGroupError {
      StandardError.report(error.description)
      throw ExitStatus.nothingDone
    }
  }

  /// Ends all with an error that only this process knows.
  private static func tell(_ error: any Error, _ group: any ProcessGroup) async throws {
    let text = ProcessGroupError.failed(rank: group.rank, reason: "\(error)").description
    let end: @Sendable () -> Never = {
      isSilent.store(false, ordering: .relaxed)
      StandardError.report(text)
      exit(1)
    }
    let timer = Task {
      try await Task.sleep(for: patience)
      end()
    }
    defer { timer.cancel() }
    do { try await group.agree(.failure(error)) } catch ProcessGroupError.broken { end() }
  }

  /// Of the program's file.
  private static var program: String {
    var checksum = Checksum()
    do { try FileAccess.readBlocks("/proc/self/exe") { checksum.update($0) } } catch {
      return AuricleCommand.configuration.version
    }
    return "\(checksum.value)"
  }

  /// Without those that may well differ between machines.
  private static var options: String {
    var words: [String] = []
    var skipsValue = false
    for word in CommandLine.arguments.dropFirst() {
      let isMachines = ["--jobs", "-j", "--cache-memory"].contains { word.hasPrefix($0) }
      if !skipsValue && !isMachines { words.append(word) }
      skipsValue = !skipsValue && ["--jobs", "-j", "--cache-memory"].contains(word)
    }
    return words.joined(separator: " ")
  }
}
