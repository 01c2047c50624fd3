import ArgumentParser
import AuricleBase
import Foundation
import Testing

@testable import AuricleCommand

@Suite("What people type")
struct CommandLineTextTests {
  @Test("-j4 is -j 4, and --hop -1 is --hop=-1, but not after --")
  func joined() {
    #expect(
      CommandLineText.separated(["classify", "-j4", "a.wav", "--", "-j1"]) == [
        "classify", "-j", "4", "a.wav", "--", "-j1",
      ])
    #expect(CommandLineText.separated(["-j", "-json", "-jx"]) == ["-j", "-json", "-jx"])
    #expect(CommandLineText.separated(["--hop", "-1", "--json", "-x"]) == ["--hop=-1", "--json", "-x"])
  }

  @Test(
    "a misspelt command is suggested",
    arguments: [
      ("classfy", "did you mean 'classify'?"), ("evalute", "did you mean 'evaluate'?"),
      ("Train", "did you mean 'train'?"),
      ("features.wav", "the commands are classify, "), ("frobnicate", "the commands are classify, "),
    ])
  func misspelt(word: String, hint: String) throws {
    let run = try Run(word, "x")
    #expect(run.status == 2 && run.output.isEmpty && run.errorLines.count == 1)
    #expect(
      run.errors.hasPrefix("auricle: there is no command '\(word)'; ") && run.errors.contains(hint), "\(run.errors)")
  }

  @Test("a file in the place of a command")
  func file() throws {
    let path = "\(fixtures)/seven.wav"
    #expect(
      try Run(path).errors
        == "auricle: '\(path)' is a file, where a command is wanted; for example: auricle classify \(path)\n")
  }

  @Test(
    "wrong usage is one line that says what is wrong, what is wanted, and where to read more",
    arguments: [
      (["classify"], "Missing expected argument '<file> ...'; see"),
      (["classify", "--topp", "3", "a.wav"], "Unknown option '--topp'. Did you mean '--top'?"),
      (
        ["train", "\(fixtures)/digits", "-o", "m", "--epochs", "x"],
        "The value 'x' is invalid for '--epochs <n>' (Passes over the data (default: by the effort, else 30))"
      ),
      (
        ["train", "\(fixtures)/digits", "-o", "m", "--pooling", "x"],
        "; there are: 'last', 'mean', 'max' or 'attention' (How frames become one vector); see 'auricle train"
      ),
      (["classify", "-j0", "a.wav"], "--jobs is 0; it must be 1 to 4096; see 'auricle classify --help'"),
    ])
  func oneLine(arguments: [String], words: String) throws {
    let run = try Run(arguments)
    #expect(run.status == 2 && run.output.isEmpty && run.errorLines.count == 1)
    #expect(run.errors.hasPrefix("auricle: ") && run.errors.contains(words), "\(run.errors)")
    #expect(run.errors.hasSuffix("; see 'auricle \(arguments[0]) --help'\n"))
  }

  @Test("no line of a description is so long that --help breaks it on 80 columns")
  func discussions() {
    for command in [AuricleCommand.self] + AuricleCommand.configuration.subcommands {
      for line in command.configuration.discussion.split(separator: "\n") {
        #expect(line.count <= 79, "\(line)")
      }
    }
  }

  @Test("doctor names libraries, formats and the instruction set")
  func doctor() throws {
    let run = try Run("doctor")
    #expect(run.status == 0 && run.errors.isEmpty && run.output.hasSuffix("all is well\n"))
    for word in ["libsndfile-", "fftw-3.", "WAV", "FLAC", "Vorbis", "MPEG", "instructions  "] {
      #expect(run.output.contains(word), "\(run.output)")
    }
    #expect(try Run("doctor", "--json").output.contains(#""instructionSet":""#))
  }

  @Test("install writes the program, completions and a manual page for every command")
  func install() throws {
    let folder = try TemporaryFolder()
    let run = try Run("install", "--prefix", folder.path)
    #expect(run.status == 0 && run.errors.isEmpty)
    for file in [
      "share/bash-completion/completions/auricle", "share/zsh/site-functions/_auricle",
      "share/fish/vendor_completions.d/auricle.fish",
    ] {
      #expect(try String(contentsOfFile: "\(folder.path)/\(file)", encoding: .utf8).contains("label-pattern"))
    }
    for command in AuricleCommand.configuration.subcommands {
      let page = try String(
        contentsOfFile: "\(folder.path)/share/man/man1/auricle-\(AuricleCommand.name(of: command)).1", encoding: .utf8)
      #expect(page.contains("\n.SH NAME\nauricle-") && page.contains("\n.SH OPTIONS\n"))
    }
    #expect(FileManager.default.isExecutableFile(atPath: "\(folder.path)/bin/auricle"))
  }
}
