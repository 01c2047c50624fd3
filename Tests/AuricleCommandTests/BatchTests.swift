import AuricleBase
import Foundation
import Testing

@Suite("Runs over many files")
struct BatchTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A folder of `count` links to one sound, every tenth of which leads nowhere.
  private func corpus(_ count: Int) throws -> String {
    for index in 0..<count {
      let path = "\(folder.path)/in/\(index % 2 == 0 ? "6" : "7")/\(index).wav"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: index % 10 == 5 ? "nowhere" : "\(fixtures)/seven.wav")
    }
    return "\(folder.path)/in"
  }

  private func rows(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test("each failure is one row with path, stage and reason, and the rest is done")
  func failures() throws {
    let corpus = try corpus(20)
    let short = try folder.write("in/6/short.wav", "")
    try FileManager.default.removeItem(atPath: short)
    try FileManager.default.copyItem(atPath: "\(fixtures)/audio/header-only.wav", toPath: short)
    let (predictions, csv) = ("\(folder.path)/p.jsonl", "\(folder.path)/p.csv")
    for path in [predictions, csv] {
      #expect(try Run("evaluate", corpus, "--predictions", path).status == 3)
    }
    let classified = try Run("classify", "--json", corpus)
    let computed = try Run("features", corpus, "-o", "\(folder.path)/out", "--json")
    #expect(classified.status == 3 && computed.status == 3)
    for text in [try String(contentsOfFile: predictions, encoding: .utf8), classified.output, computed.output] {
      let rows = try rows(text)
      #expect(Set(rows.compactMap { $0["path"] as? String }).count == 21 && rows.count == 21)
      let failed = rows.filter { $0["error"] != nil }
      #expect(failed.count == 3 && failed.allSatisfy { $0["stage"] as? String == "audio" && $0["label"] == nil })
      #expect(failed.allSatisfy { ($0["error"] as? String)?.hasPrefix($0["path"] as? String ?? "-") == true })
    }
    let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 22 && lines.filter { $0.contains(": no such file,audio,") }.count == 2)
  }

  @Test("what cannot be computed or written is told as such")
  func stages() throws {
    let features = try Run(
      "features", "\(fixtures)/seven.wav", "--frame-length", "9s", "--preset", "kaldi", "-o", "\(folder.path)/out/",
      "--json")
    #expect(try rows(features.output).first?["stage"] as? String == "features", "\(features.errors)")
    try FileManager.default.createDirectory(atPath: "\(folder.path)/out/seven.npy", withIntermediateDirectories: true)
    let output = try Run("features", "\(fixtures)/seven.wav", "-o", "\(folder.path)/out/", "--json", "--overwrite")
    #expect(try rows(output.output).first?["stage"] as? String == "output" && output.status == 1, "\(output.errors)")
  }

  @Test("with --fail-fast, the first failure ends the run: what came before it is done, for any number of jobs")
  func failFast() throws {
    let corpus = try corpus(20)
    for jobs in ["1", "4"] {
      let predictions = "\(folder.path)/p\(jobs).jsonl"
      let run = try Run("evaluate", corpus, "--predictions", predictions, "--fail-fast", "-j", jobs)
      #expect(run.status == 3 && run.output.isEmpty)
      #expect(
        run.errors.hasSuffix("auricle: stopped at the first file that failed; 13 of 20 files done\n"), "\(run.errors)")
      let rows = try rows(String(contentsOfFile: predictions, encoding: .utf8))
      #expect(rows.count == 14 && rows.map { $0["error"] != nil } == Array(repeating: false, count: 13) + [true])
    }
    let run = try Run("classify", "--fail-fast", "\(corpus)/7/5.wav", "\(corpus)/7/1.wav")
    #expect(run.status == 1 && run.output.isEmpty)
    let train = try Run(
      "train", corpus, "-o", "\(folder.path)/m.safetensors", "--fail-fast", "--validation-split", "0", "--epochs", "1")
    #expect(
      train.status == 1 && !FileManager.default.fileExists(atPath: "\(folder.path)/m.safetensors"), "\(train.errors)")
    let folds = try Run(
      "train", corpus, "--cross-validate", "2", "--fail-fast", "--epochs", "1", "--hidden", "8", "--layers", "1")
    #expect(folds.status == 1 && folds.output.isEmpty, "\(folds.errors)")
  }

  @Test("a name with a line end or an escape sequence in it stays on one line, and reaches JSON as it is")
  func names() throws {
    let name = "\(folder.path)/a\nb\u{1B}[2J.wav"
    let missing = try Run("classify", name)
    #expect(missing.errors == "auricle: \(folder.path)/a\\nb\\u{1B}[2J.wav: no such file\n")
    try FileManager.default.copyItem(atPath: "\(fixtures)/seven.wav", toPath: name)
    #expect(try Run("classify", name).output.hasPrefix("\(folder.path)/a\\nb\\u{1B}[2J.wav  7"))
    #expect(try rows(Run("classify", "--json", name).output).first?["path"] as? String == name)
  }

  @Test("--root confines a manifest, for every command that reads one")
  func root() throws {
    let list = try folder.write("in/list.csv", "path,label\n\(fixtures)/seven.wav,7\n../b.wav,6\n")
    for command in [["evaluate", list], ["features", list, "-o", "\(folder.path)/out"], ["train", list, "-o", "m"]] {
      let run = try Run(command + ["--root", fixtures])
      #expect(run.status == 1 && run.errorLines.count == 1)
      #expect(run.errors.contains("list.csv, line 3: '") && run.errors.contains("leads out of \(fixtures)"))
    }
  }

  @Test("a pipe that is closed ends the run in order, with 141, and leaves no temporary file")
  func closedPipe() throws {
    let corpus = try corpus(60)
    for command in [
      ["classify", corpus], ["features", corpus, "-o", "\(folder.path)/out"],
      ["evaluate", corpus, "--predictions", "-"],
    ] {
      let process = Process()
      process.executableURL = try Run.program
      process.arguments = command
      let output = Pipe()
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      try process.run()
      _ = output.fileHandleForReading.readData(ofLength: 1)
      try output.fileHandleForReading.close()
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 141, "\(command)")
    }
    let written = try FileManager.default.subpathsOfDirectory(atPath: "\(folder.path)/out")
    #expect(!written.contains { $0.hasSuffix(".part") })
  }

  @Test(
    "Ctrl-C and SIGTERM keep what is finished; --resume does the rest, every file once",
    arguments: [(SIGINT, 130), (SIGTERM, 143)])
  func interrupt(signal: Int32, status: Int) throws {
    let corpus = try corpus(150)
    let predictions = "\(folder.path)/p.jsonl"
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = ["evaluate", corpus, "--predictions", predictions]
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    for _ in 0..<600 where (try? FileHandle(forReadingAtPath: predictions)?.seekToEnd()) ?? 0 < 2_000 {
      usleep(10_000)
    }
    kill(process.processIdentifier, signal)
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == Int32(status))
    #expect(text.contains("of 150 files done; go on with --resume\n"), "\(text)")
    let before = try rows(String(contentsOfFile: predictions, encoding: .utf8)).count
    #expect(before > 0 && before < 150)
    #expect(try Run("evaluate", corpus, "--predictions", predictions, "--resume").status == 3)
    let paths = try rows(String(contentsOfFile: predictions, encoding: .utf8)).compactMap { $0["path"] as? String }
    #expect(paths.count == 150 && Set(paths).count == 150)
  }

  @Test("an interrupted run over an archive keeps what is finished, and goes on")
  func archive() throws {
    let corpus = try corpus(150)
    let archive = "\(folder.path)/all.npz"
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = ["features", corpus, "-o", archive, "--json"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    _ = output.fileHandleForReading.readData(ofLength: 1000)
    kill(process.processIdentifier, SIGINT)
    let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(!FileManager.default.fileExists(atPath: archive))
    let again = try rows(Run("features", corpus, "-o", archive, "--json").output)
    let kept = again.filter { $0["skipped"] as? Bool == true }.count
    #expect(again.count == 150 && kept > 0 && kept < 135)
    #expect(kept >= told.split(separator: "\n").filter { $0.contains("\"frames\"") }.count, "nothing told of is lost")
  }
}
