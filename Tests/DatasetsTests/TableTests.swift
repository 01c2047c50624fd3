import AudioInput
import AuricleBase
import Datasets
import Testing

/// Tables as people have them, after `path,label`.
@Suite struct TableTests {
  private func read(
    _ text: String, _ name: String = "list.csv", _ change: (inout TableOptions) -> Void = { _ in }
  ) throws -> (examples: [Example], source: String) {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: name)
    var options = TableOptions()
    change(&options)
    let dataset = try Dataset(at: path, table: options)
    let examples = dataset.examples.map { example in
      var example = example
      example.path = folder.relative([example.path])[0]
      return example
    }
    return (examples, dataset.source)
  }

  private func complaint(
    _ text: String, _ name: String = "list.csv", _ change: (inout TableOptions) -> Void = { _ in }
  ) -> String {
    let message = sentence { _ = try read(text, name, change) }
    return message.firstRange(of: "\(name), ").map { String(message[$0.upperBound...]) } ?? message
  }

  private let two = [Example(path: "a.wav", label: "dog bark"), Example(path: "b.wav", label: "cat")]

  @Test("semicolons, tabs and bars are seen by the first line, and said; or given")
  func separators() throws {
    let semicolons = try read("\u{FEFF}path;label\na.wav;dog bark\nb.wav;\"cat\"\n")
    #expect(semicolons.examples == two)
    #expect(semicolons.source == "manifest (CSV separated by ';'), labels from 'label'")
    // As pandas writes a table with its index.
    let tabs = try read("\tpath\tlabel\n0\ta.wav\tdog bark\n1\tb.wav\tcat\n")
    #expect(tabs.examples == two)
    #expect(tabs.source == "manifest (CSV separated by tabs), labels from 'label'")
    #expect(try read("path|label\na.wav|dog bark\nb.wav|cat").examples == two)
    #expect(try read("path,label\na.wav,dog bark\nb.wav,cat", "list.tsv").examples == two)
    #expect(try read("path~label\na.wav~dog bark\nb.wav~cat") { $0.separator = "~" }.examples == two)
    #expect(try read("path,label\na.wav,\"dog; bark\"").examples.map(\.label) == ["dog; bark"])
  }

  @Test("a first line for Excel says the separator, and is no header")
  func excel() throws {
    #expect(try read("sep=;\npath;label\na.wav;dog bark\nb.wav;cat\n").examples == two)
    #expect(try read("\u{FEFF}sep=,\r\npath,label\r\na.wav,dog bark\r\nb.wav,cat\r\n").examples == two)
    #expect(complaint("sep=;\npath;label\na.wav;\n").hasPrefix("line 3: the label of 'a.wav' is empty"))
    #expect(complaint("sep=;\n").contains("lists no files"))
  }

  @Test("quotation marks are data in TSV, unless the header is in them")
  func unquoted() throws {
    let text = "path\tsentence\tlabel\n1.mp3\t\"Come here, he said.\tx\n2.mp3\tThe board is 7\"\ty\n3.mp3\t\"a\" b\tz\n"
    let examples = try read(text, "train.tsv").examples
    #expect(examples.map(\.label) == ["x", "y", "z"])
    #expect(examples.map { $0.fields["sentence"] } == ["\"Come here, he said.", "The board is 7\"", "\"a\" b"])
    // As R writes it.
    let quoted = try read("\"path\"\t\"label\"\n\"a.wav\"\t\"dog bark\"\n\"b.wav\"\t\"cat\"\n", "list.tsv")
    #expect(quoted.examples == two)
  }

  @Test("backslashes separate folders where no file is called so; a drive is refused")
  func backslashes() throws {
    let folder = try TemporaryFolder(["odd\\name.wav"])
    let list = try folder.write("path,label\nwav\\a\\0.wav,x\nodd\\name.wav,\"naïve, 猫\"\n", to: "list.csv")
    let examples = try Dataset(at: list).examples
    #expect(folder.relative(examples.map(\.path)) == ["wav/a/0.wav", "odd\\name.wav"])
    #expect(examples.map(\.label) == ["x", "naïve, 猫"])
    #expect(
      complaint("path,label\nC:\\data\\a.wav,x\n").hasPrefix("line 2: 'C:\\data\\a.wav' is a path of another computer"))
    #expect(complaint("path,label\nhttps://x.org/a.wav,x\n").hasPrefix("line 2: 'https://x.org/a.wav' is an address"))
    let way = try folder.write("path,label\n..\\out.wav,x\n", to: "in/way.csv")
    #expect(sentence { _ = try Dataset(at: way, root: folder.path + "/in") }.contains("leads out of"))
  }

  @Test("a JSON array is read like JSON lines, with its lines", arguments: ["l.json", "l.jsonl"])
  func array(name: String) throws {
    let text = "[\n{\"path\":\"a.wav\",\"label\":\"dog bark\"},\n {\"path\": \"b.wav\",\n \"label\": \"cat\"}\n]\n"
    let (examples, source) = try read(text, name)
    #expect(examples == two && source == "manifest (JSON array), labels from 'label'")
    #expect(
      complaint("[\n{\"path\":\"a.wav\",\"label\":\"x\"},\n{\"path\":\"b.wav\",\"label\":\"\"}]", name)
        == "line 3: the label of 'b.wav' is empty")
    #expect(
      complaint("[\n{\"path\":\"a.wav\"\n,}]", name).hasPrefix("line 3: not a JSON array of objects: no '\"' at byte"))
    #expect(complaint("[]", name).hasSuffix("lists no files"))
    #expect(complaint(String(repeating: "[", count: 100_000), name).hasPrefix("line 1: not a JSON array of objects"))
    #expect(
      try read(
        "{\"path\":\"a.wav\",\"label\":\"x\",\"deep\":" + String(repeating: "[", count: 99_999)
          + String(repeating: "]", count: 99_999) + "}", "l.jsonl"
      ).examples.count == 1)
  }

  @Test("the label's column is said, and a transcript never becomes the label where anything else may be meant")
  func labelColumn() throws {
    let emotion = try read("path,text,emotion\na.wav,hello 1,happy\nb.wav,hello 1,sad\n")
    #expect(emotion.examples.map(\.label) == ["happy", "sad"])
    #expect(emotion.source == "manifest (CSV), labels from 'emotion'")
    #expect(emotion.examples[0].fields == ["text": "hello 1"])
    let text = try read("path,text,duration\na.wav,yes,1.5\nb.wav,no,1\n")
    #expect(text.examples.map(\.label) == ["yes", "no"] && text.source == "manifest (CSV), labels from 'text'")
    #expect(
      complaint("path,text,mood\na.wav,hello,happy\n")
        == "line 1: the label might be any of the columns 'text', 'mood'; name the one that is meant")
    #expect(
      complaint("path,emotion,genre\na.wav,happy,rock\n")
        == "line 1: the label might be any of the columns 'emotion', 'genre'; name the one that is meant")
    let both = "path,text,mood\na.wav,hello,happy\n"
    #expect(try read(both) { $0.labelColumn = "mood" }.examples.map(\.label) == ["happy"])
    #expect(try read(both) { $0.labelColumn = "text" }.source == "manifest (CSV), labels from 'text'")
    #expect(complaint(both) { $0.labelColumn = "label" } == "line 1: no 'label' column; found: path, text, mood")
    #expect(try read("path,label,text\na.wav,x,hello\n").examples.map(\.label) == ["x"])
    #expect(
      complaint("{\"path\":\"a\",\"label\":\"x\"}\n{\"path\":\"b\",\"text\":\"hello\"}\n", "l.jsonl").hasPrefix(
        "line 2: no 'label' column"))
  }

  @Test("any other table by its path column and its audio root")
  func columns() throws {
    let folder = try TemporaryFolder()
    let list = try folder.write("clip id,what\n7,x\n8,y\n", to: "tables/list.csv")
    var options = TableOptions()
    options.pathColumn = "Clip ID"
    options.labelColumn = "what"
    options.audioRoot = folder.path + "/sounds"
    let dataset = try Dataset(at: list, table: options)
    #expect(folder.relative(dataset.examples.map(\.path)) == ["sounds/7", "sounds/8"])
    #expect(try Corpus(paths: [list], table: options).files.map(\.path) == dataset.examples.map(\.path))
    options.pathColumn = "file"
    #expect(
      sentence { _ = try Dataset(at: list, table: options) }.hasSuffix("line 1: no 'file' column; found: clip id, what")
    )
  }

  @Test("several labels for one sound are refused with their line, or become a list")
  func severalLabels() throws {
    let json = "{\"path\":\"a.wav\",\"label\":[\"Bark\",\"Meow\"]}\n{\"path\":\"b.wav\",\"label\":[\"Bark\"]}\n"
    let csv = "path,label\na.wav,\"Bark,Meow\"\nb.wav,Bark\n"
    #expect(complaint(json, "l.jsonl") == "line 1: 'Bark', 'Meow': 2 labels, and a sound has one here; keep one")
    #expect(
      complaint(csv)
        == "line 2: 'Bark,Meow' looks like several labels ('Bark' is one elsewhere, too), and a sound has one here; keep one, or rename the class"
    )
    for (text, name) in [(json, "l.jsonl"), (csv, "l.csv"), ("path;label\na.wav;Bark|Meow\nb.wav;Bark\n", "l.csv")] {
      let examples = try read(text, name) { $0.labelCells = .list }.examples
      #expect(examples.map(\.labels) == [["Bark", "Meow"], ["Bark"]], "\(text)")
    }
    #expect(try read(csv) { $0.labelCells = .whole }.examples.map(\.labels) == [["Bark,Meow"], ["Bark"]])
    #expect(try read("path,label\na.wav,\"naïve, 猫\"\nb.wav,x\n").examples.map(\.label) == ["naïve, 猫", "x"])
    let rows = try read("path,label\na.wav,x\na.wav,y\nb.wav,\n") { $0.labelCells = .list }.examples
    #expect(rows.map(\.labels) == [["x", "y"], []], "two rows of one file, and a file of no label")
  }

  @Test(
    "several labels in every row, none of which stands alone, are never classes of their own",
    arguments: [
      ("path,label\na.wav,dog;rain\nb.wav,rain;wind\n", "'dog;rain' looks like several labels ('rain' is"),
      ("path,label\na.wav,dog|rain\nb.wav,cat|rain\n", "'dog|rain' looks like several labels ('rain' is one elsewhere"),
      ("path,labels\na.wav,\"dog,rain\"\nb.wav,\"cat,dog\"\n", "'dog,rain' looks like several labels ('dog' is"),
      ("path,label\na.wav,\"['dog', 'rain']\"\nb.wav,x\n", "line 2: 'dog', 'rain': 2 labels, and a sound has one here"),
      ("path,label\na.wav,\"[\"\"dog\"\",\"\"rain\"\"]\"\nb.wav,x\n", "line 2: 'dog', 'rain': 2 labels, and a"),
      ("path,label\na.wav,[]\nb.wav,x\n", "line 2: the label of 'a.wav' is empty"),
    ])
  func onlySeveralLabels(text: String, words: String) throws {
    #expect(complaint(text).contains(words), "\(complaint(text))")
  }

  @Test("a list of one label is that label; names with a comma and a blank are names")
  func oneLabelListed() throws {
    let rows = "path,label\na.wav,\"['dog']\"\nb.wav,\"Dog, barking\"\nc.wav,\"Dog, growling\"\nd.wav,[x\n"
    #expect(try read(rows).examples.map(\.label) == ["dog", "Dog, barking", "Dog, growling", "[x"])
  }

  @Test(
    "columns of times make segments, which are examples of their own",
    arguments: [
      "path,offset,duration,label\na.wav,0.5,1.5,x\na.wav,2,0.5,x\n",
      "path,start,end,label\na.wav,0.5,2,x\na.wav,2,2.5,x\n",
      "path,start_time,end_time,label\na.wav,0.5,2,x\na.wav,2,2.5,x\n",
      "path,onset,offset,label\na.wav,0.5,2,x\na.wav,2,2.5,x\n",
    ])
  func segments(text: String) throws {
    let (examples, source) = try read(text)
    #expect(examples.map(\.sound.seconds) == [0.5..<2, 2..<2.5])
    #expect(examples.map(\.identity) == ["a.wav#t=0.5,2.0", "a.wav#t=2.0,2.5"])
    #expect(examples.allSatisfy { $0.fields.isEmpty } && source.contains(", segments by '"))
  }

  @Test("no times are a whole file: empty cells, a beginning at 0 without an end, a duration alone")
  func wholeFiles() throws {
    #expect(try read("path,start,end,label\na.wav,,,x\nb.wav,0,,y\n").examples.map(\.sound.seconds) == [nil, nil])
    let duration = try read("path,duration,label\na.wav,2.5,x\n").examples[0]
    #expect(duration.sound == SoundSpan("a.wav") && duration.fields == ["duration": "2.5"])
    #expect(try read("path,start,end,label\na.wav,,2,x\n").examples[0].sound.seconds == 0..<2)
  }

  @Test(
    "times that are none are refused with file and line",
    arguments: [
      ("-1,2", "line 2: -1 s in the column 'start' is negative"),
      ("2,1", "line 2: it ends at 1.0 s, but begins at 2.0 s"),
      ("2,2", "line 2: it ends at 2.0 s, but begins at 2.0 s"),
      ("x,1", "line 2: 'x' in the column 'start' is not a number of seconds"),
      ("0,nan", "line 2: 'nan' in the column 'end' is not a number of seconds"),
      ("0,inf", "line 2: 'inf' in the column 'end' is not a number of seconds"),
      ("00:01,2", "line 2: '00:01' in the column 'start' is not a number of seconds"),
      ("2,", "line 2: it begins at 2.0 s, but no end and no duration is given"),
    ])
  func wrongTimes(times: String, expected: String) {
    #expect(complaint("path,start,end,label\na.wav,\(times),x\n") == expected)
    let json = times.split(separator: ",", omittingEmptySubsequences: false).map { $0.isEmpty ? "null" : "\"\($0)\"" }
    #expect(
      complaint(
        "{}\n".dropFirst(3) + "\n{\"path\":\"a\",\"label\":\"x\",\"start\":\(json[0]),\"end\":\(json[1])}\n", "l.jsonl")
        == expected)
  }

  @Test("a duration of nothing is refused; the same segment twice with two labels is, too")
  func segmentRows() {
    #expect(
      complaint("path,offset,duration,label\na.wav,1,0,x\n") == "line 2: a duration of 0.0 s; it must be more than 0")
    let twice = complaint("path,offset,duration,label\na.wav,0,1,x\na.wav,1,1,y\na.wav,0,1,y\n")
    #expect(twice.hasPrefix("line 4: '") && twice.hasSuffix("a.wav#t=0.0,1.0' is 'y' here and 'x' in line 2"))
  }

  @Test("a corpus takes segments, too, and names them by their seconds unless they have names")
  func corpus() throws {
    let folder = try TemporaryFolder()
    let list = try folder.write("path,offset,duration\na/b.wav,0,0.4\na/b.wav,0.4,0.5\n", to: "list.csv")
    let files = try Corpus(paths: [list]).files
    #expect(files.map(\.name) == ["a/b-0.0-0.4", "a/b-0.4-0.9"])
    #expect(files.map(\.sound.seconds) == [0..<0.4, 0.4..<0.9])
    let named = try folder.write("id,path,start,end\nu1,a.wav,0,1\nu2,a.wav,1,2\n", to: "named.csv")
    #expect(try Corpus(paths: [named]).files.map(\.name) == ["u1", "u2"])
  }

  @Test("a table of another encoding is refused with the remedy")
  func encoding() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/list.csv"
    try FileAccess.writeAtomically(
      [0xFF, 0xFE] + "path,label\n".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }, to: path)
    #expect(sentence { _ = try Dataset(at: path) } == "\(path), line 1: not UTF-8 text; save it as UTF-8")
  }
}
