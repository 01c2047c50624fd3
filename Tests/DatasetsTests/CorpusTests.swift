import Testing

@testable import Datasets

@Suite struct CorpusTests {
  private func names(_ paths: [String]) throws -> [String] { try Corpus(paths: paths).files.map(\.name) }

  @Test("files of one folder have their own names, without the ending")
  func flat() throws {
    #expect(try names(["/data/a.wav", "/data/b.c.flac"]) == ["a", "b.c"])
    #expect(try names(["./x/a.wav"]) == ["a"])
    #expect(try names(["-"]) == ["stdin"])
  }

  @Test("files of several folders keep what the folders do not share")
  func nested() throws {
    #expect(try names(["a/x.wav", "b/x.wav"]) == ["a/x", "b/x"])
    #expect(try names(["/data/a/x.wav", "/data/b/c/x.wav"]) == ["a/x", "b/c/x"])
    #expect(try names(["../a/x.wav", "b/x.wav"]) == ["a/x", "b/x"], "never above")
  }

  @Test("one folder names its files by their place in it; several keep their own names")
  func folders() throws {
    let folder = try TemporaryFolder(["a/one/x.wav", "a/two/x.wav", "b/one/x.wav"])
    #expect(try names(["\(folder.path)/a"]) == ["one/x", "two/x"])
    #expect(try names(["\(folder.path)/a/"]) == ["one/x", "two/x"])
    #expect(try names(["\(folder.path)/a", "\(folder.path)/b"]) == ["a/one/x", "a/two/x", "b/one/x"])
  }

  @Test("a manifest names files by its id, or else by the path it has; labels are not needed")
  func manifest() throws {
    let folder = try TemporaryFolder()
    let ids = try folder.write("path,id\na.wav,utt 1\nb/c.wav,utt.2\n", to: "ids.csv")
    #expect(try names([ids]) == ["utt 1", "utt.2"])
    #expect(try Corpus(paths: [ids]).files[1].path == "\(folder.path)/b/c.wav")
    let paths = try folder.write(
      "{\"audio_filepath\": \"b/c.wav\"}\n{\"audio_filepath\": \"/d/e.wav\"}\n", to: "p.jsonl")
    #expect(try names([paths]) == ["b/c", "d/e"])
    let evil = try folder.write("path,id\na.wav,../../etc/x\n", to: "evil.csv")
    #expect(try names([evil]) == ["etc/x"])
    // A slash and an accent are one `Character`, but to the system a slash.
    let accented = try folder.write("path,id\na.wav,../\u{301}x\n", to: "accented.csv")
    #expect(try names([accented]) == ["\u{301}x"])
    #expect(sentence { _ = try Corpus(paths: [try folder.write("name\na\n", to: "n.csv")]) }.contains("no 'path'"))
  }

  @Test("two files of one name are refused, both named; one file twice is one")
  func collisions() throws {
    #expect(throws: DatasetError.sameName("x", path: "a/x.flac", earlier: "a/x.wav")) {
      try Corpus(paths: ["a/x.wav", "a/x.flac"])
    }
    #expect(try names(["a/x.wav", "a/x.wav"]) == ["x"])
    #expect(throws: DatasetError.self, "two files to the system, one name to Swift") {
      try Corpus(paths: ["a/\u{E9}.wav", "a/e\u{301}.wav"])
    }
  }
}
