import AuricleBase
import Foundation
import Testing

@Suite("auricle evaluate and auricle compare")
struct EvaluateTests {
  private let digits = [
    "\(fixtures)/digits", "--label-pattern", "{label}_{voice}_{take}", "--only", "voice=flite-rms,flite-slt",
  ]

  /// Ten answers, eight of them right, spoken by two people.
  private func predictions(_ folder: TemporaryFolder, _ name: String = "p.jsonl", wrong: Set<Int> = [0, 1]) throws
    -> String
  {
    let rows = (0..<10).map { index in
      let truth = index % 2 == 0 ? "yes" : "no"
      let label = wrong.contains(index) ? (truth == "yes" ? "no" : "yes") : truth
      return
        #"{"path":"\#(index).wav","truth":"\#(truth)","label":"\#(label)","probabilities":{"yes":\#(label == "yes" ? 0.75 : 0.25),"#
        + #""no":\#(label == "no" ? 0.75 : 0.25)},"duration":\#(index),"fields":{"speaker":"\#(index < 4 ? "ann" : "bob")"}}"#
    }
    return try folder.write(name, rows.joined(separator: "\n") + "\n")
  }

  @Test("predictions are written with all that is known, and give the same numbers when they are read")
  func fromPredictions() throws {
    let folder = try TemporaryFolder()
    for name in ["p.jsonl", "p.csv"] {
      let path = "\(folder.path)/\(name)"
      let run = try Run(["evaluate"] + digits + ["--predictions", path, "--json"])
      #expect(run.status == 0, "\(run.errors)")
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.contains("8000") || text.contains("16000"))
      #expect(text.split(separator: "\n").count == (name == "p.csv" ? 41 : 40))
      if name == "p.jsonl" {
        for key in ["truth", "label", "probabilities", "duration", "sampleRate", "seconds", "model", "fields"] {
          #expect(text.contains("\"\(key)\":"))
        }
      }
      #expect(try Run("evaluate", "--from", path, "--json").output == run.output)
    }
  }

  @Test("cells are coloured on a terminal, unless it is a dumb one or NO_COLOR is set to anything, and in no pipe")
  func colors() throws {
    let folder = try TemporaryFolder()
    let arguments = ["evaluate", "--from", try predictions(folder)]
    func isColored(term: String, noColor: String?) throws -> Bool {
      let text = try Run.onTerminal(arguments, environment: ["TERM": term, "NO_COLOR": noColor])
      #expect(text.contains("accuracy"))
      return text.contains("\u{1B}[38;5;")
    }
    #expect(try isColored(term: "xterm-256color", noColor: nil))
    #expect(try isColored(term: "xterm-256color", noColor: ""))
    #expect(try !isColored(term: "xterm-256color", noColor: "1"))
    #expect(try !isColored(term: "dumb", noColor: nil))
    let piped = try Run(arguments)
    #expect(piped.output.contains("accuracy") && !piped.output.contains("\u{1B}"))
  }

  #if os(Linux)
    @Test("a file whose name is not UTF-8 is heard like any other, its name in escapes that lead back to it")
    func nameNotUTF8() throws {
      let folder = try TemporaryFolder()
      for label in ["6", "7"] {
        try FileManager.default.createDirectory(atPath: "\(folder.path)/\(label)", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(fixtures)/seven.wav", toPath: "\(folder.path)/\(label)/a.wav")
      }
      let bytes = Array("\(folder.path)/7/caf".utf8) + [0xE9] + Array(".wav".utf8)
      try #require(rename("\(folder.path)/7/a.wav", bytes.map { CChar(bitPattern: $0) } + [0]) == 0)
      let name = folder.path + #"/7/caf\xE9.wav"#
      let folderRun = try Run("classify", folder.path)
      #expect(folderRun.status == 0 && folderRun.output.contains(name + "  7"))
      #expect(try Run("evaluate", folder.path).status == 0)
      let again = try Run("classify", "--json", name)
      #expect(again.status == 0 && again.output.contains(#"/7/caf\\xE9.wav","#), "\(again.errors)")
    }
  #endif

  @Test("a stopped run goes on where it was, to the same file, whatever was left of the last row")
  func resume() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/p.jsonl"
    let whole = try Run(["evaluate"] + digits + ["--predictions", path, "--json"])
    func rows() throws -> [Substring] {
      // The time taken differs from run to run.
      try String(contentsOfFile: path, encoding: .utf8)
        .replacing(try Regex(#""seconds":[^,]*,"#), with: "").split(separator: "\n")
    }
    let all = try rows()
    let bytes = try Data(contentsOf: URL(filePath: path))
    for length in [0, 10, bytes.count / 2, bytes.count - 1, bytes.count] {
      try bytes.prefix(length).write(to: URL(filePath: path))
      let run = try Run(["evaluate"] + digits + ["--predictions", path, "--resume", "--json"])
      #expect(run.status == 0 && run.output == whole.output, "\(run.errors)")
      #expect(try rows() == all)
      let done = bytes.prefix(length).count { $0 == UInt8(ascii: "\n") }
      #expect(run.errors.contains("\(40 - done) files in"))
      #expect(run.errors.contains("taken over") == (done > 0))
    }
  }

  @Test("another model, another channel and other files are not resumed")
  func resumeMismatch() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/p.jsonl"
    _ = try Run(["evaluate"] + digits + ["--predictions", path])
    let channel = try Run(["evaluate"] + digits + ["--predictions", path, "--resume", "--channel", "1"])
    #expect(channel.status == 1 && channel.errors.contains("another model or channel"))
    let files = try Run(["evaluate"] + digits.dropLast() + ["voice=flite-slt", "--predictions", path, "--resume"])
    #expect(files.status == 1 && files.errors.contains("resume with the same data set"), "\(files.errors)")
    #expect(files.errorLines.count == 1)
  }

  @Test("a file that cannot be read is a row with its reason, and does not count")
  func failedFile() throws {
    let folder = try TemporaryFolder()
    let manifest = try folder.write(
      "m.csv", "path,label\n\(fixtures)/seven.wav,7\n\(fixtures)/audio/text.wav,7\n")
    let run = try Run(
      "evaluate", manifest, "--predictions", "\(folder.path)/p.jsonl", "--report", "\(folder.path)/r.html")
    #expect(run.status == 3 && run.output.contains("(1 of 1)"))
    let text = try String(contentsOfFile: "\(folder.path)/p.jsonl", encoding: .utf8)
    #expect(text.split(separator: "\n")[1].contains(#""error":""#))
    #expect(try String(contentsOfFile: "\(folder.path)/r.html", encoding: .utf8).contains(#""failed":1"#))
  }

  @Test("a class that the model lacks counts as wrong, and is told of; where it lacks all, nothing is evaluated")
  func lackingClass() throws {
    let folder = try TemporaryFolder()
    let (one, other, third) = (
      "\(fixtures)/seven.wav", "\(fixtures)/digits/7_flite-rms_0.wav", "\(fixtures)/digits/7_flite-rms_1.wav"
    )
    let some = try folder.write("some.csv", "path,label\n\(one),7\n\(other),nine\n\(third),7\n")
    let predictions = "\(folder.path)/p.jsonl"
    let run = try Run("evaluate", some, "--predictions", predictions)
    #expect(run.status == 0 && run.output.contains("accuracy 66.67% (2 of 3)"), "\(run.output)")
    #expect(run.errors.contains("1 of 3 files are of classes that the model lacks ('nine' 1); they count as wrong"))
    #expect(try Run("evaluate", "--from", predictions).output.contains("(2 of 3)"))
    let none = try folder.write("none.csv", "path,label\n\(one),nine\n\(other),ten\n")
    let refused = try Run("evaluate", none)
    #expect(refused.status == 1 && refused.errorLines.last?.contains("neither is that of any other file") == true)
  }

  @Test("--min-accuracy decides the exit code: 4 below, 0 at or above")
  func gate() throws {
    let folder = try TemporaryFolder()
    let path = try predictions(folder)
    #expect(try Run("evaluate", "--from", path, "--min-accuracy", "0.8").status == 0)
    let below = try Run("evaluate", "--from", path, "--min-accuracy", "0.81")
    #expect(below.status == 4 && below.errors.contains("accuracy 80.00% (8 of 10) is below the 81.00% wanted"))
    #expect(below.output.contains("accuracy 80.00% (8 of 10)"))
    #expect(try Run("evaluate", "--from", path, "--min-accuracy", "1.5").status == 2)
  }

  @Test("predictions without any label are refused, naming the file")  // found by fuzzing
  func withoutLabels() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("p.jsonl", #"{"path":"a.wav","error":"a.wav: no such file","stage":"audio"}"#)
    let run = try Run("evaluate", "--from", path)
    #expect(
      run.status == 1
        && run.errors
          == "auricle: \(path): holds no label, neither a true one nor an answer: rows want 'truth' and 'label', as 'auricle evaluate --predictions' "
          + "writes them\n"
    )
  }

  @Test("--group-by names the worst group; a field nobody has is refused with those there are")
  func groups() throws {
    let folder = try TemporaryFolder()
    let path = try predictions(folder)
    let run = try Run("evaluate", "--from", path, "--group-by", "speaker", "--group-by", "duration")
    #expect(run.output.contains("worst: speaker ann, 50.00% (2 of 4)") && run.output.contains("2 to 5 s"))
    let refused = try Run("evaluate", "--from", path, "--group-by", "colour")
    #expect(refused.status == 1 && refused.errors.contains("there are: duration, label, sample-rate, speaker"))
  }

  @Test("--only chooses among predictions too, --top-k what is counted")
  func choices() throws {
    let folder = try TemporaryFolder()
    let path = try predictions(folder)
    #expect(try Run("evaluate", "--from", path, "--only", "speaker=bob").output.contains("accuracy 100.00% (6 of 6)"))
    let digits = try Run(["evaluate"] + self.digits + ["--top-k", "4"])
    #expect(digits.output.contains("among the first 4 ") && !digits.output.contains("among the first 3 "))
  }

  @Test("reports and confusion matrices are written as their names say")
  func files() throws {
    let folder = try TemporaryFolder()
    let path = try predictions(folder)
    let names = ["r.html", "r.json", "r.csv", "c.csv", "c.json", "c.svg", "c.png"]
    var arguments = ["evaluate", "--from", path, "--normalize", "truth", "--sort", "class"]
    for name in names { arguments += [name.hasPrefix("r") ? "--report" : "--confusion", "\(folder.path)/\(name)"] }
    let run = try Run(arguments)
    #expect(run.status == 0, "\(run.errors)")
    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")) }
    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
    #expect(
      try text("r.html").hasPrefix("<!DOCTYPE html>") && text("r.html").contains(#""paths":["0:0.wav","0:1.wav""#))
    #expect(try text("r.json").contains(#""balancedAccuracy""#) && text("r.csv").hasPrefix("label,precision"))
    #expect(try text("c.csv") == "truth,no,yes\nno,0.8,0.2\nyes,0.2,0.8\n")
    #expect(try text("c.json").contains(#""normalization" : "truth""#) && text("c.svg").contains(">80.0<"))
    #expect(try bytes("c.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(run.output.contains("truth, %    no   yes") && !run.output.contains("\u{1B}"))
    #expect(try Run("evaluate", "--from", path, "--report", "r.txt").status == 2)
  }

  @Test("the HTML report carries spectrograms, sound when asked, learning curves, and is hardened against labels")
  func page() throws {
    let folder = try TemporaryFolder()
    func page(_ options: String...) throws -> String {
      let run = try Run(["evaluate"] + digits + ["--report", "\(folder.path)/r.html"] + options)
      #expect(run.status == 0, "\(run.errors)")
      return try String(contentsOfFile: "\(folder.path)/r.html", encoding: .utf8)
    }
    let plain = try page()
    #expect(plain.contains(#""audio":{}"#) && plain.contains(#""epochs":[{"#))
    #expect(try page("--embed-audio").ranges(of: "data:audio/wav;base64,").count == 40)
    let three = try page("--embed-audio", "--illustrate", "3")
    #expect(three.ranges(of: "data:audio/wav;base64,").count == 3)

    let label = "</script><b>&"
    let row = #"{"path":"\#(label).wav","truth":"\#(label)","label":"x"}"#
    let attack = try Run(
      "evaluate", "--from", folder.write("a.jsonl", row + "\n"), "--report", "\(folder.path)/a.html")
    #expect(attack.status == 0)
    let text = try String(contentsOfFile: "\(folder.path)/a.html", encoding: .utf8)
    #expect(!text.contains("<b>&") && text.contains(#"\u003c/script\u003e\u003cb\u003e\u0026"#))
  }

  @Test("compare tells what changed, in text and in JSON")
  func compare() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try predictions(folder), try predictions(folder, "q.jsonl", wrong: [1, 2, 3, 4]))
    let run = try Run("compare", first, second)
    #expect(run.status == 0 && run.output.contains("difference  -20.00 points"))
    #expect(run.output.contains("p = 0.6250 (exact, two-sided): may be chance"))
    #expect(run.output.contains("gained  truth  first  second") && run.output.contains("\n4.wav  yes    yes    no"))
    #expect(try Run("compare", first, second, "--limit", "1").output.contains("and 2 more"))
    let json = try Run("compare", first, second, "--json").output
    #expect(json.contains(#""pValue":0.625"#) && json.contains(#""path":"4.wav""#))
    #expect(try Run("compare", first, "\(folder.path)/missing.jsonl").status == 1)
  }

  @Test("options that exclude each other are wrong usage")
  func usage() throws {
    for arguments in [
      ["evaluate"], ["evaluate", "x", "--from", "y"], ["evaluate", "--from", "y", "--predictions", "z"],
      ["evaluate", "x", "--resume"], ["evaluate", "x", "--embed-audio"], ["evaluate", "x", "--top-k", "0"],
      ["evaluate", "x", "--illustrate", "-1"], ["compare", "x"], ["evaluate", "x", "--normalize", "odd"],
    ] {
      let run = try Run(arguments)
      #expect(run.status == 2 && run.output.isEmpty, "\(arguments)")
    }
  }
}
