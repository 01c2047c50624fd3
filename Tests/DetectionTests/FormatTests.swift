import Detection
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Events that every format that names files holds whole, but for what `kept` says.
private func events(path: String?) throws -> [SoundEvent] {
  [
    try SoundEvent(start: 0, end: 0.25, label: "cat", probability: 0.5, path: path, channel: 1),
    try SoundEvent(start: 0.3, end: 1.500001, label: "Vögel", probability: 0.987654, path: path, channel: 1),
    try SoundEvent(start: 0.4, end: 1.1, label: "cat", probability: 1, path: path, channel: 1),
    try SoundEvent(start: 3661.5, end: 3662.125, label: "dog-2", probability: 0.25, path: path, channel: 1),
  ]
}

/// What a format keeps of an event.
private func kept(_ event: SoundEvent, _ format: AnnotationFormat) throws -> SoundEvent {
  let hasMilliseconds = format == .srt
  func time(_ seconds: Double) -> Double { hasMilliseconds ? (seconds * 1000).rounded() / 1000 : seconds }
  let keepsProbability = [.raven, .rttm, .csv, .jsonLines].contains(format)
  let keepsChannel = [.raven, .rttm, .jsonLines].contains(format)
  let keepsBand = [.raven, .audacity, .jsonLines].contains(format)
  return try SoundEvent(
    start: time(event.start), end: time(event.end), label: event.label,
    probability: keepsProbability ? event.probability : nil, path: format.holdsPaths ? event.path : nil,
    channel: keepsChannel ? event.channel : nil, lowFrequency: keepsBand ? event.lowFrequency : nil,
    highFrequency: keepsBand ? event.highFrequency : nil)
}

private func read(_ text: String, _ path: String, as format: AnnotationFormat? = nil) throws -> [SoundEvent] {
  try AnnotationFormat.events(in: text.utf8, path: path, as: format)
}

