import AuricleBase
import Foundation
import Testing

@Suite("One contract for every engine: lists, rows, shards, merge")
struct FleetTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }
  private func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

  private func rows(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// The rows without the time they took, which differs from run to run.
  private func timeless(_ text: String) throws -> String {
    text.replacing(try Regex(#""seconds":[^,}]*,?"#), with: "")
  }

  /// JSON lines for some digits with a speaker and a truth, one of them a file that is not there.
  private func list(_ name: String = "list.jsonl") throws -> String {
    let lines = (0..<10).flatMap { digit in
      ["flite-rms", "flite-slt"].map { voice in
        #"{"path":"\#(fixtures)/digits/\#(digit)_\#(voice)_0.wav","label":"\#(digit)","speaker":"\#(voice)","n":{"a":[1, 2]}}"#
      }
    }
    return try folder.write(
      name,
      (lines + [#"{"path":"\#(folder.path)/gone.wav","label":"7","speaker":"none"}"#]).joined(separator: "\n") + "\n")
  }

  @Test("a line out for each line in, in order, whatever is in it; the caller's keys are handed on")
  func contract() throws {
    let seven = "\(fixtures)/seven.wav"
    let lines = [
      seven,
      #"{"path": "\#(seven)", "id": "a/b", "label": "x", "deep": {"z": [1, null]}, "offset": 0.1, "duration": 0.3}"#,
      "", "nowhere.wav", #"{"path": 7"#, #"{"label": "7"}"#, #"{"path": "\#(seven)", "end": "soon"}"#, seven + "\r",
      #"{"audio_filepath": "\#(seven)", "duration": 0.5, "channel": 1}"#,
    ]
    let list = try folder.write("list", lines.joined(separator: "\n"))
    for arguments in [["--files-from", list], ["--files-from", "-"]] {
      let run = try Run(["classify", "--errors-as-rows"] + arguments, input: list)
      #expect(run.status == 0 && run.errorLines.count == 1, "\(run.errors)")
      let rows = try rows(run.output)
      try #require(rows.count == lines.count)
      #expect(
        rows.map { $0["label"] as? String == "7" } == [true, true, false, false, false, false, false, true, true])
      #expect(rows.map { $0["stage"] as? String } == [nil, nil, "list", "audio", "list", "list", "list", nil, nil])
      #expect(rows[1]["path"] as? String == seven + "#t=0.1,0.4" && rows[1]["id"] as? String == "a/b")
      #expect(run.output.contains(#""input.label":"x","deep":{"z": [1, null]},"offset":0.1,"input.duration":0.3}"#))
      #expect(rows[8]["path"] as? String == seven + "#track=1")
      #expect((rows[2]["error"] as? String) == "line 3 of the list is empty")
    }
    let strict = try Run("classify", "--files-from", list)
    #expect(strict.status == 3 && strict.errors.contains("nowhere.wav: no such file"), "\(strict.errors)")
  }

  @Test("lines that come one by one are answered one by one")
  func conversation() throws {
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = ["classify", "--files-from", "-", "--jobs", "3"]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (input, output, FileHandle.nullDevice)
    try process.run()
    for turn in 0..<4 {
      try input.fileHandleForWriting.write(contentsOf: Data((turn == 2 ? "nothing\n" : "\(fixtures)/seven.wav\n").utf8))
      var line: [UInt8] = []
      while line.last != UInt8(ascii: "\n") {
        let byte = output.fileHandleForReading.readData(ofLength: 1)
        try #require(!byte.isEmpty)
        line += byte
      }
      #expect(String(decoding: line, as: UTF8.self).contains(turn == 2 ? #""error""# : #""label":"7""#))
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 3)
  }

  @Test("merged, the parts of shards are the rows, and the report, of one run")
  func shards() throws {
    let list = try list()
    let whole = try Run("classify", "--files-from", list, "-o", path("whole.jsonl"), "--errors-as-rows")
    #expect(whole.status == 0 && whole.output.isEmpty, "\(whole.errors)")
    for shard in 1...3 {
      let run = try Run(
        "classify", "--files-from", list, "--shard", "\(shard)/3", "-o", path("part-\(shard).jsonl"),
        "--errors-as-rows",
        "--jobs", "\(shard)")
      #expect(run.status == 0, "\(run.errors)")
    }
    let parts = (1...3).map { path("part-\($0).jsonl") }
    let merge = try Run(
      ["merge"] + parts.reversed() + ["--files-from", list, "-o", path("all.jsonl"), "--report", path("merged.json")]
        + ["--group-by", "speaker"])
    #expect(merge.status == 0, "\(merge.errors)")
    #expect(try timeless(text("all.jsonl")) == timeless(text("whole.jsonl")))
    #expect(try Run("merge", parts[0], parts[1], parts[2], "-o", "-").output == text("all.jsonl"))
    // The report of a run over the same files as a data set.
    let one = try Run("evaluate", list, "--report", path("one.json"), "--group-by", "speaker")
    #expect(one.status == 3, "\(one.errors)")
    #expect(try text("merged.json") == text("one.json"))
  }

  @Test("what is missing, there twice, unfinished or of another run is said, and nothing is written")
  func faults() throws {
    let list = try list()
    for shard in 1...3 {
      _ = try Run(
        "classify", "--files-from", list, "--shard", "\(shard)/3", "-o", path("part-\(shard).jsonl"), "--errors-as-rows"
      )
    }
    let parts = (1...3).map { path("part-\($0).jsonl") }
    func refused(_ arguments: [String], _ reason: String) throws {
      let run = try Run(["merge", "-o", path("all.jsonl")] + arguments)
      #expect(run.status == 1 && run.errors.contains(reason), "\(run.errors)")
      #expect(!FileManager.default.fileExists(atPath: path("all.jsonl")))
    }
    try refused([parts[0], parts[2]], "shard 2/3")
    try refused([parts[0], parts[2], "--files-from", list], ".wav")
    try refused(parts + [parts[1]], "there twice: row ")
    try refused(parts + [parts[1] + ".part"], "unfinished: ")
    _ = try Run("classify", "--files-from", list, "--shard", "1/2", "-o", path("half.jsonl"), "--errors-as-rows")
    try refused(parts + [path("half.jsonl")], "of a run of 2 shards, others of 3")
    let other = try folder.write("other.txt", (0..<30).map { "\($0).wav" }.joined(separator: "\n"))
    try refused(parts + ["--files-from", other], "but line 1 of")
    #expect(try Run(["merge", "-o", path("all.jsonl"), "--partial", parts[0]]).status == 0)
    #expect(try text("all.jsonl").split(separator: "\n").count == text("part-1.jsonl").split(separator: "\n").count)
  }

  @Test("a part that was stopped goes on where it was, a finished one is left; another list or model is refused")
  func resume() throws {
    let list = try list()
    let arguments = ["classify", "--files-from", list, "--errors-as-rows", "-o", path("p.jsonl")]
    #expect(try Run(arguments).status == 0)
    let bytes = try Data(contentsOf: URL(filePath: path("p.jsonl")))
    for length in [0, 10, bytes.count / 2, bytes.count] {
      try FileManager.default.removeItem(atPath: path("p.jsonl"))
      try bytes.prefix(length).write(to: URL(filePath: path("p.jsonl.part")))
      let run = try Run(arguments)
      #expect(run.status == 0, "\(run.errors)")
      #expect(try timeless(text("p.jsonl")) == timeless(String(decoding: bytes, as: UTF8.self)))
      #expect(!FileManager.default.fileExists(atPath: path("p.jsonl.part")))
    }
    let again = try Run(arguments)
    #expect(again.status == 0 && again.errors.contains("is there already, whole"))
    try bytes.prefix(bytes.count / 2).write(to: URL(filePath: path("q.jsonl.part")))
    let other = try folder.write("other.txt", "\(fixtures)/seven.wav\n")
    let resumed = ["-o", path("q.jsonl")]
    #expect(try Run(["classify", "--files-from", other] + resumed).errors.contains("go on with the same list"))
    #expect(
      try Run(["classify", "--files-from", list, "--channel", "1"] + resumed).errors.contains(
        "another model or channel"))
  }

  @Test("evaluate takes lists and shards of data sets; its merged report is that of one run", arguments: [true, false])
  func evaluate(isList: Bool) throws {
    let list = try list()
    let source = isList ? ["--files-from", list] : [list]
    for shard in 1...2 {
      let run = try Run(
        ["evaluate"] + source + [
          "--shard", "\(shard)/2", "--predictions", path("part-\(shard).jsonl"), "--errors-as-rows",
        ])
      #expect(run.status == 0, "\(run.errors)")
    }
    let again = try Run(["evaluate"] + source + ["--shard", "1/2", "--predictions", path("part-1.jsonl")])
    #expect(again.output.contains("accuracy"), "\(again.errors)")
    let merge = try Run(
      "merge", path("part-1.jsonl"), path("part-2.jsonl"), "-o", path("all.jsonl"), "--report", path("merged.json"),
      "--report", path("merged.csv"), "--files-from", list)
    #expect(merge.status == 0, "\(merge.errors)")
    let one = try Run("evaluate", list, "--report", path("one.json"), "--report", path("one.csv"))
    #expect(one.status == 3)
    #expect(try text("merged.json") == text("one.json") && text("merged.csv") == text("one.csv"))
    #expect(try Run("evaluate", "--from", path("all.jsonl"), "--group-by", "speaker").output.contains("speaker"))
  }

  @Test("features of shards, merged by the list, are the archive of one run", arguments: ["npz", "ark"])
  func features(ending: String) throws {
    let list = try list()
    func run(_ output: String, _ more: String...) throws -> Run {
      try Run(["features", "--files-from", list, "--errors-as-rows", "-o", path(output)] + more)
    }
    let whole = try run("whole.\(ending)")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try rows(whole.output).count == 21 && whole.output.contains(#""n":{"a":[1, 2]}}"#))
    for shard in 1...3 {
      #expect(try run("part-\(shard).\(ending)", "--shard", "\(shard)/3").status == 0)
    }
    let parts = (1...3).map { path("part-\($0).\(ending)") }
    let refused = try Run(["merge"] + parts + ["--files-from", list, "-o", path("all.\(ending)")])
    #expect(
      refused.status == 1 && refused.errors.contains("1 missing") && refused.errors.contains("gone"),
      "\(refused.errors)")
    let merge = try Run(["merge"] + parts + ["--files-from", list, "-o", path("all.\(ending)"), "--partial"])
    #expect(merge.status == 0, "\(merge.errors)")
    let archives = try ["whole", "all"].map { try Data(contentsOf: URL(filePath: path("\($0).\(ending)"))) }
    #expect(archives[0] == archives[1])
    #expect(try text(".whole.\(ending).json") == text(".all.\(ending).json"))
    let doubled = try Run(["merge"] + parts + [parts[0], "-o", path("all.\(ending)")])
    #expect(doubled.status == 1 && doubled.errors.contains("there twice"))
  }

  @Test("wrong usage is exit code 2")
  func usage() throws {
    for arguments in [
      ["classify"], ["classify", "x", "--files-from", "y"], ["classify", "x", "--shard", "0/3"],
      ["classify", "x", "--shard", "slurm"], ["evaluate", "--files-from", "x", "--from", "y"],
      ["evaluate", "--files-from", "x", "--report", "r.json"], ["evaluate", "x", "--shard", "1/2"],
      ["features", "--files-from", "x"], ["features", "x", "-o", "y", "--shard", "1/2"],
      ["merge", "x"], ["merge", "x", "-o", "x"], ["merge", "x", "-o", "y", "--report", "r.txt"],
    ] {
      let run = try Run(arguments)
      #expect(run.status == 2 && run.output.isEmpty, "\(arguments) \(run.errors)")
    }
  }
}
