import AudioInput
import AuricleBase
import Datasets
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A folder of each kind, made of empty files: no audio is opened.
@Suite struct LayoutTests {
  @Test(
    "a data set that lies one or two folders deeper is found, and the folder is said", arguments: ["unzipped", "a/b"])
  func nested(place: String) throws {
    let folder = try TemporaryFolder([
      "\(place)/a/0.wav", "\(place)/a/1.wav", "\(place)/b/0.wav", "README.md", "__MACOSX/x/._0.wav",
    ])
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.labels == ["a", "b"])
    #expect(
      folder.relative(dataset.examples.map(\.path)) == ["\(place)/a/0.wav", "\(place)/a/1.wav", "\(place)/b/0.wav"])
    #expect(dataset.source.hasPrefix("folder per class in '"))
  }

  @Test("Speech Commands: _silence_ and _unknown_ are classes, _background_noise_ is noise")
  func speechCommands() throws {
    let folder = try TemporaryFolder([
      "_silence_/0.wav", "_unknown_/1.wav", "_background_noise_/pink.wav", "_background_noise_/README.md", "one/2.wav",
      "one/3.wav", "_old/4.wav",
    ])
    try folder.write("one/3.wav\n", to: "testing_list.txt")
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.labels == ["_silence_", "_unknown_", "one"])
    #expect(dataset.examples.map(\.split) == [.training, .training, .training, .testing])
    #expect(folder.relative(dataset.noiseFiles) == ["_background_noise_/pink.wav"])
    #expect(dataset.source == "folder per class, split by testing_list.txt, noise in _background_noise_")
    #expect(dataset.leftOut.counts[.underscoredFolder] == 1)
    let speakers = try Dataset(at: folder.path, labelPattern: LabelPattern("{label}/{index}"))
    #expect(speakers.labels == dataset.labels && speakers.examples.map(\.split) == dataset.examples.map(\.split))
    #expect(speakers.noiseFiles == dataset.noiseFiles)
  }

  @Test("ESC: the table in meta, the folds, the files in audio; the table alone does, too")
  func esc() throws {
    let folder = try TemporaryFolder(["audio/1-1-A.ogg", "audio/2-1-B.ogg"])
    let table = try folder.write(
      "filename,fold,target,category,esc10,src_file,take\n1-1-A.ogg,1,0,dog,True,1,A\n2-1-B.ogg,2,5,cat,False,1,B\n",
      to: "meta/esc50.csv")
    for path in [folder.path, table] {
      let dataset = try Dataset(at: path)
      #expect(dataset.examples.map(\.label) == ["dog", "cat"])
      #expect(dataset.examples.allSatisfy { FileAccess.exists($0.path) })
      #expect(dataset.examples.map { $0.fields["fold"] } == ["1", "2"])
      #expect(dataset.source == "ESC (esc50.csv), labels from 'category'")
    }
  }

  @Test("UrbanSound8K: files in their folds, whole files although the table has times; folds are predefined")
  func urbanSound() throws {
    let folder = try TemporaryFolder([
      "audio/fold1/1-0-0-0.wav", "audio/fold2/2-1-0-0.wav", "audio/fold1/3-1.wav", "audio/fold2/4-0.wav",
    ])
    let rows =
      "1-0-0-0.wav,1,0.5,2,1,1,0,siren\n2-1-0-0.wav,2,1,3,1,2,1,drilling\n3-1.wav,3,0,4,1,1,1,drilling\n4-0.wav,4,0,4,2,2,0,siren\n"
    let table = try folder.write(
      "slice_file_name,fsID,start,end,salience,fold,classID,class\n" + rows, to: "metadata/UrbanSound8K.csv")
    for path in [folder.path, table] {
      let dataset = try Dataset(at: path)
      #expect(dataset.labels == ["drilling", "siren"])
      #expect(dataset.examples.allSatisfy { FileAccess.exists($0.path) && $0.sound.seconds == nil })
      #expect(dataset.source == "UrbanSound8K (UrbanSound8K.csv), labels from 'class'")
      let folds = try dataset.predefinedFolds()
      #expect(folds.map(\.name) == ["fold 1", "fold 2"] && folds.map(\.testing.count) == [2, 2])
    }
    // The folder one deeper holds folds, not classes: that is for the report to say.
    let report = DatasetReport(of: try Dataset(at: folder.path + "/audio"))
    #expect(report.suspicions.first == .classesNamedLike(.folds, labels: ["fold1", "fold2"], pattern: nil))
  }

  @Test("a Hugging Face audiofolder: metadata.csv or .jsonl, in the folder, in data, or in each split's folder")
  func audioFolder() throws {
    let plain = try TemporaryFolder()
    let table = try plain.write("file_name,label\ndata/train/0.wav,w0\ndata/test/1.wav,w1\n", to: "metadata.csv")
    for path in [plain.path, table] {
      let dataset = try Dataset(at: path)
      #expect(plain.relative(dataset.examples.map(\.path)) == ["data/train/0.wav", "data/test/1.wav"])
      #expect(dataset.examples.map(\.label) == ["w0", "w1"] && dataset.examples.map(\.split) == [.training, .testing])
      #expect(dataset.source == "Hugging Face audiofolder (metadata.csv), labels from 'label'")
    }
    for base in ["", "data/"] {
      let splits = try TemporaryFolder()
      try splits.write("{\"file_name\":\"0.wav\",\"genre\":\"rock\"}\n", to: base + "train/metadata.jsonl")
      try splits.write("{\"file_name\":\"0.wav\",\"genre\":\"jazz\"}\n", to: base + "validation/metadata.jsonl")
      let dataset = try Dataset(at: splits.path)
      #expect(splits.relative(dataset.examples.map(\.path)) == [base + "train/0.wav", base + "validation/0.wav"])
      #expect(dataset.examples.map(\.split) == [.training, .validation])
      #expect(dataset.source == "Hugging Face audiofolder (train, validation), labels from 'genre'")
    }
  }

  @Test("a Kaldi data directory: segments of recordings, speakers, labels")
  func kaldi() throws {
    let folder = try TemporaryFolder(["wav/r1.wav"])
    try folder.write("r1 wav/r1.wav\nr2 /abs/r 2.wav\n", to: "wav.scp")
    try folder.write("u1 r1 0 1.5\nu2 r1 1.5 2.25\nu3 r2 0.0 1\n", to: "segments")
    try folder.write("u1 ann\nu2 ann\nu3 bob\n", to: "utt2spk")
    try folder.write("u1 HELLO WORLD\nu2 YES\nu3 YES\n", to: "text")
    let texts = try Dataset(at: folder.path)
    #expect(texts.labels == ["HELLO WORLD", "YES"])
    #expect(texts.source == "Kaldi data directory (segments), labels from 'text', each text a class")
    #expect(folder.relative(texts.examples.map(\.path)) == ["wav/r1.wav", "wav/r1.wav", "/abs/r 2.wav"])
    #expect(texts.examples.map(\.sound.seconds) == [0..<1.5, 1.5..<2.25, 0..<1])
    #expect(texts.examples[2].fields == ["id": "u3", "speaker": "bob"])
    try folder.write("u1 a\nu2 b\nu3 b\n", to: "utt2label")
    #expect(try Dataset(at: folder.path + "/wav.scp").labels == ["a", "b"])
    var options = TableOptions()
    options.labelColumn = "utt2spk"
    #expect(try Dataset(at: folder.path, table: options).labels == ["ann", "bob"])

    let whole = try TemporaryFolder()
    try whole.write("u1 a.wav\nu2 b.wav\n", to: "wav.scp")
    try whole.write("u1 x\nu2 y\n", to: "utt2label")
    let files = try Dataset(at: whole.path)
    #expect(files.examples.map(\.sound) == ["a.wav", "b.wav"].map { SoundSpan("\(whole.path)/\($0)") })
    #expect(files.source == "Kaldi data directory (wav.scp), labels from 'utt2label'")
  }

  @Test("the channel of a Kaldi segment and of a Lhotse cut is the one that counts")
  func channels() throws {
    let folder = try TemporaryFolder(["wav/r1.wav"])
    try folder.write("r1 wav/r1.wav\n", to: "wav.scp")
    try folder.write("u1 r1 0 1.5 1\nu2 r1 0 1.5 0\nu3 r1 2 3\n", to: "segments")
    try folder.write("u1 a\nu2 b\nu3 b\n", to: "utt2label")
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.examples.map(\.sound.channel) == [.channel(2), .channel(1), .mix])
    #expect(dataset.examples.map(\.label) == ["a", "b", "b"] && dataset.examples[0].fields["channel"] == nil)
    try folder.write("u1 r1 0 1.5 left\nu2 r1 0 1.5 0\nu3 r1 2 3\n", to: "segments")
    #expect(sentence { _ = try Dataset(at: folder.path) }.hasSuffix("line 1: the channel 'left'; the first is 0"))

    func stereo(_ channel: String) -> String {
      cut("c", "{\"id\":\"s\",\"start\":0,\"duration\":2,\"custom\":{\"label\":\"x\"}}", type: "MultiCut")
        .replacing("\"channel\":0", with: "\"channel\":\(channel)")
        .replacing("\"channels\":[0]", with: "\"channels\":[0,1]")
    }
    for (channel, wanted) in [("1", ChannelSelection.channel(2)), ("[0]", .channel(1)), ("[0,1]", .mix)] {
      let examples = try Dataset(at: folder.write(stereo(channel), to: "cuts.jsonl")).examples
      #expect(examples.map(\.sound.channel) == [wanted])
    }
    let none = try folder.write(stereo("2"), to: "cuts.jsonl")
    #expect(sentence { _ = try Dataset(at: none) }.hasSuffix("line 1: the channel 2; the recording has 0, 1"))
  }

  @Test("folders of logs, checkpoints and features that were written into the data are no classes")
  func ownFolders() throws {
    let folder = try TemporaryFolder([
      "a/0.wav", "b/0.wav", "log/training.csv", "log/events.out.tfevents.1", "state/fold-1/checkpoint.safetensors",
      "features/.features.json", "features/a/0.npy",
    ])
    let dataset = try Dataset(at: folder.path)
    #expect(dataset.labels == ["a", "b"])
    #expect(
      dataset.leftOut.description
        == "folders 'features', 'log', 'state' of Auricle's own logs, checkpoints or features")
    let other = try TemporaryFolder(["a/0.wav", "b/0.wav", "c/notes.csv"])
    #expect(sentence { _ = try Dataset(at: other.path) }.contains("no audio files"))
  }

  @Test("a Kaldi data directory with commands, archives or gaps in it is refused, all at once, with the lines")
  func wrongKaldi() throws {
    let folder = try TemporaryFolder()
    try folder.write("u1 sph2pipe -f wav a.sph |\nu2 b.ark:1234\nu3\nu4 -\n", to: "wav.scp")
    #expect(
      sentence { _ = try Dataset(at: folder.path) }.hasSuffix(
        "no file with the labels in it; wanted 'utt2label' or 'utt2lang' or 'text'"))
    try folder.write("u1 x\nu2 y\n", to: "text")
    let message = sentence { _ = try Dataset(at: folder.path) }
    #expect(message.hasPrefix("\(folder.path)/wav.scp: 4 lines are wrong; line 1: a command ('|'), which is not run; "))
    for reason in ["line 2: a place in an archive", "line 3: no file follows 'u3'", "line 4: standard input"] {
      #expect(message.contains(reason), "\(message)")
    }
    try folder.write("u1 a.wav\nu2 b.wav\nu3 c.wav\n", to: "wav.scp")
    #expect(sentence { _ = try Dataset(at: folder.path) }.hasSuffix("wav.scp, line 3: 'u3' has no label in text"))
    try folder.write("u1 r9 0 1\nu2 u1 0 -1\nu2 u1 0 1\n", to: "segments")
    #expect(sentence { _ = try Dataset(at: folder.path) }.hasSuffix("segments, line 3: 'u2' stands in it twice"))
    try folder.write("u1 r9 0 1\nu2 u1 0 -1\nu3 u1 0\n", to: "segments")
    let segments = sentence { _ = try Dataset(at: folder.path) }
    for reason in [
      "line 1: the recording 'r9' is not in wav.scp", "line 2: the end '-1'", "line 3: wanted an utterance",
    ] {
      #expect(segments.contains(reason), "\(segments)")
    }
  }

  @Test("Common Voice: tables without quoting beside clips")
  func commonVoice() throws {
    let header = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\tsegment\tlabel\n"
    let folder = try TemporaryFolder(["clips/1.mp3", "clips/2.mp3", "clips/3.mp3"])
    let train = try folder.write(
      header + "c\t1.mp3\t\"Yes, he said.\t2\t0\t\t\t\ten\t\tx\nc\t2.mp3\tNo\"\t2\t0\t\t\t\ten\t\ty\n", to: "train.tsv")
    try folder.write(header + "d\t3.mp3\tYes\t2\t0\t\t\t\ten\t\tx\n", to: "dev.tsv")
    try folder.write(header + "d\t9.mp3\tYes\t2\t0\t\t\t\ten\t\tx\n", to: "validated.tsv")
    let dataset = try Dataset(at: folder.path)
    #expect(folder.relative(dataset.examples.map(\.path)) == ["clips/1.mp3", "clips/2.mp3", "clips/3.mp3"])
    #expect(dataset.examples.map(\.split) == [.training, .training, .validation])
    #expect(dataset.source == "Common Voice (train.tsv, dev.tsv), labels from 'label'")
    #expect(try Dataset(at: train).examples.map(\.path) == dataset.examples.prefix(2).map(\.path))
    // Beside the clips, as people move it.
    let moved = try TemporaryFolder(["clips/1.mp3"])
    let list = try moved.write("path\tsentence\tup_votes\tlabel\n1.mp3\t\"lone\t2\tx\n", to: "clips/train.tsv")
    #expect(moved.relative(try Dataset(at: list).examples.map(\.path)) == ["clips/1.mp3"])
    // Its sentences are the labels of single words only where nothing else might be.
    let words = try moved.write("path\tsentence\tup_votes\tmood\n1.mp3\tyes\t2\tx\n", to: "clips/words.tsv")
    #expect(sentence { _ = try Dataset(at: words) }.contains("any of the columns 'sentence', 'mood'"))
  }

  @Test("a NeMo manifest: offset and duration are heeded")
  func nemo() throws {
    let folder = try TemporaryFolder()
    let rows = (0..<4).map {
      "{\"audio_filepath\": \"long.wav\", \"offset\": \(Double($0) / 2), \"duration\": 0.5, \"command\": \"w\($0 % 2)\"}"
    }
    let dataset = try Dataset(at: folder.write(rows.joined(separator: "\n"), to: "m.json"))
    #expect(dataset.examples.map(\.sound.seconds) == [0..<0.5, 0.5..<1, 1..<1.5, 1.5..<2])
    #expect(dataset.examples.allSatisfy { $0.path == "\(folder.path)/long.wav" })
    #expect(dataset.examples.map(\.label) == ["w0", "w1", "w0", "w1"])
    #expect(dataset.source == "NeMo manifest (m.json), labels from 'command', segments by 'offset' and 'duration'")
    let split = try dataset.split(validation: .fraction(0.5), seed: 1)
    #expect(split.training.count == 2 && split.validation.count == 2)
    let folds = try dataset.folds(2, seed: 1)
    #expect(folds.flatMap(\.testing).map(\.identity).sorted() == dataset.examples.map(\.identity).sorted())
  }

  private func cut(_ id: String, _ supervisions: String, start: Double = 1, type: String = "MonoCut") -> String {
    "{\"id\":\"\(id)\",\"start\":\(start),\"duration\":2.0,\"channel\":0,\"supervisions\":[\(supervisions)],\"recording\":"
      + "{\"id\":\"r\",\"sources\":[{\"type\":\"file\",\"channels\":[0],\"source\":\"r.wav\"}],\"sampling_rate\":16000,"
      + "\"num_samples\":160000,\"duration\":10.0,\"channel_ids\":[0]},\"type\":\"\(type)\"}"
  }

  @Test("Lhotse cuts: a cut of one supervision is an example; of several, each is")
  func lhotse() throws {
    let folder = try TemporaryFolder()
    func supervision(_ id: String, _ start: Double, _ custom: String) -> String {
      "{\"id\":\"\(id)\",\"recording_id\":\"r\",\"start\":\(start),\"duration\":1.5,\"channel\":0,\"text\":\"hello\",\"speaker\":\"ann\""
        + ",\"custom\":{\(custom)}}"
    }
    let text =
      cut("c1", supervision("s1", 0, "\"label\":\"x\"")) + "\n"
      + cut("c2", supervision("s2", 0, "\"label\":\"x\"") + "," + supervision("s3", 1, "\"label\":\"y\""), start: 4)
      + "\n"
    let dataset = try Dataset(at: folder.write(text, to: "cuts.jsonl"))
    #expect(dataset.examples.map(\.sound.seconds) == [1..<3, 4..<5.5, 5..<6])
    #expect(dataset.examples.map(\.label) == ["x", "x", "y"] && dataset.examples[1].fields["id"] == "s2")
    #expect(dataset.source == "Lhotse cuts (cuts.jsonl), labels from 'label', segments by 'start' and 'end'")
    let spoken = try folder.write(cut("c", supervision("s", 0, "")), to: "spoken.jsonl")
    #expect(try Dataset(at: spoken).source.contains("labels from 'text'"))
    let emotion = try folder.write(cut("c", supervision("s", 0, "\"emotion\":\"sad\",\"snr\":3")), to: "emotion.jsonl")
    #expect(try Dataset(at: emotion).examples.map(\.label) == ["sad"])
  }

  @Test("Lhotse cuts compressed by gzip are read; what is no cut of one file is refused with its line")
  func lhotseFiles() throws {
    let folder = try TemporaryFolder()
    // One cut, by Python's gzip.compress(line, 9, mtime=0).
    let zipped =
      "H4sIAAAAAAACA32Oyw6CMBBF937GXRNSFrro1rVfYAippWoTaEkfqCH9dzsQRDcu556ZM3eCbsEhKxTwQbgAXpX7Am10Imhr"
      + "wBmN8i6MUV2e8loclBu1z9SDn6fF4MnglLSu1ebWzJnbpOyvUkYfbA8+oRMXyvBESvWXkNjmtNFJtTwPr0Hl+Ko7hY+UEKvX"
      + "RboqH2IEGb3oh44a5jKZVAfGcgET+2YmZJ2zn8IVK1kq1l8na+wxBqTdG21VMDQ+AQAA"
    let bytes = [UInt8](try #require(Data(base64Encoded: zipped)))
    let cuts = folder.path + "/cuts.jsonl.gz"
    try FileAccess.writeAtomically(bytes, to: cuts)
    let examples = try Dataset(at: cuts).examples
    #expect(examples.map(\.label) == ["x"] && examples[0].sound == SoundSpan("\(folder.path)/r.wav", seconds: 1.5..<2))
    try FileAccess.writeAtomically(bytes.dropLast(9), to: cuts)
    #expect(sentence { _ = try Dataset(at: cuts) } == "\(cuts): cannot be read: it is cut off")

    let mixed = try folder.write(cut("c", "", type: "MixedCut") + "\n" + cut("d", ""), to: "mixed.jsonl")
    let message = sentence { _ = try Dataset(at: mixed) }
    #expect(
      message.contains("line 1: a cut of the type MixedCut; ")
        && message.contains("line 2: the cut has no supervisions"))
    let supervisions = try folder.write(
      "{\"id\":\"s\",\"recording_id\":\"r\",\"start\":0,\"duration\":1}\n", to: "s.jsonl")
    #expect(sentence { _ = try Dataset(at: supervisions) }.contains("line 1: no recording in it; make cuts of"))
  }

  @Test("sound events: a segment for each event, files without any left out; DESED's folders")
  func events() throws {
    let folder = try TemporaryFolder(["audio/train/synthetic/1.wav"])
    let rows = "filename\tonset\toffset\tevent_label\n1.wav\t0.0\t1.5\tSpeech\n1.wav\t1.0\t2.25\tDog\n2.wav\t\t\t\n"
    let table = try folder.write(rows, to: "metadata/train/synthetic.tsv")
    let dataset = try Dataset(at: table)
    #expect(dataset.examples.map(\.sound.seconds) == [0..<1.5, 1..<2.25])
    #expect(FileAccess.exists(dataset.examples[0].path))
    #expect(dataset.examples.map(\.label) == ["Speech", "Dog"])
    #expect(
      dataset.source
        == "sound events (synthetic.tsv), labels from 'event_label', segments by 'onset' and 'offset', 1 files without events left out"
    )
    let weak = try folder.write(
      "filename\tevent_labels\n1.wav\tSpeech,Dog\n2.wav\tDog\n", to: "metadata/train/weak.tsv")
    #expect(sentence { _ = try Dataset(at: weak) }.contains("line 2: 'Speech,Dog' looks like several labels"))
    var options = TableOptions()
    options.labelCells = .list
    #expect(try Dataset(at: weak, table: options).examples.map(\.labels) == [["Speech", "Dog"], ["Dog"]])
  }

  @Test(
    "of well-known file names, the pattern is suggested in words, and it matches",
    arguments: [
      ("03-01-05-01-01-02-12.wav", "RAVDESS", "05", "the third number is the emotion"),
      ("03a01Fa.wav", "EMO-DB", "F", "the sixth letter is the emotion"),
      ("1001_DFA_ANG_XX.wav", "CREMA-D", "ANG", "the third part is the emotion"),
      ("7_theo_12.wav", "the Free Spoken Digit Dataset", "7", "the second the speaker"),
    ])
  func fileNames(file: String, name: String, label: String, meaning: String) throws {
    let folder = try TemporaryFolder([file])
    let message = sentence { _ = try Dataset(at: folder.path) }
    #expect(message.contains("(named as in \(name): ") && message.contains(meaning), "\(message)")
    let start = try #require(message.firstRange(of: "'{"))
    let end = try #require(message.firstRange(of: "}'"))
    let pattern = try LabelPattern(String(message[message.index(after: start.lowerBound)..<end.upperBound].dropLast()))
    #expect(pattern.fields(of: file)?["label"] == label)
    // The same names in folders of actors.
    let actors = try TemporaryFolder(["Actor_01/\(file)", "Actor_02/\(file)"])
    let report = DatasetReport(of: try Dataset(at: actors.path))
    #expect(report.suspicions.first?.description.contains("named like actors ('Actor_01', 'Actor_02')") == true)
    #expect(report.suspicions.first?.description.contains(meaning) == true)
  }

  @Test("a split that a pattern captures is the file's split")
  func patternSplit() throws {
    let folder = try TemporaryFolder(["train/0_a_1.wav", "test/1_a_1.wav", "train/1_a_2.wav"])
    let dataset = try Dataset(at: folder.path, labelPattern: LabelPattern("{split}/{label}_*"))
    #expect(dataset.examples.map(\.split) == [.testing, .training, .training] && dataset.labels == ["0", "1"])
  }

  @Test("a folder without audio but with tables says so")
  func tables() throws {
    let folder = try TemporaryFolder()
    try folder.write("file,class\n", to: "train.csv")
    try folder.write("file,class\n", to: "val.csv")
    #expect(sentence { _ = try Dataset(at: folder.path) }.hasSuffix("give one of them: 'train.csv', 'val.csv'"))
  }
}
