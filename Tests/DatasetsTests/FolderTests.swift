import Datasets
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite struct FolderTests {
  @Test("a folder per class: deeper folders belong to the class; hidden ones to nothing, noise to no class")
  func folderPerClass() throws {
    let folder = try TemporaryFolder([
      "yes/b.wav", "yes/a.FLAC", "yes/more/c.ogg", "no/a.wav", "no/notes.txt", "no/._a.wav", ".git/x.wav",
      "_background_noise_/hum.wav", "10/a.wav", "2/a.wav", "README.md",
    ])
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.labels == ["2", "10", "no", "yes"])
    #expect(
      folder.relative(dataset.examples.map(\.path))
        == ["10/a.wav", "2/a.wav", "no/a.wav", "yes/a.FLAC", "yes/b.wav", "yes/more/c.ogg"])
    #expect(dataset.examples.map(\.label) == ["10", "2", "no", "yes", "yes", "yes"])
    #expect(dataset.examples.allSatisfy { $0.split == nil && $0.fields.isEmpty })
    #expect(dataset.source == "folder per class, noise in _background_noise_")
    #expect(try Dataset(at: folder.path + "/").examples.count == 6)
  }

  @Test("a class without audio is refused by name")
  func emptyClass() throws {
    let folder = try TemporaryFolder(["yes/a.wav", "maybe/notes.txt"])
    let message = sentence { _ = try Dataset(at: folder.path) }
    #expect(message.hasPrefix("\(folder.path)/maybe: no audio files (.aif .aifc"))
    #expect(message.contains("for class 'maybe'"))
  }

  @Test("a folder without audio, or empty, is refused by name", arguments: [[], ["a/x.txt", "b/y.txt"], ["x.txt"]])
  func noAudio(files: [String]) throws {
    let folder = try TemporaryFolder(files)
    let leftOut = LeftOut(files.isEmpty ? [:] : [.otherKind("txt"): files.count])
    #expect(throws: DatasetError.noAudio(folder: folder.path, extensions: AudioFiles.extensions, leftOut: leftOut)) {
      try Dataset(at: folder.path)
    }
  }

  #if os(Linux)
    @Test(
      "a name that is not UTF-8 is written in escapes, for a file and a folder; hidden or of another kind it does not count"
    )
    func nameNotUTF8() throws {
      let folder = try TemporaryFolder(["yes/a.wav", "no/a.wav"])
      func make(_ name: [UInt8], folder isFolder: Bool = false) {
        let path =
          Array("\(folder.path)/no/".utf8).map { CChar(bitPattern: $0) } + name.map { CChar(bitPattern: $0) } + [0]
        #expect(isFolder ? mkdir(path, 0o755) == 0 : mknod(path, S_IFREG | 0o644, 0) == 0)
      }
      make([0x2E, 0xFF] + Array(".wav".utf8))
      make([0xFF] + Array(".txt".utf8))
      #expect(try Dataset(at: folder.path).examples.count == 2)
      make([0xFF] + Array(".wav".utf8))
      #expect(try Dataset(at: folder.path).examples.map(\.path).contains(folder.path + #"/no/\xFF.wav"#))
      make([0xC3, 0x28], folder: true)
      make([0xC3, 0x28, 0x2F] + Array("b.wav".utf8))
      #expect(try AudioFiles.expand(paths: [folder.path]).contains(folder.path + #"/no/\xC3(/b.wav"#))
    }
  #endif

  @Test("a missing path and a file of another kind are refused by name")
  func neither() throws {
    let folder = try TemporaryFolder(["song.wav"])
    #expect(
      sentence { _ = try Dataset(at: folder.path + "/none") }
        == "\(folder.path)/none: cannot be read: No such file or directory")
    #expect(
      sentence { _ = try Dataset(at: folder.path + "/song.wav") }.hasPrefix("\(folder.path)/song.wav: not a data set:"))
  }

  @Test(
    "files directly in a folder ask for a pattern and suggest one",
    arguments: [
      ("0_george_10.wav", "'{label}_{b}_{c}'"), ("dog.wav", "'{label}'"), ("a-b.wav", "'{label}-{b}'"),
      ("a_b_c_d_e_f_g.wav", "'{label}_*'"),
    ])
  func patternNeeded(file: String, suggestion: String) throws {
    let folder = try TemporaryFolder([file, "z_z_z.wav"])
    let message = sentence { _ = try Dataset(at: folder.path) }
    #expect(message.hasPrefix(folder.path + ": audio files stand directly in it"))
    #expect(message.hasSuffix(suggestion))
    let pattern = try LabelPattern(String(suggestion.dropFirst().dropLast()))
    #expect(pattern.fields(of: file) != nil)
  }

  @Test("files beside class folders are refused rather than passed over")
  func mixed() throws {
    let folder = try TemporaryFolder(["stray.wav", "yes/a.wav", "no/a.wav"])
    #expect(sentence { _ = try Dataset(at: folder.path) }.contains("both audio files ('stray.wav') and folders ('no')"))
  }

  @Test("a pattern names classes and fields, in deeper folders too")
  func pattern() throws {
    let folder = try TemporaryFolder(["7_theo_12.wav", "0_jackson_3.wav", "more/7_lucas_1.wav"])
    let dataset = try Dataset(at: folder.path, labelPattern: LabelPattern("{label}_{speaker}_{index}"))
    #expect(dataset.labels == ["0", "7"])
    let paths = folder.relative(dataset.examples.map(\.path))
    #expect(paths == ["0_jackson_3.wav", "7_theo_12.wav", "more/7_lucas_1.wav"])
    #expect(dataset.examples[1].fields == ["speaker": "theo", "index": "12"])
    #expect(dataset.source == "file names by the pattern '{label}_{speaker}_{index}'")
  }

  @Test("files a pattern does not match are counted and the first is named")
  func mismatch() throws {
    let folder = try TemporaryFolder(["7_theo.wav", "b.wav", "a.wav"])
    #expect(
      sentence { _ = try Dataset(at: folder.path, labelPattern: LabelPattern("{label}_{speaker}")) }
        == "\(folder.path)/a.wav: does not match the label pattern '{label}_{speaker}' (2 of 3 files do not)")
  }

  @Test("a pattern without {label} adds fields to a folder per class")
  func fieldsOnly() throws {
    let folder = try TemporaryFolder(["yes/ann_nohash_0.wav", "no/bob_nohash_1.wav"])
    let dataset = try Dataset(at: folder.path, labelPattern: LabelPattern("{speaker}_nohash_{index}"))
    #expect(dataset.labels == ["no", "yes"])
    #expect(dataset.examples.map { $0.fields["speaker"] } == ["bob", "ann"])
  }

  @Test("the lists of Speech Commands give splits; entries of classes that are not there are passed over")
  func lists() throws {
    let folder = try TemporaryFolder(["yes/a.wav", "yes/b.wav", "yes/c.wav", "no/a.wav"])
    try folder.write("yes/a.wav\r\nleft/x.wav\r\n\r\n", to: "validation_list.txt")
    try folder.write("yes/b.wav\n", to: "testing_list.txt")
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.examples.map(\.split) == [.training, .validation, .testing, .training])
    #expect(dataset.source == "folder per class, split by validation_list.txt and testing_list.txt")
  }

  @Test("a list that names nothing, and a file on both lists, are refused")
  func badLists() throws {
    let folder = try TemporaryFolder(["yes/a.wav", "no/a.wav"])
    try folder.write("a.wav\n", to: "validation_list.txt")
    #expect(throws: DatasetError.uselessList(path: folder.path + "/validation_list.txt")) {
      try Dataset(at: folder.path)
    }
    try folder.write("no/a.wav\n", to: "validation_list.txt")
    try folder.write("no/a.wav\n", to: "testing_list.txt")
    #expect(throws: DatasetError.listedTwice(file: "no/a.wav", folder: folder.path)) { try Dataset(at: folder.path) }
  }

  @Test("a folder per split and class gives splits")
  func splitFolders() throws {
    let folder = try TemporaryFolder(["train/yes/a.wav", "train/no/a.wav", "val/yes/b.wav", "Test/no/c.wav"])
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.labels == ["no", "yes"])
    #expect(dataset.examples.map(\.split) == [.testing, .training, .training, .validation])
    #expect(dataset.source == "folder per split and class")
  }

  @Test("folders named for splits that hold files themselves are classes")
  func classesNamedLikeSplits() throws {
    let folder = try TemporaryFolder(["train/a.wav", "test/a.wav"])
    #expect(try Dataset(at: folder.path).labels == ["test", "train"])
  }

  @Test("links to files and folders are followed, circles come to an end, dangling links are kept")
  func links() throws {
    let folder = try TemporaryFolder(["yes/a.wav", "no/a.wav", "store/one/x.wav"])
    let data = try TemporaryFolder(["away/y.wav"])
    try folder.link("yes/self", to: ".")
    try folder.link("yes/root", to: "..")
    try folder.link("store/one/self", to: ".")
    try folder.link("store/three", to: "one")
    try folder.link("no/b.wav", to: "../yes/a.wav")
    try folder.link("no/gone.wav", to: "nowhere.wav")
    try folder.link("store/two", to: data.path + "/away")
    let paths = folder.relative(try Dataset(at: folder.path).examples.map(\.path))
    #expect(paths == ["no/a.wav", "no/b.wav", "no/gone.wav", "store/one/x.wav", "store/two/y.wav", "yes/a.wav"])
  }

  @Test("unlabelled paths: folders are replaced by their files, all else stays")
  func expand() throws {
    let folder = try TemporaryFolder(["in/b.wav", "in/a.mp3", "in/deep/c.AIFF", "in/x.txt", "in/.h.wav", "odd.name"])
    try folder.makeFolder("empty")
    try folder.link("in/deep/loop", to: "..")
    let files = try AudioFiles.expand(paths: ["-", folder.path + "/in", folder.path + "/odd.name", "missing.wav"])
    #expect(folder.relative(files) == ["-", "in/a.mp3", "in/b.wav", "in/deep/c.AIFF", "odd.name", "missing.wav"])
    #expect(throws: DatasetError.noAudio(folder: folder.path + "/empty", extensions: AudioFiles.extensions)) {
      try AudioFiles.expand(paths: [folder.path + "/empty"])
    }
  }
}
