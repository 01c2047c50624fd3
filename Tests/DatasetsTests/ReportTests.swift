import AudioInput
import AuricleBase
import Datasets
import Synchronization
import Testing

@Suite struct LeftOutTests {
  @Test("with --ffmpeg and --raw other files are looked for, and every sound says how it is decoded")
  func decoding() throws {
    let folder = try TemporaryFolder(["a/0.wav", "a/1.m4a", "b/2.webm", "b/3.raw", "b/4.txt"])
    let plain = try AudioFiles.find(paths: [folder.path])
    #expect(folder.relative(plain.files) == ["a/0.wav"])
    #expect(
      plain.leftOut.description
        == "1 .m4a, 1 .webm files (not read; use --ffmpeg, or convert them, for example with 'ffmpeg -i a.m4a a.wav'), "
        + "1 .raw file (samples without a header; describe them with --raw)")
    let decoded = try Dataset(at: folder.path, decoding: SoundDecoding(fallback: .ffmpeg))
    #expect(folder.relative(decoded.examples.map(\.path)) == ["a/0.wav", "a/1.m4a", "b/2.webm"])
    #expect(decoded.examples.allSatisfy { $0.sound.fallback == .ffmpeg })
    let raw = RawFormat("s16le:8000:1")
    let bare = try Corpus(paths: [folder.path], decoding: SoundDecoding(raw: raw))
    #expect(bare.files.map(\.sound) == [SoundSpan("\(folder.path)/b/3.raw", raw: raw)])
  }

  @Test("lengths are known of spans, and of the smallest and largest files")
  func extremeDurations() throws {
    let folder = try TemporaryFolder()
    func silence(_ name: String, _ samples: Int) throws -> String {
      let long = { (value: Int) in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
      let header = Array("RIFF".utf8) + long(36 + 2 * samples) + Array("WAVEfmt ".utf8) + long(16) + [1, 0, 1, 0]
      let rest = long(8000) + long(16_000) + [2, 0, 16, 0] + Array("data".utf8) + long(2 * samples)
      let path = "\(folder.path)/\(name)"
      try FileAccess.writeAtomically(header + rest + [UInt8](repeating: 0, count: 2 * samples), to: path)
      return path
    }
    let paths = try (0..<20).map { try silence("\($0).wav", 100 + $0) } + [silence("long.wav", 16_000)]
    let examples =
      paths.map { Example(path: $0, label: "a") } + [
        Example(SoundSpan(paths[0], seconds: 1..<3.5), labels: ["b"])
      ]
    let dataset = Dataset(examples: examples, source: "")
    let durations = dataset.extremeDurations()
    #expect(durations["\(folder.path)/long.wav"] == 2 && durations[paths[0]] == 0.0125)
    #expect(durations[examples[21].identity] == 2.5 && durations[paths[10]] == nil)
    let report = DatasetReport(of: dataset, durations: durations)
    #expect(
      report.suspicions.last
        == .unequalLengths(shortest: 0.0125, path: paths[0], longest: 2.5, longestPath: paths[0]))
  }

  @Test("files left out are counted by reason, with one line and the remedy")
  func leftOut() throws {
    let folder = try TemporaryFolder([
      "a/0.wav", "a/1.m4a", "a/2.M4A", "b/0.wav", "b/3.webm", "b/._0.wav", "b/.wav", "b/notes.txt", "b/.hidden",
      "_c/0.wav",
    ])
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.labels == ["a", "b"])
    #expect(
      dataset.leftOut.counts
        == [
          .format("m4a"): 2, .format("webm"): 1, .hidden: 1, .emptyName: 1, .otherKind("txt"): 1, .underscoredFolder: 1,
        ])
    #expect(dataset.leftOut.soundCount == 6)
    #expect(
      dataset.leftOut.description
        == "2 .m4a, 1 .webm files (not read; use --ffmpeg, or convert them, for example with 'ffmpeg -i a.m4a a.wav'), 1 file whose names begin "
        + "with '.', 1 file whose names are nothing but an ending (rename them), 1 file in folders whose names begin with '_' "
        + "(rename the folders, if they are classes)")
    let found = try AudioFiles.find(paths: [folder.path + "/b"])
    #expect(folder.relative(found.files) == ["b/0.wav"])
    #expect(found.leftOut.counts[.format("webm")] == 1)
    #expect(try Corpus(paths: [folder.path + "/b"]).leftOut == found.leftOut)
    #expect(LeftOut([.otherKind("txt"): 3]).description.isEmpty)
  }

  @Test("a folder with nothing but sound that is not read says why")
  func nothingElse() throws {
    let folder = try TemporaryFolder(["a/1.m4a", "b/2.m4a"])
    #expect(sentence { _ = try Dataset(at: folder.path) }.contains("; left out: 2 .m4a files (not read; use --ffmpeg"))
    #expect(sentence { _ = try AudioFiles.expand(paths: [folder.path]) }.contains("2 .m4a files"))
  }
}

