import ArgumentParser
import Auricle

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Show what this program stands on here, and whether it works.",
    discussion: """
      Libraries and their versions, the instruction set in use, the formats that
      can be read. Exit code 1 says that something that is needed does not work.
      """)

  @OptionGroup var output: OutputOptions

  private struct Report: Encodable {
    var version = AuricleCommand.configuration.version
    var processors = ProcessInfo.processInfo.activeProcessorCount
    var system = ProcessInfo.processInfo.operatingSystemVersionString
    var installation = Installation()
  }

  func run() throws {
    let report = Report()
    let found = report.installation
    if output.json {
      try StandardOutput.write(jsonLine(report))
    } else {
      try StandardOutput.write(
        """
        auricle       \(report.version)
        system        \(report.system), \(report.processors) processors
        instructions  \(found.instructionSet) (AURICLE_ISA=avx2 or baseline takes lower ones)
        decoding      \(found.soundLibrary)
        transforms    \(found.fourierLibrary)
        containers    \(wrapped(found.containers))
        encodings     \(wrapped(found.encodings))
        --ffmpeg      \(found.ffmpeg ?? "there is no program 'ffmpeg'; what libsndfile does not read is refused")
        """)
    }
    for problem in found.problems { StandardError.report(problem) }
    if !found.problems.isEmpty { throw ExitStatus.nothingDone }
    if !output.json { try StandardOutput.write("all is well") }
  }

  private func wrapped(_ names: [String]) -> String {
    var (lines, line) = ([String](), "")
    for name in names {
      if !line.isEmpty && line.count + name.count > 62 {
        lines.append(line + ",")
        line = name
      } else {
        line += (line.isEmpty ? "" : ", ") + name
      }
    }
    return (lines + [line]).joined(separator: "\n              ")
  }
}
