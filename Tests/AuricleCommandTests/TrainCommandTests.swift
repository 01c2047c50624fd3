import Foundation
import Testing

@Suite("Training by the program")
struct TrainCommandTests {
  private let folder: TemporaryFolder
  private let manifest: String

  init() throws {
    folder = try TemporaryFolder()
    let rows = ["0", "7"].flatMap { digit in
      ["flite-rms", "flite-slt", "flite-awb", "en-us-f1"].flatMap { voice in
        [0, 1].map { "\(fixtures)/digits/\(digit)_\(voice)_\($0).wav,\(digit),\(voice)" }
      }
    }
    manifest = try folder.write("digits.csv", (["path,label,voice"] + rows).joined(separator: "\n"))
  }

  private func arguments(_ name: String, epochs: Int = 3) -> [String] {
    [
      "train", manifest, "-o", "\(folder.path)/\(name)", "--hidden", "8", "--layers", "1", "--batch-size", "4",
      "--epochs", "\(epochs)",
    ]
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")) }

  @Test("killed again and again, at any moment, training still arrives at the model of an uninterrupted run")
  func kills() throws {
    #expect(try Run(arguments("whole", epochs: 12)).status == 0)
    var wasKilled = false
    let command = arguments("killed", epochs: 12) + ["--checkpoint", "\(folder.path)/run"]
    for attempt in 0..<12 {
      let process = Process()
      process.executableURL = try Run.program
      process.arguments = command + (attempt == 0 ? [] : ["--resume"])
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      usleep(UInt32(100_000 + 37_000 * attempt))
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      wasKilled = wasKilled || process.terminationReason == .uncaughtSignal
    }
    #expect(wasKilled)
    let run = try Run(command + ["--resume"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(try bytes("whole") == bytes("killed"))
  }

  @Test(
    "Ctrl-C and SIGTERM save, say how to go on, and end with 130 and 143", arguments: [(SIGINT, 130), (SIGTERM, 143)])
  func interrupt(signal: Int32, status: Int) throws {
    let command = arguments("model", epochs: 4000) + ["--checkpoint", "\(folder.path)/run"]
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = command
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    // Once training has begun: the first epoch's checkpoint is there.
    for _ in 0..<600 where !FileManager.default.fileExists(atPath: "\(folder.path)/run/checkpoint.safetensors") {
      usleep(50_000)
    }
    kill(process.processIdentifier, signal)
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == Int32(status))
    #expect(text.contains("stopped and saved; go on with: auricle train ") && text.contains(" --resume"))
  }

  @Test("a checkpoint is not overwritten, nor used for another training")
  func refused() throws {
    let command = arguments("model") + ["--checkpoint", "\(folder.path)/run"]
    #expect(try Run(command).status == 0)
    let again = try Run(command)
    #expect(again.status == 1 && again.errorLines.count == 1 && again.errors.contains("--resume"))
    let other = try Run(command + ["--resume", "--learning-rate", "0.5"])
    #expect(other.status == 1 && other.errors.contains("learning rate was 0.002 and is 0.5 now"), "\(other.errors)")
  }

  @Test(
    "every option changes the model, or refuses",
    arguments: [
      ["--optimizer", "sgd"], ["--weight-decay", "0.3"], ["--schedule", "one-cycle"], ["--warm-up", "2"],
      ["--class-weight", "0=3"], ["--average-decay", "0.9"], ["--architecture", "gru"],
      ["--optimizer", "sgd", "--momentum", "0.2"], ["--patience", "1"], ["--schedule", "plateau"],
    ])
  func options(extra: [String]) throws {
    #expect(try Run(arguments("plain")).status == 0)
    let run = try Run(arguments("changed") + extra)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try bytes("plain") != bytes("changed"))
  }

  @Test("weights of an unknown class, or none, are refused")
  func classWeight() throws {
    #expect(try Run(arguments("model") + ["--class-weight", "cat=2"]).errors.contains("'cat'"))
    #expect(try Run(arguments("model") + ["--class-weight", "lots"]).status == 2)
  }

  @Test("cross-validation: a line per fold, one matrix of all files, mean and spread, no model unless asked for")
  func crossValidation() throws {
    let report = "\(folder.path)/report.json"
    var command = arguments("model", epochs: 2)
    command.removeSubrange(2..<4)
    let run = try Run(command + ["--leave-one-out", "voice", "--report", report, "--log-dir", "\(folder.path)/logs"])
    #expect(run.status == 0, "\(run.errors)")
    for voice in ["flite-rms", "flite-slt", "flite-awb", "en-us-f1"] {
      #expect(run.output.contains("voice=\(voice)  accuracy "))
    }
    #expect(run.output.contains("of 16)") && run.output.contains("standard deviation"))
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: report))) as? [String: Any])
    let folds = try #require(json["folds"] as? [[String: Any]])
    let accuracies = folds.compactMap { $0["accuracy"] as? Double }
    #expect(accuracies.count == 4)
    #expect(abs(accuracies.reduce(0, +) / 4 - (json["meanAccuracy"] as? Double ?? -1)) < 1e-12)
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/logs/fold-4/training.csv"))
    let same = try Run(command + ["--leave-one-out", "voice", "--jobs", "2"])
    #expect(same.output == run.output)
    let five = try Run(command + ["--cross-validate", "4"])
    #expect(five.status == 0 && five.output.contains("fold 4  accuracy ") && five.output.contains("of 16)"))
    #expect(try Run(command + ["--leave-one-out", "label"]).errors.contains("none is left to learn from"))
  }

  @Test("beyond --cache-memory features go to a temporary file, and the model is the same")
  func cacheMemory() throws {
    #expect(try Run(arguments("plain")).status == 0)
    let run = try Run(arguments("cached") + ["--cache-memory", "0"])
    #expect(run.status == 0 && run.errors.contains("beyond --cache-memory"))
    #expect(try bytes("plain") == bytes("cached"))
  }
}