@Suite struct DatasetReportTests {
  private func examples(_ label: String, _ count: Int, from first: Int = 0, split: Split? = nil) -> [Example] {
    (first..<first + count).map { Example(path: "\(label)/\($0).wav", label: label, split: split) }
  }

  private func sentences(_ report: DatasetReport) -> [String] { report.suspicions.map(\.description) }

  @Test("classes are counted by part, in as many lines as there is room for")
  func counts() throws {
    let dataset = Dataset(examples: examples("b", 20) + examples("a", 12), source: "test")
    let split = try dataset.split(validation: .fraction(0.25), seed: 1)
    let report = DatasetReport(of: dataset, split: split)
    #expect(report.classes.map(\.label) == ["a", "b"])
    #expect(
      report.classes.map { [$0.training, $0.validation, $0.testing, $0.total] } == [[9, 3, 0, 12], [15, 5, 0, 20]])
    #expect(report.text() == "a 9 + 3, b 15 + 5" && report.suspicions.isEmpty)
    #expect(DatasetReport(of: dataset).text() == "a 12, b 20")
    let many = Dataset(examples: (0..<500).flatMap { examples("class \($0)", 1) }, source: "test")
    let lines = DatasetReport(of: many).text(width: 60, lines: 3).split(separator: "\n")
    #expect(lines.count == 3 && lines.allSatisfy { $0.count <= 61 || $0.hasSuffix("classes more") })
    #expect(lines[0].hasPrefix("class 0 1, class 1 1,") && lines[2].hasSuffix(" and 485 classes more"), "\(lines)")
  }

  @Test(
    "classes named like splits, folds or actors are suspicious; others are not",
    arguments: [
      (["train", "test"], "splits"), (["fold1", "fold2", "fold10"], "folds"), (["Actor_01", "Actor_02"], "actors"),
      (["speaker 1", "speaker 2"], "actors"), (["cat", "dog"], nil), (["1", "2"], nil), (["folder", "folding"], nil),
      (["test", "cat", "dog"], nil), (["actor", "actress"], nil),
    ] as [([String], String?)])
  func names(labels: [String], kind: String?) {
    let dataset = Dataset(examples: labels.flatMap { examples($0, 10) }, source: "test")
    let found = sentences(DatasetReport(of: dataset, wantsValidation: false))
    if let kind {
      #expect(found.count == 1 && found[0].hasPrefix("the classes are named like \(kind) ('"))
    } else {
      #expect(found.isEmpty, "\(found)")
    }
  }

  @Test(
    "classes that look like several labels are suspicious; names are not",
    arguments: [
      (["dog;rain", "cat;wind", "x"], 2), (["dog|rain", "x"], 1), (["dog,rain", "x"], 1),
      (["dog", "rain", "dog+rain"], 1),
      (["dog", "rain", "rain / dog"], 1), (["Dog, barking", "naïve, 猫", "rock/pop", "rock", "R&B", "B", "1"], 0),
    ])
  func severalLabels(labels: [String], count: Int) {
    let dataset = Dataset(examples: labels.flatMap { examples($0, 10) }, source: "test")
    let found = sentences(DatasetReport(of: dataset, wantsValidation: false))
    #expect(found.count == min(count, 1), "\(found)")
    if let sentence = found.first {
      #expect(sentence.hasPrefix(count == 1 ? "one class looks" : "\(count) classes look"), "\(found)")
    }
  }

  @Test("few files, parts without a class, nothing to validate, lengths that differ a hundredfold")
  func others() throws {
    let dataset = Dataset(
      examples: examples("a", 12) + examples("b", 9) + examples("a", 2, from: 20, split: .validation), source: "test")
    let split = try dataset.split(validation: .asGiven, seed: 1)
    #expect(
      sentences(DatasetReport(of: dataset, split: split))
        == ["one class has fewer than 10 files: 'b' 9", "validation has no file of 1 of the 2 classes ('b')"])
    let single = Dataset(examples: examples("a", 1) + examples("b", 1), source: "test")
    let nothing = DatasetReport(of: single, split: try single.split(validation: .fraction(0.5), seed: 1))
    #expect(
      sentences(nothing) == [
        "2 classes have fewer than 10 files: 'a' 1, 'b' 1",
        "no file is left for validation; the last epoch will be kept, good or bad",
      ])
    let even = Dataset(examples: examples("a", 10) + examples("b", 10), source: "test")
    func lengths(_ last: Double) -> [String] {
      let durations = ["a/0.wav": 0.5, "a/1.wav": 2, "b/3.wav": last, "b/4.wav": 0, "unknown": 1e9]
      return sentences(DatasetReport(of: even, durations: durations, wantsValidation: false))
    }
    #expect(lengths(49).isEmpty)
    #expect(lengths(50) == ["lengths differ by a factor of 100: a/0.wav has 0.5 s, b/3.wav 50.0 s"])
  }

  @Test("segments of one file in several parts are told")
  func segments() {
    let long = (0..<4).map { Example(SoundSpan("long.wav", seconds: Double($0)..<Double($0 + 1)), labels: ["a"]) }
    let dataset = Dataset(examples: long + examples("a", 10) + examples("b", 10), source: "test")
    let apart = DatasetSplit(
      training: Array(dataset.examples.dropFirst()), validation: [long[0]] + examples("b", 1, from: 99))
    #expect(
      sentences(DatasetReport(of: dataset, split: apart))
        == [
          "segments of one file are in several parts (long.wav); a column 'group' keeps together what belongs together"
        ])
  }

  @Test("the same content is found by checksum: in two classes a contradiction, across parts a leak")
  func sameSounds() throws {
    let folder = try TemporaryFolder()
    func add(_ name: String, _ text: String) throws { try folder.write(text, to: name) }
    for index in 0..<10 { for label in ["a", "b"] { try add("\(label)/\(index).wav", "\(label) \(index) content") } }
    try add("a/twin.wav", "a 0 content")
    try add("b/other.wav", "a 1 content")
    let dataset = try Dataset(at: folder.path)
    let same = dataset.sameSounds()
    #expect(same.map { folder.relative($0.map(\.path)) } == [["a/0.wav", "a/twin.wav"], ["a/1.wav", "b/other.wav"]])
    let twin = dataset.examples.filter { $0.path.hasSuffix("twin.wav") }
    let split = DatasetSplit(
      training: dataset.examples.filter { $0 != twin[0] }, validation: twin + examples("b", 1, from: 50))
    let found = sentences(DatasetReport(of: dataset, split: split, sameSounds: same)).map {
      $0.replacing(folder.path + "/", with: "")
    }
    #expect(
      found == [
        "one sound is in several classes (a/1.wav, 'a', is b/other.wav, 'b')",
        "one sound is in several parts, so that a model is judged by what it learned (a/0.wav is a/twin.wav)",
      ])
  }

  @Test("only files of equal size are opened, and only those alike in the middle are read")
  func cheap() {
    let log = Mutex<[String]>([])
    let contents = FileContents(
      size: { $0 == "gone" ? nil : $0 == "big" ? 9 : 5 },
      sample: { path in
        log.withLock { $0.append("sample \(path)") }
        return path == "c" ? 1 : 2
      },
      checksum: { path in
        log.withLock { $0.append("checksum \(path)") }
        return 3
      })
    let paths = ["a", "b", "c", "big", "gone"]
    let dataset = Dataset(examples: paths.map { Example(path: $0, label: "x") }, source: "test")
    #expect(dataset.sameSounds(contents).map { $0.map(\.path) } == [["a", "b"]])
    #expect(log.withLock { $0.sorted() } == ["checksum a", "checksum b", "sample a", "sample b", "sample c"])
    let spans = ["a", "b"].flatMap { path in
      [0.0, 1.0].map { Example(SoundSpan(path, seconds: $0..<$0 + 1), labels: ["x"]) }
    }
    let same = Dataset(examples: spans, source: "test").sameSounds(contents)
    #expect(same.map { $0.map(\.identity) } == [["a#t=0.0,1.0", "b#t=0.0,1.0"], ["a#t=1.0,2.0", "b#t=1.0,2.0"]])
  }

  @Test("predefined folds: every file has one, or it is refused")
  func predefined() throws {
    let all = (0..<12).map { Example(path: "\($0)", label: "\($0 % 2)", fields: ["fold": "\($0 / 4 + 1)"]) }
    let folds = try Dataset(examples: all, source: "test").predefinedFolds()
    #expect(folds.map(\.name) == ["fold 1", "fold 2", "fold 3"] && folds.allSatisfy { $0.testing.count == 4 })
    var some = all
    some[5].fields = [:]
    #expect(
      sentence { _ = try Dataset(examples: some, source: "test").predefinedFolds(by: "fold") }
        == "cross-validation: 1 of 12 files have no value in the field 'fold', the first being 5")
    #expect(
      sentence { _ = try Dataset(examples: all, source: "test").predefinedFolds(by: "x") }.contains(
        "no file has a field 'x'"))
  }
}
