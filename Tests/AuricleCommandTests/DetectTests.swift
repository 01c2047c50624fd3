import Auricle
import AuricleBase
import Foundation
import Testing

@Suite("auricle detect")
struct DetectTests {
  /// Raw 16-bit samples at 16 kHz: spoken digits with a second of silence before each and after the last, and where each
  /// begins, in seconds.
  private func stream() throws -> (bytes: Data, digits: [(label: String, start: Double)]) {
    var bytes = Data()
    var digits: [(String, Double)] = []
    for name in ["1_en-linda_0", "7_en-us-f1_0", "3_flite-slt_1", "9_en-rp-m5_0"] {
      bytes += Data(count: 32_000)
      digits.append((String(name.prefix(1)), Double(bytes.count) / 32_000))
      bytes += try Data(contentsOf: URL(filePath: "\(fixtures)/digits/\(name).wav")).dropFirst(44)
    }
    return (bytes + Data(count: 64_000), digits)
  }

  private let settings = ["--window", "0.7", "--hop", "0.1", "--threshold", "0.9/0.5", "--min-duration", "0.2"]

  private func wav(_ samples: Data, size: Int) -> Data {
    func number(_ value: Int, _ count: Int) -> Data {
      Data((0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }
    var bytes =
      Data("RIFF".utf8) + number(size, 4) + Data("WAVEfmt ".utf8) + number(16, 4) + number(1, 2) + number(1, 2)
    bytes += number(16_000, 4) + number(32_000, 4) + number(2, 2) + number(16, 2)
    return bytes + Data("data".utf8) + number(size, 4) + samples
  }

  private func file(_ name: String, _ bytes: Data, in folder: TemporaryFolder) throws -> String {
    let path = "\(folder.path)/\(name)"
    try bytes.write(to: URL(filePath: path))
    return path
  }

  /// Waits for bytes; none at the end.
  private func available(_ pipe: Pipe) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(pipe.fileHandleForReading.fileDescriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      return Array(buffer.prefix(max(0, count)))
    }
  }

  @Test("of a sound that breaks off, the events before that are kept")
  func breaksOff() throws {
    let folder = try TemporaryFolder()
    let (bytes, digits) = try stream()
    let base = ["detect", "--raw", "f32le:16000:1", "--format", "csv"] + settings
    var floats = Data()
    for place in stride(from: 0, to: bytes.count - 1, by: 2) {
      let sample = Int16(bitPattern: UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8)
      withUnsafeBytes(of: (Float(sample) / 32_768).bitPattern.littleEndian) { floats += $0 }
    }
    let whole = try Run(base + [file("a.raw", floats, in: folder)])
    // Not a number, after the third digit.
    let end = Int(digits[3].start * 64_000)
    withUnsafeBytes(of: Float.nan.bitPattern.littleEndian) { floats.replaceSubrange(end..<end + 4, with: $0) }
    let broken = try Run(base + [file("b.raw", floats, in: folder)])
    #expect(whole.status == 0 && broken.status == 1)
    #expect(broken.errors.contains("b.raw") && broken.errors.contains("before that are kept"))
    func events(_ run: Run) -> [Substring] {
      run.output.split(separator: "\n").dropFirst().map { $0.drop { $0 != "," } }
    }
    #expect(!events(broken).isEmpty && events(whole).starts(with: events(broken)))
    #expect(events(broken).count < events(whole).count)
  }

  @Test("files, standard input, a raw stream and a WAV without end give the same events")
  func sameEvents() throws {
    let folder = try TemporaryFolder()
    let (bytes, digits) = try stream()
    let (raw, whole) = (
      try file("a.raw", bytes, in: folder), try file("a.wav", wav(bytes, size: bytes.count), in: folder)
    )
    let endless = try file("b.wav", wav(bytes, size: 0xFFFF_FFFF), in: folder)
    let base = ["detect", "--format", "csv"] + settings
    let reference = try Run(base + [whole])
    #expect(reference.status == 0 && reference.output.hasPrefix("file,start,end,label,probability\n"))
    let rows = reference.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",").map { String($0) } }
    for digit in digits {
      #expect(rows.contains { $0[3] == digit.label && abs((Double($0[1]) ?? 0) - digit.start) < 0.5 }, "\(digit)")
    }
    func events(_ run: Run) -> Set<String> {
      #expect(run.status == 0, "\(run.errors)")
      return Set(run.output.split(separator: "\n").dropFirst().map { String($0.drop { $0 != "," }) })
    }
    let expected = events(reference)
    #expect(!expected.isEmpty)
    #expect(try events(Run(base + ["--raw", "s16le:16000:1", raw])) == expected)
    #expect(try events(Run(base + ["--jobs", "1", whole])) == expected)
    #expect(try events(Run(base + ["-"], input: whole)) == expected)
    #expect(try events(Run(base + ["--live", "--raw", "s16le:16000:1", "-"], input: raw)) == expected)
    #expect(try events(Run(base + ["--live", "-"], input: whole)) == expected)
    #expect(try events(Run(base + ["--live", "-"], input: endless)) == expected)
  }

  @Test("scores of every hop, the same from a file and live")
  func scores() throws {
    let folder = try TemporaryFolder()
    let raw = try file("a.raw", stream().bytes, in: folder)
    let arguments = ["detect", "--raw", "s16le:16000:1", "--hop", "0.2", "--scores"]
    #expect(try Run(arguments + ["\(folder.path)/file.tsv", raw]).status == 0)
    #expect(try Run(arguments + ["\(folder.path)/live.tsv", "--live", "-"], input: raw).status == 0)
    let table = try String(contentsOfFile: "\(folder.path)/file.tsv", encoding: .utf8)
    #expect(try String(contentsOfFile: "\(folder.path)/live.tsv", encoding: .utf8) == table)
    #expect(table.hasPrefix("onset\toffset\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t_background_\n0.0\t"))
    #expect(table.split(separator: "\n").count > 30)
  }

  @Test(
    "every format, to standard output, to a file and to a folder, is read back",
    arguments: ["jsonl", "csv", "audacity", "raven", "rttm", "textgrid", "desed", "srt"])
  func formats(format: String) throws {
    let folder = try TemporaryFolder()
    let sound = try file("day.wav", wav(stream().bytes, size: 0), in: folder)
    let base = ["detect", "--format", format] + settings
    let run = try Run(base + [sound])
    #expect(run.status == 0 && !run.output.isEmpty)
    let path = "\(folder.path)/events.txt"
    #expect(try Run(base + ["-o", path, sound]).status == 0)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == run.output)
    #expect(try Run(base + ["-o", "\(folder.path)/out/", sound]).status == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/out")
    let name = try #require(names.first { $0.hasPrefix("day.") && names.count == 1 })
    #expect(try String(contentsOfFile: "\(folder.path)/out/\(name)", encoding: .utf8) == run.output)
    // Judged by themselves, all are right.
    let judged = try Run("evaluate", "--json", "--events", "\(folder.path)/out/\(name)", path)
    #expect(judged.status == 0, "\(judged.errors)")
    let report = try #require(JSONSerialization.jsonObject(with: Data(judged.output.utf8)) as? [String: Any])
    let overall = try #require((report["events"] as? [String: Any])?["overall"] as? [String: Any])
    let truth = try #require(overall["truth"] as? Double)
    #expect(truth >= 4 && overall["correct"] as? Double == truth && overall["found"] as? Double == truth)
  }

  @Test("several files: events by file in their order; one bad file is a line, and the rest is done")
  func several() throws {
    let folder = try TemporaryFolder()
    let bytes = try wav(stream().bytes, size: 0)
    for name in ["a.wav", "b.wav", "c.wav"] { _ = try file(name, bytes, in: folder) }
    _ = try folder.write("bad.wav", "not a sound")
    let base = ["detect", "--format", "csv", folder.path] + settings
    let run = try Run(base + ["--jobs", "3"])
    #expect(run.status == 3 && run.errorLines.contains { $0.contains("bad.wav: not an audio file") })
    let paths = run.output.split(separator: "\n").dropFirst().map { $0.prefix { $0 != "," } }
    #expect(paths == paths.sorted() && Set(paths).count == 3)
    #expect(try Run(base + ["--jobs", "1"]).output == run.output)
    let refused = try Run("detect", "--format", "srt", folder.path)
    #expect(refused.status == 2 && refused.output.isEmpty)
    let scores = try Run("detect", "--scores", "\(folder.path)/s.tsv", folder.path)
    #expect(scores.status == 2)
  }

  @Test("a live event is written before the stream goes on, and in order")
  func flush() throws {
    let (bytes, digits) = try stream()
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = ["detect", "--live", "--raw", "s16le:16000:1", "--format", "csv", "-"] + settings
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    var rows: [String] = []
    var text = ""
    func take() {
      text += String(decoding: available(output), as: UTF8.self)
      while let end = text.firstIndex(of: "\n") {
        rows.append(String(text[..<end]))
        text = String(text[text.index(after: end)...])
      }
    }
    // The next digit is spoken only when the event of the last has come: no event waits for the end of the stream.
    var sent = 0
    for (index, digit) in digits.enumerated() {
      // Until the next digit begins.
      let end = index + 1 < digits.count ? Int(digits[index + 1].start * 16_000) * 2 : bytes.count
      try input.fileHandleForWriting.write(contentsOf: bytes[sent..<end])
      sent = end
      while !rows.contains(where: { $0.contains(",\(digit.label),") && process.isRunning }) { take() }
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let starts = rows.dropFirst().compactMap { Double($0.split(separator: ",")[1]) }
    #expect(starts == starts.sorted() && starts.count >= digits.count)
  }

  @Test("Ctrl-C ends a live stream in good order, with what is known and exit code 130")
  func interruption() throws {
    let (bytes, digits) = try stream()
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = ["detect", "--live", "--raw", "s16le:16000:1", "--format", "csv", "-"] + settings
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    // The stream stops in the middle of the last digit, and stays open.
    let last = digits[digits.count - 1]
    try input.fileHandleForWriting.write(contentsOf: bytes.prefix(Int((last.start + 0.6) * 16_000) * 2))
    var text = ""
    while !text.contains(",\(digits[2].label),") {
      text += String(decoding: available(output), as: UTF8.self)
    }
    process.interrupt()
    text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(text.hasSuffix("\n") && text.contains(",\(last.label),"))
  }

  @Test(
    "wrong usage is exit code 2",
    arguments: [
      ["--raw", "s16le"], ["--raw", "s16le:16000:0"], ["--raw", "s17le:16000:1"], ["--format", "docx"],
      ["-o", "events.docx"],
      ["--threshold", "high"], ["--threshold", "0.4/0.8"], ["--threshold", "no such=0.5"], ["--smooth", "mean"],
      ["--smooth", "mean:2"], ["--agreement", "3/2"], ["--hop", "0"], ["--hop", "3"], ["--window", "0"],
      ["--min-duration", "-1"], ["--ignore", "no such"], ["--live", "--format", "textgrid"], ["--running"],
      ["--live", "second"], ["--live", "-o", "folder/"],
    ])
  func usage(arguments: [String]) throws {
    let run = try Run(["detect", "\(fixtures)/seven.wav"] + arguments)
    #expect(
      run.status == 2 && run.errorLines.count == 1 && run.errors.hasPrefix("auricle: ") && run.output.isEmpty,
      "\(run.errors)")
  }

  @Test("what cannot be heard live: one line and exit code 1")
  func badLive() throws {
    let folder = try TemporaryFolder()
    let empty = try file("empty", Data(), in: folder)
    let some = try file("some", Data([0, 0]), in: folder)
    for (arguments, input, words) in [
      (["-"], empty, "is empty"), (["--raw", "s16le:16000:1", "-"], empty, "no samples"),
      (["-"], "\(fixtures)/audio/text.wav", "--raw"), (["-"], "\(fixtures)/audio/word.flac", "FLAC"),
      (["--raw", "s16le:16000:2", "--channel", "3", "-"], some, "no channel 3"),
      (["--raw", "s16le:16000:2", "-"], some, "raw"), (["\(folder.path)/missing"], some, "no such file"),
    ] {
      let run = try Run(["detect", "--live"] + arguments, input: input)
      #expect(run.status == 1 && run.output.isEmpty)
      #expect(
        run.errorLines.count == 1 && run.errors.hasPrefix("auricle: ") && run.errors.contains(words), "\(run.errors)")
    }
  }

  @Test("events are judged by annotated ones, whatever the formats")
  func judged() throws {
    let folder = try TemporaryFolder()
    let truth = try folder.write("truth.csv", "start,end,label\n1,2,yes\n4,5,no\n7,8,yes\n9,9.5,other\n")
    let found = try folder.write("found.txt", "1.1\t2.0\tyes\n4.0\t5.0\tyes\n7.3\t7.9\tyes\n")
    let run = try Run(
      "evaluate", "--events", truth, found, "--collar", "0.5", "--onset-only", "--ignore", "other", "--json")
    #expect(run.status == 0 && run.errors.isEmpty)
    let report = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let overall = try #require((report["events"] as? [String: Any])?["overall"] as? [String: Any])
    #expect(overall["truth"] as? Int == 3 && overall["found"] as? Int == 3 && overall["correct"] as? Int == 2)
    let text = try Run("evaluate", "--events", truth, found)
    #expect(text.output.contains("event-based: labels, onsets within 0.2 s") && text.output.contains("segment-based"))
    let scores = try folder.write("s.tsv", "onset\toffset\tyes\tno\n0\t1\t0.1\t0\n1\t2\t0.9\t0\n2\t8\t0\t0.2\n")
    let curve = try Run("evaluate", "--events", truth, found, "--ignore", "other", "--scores", scores)
    #expect(curve.status == 0 && curve.output.contains("detection curve of no, yes"))
    for arguments in [
      ["--events", truth], ["--events", truth, found, "--collar", "-1"], ["--events", truth, found, "--from", "x"],
    ] {
      #expect(try Run(["evaluate"] + arguments).status == 2)
    }
    let none = try Run("evaluate", "--events", truth, "\(folder.path)/missing.csv")
    #expect(none.status == 1 && none.errorLines.count == 1)
  }

  @Test("a run that was killed goes on where it was, and gives the same file")
  func resume() throws {
    let folder = try TemporaryFolder()
    let bytes = try wav(stream().bytes, size: 0)
    let paths = try ["a.wav", "b.wav", "c.wav"].map { try file($0, bytes, in: folder) }
    let command = ["detect", "--jobs", "1"] + settings + [paths[0], paths[1], "-"]
    #expect(try Run(command + ["-o", "\(folder.path)/whole.csv"], input: paths[2]).status == 0)

    let output = "\(folder.path)/events.csv"
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = command + ["-o", output]
    let input = Pipe()
    process.standardInput = input
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Two sounds are done; the third never comes.
    func journal() -> String { (try? String(contentsOfFile: output + ".unfinished", encoding: .utf8)) ?? "" }
    while journal().split(separator: "\n").count < 3 && process.isRunning { usleep(10_000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(!FileManager.default.fileExists(atPath: output))

    try FileManager.default.removeItem(atPath: paths[0])
    let other = try Run(command + ["-o", output, "--resume", "--min-gap", "1"], input: paths[2])
    #expect(other.status == 1 && other.errors.contains("other settings"))
    let run = try Run(command + ["-o", output, "--resume"], input: paths[2])
    #expect(run.status == 0 && run.errors.contains("2 sounds taken over"), "\(run.errors)")
    let whole = try Data(contentsOf: URL(filePath: "\(folder.path)/whole.csv"))
    #expect(try Data(contentsOf: URL(filePath: output)) == whole && !whole.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: output + ".unfinished"))
  }

  /// A CSV file that says where the digits of `stream` are.
  private func annotations(_ digits: [(label: String, start: Double)], in folder: TemporaryFolder) throws -> String {
    try folder.write(
      "truth.csv", "start,end,label\n" + digits.map { "\($0.start),\($0.start + 0.5),\($0.label)\n" }.joined())
  }

  @Test("thresholds are chosen by scores and a rate of false alarms, kept in the model, and used")
  func target() throws {
    let folder = try TemporaryFolder()
    let (bytes, digits) = try stream()
    let sound = try file("day.wav", wav(bytes, size: 0), in: folder)
    let model = "\(folder.path)/model.safetensors"
    try SoundClassifier().model.write(to: model)
    let truth = try annotations(digits, in: folder)
    var lines: [String] = []
    for name in ["s.tsv", "s.npy"] {
      let scores = "\(folder.path)/\(name)"
      #expect(
        try Run("detect", "--model", model, "--window", "0.7", "--hop", "0.1", "--scores", scores, sound).status == 0)
      let judge = ["evaluate", "--events", truth, "--scores", scores, "--collar", "0.5", "--onset-only"]
      let run = try Run(judge + ["--target-false-alarms", "0", "--json"])
      #expect(run.status == 0, "\(run.errors)")
      lines.append(run.output)
      let report = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
      let point = try #require(report["operatingPoint"] as? [String: Any])
      #expect(point["falseAlarmsPerHour"] as? Double == 0 && (point["falseRejects"] as? Int ?? 9) <= 1)
      #expect((report["psds"] as? [Any])?.count == 2)
    }
    #expect(lines[0] == lines[1])
    let plain = try Run("detect", "--model", model, "--format", "csv", sound).output
    let stored = try Run(
      "evaluate", "--model", model, "--events", truth, "--scores", "\(folder.path)/s.npy", "--collar", "0.5",
      "--onset-only", "--target-false-alarms", "0")
    #expect(stored.status == 0 && stored.output.contains("thresholds for at most 0 false alarms an hour"))
    let run = try Run("detect", "--model", model, "--window", "0.7", "--format", "csv", sound)
    #expect(run.output != plain)
    let labels = run.output.split(separator: "\n").dropFirst().map { String($0.split(separator: ",")[3]) }
    #expect(labels.count >= 3 && Set(labels).isSubset(of: Set(digits.map(\.label))), "\(run.output)")
    let kept = try Run("detect", "--model", model, "--format", "csv", sound)
    #expect(kept.output == run.output, "window and hop are kept")
  }

  @Test("evaluate makes the events of scores that detect made, by the same defaults", arguments: [0.5, 0.9, 1.1])
  func defaults(window: Double) throws {
    let folder = try TemporaryFolder()
    let (bytes, digits) = try stream()
    let sound = try file("day.wav", wav(bytes, size: 0), in: folder)
    let truth = try annotations(digits, in: folder)
    let scores = "\(folder.path)/s.tsv"
    let found = try Run("detect", "--window", "\(window)", "--scores", scores, "--format", "csv", sound).output
    let events = found.split(separator: "\n").count - 1
    let run = try Run("evaluate", "--events", truth, "--scores", scores, "--json")
    let report = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let overall = try #require((report["events"] as? [String: Any])?["overall"] as? [String: Any])
    #expect(overall["found"] as? Int == events, "\(run.output.prefix(400))")
  }

  @Test("the report of events is a page with both lists, the sound's spectrogram and the sound")
  func page() throws {
    let folder = try TemporaryFolder()
    let sound = try file("day.wav", wav(stream().bytes, size: 0), in: folder)
    let truth = try folder.write("truth.csv", "start,end,label\n1,1.5,1\n3,3.5,<b>&7\n")
    let found = try folder.write("found.csv", "start,end,label,probability\n1.1,1.5,1,0.9\n4,5,1,0.5\n")
    let path = "\(folder.path)/report.html"
    let run = try Run("evaluate", "--events", truth, found, "--report", path, "--audio", sound, "--embed-audio")
    #expect(run.status == 0, "\(run.errors)")
    let page = try String(contentsOfFile: path, encoding: .utf8)
    let json = page.split(separator: "<script id=\"data\" type=\"application/json\">", maxSplits: 1).last?
      .split(separator: "</script>", maxSplits: 1).first
    let data = try #require(JSONSerialization.jsonObject(with: Data((json ?? "").utf8)) as? [String: Any])
    let recordings = try #require(data["recordings"] as? [[String: Any]])
    let recording = try #require(recordings.count == 1 ? recordings.first : nil)
    let notes = { (key: String) in (recording[key] as? [[String: Any]])?.compactMap { $0["note"] as? String } }
    #expect(notes("truth") == ["right", "<b>&7 missed"])
    #expect(notes("found") == ["right, probability 0.900", "1 extra, probability 0.500"])
    let levels = try #require(Data(base64Encoded: recording["spectrogram"] as? String ?? ""))
    #expect(
      levels.count % 40 == 0 && abs(Double(levels.count / 40) / 20 - (recording["duration"] as? Double ?? 0)) < 0.1)
    #expect((recording["sound"] as? String)?.hasPrefix("data:audio/wav;base64,") == true)
    #expect(try Run("evaluate", "--events", truth, found, "--report", "report.csv").status == 2)
  }

  @Test("a model is trained on annotated recordings, and knows how long its windows are")
  func training() throws {
    let folder = try TemporaryFolder()
    let (bytes, digits) = try stream()
    let sound = try file("day.wav", wav(bytes, size: 0), in: folder)
    let labels = digits.map { "\($0.start)\t\($0.start + 0.4)\t\(Int($0.label) ?? 0 > 2 ? "high" : "low")\n" }
    let truth = try folder.write("day.txt", labels.joined())
    let model = "\(folder.path)/model.safetensors"
    let run = try Run(
      "train", sound, "--events", truth, "--negatives", sound, "--event-window", "0.5", "--hidden", "4", "--layers",
      "1",
      "--epochs", "1", "--validation-split", "0", "-o", model)
    #expect(run.status == 0 && run.errors.contains("windows of 0.5 s"), "\(run.errors)")
    let trained = try ClassifierEnsemble(contentsOf: model)
    #expect(trained.labels == ["_background_", "high", "low"])
    #expect(try abs((trained.detectionSettings().window ?? 0) - 0.5) < 0.02)
    #expect(try Run("train", sound, "--events", "\(folder.path)/none.txt", "-o", model).status == 1)
    #expect(try Run("train", sound, "--background", "1", "-o", model).status == 2)
  }
}
