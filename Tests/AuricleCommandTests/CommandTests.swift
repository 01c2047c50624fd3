import AuricleBase
import Foundation
import Testing

/// Runs the program that was built beside these tests.
struct Run {
  let status: Int32
  let output: String
  let errors: String

  var errorLines: [Substring] { errors.split(separator: "\n") }

  init(_ arguments: String..., input: String? = nil) throws {
    try self.init(arguments, input: input)
  }

  init(_ arguments: [String], input: String? = nil, environment changes: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = arguments
    if !changes.isEmpty { process.environment = ProcessInfo.processInfo.environment.merging(changes) { $1 } }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput =
      try input.map { try FileHandle(forReadingFrom: URL(filePath: $0)) } ?? FileHandle.nullDevice
    try process.run()
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }

  /// What the program writes to a terminal, with `changes` to the environment.
  static func onTerminal(_ arguments: [String], environment changes: [String: String?]) throws -> String {
    var (terminal, end): (Int32, Int32) = (-1, -1)
    guard openpty(&terminal, &end, nil, nil, nil) == 0 else { throw POSIXError(.ENOTTY) }
    defer { close(terminal) }
    let process = Process()
    process.executableURL = try program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(changes.compactMapValues { $0 }) { $1 }
      .filter { changes[$0.key] != .some(nil) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(fileDescriptor: end)
    process.standardError = FileHandle.nullDevice
    try process.run()
    close(end)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(terminal, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    process.waitUntilExit()
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Beside the test bundle, which is an argument of the test runner on Linux and this bundle elsewhere.
  static var program: URL {
    get throws {
      let bundles = CommandLine.arguments.filter { $0.contains(".xctest") } + Bundle.allBundles.map(\.bundlePath)
      let folders = bundles.compactMap { path in
        path.range(of: "/[^/]*\\.xctest", options: .regularExpression).map { String(path[..<$0.lowerBound]) }
      }
      let programs = folders.map { URL(filePath: $0 + "/auricle") }
      return try #require(programs.first { FileManager.default.isExecutableFile(atPath: $0.path) })
    }
  }
}

let fixtures = #filePath.replacing("Tests/AuricleCommandTests/CommandTests.swift", with: "Fixtures")

/// A folder that is gone after the test.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)"

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }
}

@Suite("The program")
struct CommandTests {
  @Test("classifies a file, from disk and from standard input")
  func classify() throws {
    let run = try Run("classify", "\(fixtures)/seven.wav")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output.hasPrefix("\(fixtures)/seven.wav  7  ") && run.output.contains("  0."))

    let piped = try Run("classify", "--json", "-", input: "\(fixtures)/seven.wav")
    #expect(piped.status == 0 && piped.output.contains(#""label":"7""#) && piped.output.contains(#""path":"-""#))
  }

  @Test("one bad file among several: one line, the rest done, exit code 3; nothing but bad files: 1")
  func badFiles() throws {
    let some = try Run("classify", "\(fixtures)/audio/text.wav", "\(fixtures)/seven.wav", "\(fixtures)/audio/empty.wav")
    #expect(some.status == 3 && some.output.contains("  7  "))
    #expect(some.errorLines.count == 3 && some.errorLines[0].contains("audio/text.wav: not an audio file"))
    let none = try Run("classify", "\(fixtures)/audio/text.wav")
    #expect(none.status == 1 && none.output.isEmpty && none.errorLines.count == 1)
  }

  @Test(
    "wrong usage is exit code 2",
    arguments: [["classify"], ["classify", "--top", "0", "x"], ["nonsense"], ["train", "\(fixtures)/digits"]])
  func usage(arguments: [String]) throws {
    let run = try Run(arguments)
    #expect(run.status == 2 && run.errorLines.count == 1 && run.errors.hasPrefix("auricle: ") && run.output.isEmpty)
  }

  @Test("a model that is none, a folder without audio, a class without files: one line and exit code 1")
  func oneLine() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("model.safetensors", "not a model")
    _ = try folder.write("empty/readme.txt", "no sound here")
    _ = try folder.write("sounds/cat/readme.txt", "no cat here")
    try FileManager.default.createDirectory(atPath: "\(folder.path)/sounds/dog", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "\(fixtures)/seven.wav", toPath: "\(folder.path)/sounds/dog/a.wav")
    for run in [
      try Run("classify", "--model", text, "\(fixtures)/seven.wav"),
      try Run("classify", "--model", "\(folder.path)/missing.safetensors", "\(fixtures)/seven.wav"),
      try Run("classify", "\(folder.path)/empty"),
      try Run("train", "\(folder.path)/empty", "-o", "\(folder.path)/m.safetensors"),
      try Run("train", "\(folder.path)/sounds", "-o", "\(folder.path)/m.safetensors"),
      try Run("evaluate", "\(folder.path)/missing.csv"),
      try Run("inspect", "\(folder.path)/missing.wav"),
      try Run("classify", "\(folder.path)/missing.wav"),
      try Run("train", "\(fixtures)/digits", "--label-pattern", "{label}_{voice}_{take}", "-o", "\(folder.path)/no/m"),
    ] {
      #expect(run.status == 1 && run.output.isEmpty)
      #expect(run.errorLines.count == 1 && run.errors.hasPrefix("auricle: "), "\(run.errors)")
    }
  }

  @Test("trains, inspects, classifies and evaluates, from a manifest")
  func trainAndUse() throws {
    let folder = try TemporaryFolder()
    let voices = ["flite-rms", "flite-slt", "flite-awb", "en-us-f1"]
    let rows = ["0", "7"].flatMap { digit in
      voices.flatMap { voice in
        [0, 1].map {
          "\(fixtures)/digits/\(digit)_\(voice)_\($0).wav,\(digit),\(voice == "flite-slt" ? "validation" : "training")"
        }
      }
    }
    let manifest = try folder.write("digits.csv", (["path,label,split"] + rows).joined(separator: "\n"))
    let model = "\(folder.path)/digits.safetensors"
    let train = try Run(
      "train", manifest, "-o", model, "--hidden", "16", "--layers", "1", "--epochs", "12", "--batch-size", "4",
      "--learning-rate", "0.01")
    #expect(train.status == 0 && train.output.contains("validation accuracy 100.00%"), "\(train.errors)")
    #expect(train.errors.contains("epoch 12/12"))

    let inspect = try Run("inspect", model)
    #expect(inspect.status == 0 && inspect.output.contains("Bidirectional GRU 16") && inspect.output.contains("0, 7"))
    let evaluate = try Run("evaluate", "--model", model, manifest, "--split", "validation")
    #expect(evaluate.status == 0 && evaluate.output.contains("accuracy 100.00% (4 of 4)"))
    let classify = try Run("classify", "--model", model, "\(fixtures)/seven.wav")
    #expect(classify.status == 0 && classify.output.contains("  7  "))
  }

  @Test(
    "every command explains itself with an example",
    arguments: ["classify", "evaluate", "train", "features", "inspect"])
  func help(command: String) throws {
    let run = try Run(command, "--help")
    #expect(run.status == 0 && run.output.contains("auricle \(command) ") && run.output.contains("Example"))
  }

  @Test("--version is a number of three parts")
  func version() throws {
    let parts = try Run("--version").output.dropLast().split(separator: ".")
    #expect(parts.count == 3 && parts.allSatisfy { Int($0) != nil })
  }

  @Test("an audio file's format, length and peak")
  func inspectAudio() throws {
    let run = try Run("inspect", "\(fixtures)/audio/word-stereo-44k.wav")
    #expect(run.status == 0 && run.output.contains("44100 Hz") && run.output.contains("channels  2"))
  }
}
