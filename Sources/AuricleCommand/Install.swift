import ArgumentParser
import Auricle
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct Install: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Install this program, completions and manual pages.",
    discussion: """
      Example:
        sudo .build/release/auricle install --prefix /usr/local

      Writes the program to PREFIX/bin, completions for bash, zsh and fish and a
      manual page for each command below PREFIX/share, where shells and man look.
      """)

  @Option(help: ArgumentHelp("Folder to install below (default: .local in the home folder).", valueName: "folder"))
  var prefix: String?

  func run() throws {
    guard let prefix = prefix ?? ProcessInfo.processInfo.environment["HOME"].map({ $0 + "/.local" }) else {
      throw CommandError("there is no home folder; say where with --prefix")
    }
    let program = prefix + "/bin/auricle"
    let own = try Self.ownPath()
    try copy(own, to: program)
    for (shell, path) in [
      (CompletionShell.bash, "share/bash-completion/completions/auricle"),
      (.zsh, "share/zsh/site-functions/_auricle"), (.fish, "share/fish/vendor_completions.d/auricle.fish"),
    ] {
      try write(AuricleCommand.completionScript(for: shell), to: "\(prefix)/\(path)")
    }
    for (name, page) in Manual.pages { try write(page, to: "\(prefix)/share/man/man1/\(name).1") }
    try StandardOutput.write(
      "\(program)\n\(prefix)/share: completions for bash, zsh and fish, \(Manual.pages.count) manual pages")
  }

  private func write(_ text: String, to path: String) throws {
    try makeFolder(of: path)
    try FileAccess.writeAtomically(text, to: path)
  }

  /// Takes the place of what is there only when it is whole.
  private func copy(_ own: String, to program: String) throws {
    let part = program + ".part"
    try makeFolder(of: program)
    do {
      try? FileManager.default.removeItem(atPath: part)
      try FileManager.default.copyItem(atPath: own, toPath: part)
    } catch {
      throw CommandError("\(part): cannot be written")
    }
    guard chmod(part, 0o755) == 0, rename(part, program) == 0 else {
      throw CommandError("\(program): cannot be written")
    }
  }

  private func makeFolder(of path: String) throws {
    try FileAccess.makeFolder(
      path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/"))
  }

  /// Where the running program is.
  private static func ownPath() throws -> String {
    #if canImport(Darwin)
      var size: UInt32 = 4096
      var path = [CChar](repeating: 0, count: Int(size))
      guard _NSGetExecutablePath(&path, &size) == 0 else {
        throw CommandError("where this program is cannot be found out")
      }
      return String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
      guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
        throw CommandError("where this program is cannot be found out")
      }
      return path
    #endif
  }
}

/// Manual pages (man 7 man), made of what `--help` says.
enum Manual {
  /// A page for the program, and one for each command.
  static var pages: [(name: String, text: String)] {
    [("auricle", page("auricle", AuricleCommand.self, AuricleCommand.helpMessage(columns: 78)))]
      + AuricleCommand.configuration.subcommands.map { command in
        let name = "auricle-" + AuricleCommand.name(of: command)
        return (name, page(name, command, AuricleCommand.helpMessage(for: command, columns: 78)))
      }
  }

  private static func page(_ name: String, _ command: any ParsableCommand.Type, _ help: String) -> String {
    var text = ".TH \(name.uppercased()) 1 \"\" \"auricle \(AuricleCommand.configuration.version)\"\n.SH NAME\n"
    let abstract = command.configuration.abstract
    text += "\(name) \\- \(escaped(abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract))\n"
    var isOpen = false
    for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
      if let title = title(line) {
        text +=
          (isOpen ? ".fi\n" : "")
          + ".SH \(title == "OVERVIEW" ? "DESCRIPTION" : title == "USAGE" ? "SYNOPSIS" : title)\n.nf\n"
        isOpen = true
        let rest = line.drop { $0 != ":" }.dropFirst().drop { $0 == " " }
        if !rest.isEmpty { text += escaped(String(rest)) + "\n" }
      } else {
        text += escaped(String(line)) + "\n"
      }
    }
    return text + (isOpen ? ".fi\n" : "")
  }

  /// "OPTIONS" of "OPTIONS:", "OVERVIEW" of "OVERVIEW: What it does".
  private static func title(_ line: Substring) -> String? {
    guard let colon = line.firstIndex(of: ":") else { return nil }
    let word = line[..<colon]
    guard !word.isEmpty, word.allSatisfy({ $0.isUppercase || $0 == " " }) else { return nil }
    return String(word)
  }

  /// Backslashes are escapes to roff, hyphens become dashes, and a line that begins with a dot is a request.
  private static func escaped(_ line: String) -> String {
    let text = line.replacingScalars { $0 == "\\" ? "\\e" : $0 == "-" ? "\\-" : nil }
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }
}