@Suite struct FormatTests {
  @Test("every format reads back what it wrote", arguments: AnnotationFormat.allCases)
  func roundTrip(format: AnnotationFormat) throws {
    let path = format == .rttm ? "day_1" : "day_1.flac"
    let written = try events(path: format.holdsPaths ? path : nil)
    let text = try format.text(written)
    let expected = try written.map { try kept($0, format) }
    // TextGrid has a tier for each label.
    let found = try read(text, "x", as: format)
    #expect(
      (format == .textGrid ? found.sorted(by: SoundEvent.precedes) : found)
        == (format == .textGrid ? expected.sorted(by: SoundEvent.precedes) : expected))
    #expect(try read(text, "x") == found, "recognised by content")
    #expect(try AnnotationFormat.recognized(text.utf8, path: "wrong.csv") == format, "content goes before the name")
    #expect(try format.text(found) == format.text(found), "the same bytes")
  }

  @Test("random events, a thousand of them, survive each format", arguments: AnnotationFormat.allCases)
  func random(format: AnnotationFormat) throws {
    var random = Random(7)
    let written = try (0..<1000).map { _ in
      let start = Double(random.below(1_000_000_000)) / 1e6
      return try SoundEvent(
        start: start, end: start + Double(random.below(5_000_000)) / 1e6, label: "l\(random.below(5))",
        probability: Float(random.uniform()), path: format.holdsPaths ? "a" : nil, channel: 1)
    }
    let found = try read(format.text(written), "x").sorted(by: SoundEvent.precedes)
    let expected = try written.map { try kept($0, format) }.sorted(by: SoundEvent.precedes)
    #expect(found.count == expected.count)
    for (found, expected) in zip(found, expected) where found != expected {
      let isClose = abs(found.start - expected.start) < 1e-9 && abs(found.end - expected.end) < 1e-6
      #expect(isClose && found.label == expected.label && found.probability == expected.probability)
    }
  }

  @Test("no events are a file of no events", arguments: AnnotationFormat.allCases)
  func empty(format: AnnotationFormat) throws {
    let text = try format.text([])
    #expect(try read(text, "none" + format.fileExtension).isEmpty)
    #expect(try read("", "none" + format.fileExtension).isEmpty)
    #expect(try read("\n \r\n", "none" + format.fileExtension, as: format).isEmpty)
  }

  @Test("written as they come, events make the same file", arguments: AnnotationFormat.allCases)
  func streamed(format: AnnotationFormat) throws {
    let events = try events(path: format.holdsPaths ? "day.wav" : nil)
    if format == .textGrid {
      #expect(throws: DetectionError.self) { try AnnotationWriter(format) }
      return
    }
    var writer = try AnnotationWriter(format)
    var text = writer.header
    for event in events { text += try writer.text(of: event) }
    #expect(try text == format.text(events))
  }

  @Test("UTF-16, byte order marks and the line ends of all systems are read", arguments: AnnotationFormat.allCases)
  func encodings(format: AnnotationFormat) throws {
    let text = try format.text(events(path: format.holdsPaths ? "day" : nil))
    let plain = try read(text, "x")
    for ends in ["\r\n", "\r"] {
      let text = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: ends)
      #expect(try read(text, "x") == plain)
      let units = Array(text.utf16)
      let big: [UInt8] = [0xFE, 0xFF] + units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
      let little: [UInt8] = [0xFF, 0xFE] + units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
      for bytes in [big, little, [0xEF, 0xBB, 0xBF] + Array(text.utf8)] {
        #expect(try AnnotationFormat.events(in: bytes, path: "x") == plain)
      }
    }
    #expect(throws: DetectionError.notText(path: "x")) {
      try AnnotationFormat.events(in: Array(text.utf8) + [0xFF], path: "x", as: format)
    }
  }

  @Test(
    "names tell the format where the content does not",
    arguments: [
      ("a.TextGrid", AnnotationFormat.textGrid), ("a.RTTM", .rttm), ("a.selections.txt", .raven), ("a.tsv", .desed),
      ("a.csv", .csv), ("a.srt", .srt), ("a.jsonl", .jsonLines), ("a.txt", nil), ("a", nil),
    ])
  func names(name: String, format: AnnotationFormat?) {
    #expect(AnnotationFormat(name: name) == format)
  }

  @Test(
    "bad input is told with its file, its line and what is wrong",
    arguments: [
      ("a.txt", "0\t1\ta\n1\tx\tb\n", 2, "the end is 'x'; wanted a number"),
      ("a.txt", "0\t1\ta\n2\t1\tb\n", 2, "before it begins"),
      ("a.txt", "0\t1\ta\n1\t2\n", 2, "2 cells"),
      ("a.txt", "0\t1\ta\n1\t2\t\n", 2, "its label is empty"),
      ("a.txt", "\n0\t1\ta\n\\\t100\n", 3, "wanted a low and a high frequency"),
      ("a.csv", "start,end,label\n0,1,a\n1,2\n", 3, "2 cells, but the header has 3"),
      ("a.csv", "start,label\n0,a\n", 1, "there is no column 'end'"),
      ("a.csv", "start,end,label\n0,1,\"a\n", 2, "a quotation mark is not closed"),
      ("a.csv", "start,end,label\n0,inf,a\n", 2, "the end is 'inf'"),
      ("a.tsv", "filename\tonset\toffset\tevent_label\nx.wav\t0\t\ta\n", 2, "the offset is ''"),
      ("a.tsv", "a\tb\n", 1, "there is no column 'filename'"),
      ("a.rttm", "SPEAKER a 1 0 1 <NA> <NA> x <NA> <NA>\nTALKER a 1 0 1\n", 2, "'TALKER' is no type"),
      ("a.rttm", "SPEAKER a 1 0 -1 <NA> <NA> x <NA> <NA>\n", 1, "the duration is -1.0 s"),
      ("a.rttm", "SPEAKER a 1 0 1\n", 1, "5 fields"),
      ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:61:00,000 --> 01:00:00,000\nb\n", 6, "wanted times"),
      ("a.jsonl", "{\"start\":0,\"end\":1,\"label\":\"a\"}\n{\"start\":0,\"end\":1}\n", 2, "there is no 'label'"),
      ("a.jsonl", "{\"start\":0,\"end\":1,\"label\":\"a\"\n", 1, "no '}'"),
      ("a.selections.txt", "Selection\tBegin Time (s)\tEnd Time (s)\n1\t0\t1\n", 1, "there is no column 'Annotation'"),
      ("a.selections.txt", "Begin Time (s)\tEnd Time (s)\tSpecies\n0\t\ta\n", 2, "'End Time (s)' is ''"),
      (
        "a.TextGrid",
        "File type = \"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"t\"\n0\n1\n1\n0\n", 12,
        "wanted an interval's end"
      ),
      (
        "a.TextGrid", "File type = \"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"t\n0\n", 8,
        "never closed"
      ),
      ("a.TextGrid", "File type = \"ooTextFile\"\n\"Pitch\"\n", 1, "holds a TextGrid"),
    ])
  func malformed(name: String, text: String, line: Int, reason: String) {
    do {
      _ = try read(text, name, as: AnnotationFormat(name: name) ?? .audacity)
      Issue.record("read \(text)")
    } catch {
      let sentence = "\(error)"
      #expect(sentence.hasPrefix("\(name), line \(line): "), "\(sentence)")
      #expect(sentence.contains(reason), "\(sentence)")
    }
  }

  @Test("content of no known format is refused by name")
  func unknown() {
    #expect(throws: DetectionError.unrecognizedFormat(path: "notes.txt")) { try read("hello\n", "notes.txt") }
    #expect(throws: DetectionError.notText(path: "x.txt")) {
      try AnnotationFormat.events(in: [0x52, 0x49, 0xFF, 0x00], path: "x.txt")
    }
  }

  @Test("what a format cannot hold is refused, and nothing is bent to fit")
  func unwritable() throws {
    let odd = try SoundEvent(start: 0, end: 1, label: "a\tb", path: "x")
    for format in AnnotationFormat.allCases where format != .csv && format != .jsonLines && format != .textGrid {
      #expect(throws: DetectionError.self) { try format.text([odd]) }
      #expect(throws: DetectionError.self) { try format.check(labels: ["a", "a\nb"]) }
    }
    let spaced = try SoundEvent(start: 0, end: 1, label: "a b", path: "x")
    #expect(throws: DetectionError.self) { try AnnotationFormat.rttm.text([spaced]) }
    #expect(throws: DetectionError.self) { try AnnotationFormat.rttm.text([event(0, 1)]) }
    let two = [try event(0, 1, path: "x"), try event(0, 1, path: "y")]
    for format in AnnotationFormat.allCases {
      if format.holdsPaths {
        #expect(try read(format.text(two), "z").map(\.path) == ["x", "y"])
      } else {
        #expect(throws: DetectionError.self) { try format.text(two) }
      }
    }
    let quoted = [try SoundEvent(start: 0, end: 1, label: "a \"b\",\nc", path: "x, \"y\"")]
    for format in [AnnotationFormat.csv, .jsonLines] { #expect(try read(format.text(quoted), "z") == quoted) }
  }

  @Test("Audacity: frequencies, -1 for none, and labels with tabs")
  func audacity() throws {
    let found = try read("1.0\t2.0\tbird\n\\\t1000.5\t-1.0\n3\t3\tclick\n4\t5\ta\tb\n", "a.txt")
    #expect(found.map(\.label) == ["bird", "click", "a b"] && found.map(\.lowFrequency) == [1000.5, nil, nil])
    #expect(found[0].highFrequency == nil)
    let banded = [try SoundEvent(start: 1, end: 2, label: "b", lowFrequency: 500, highFrequency: 8000.5)]
    #expect(try AnnotationFormat.audacity.text(banded) == "1.000000\t2.000000\tb\n\\\t500\t8000.5\n")
    #expect(try read(AnnotationFormat.audacity.text(banded), "a.txt") == banded)
  }

  @Test("Raven: both views of a selection are one event, and offsets in files count where they are given")
  func raven() throws {
    let table = """
      Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\tFile Offset (s)\tSpecies
      1\tWaveform 1\t1\t100.5\t101.0\t200.0\t4000.0\ta.wav\t0.5\tgull
      1\tSpectrogram 1\t1\t100.5\t101.0\t200.0\t4000.0\ta.wav\t0.5\tgull
      2\tSpectrogram 1\t2\t205.0\t206.0\t\t\tb.wav\t5.0\ttern
      """
    let found = try read(table, "a.txt")
    #expect(found.map(\.start) == [0.5, 5] && found.map(\.end) == [1, 6] && found.map(\.path) == ["a.wav", "b.wav"])
    #expect(found.map(\.channel) == [1, 2] && found.map(\.highFrequency) == [4000, nil])
    let banded = [
      try SoundEvent(start: 1, end: 2, label: "b", channel: 2, lowFrequency: 500, highFrequency: 8000.5),
      try SoundEvent(start: 1, end: 2, label: "c", channel: 2),
    ]
    #expect(try read(AnnotationFormat.raven.text(banded), "a.txt") == banded)
  }

  @Test("DESED: rows without event are silent files")
  func desed() throws {
    let text =
      "filename\tonset\toffset\tevent_label\nsilent.wav\t\t\t\nx.wav\t0.5\t1\tSpeech\nother.wav\nnan.wav\tnan\tnan\tnan\n"
    let found = try read(text, "a.tsv")
    #expect(found.map(\.path) == ["x.wav"] && found.map(\.label) == ["Speech"])
  }

  @Test("CSV: columns by name in any order, other separators, durations")
  func csv() throws {
    let one = "\u{FEFF}Label;Onset;Duration;note\r\n\"a;b\";1.5;0.5;x\r\n"
    #expect(try read(one, "a.csv") == [event(1.5, 2, "a;b")])
    let two = "Start (s),End (s),Scientific name,Common name,Confidence\n0,3.0,Larus,Gull,0.75\n"
    #expect(try read(two, "a.csv") == [SoundEvent(start: 0, end: 3, label: "Gull", probability: 0.75)])
    #expect(try read("start\tend\tlabel\n1\t2\tx\n", "a.tsv") == [event(1, 2, "x")])
  }

  @Test("RTTM: other types and comments are passed over")
  func rttm() throws {
    let text = """
      ;; comment
      SPKR-INFO meeting 1 <NA> <NA> <NA> unknown A <NA> <NA>
      SPEAKER meeting 1 10.0 0.2 <NA> <NA> A 0.5 <NA>
      LEXEME meeting 1 10.0 0.2 word lex A 0.5 <NA>
      SPEAKER meeting <NA> 0.1 0.2 <NA> <NA> B <NA>
      """
    let found = try read(text, "a.rttm")
    #expect(found.map(\.label) == ["A", "B"] && found.map(\.channel) == [1, nil] && found.map(\.end) == [10.2, 0.3])
    let spaced = try AnnotationFormat.rttm.text([event(0, 1, path: "my sounds/day 1.part.wav")])
    #expect(spaced == "SPEAKER day_1.part 1 0.000000 1.000000 <NA> <NA> a <NA> <NA>\n")
  }

  @Test("SRT: text of several lines, points for commas, places on the screen")
  func srt() throws {
    let text = "1\n00:00:01.5 --> 00:00:02,000 X1:0 X2:9\na\nb\n\n\n00:00:03,000 --> 00:00:04,000\nc"
    #expect(try read(text, "a.srt") == [event(1.5, 2, "a b"), event(3, 4, "c")])
    #expect(
      try AnnotationFormat.srt.text([event(359_999.9996, 360_000, "x")]) == "1\n100:00:00,000 --> 100:00:00,000\nx\n\n")
  }

  @Test("TextGrid: long and short forms, points, quotation marks and comments")
  func textGrid() throws {
    let short = #"""
      File type = "ooTextFile"
      "TextGrid"

      0
      2.3
      <exists>
      2
      "IntervalTier"
      "words, 3 of them"
      0
      2.3
      2
      0
      1.5
      "say ""a"""
      1.5
      2.3
      ""
      "TextTier"
      "bell"
      0
      2.3
      1
      2
      "ding"
      """#
    let expected = [try event(0, 1.5, "say \"a\""), try event(2, 2, "ding")]
    #expect(try read(short, "a.TextGrid") == expected)
    let long = #"""
      File type = "ooTextFile"
      Object class = "TextGrid"

      xmin = 0 ! from 1 the beginning
      xmax = 2.3
      tiers? <exists>
      size = 2
      item []:
          item [1]:
              class = "IntervalTier"
              name = "words, 3 of them"
              xmin = 0
              xmax = 2.3
              intervals: size = 2
              intervals [1]:
                  xmin = 0
                  xmax = 1.5
                  text = "say ""a"""
              intervals [2]:
                  xmin = 1.5
                  xmax = 2.3
                  text = ""
          item [2]:
              class = "TextTier"
              name = "bell"
              xmin = 0
              xmax = 2.3
              points: size = 1
              points [1]:
                  number = 2
                  mark = "ding"
      """#
    #expect(try read(long, "a.TextGrid") == expected)
    #expect(try read(AnnotationFormat.textGrid.text(expected, duration: 10), "a") == expected)
    #expect(try AnnotationFormat.textGrid.text(expected, duration: 10).contains("xmax = 10.000000"))
  }

  @Test("reads and writes files")
  func files() throws {
    let path = FileManager.default.temporaryDirectory.path + "/events-\(UInt64.random(in: 0 ... .max)).csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let written = try events(path: "day.wav")
    try AnnotationFormat.jsonLines.write(written, to: path)
    #expect(try AnnotationFormat.read(path) == written)
    #expect(throws: (any Error).self) { try AnnotationFormat.read(path + ".none") }
  }
}

/// What read_back.py reads, written when the environment names a folder for it.
@Suite struct ReadBackTests {
  static let folder = ProcessInfo.processInfo.environment["AURICLE_READ_BACK"]

  @Test("a file of each format is written for read_back.py", .enabled(if: folder != nil))
  func write() throws {
    let folder = try #require(Self.folder)
    for format in AnnotationFormat.allCases {
      let path = "day_1.wav"
      var written = try events(path: path)
      if format == .audacity || format == .raven {
        written.append(
          try SoundEvent(
            start: 4000, end: 4001.5, label: "owl", probability: 0.75, path: path, channel: 2, lowFrequency: 500,
            highFrequency: 8000.5))
      }
      try format.write(written, to: folder + "/events" + format.fileExtension, duration: 5000)
    }
    let scores = try ScoreCase(3)
    for (name, track) in scores.tracks {
      try Data(track.tsv().utf8).write(to: URL(filePath: folder + "/scores-\(name).tsv"))
    }
    let pair = try EventCase(10)
    try AnnotationFormat.desed.write(pair.truth.map { $0.located(in: "day_1.wav") }, to: folder + "/truth.tsv")
    try AnnotationFormat.desed.write(pair.found.map { $0.located(in: "day_1.wav") }, to: folder + "/found.tsv")
    let metrics = try EventMetrics(
      truth: pair.truth.map { $0.located(in: "day_1.wav") }, found: pair.found.map { $0.located(in: "day_1.wav") },
      matching: EventMatching())
    try Data("{\"f1\": \(metrics.overall.f1 ?? 0), \"errorRate\": \(metrics.overall.errorRate)}".utf8)
      .write(to: URL(filePath: folder + "/metrics.json"))
  }
}
