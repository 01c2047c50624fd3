import ArgumentParser
import Auricle
import AuricleBase

#if canImport(Glibc)
  import Glibc
#endif

/// The program `auricle`.
@main
struct AuricleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "auricle",
    abstract: "Sound in, label out: train, use and judge audio classifiers.",
    discussion: """
      Example:
        auricle classify seven.wav

      Results go to standard output, everything else to standard error.

      Exit codes:
        0    all done
        1    nothing done
        2    wrong usage
        3    some files failed, the rest is done
        4    evaluate's --min-accuracy was not reached
        130  stopped in good order by Ctrl-C
        143  by SIGTERM
        141  nobody reads the output any more
      """,
    version: "0.1.0",
    subcommands: [
      Classify.self, Detect.self, Evaluate.self, Compare.self, Merge.self, Train.self, Features.self, Inspect.self,
      Export.self, Import.self, Quantize.self, Package.self, Doctor.self, Install.self,
    ])

  /// Memory of 256 KiB or more goes back to the system when it is freed. By itself glibc keeps ever larger pieces, with
  /// holes between them: a fourth of a long training's memory. (malloc.h is not in the module.)
  private static func returnLargeMemory() {
    #if canImport(Glibc)
      let thresholdOfMMAP: Int32 = -3
      typealias Option = @convention(c) (Int32, Int32) -> Int32
      guard let mallopt = dlsym(nil, "mallopt") else { return }
      _ = unsafeBitCast(mallopt, to: Option.self)(thresholdOfMMAP, 1 << 18)
    #endif
  }

  /// As it is typed.
  static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? String(describing: command).lowercased()
  }

  static func main() async {
    returnLargeMemory()
    Interruption.turnSignalsIntoErrors()
    let arguments = CommandLineText.separated(CommandLine.words)
    do {
      var command = try parseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let problems as Problems {
      for sentence in problems.sentences { StandardError.report(sentence) }
      exit(withError: ExitCode(ExitStatus.nothingDone.rawValue))
    } catch let status as ExitStatus {
      exit(withError: ExitCode(status.rawValue))
    } catch FileError.closedPipe("-") {
      exit(withError: ExitCode(ExitStatus.closedPipe.rawValue))
    } catch is CancellationError {
      StandardError.report("stopped; what was done is kept")
      exit(withError: ExitCode(Interruption.status.rawValue))
    } catch {
      let code = exitCode(for: error)
      if code == .success { exit(withError: error) }  // --help and --version
      let commands = configuration.subcommands
      if let sentence = CommandLineText.misspeltCommand(arguments, commands: commands.map { name(of: $0) }) {
        StandardError.report(sentence)
        exit(withError: ExitCode(2))
      }
      let lines = code == .validationFailure ? usage(arguments)?.lines : nil
      for line in lines ?? ["\(error)"] { StandardError.report(line) }
      exit(withError: ExitCode(code == .validationFailure ? 2 : 1))
    }
  }

  private static func usage(_ arguments: [String]) -> WrongUsage? {
    let command = configuration.subcommands.first { name(of: $0) == arguments.first }
    return WrongUsage(
      arguments, help: command.map { helpMessage(for: $0) } ?? helpMessage(), parse: { try parseAsRoot($0) },
      message: { exitCode(for: $0) == .validationFailure ? fullMessage(for: $0) : nil })
  }
}

/// How a run that was not stopped by an error ends.
enum ExitStatus: Int32, Error {
  case nothingDone = 1
  case someFailed = 3
  case belowMinimum = 4
  /// Stopped by SIGINT (Ctrl-C) or SIGTERM, or by whoever no longer reads standard output, as SIGPIPE would: 128 and the
  /// signal's number, as shells have it.
  case interrupted = 130
  case terminated = 143
  case closedPipe = 141

  /// Throws when files failed: all of them, or some. A single file's own line says enough.
  static func check(failed: Int, of total: Int) throws {
    if failed > 0 {
      if total > 1 { StandardError.report("\(failed) of \(total) files failed") }
      throw failed == total ? ExitStatus.nothingDone : ExitStatus.someFailed
    }
  }

  /// How a run with `--fail-fast` ends at its first failure, after `done` files of `total`.
  static func failFast(done: Int, of total: Int) -> ExitStatus {
    StandardError.report("stopped at the first file that failed; \(done) of \(total) files done")
    return done == 0 ? .nothingDone : .someFailed
  }
}
