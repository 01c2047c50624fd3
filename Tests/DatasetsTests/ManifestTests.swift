import AuricleBase
import Datasets
import Testing

@Suite struct ManifestTests {
  private func dataset(_ text: String, _ name: String = "list.csv", pattern: String? = nil) throws -> [Example] {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: name)
    let examples = try Dataset(at: path, labelPattern: pattern.map { try LabelPattern($0) }).examples
    return examples.map { example in
      var example = example
      example.path = folder.relative([example.path])[0]
      return example
    }
  }

  /// The error's sentence from the line number on.
  private func complaint(_ text: String, _ name: String = "list.csv", pattern: String? = nil) -> String {
    let message = sentence { _ = try dataset(text, name, pattern: pattern) }
    return message.firstRange(of: "\(name), ").map { String(message[$0.upperBound...]) } ?? message
  }

  @Test("CSV: quotes, CR LF, byte-order mark, blank lines, further columns")
  func csv() throws {
    let text =
      "\u{FEFF}Path,label,split,group,note\r\n\r\n\"a, b.wav\",\"say \"\"x\"\"\",dev,g1,\"two\r\nlines\"\r\n"
      + "./c.wav, no ,,,\r\n  \r\n/abs/d.wav,no,TEST,g2,\"\"\r\n"
    #expect(
      try dataset(text) == [
        Example(
          path: "a, b.wav", label: "say \"x\"", split: .validation, fields: ["group": "g1", "note": "two\r\nlines"]),
        Example(path: "c.wav", label: "no", fields: ["group": "", "note": ""]),
        Example(path: "/abs/d.wav", label: "no", split: .testing, fields: ["group": "g2", "note": ""]),
      ])
  }

  @Test("TSV keeps empty cells and quotation marks inside cells", arguments: ["file", "filename", "audio_filepath"])
  func tsv(column: String) throws {
    let examples = try dataset("\(column)\tx\tlabel\na.wav\t\tsay \"x\"", "list.tsv")
    #expect(examples == [Example(path: "a.wav", label: "say \"x\"", fields: ["x": ""])])
  }

  @Test("JSON lines: names, numbers and booleans; what is nested is left out", arguments: ["jsonl", "json", "ndjson"])
  func jsonLines(suffix: String) throws {
    let text = #"""
      {"audio_filepath": "a.wav", "command": "go", "duration": 1.5, "n": 3, "ok": true, "tags": ["x"], "z": null}

      {"path": "b.wav", "label": 7, "text": "seven", "split": "val"}
      """#
    #expect(
      try dataset(text, "list." + suffix) == [
        Example(path: "a.wav", label: "go", fields: ["duration": "1.5", "n": "3", "ok": "true"]),
        Example(path: "b.wav", label: "7", split: .validation, fields: ["text": "seven"]),
      ])
  }

  @Test(
    "what is wrong is told with its line",
    arguments: [
      (
        "a.wav,yes\nb.wav,no\n",
        "line 1: 'a.wav' stands where the names of the columns should; add a first line such as 'path,label'"
      ),
      (
        "path,label\n\na.wav,x,y\n",
        "line 3: 3 cells, but the header has 2; a cell with a ',' in it needs quotation marks"
      ),
      ("path,label,x\n\na.wav,x\n", "line 3: 2 cells, but the header has 3"),
      ("path,label\n\"a\nb.wav\",x\nc.wav,\n", "line 4: the label of 'c.wav' is empty"),
      ("path,label\n,x\n", "line 2: the path is empty"),
      ("path,label\na.wav,x\n\"b.wav,x\n", "line 3: a quotation mark is never closed"),
      ("path,label\n\"a.wav\" b,x\n", "line 2: 'b' follows a closing quotation mark"),
      ("path,label,split\na.wav,x,fold1\n", "line 2: split 'fold1': wanted training, validation or testing"),
      ("path,label,path\n", "line 1: the column 'path' stands in the header twice"),
    ])
  func csvErrors(text: String, expected: String) {
    #expect(complaint(text) == expected)
  }

  @Test(
    "what is wrong with JSON lines is told with its line",
    arguments: [
      (
        "{\"path\":\"a\",\"label\":\"x\"}\n\n{\"path\":",
        "line 3: not a JSON object: no value that is wanted here at byte 9"
      ),
      ("[1]", "line 1: not a JSON array of objects: it does not begin with '{'"),
      ("[{\"path\":\"a\",\n\"label\":\"x\"},\n}", "line 3: not a JSON array of objects: it does not begin with '{'"),
      ("{\"path\":\"a\",\"label\":\"x\",\"label\":\"y\"}", "line 1: not a JSON object: 'label' stands in it twice"),
      ("{\"path\":\"a\",\"label\":\"x\"},", "line 1: not a JSON object: text follows the object at byte 25"),
    ])
  func jsonErrors(text: String, expected: String) {
    #expect(complaint(text, "list.jsonl") == expected)
  }

  @Test("without a column for the path, for the label, or both: all that is missing is told, and what there is")
  func missingColumns() {
    let name = complaint("path,name\na.wav,x\n")
    #expect(name.hasPrefix("line 1: no 'label' or ") && name.hasSuffix("' column; found: path, name"))
    let both = complaint("wav_name,name\na,x\n")
    #expect(both.hasPrefix("line 1: no 'path' or ") && both.contains("' column and no 'label' or 'class' or "))
    #expect(both.hasSuffix("; found: wav_name, name"))
    #expect(complaint("{\"path\":\"a\",\"name\":\"x\"}", "l.jsonl").hasSuffix("' column; found: name, path"))
    #expect(complaint("{\"path\":\"a\",\"label\":null}", "l.jsonl").hasSuffix("' column; found: path"))
  }

  @Test("everything wrong is told at once, alike reasons together")
  func several() {
    let message = complaint("path,label,split\na.wav,,\n,x,\n,y,\n,z,\n,x,\nb.wav,x,fold1\nb.wav,x,\nb.wav,y,\n")
    #expect(message.contains("list.csv: 7 lines are wrong; line 2: the label of 'a.wav' is empty; "))
    #expect(message.contains("; lines 3, 4, 5 and 1 more: the path is empty; line 7: split 'fold1': wanted"))
    #expect(message.contains("is 'y' here and 'x' in line 8"))
  }

  @Test("a file listed twice alike is kept once; unlike, both lines are told")
  func duplicates() throws {
    #expect(try dataset("path,label\na.wav,x\n./a.wav,x\nb.wav,y\n").count == 2)
    #expect(try dataset("path,label\n\u{E9}.wav,x\ne\u{301}.wav,x\n").count == 2, "two files to the system")
    #expect(complaint("path,label\na.wav,x\n\na.wav,y\n").hasPrefix("line 4: '"))
    #expect(complaint("path,label\na.wav,x\n\na.wav,y\n").hasSuffix("a.wav' is 'y' here and 'x' in line 2"))
    #expect(
      complaint("path,label,split\na.wav,x,train\na.wav,x,val\n")
        .hasSuffix("is for validation here and for training in line 2"))
  }

  @Test("a manifest without files, and one that is not text, are refused")
  func notAManifest() throws {
    #expect(complaint("").hasSuffix("list.csv: lists no files"))
    #expect(complaint("path,label\n").hasSuffix("list.csv: lists no files"))
    let folder = try TemporaryFolder()
    let path = folder.path + "/list.csv"
    try FileAccess.writeAtomically([0x70, 0x0A, 0xFF, 0xFE, 0x70, 0x00] as [UInt8], to: path)
    #expect(throws: DatasetError.notUTF8(path: path, line: 2)) { try Dataset(at: path) }
  }

  @Test("a NUL, which would end a path early, is refused with its line")
  func nul() throws {
    #expect(complaint("path,label\na.wav,x\nb.wav\0.txt,y\n") == "line 3: a NUL character in it")
    #expect(complaint(#"{"path": "a\u0000.wav", "label": "x"}"#, "list.jsonl") == "line 1: a NUL character in it")
  }

  @Test("with a root, a path that leads out of it is refused with its line, also through a link")
  func root() throws {
    let folder = try TemporaryFolder(["in/a.wav", "out/b.wav"])
    let inside = "\(folder.path)/in"
    for (link, target) in [
      ("out", "../out"), ("up", "../out/b.wav"), ("loop", "loop"), ("fine", "a.wav"), ("gone", "none"),
    ] {
      try folder.link("in/\(link)", to: target)
    }
    func complaint(_ file: String) throws -> String? {
      let list = "\(inside)/list.csv"
      try FileAccess.writeAtomically("path,label\na.wav,x\n\(file),x\n", to: list)
      do throws(DatasetError) {
        _ = try Dataset(at: list, root: inside)
        _ = try Corpus(paths: [list], root: inside)
        return nil
      } catch {
        return error.description.replacing(folder.path, with: "")
      }
    }
    for file in ["fine", "loop", "gone", "no/where.wav", "./a.wav", "\(inside)/a.wav", "../in/a.wav"] {
      #expect(try complaint(file) == nil, "\(file)")
    }
    for file in ["../out/b.wav", "out/b.wav", "up", "/etc/passwd", "no/../../out/b.wav", "out/none.wav"] {
      #expect(try complaint(file)?.hasPrefix("/in/list.csv, line 3: ") == true, "\(file)")
    }
    #expect(throws: DatasetError.self) { try Corpus(paths: ["\(inside)/list.csv"], root: "\(folder.path)/nowhere") }
  }

  @Test("a pattern adds fields to a manifest, whose own columns come first")
  func pattern() throws {
    let examples = try dataset("path,speaker\n7_theo_1.wav,T\n", pattern: "{label}_{speaker}_{index}")
    #expect(examples == [Example(path: "7_theo_1.wav", label: "7", fields: ["speaker": "T", "index": "1"])])
    let captured = try dataset("path,text,mood\n7_theo_1.wav,hello,sad\n", pattern: "{label}_*")
    #expect(captured.map(\.label) == ["7"] && captured[0].fields == ["text": "hello", "mood": "sad"])
    #expect(
      complaint("path,label\na.wav,x\n", pattern: "{b}_{c}")
        == "line 2: 'a.wav' does not match the label pattern '{b}_{c}'")
  }
}
