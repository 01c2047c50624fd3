import Auricle
import AuricleBase
import Foundation
import Testing

/// Inputs of the kinds that users of audio tools report, made here, and what the program says of each.
@Suite("Field cases by input")
struct FieldInputTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A name, how the file is made of the samples of seven.wav, and what is right: all of its answer, or words of its error.
  struct Sound: Sendable, CustomTestStringConvertible {
    let name: String
    let isAnswered: Bool
    let words: String
    let bytes: @Sendable ([UInt8]) -> [UInt8]

    init(
      _ name: String, answered isAnswered: Bool = true, _ words: String = "",
      bytes: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
      (self.name, self.isAnswered, self.words, self.bytes) = (name, isAnswered, words, bytes)
    }

    var testDescription: String { name }
  }

  private static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func wave(
    _ data: [UInt8], channels: Int = 1, bits: Int = 16, align: Int? = nil, size: Int? = nil
  ) -> [UInt8] {
    let block = align ?? channels * bits / 8
    return Array("RIFF".utf8) + little(36 + data.count, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + little(1, 2)
      + little(channels, 2) + little(16_000, 4) + little(16_000 * block, 4) + little(block, 2) + little(bits, 2)
      + Array("data".utf8) + little(size ?? data.count, 4) + data
  }

  private static func tag(_ count: Int) -> [UInt8] {
    Array("ID3".utf8) + [3, 0, 0] + [21, 14, 7, 0].map { UInt8(count >> $0 & 0x7F) }
      + [UInt8](repeating: 0, count: count)
  }

  private static func eachSample(_ data: [UInt8], _ change: (Int) -> [UInt8]) -> [UInt8] {
    stride(from: 0, to: data.count - 1, by: 2).flatMap { index in
      change(Int(Int16(truncatingIfNeeded: Int(data[index]) | Int(data[index + 1]) << 8)))
    }
  }

  static let sounds = [
    Sound("id3.wav: ID3v2 before a WAV file") { tag(2048) + wave($0) },
    Sound("id3huge.wav: the same with a large tag") { tag(400_000) + wave($0) },
    Sound("s24.wav: 24 bits in four bytes, as arecord writes them") { data in
      wave(eachSample(data) { little($0 * 256, 4) }, bits: 24, align: 4)
    },
    Sound("zero.wav: a size that was never filled in") { wave($0, size: 0) },
    Sound("a size of 0xFFFFFFFF") { wave($0, size: 0xFFFF_FFFF) },
    Sound("a size that is too small", "its header leaves out") { wave($0, size: 500) },
    Sound("zeros after the end") { wave($0) + [UInt8](repeating: 0, count: 5000) },
    Sound("cat.wav: one WAV file after another", answered: false, "holds several WAV files one after the other; cut it")
    {
      wave($0) + wave($0)
    },
    Sound("a block align that cannot be", answered: false, "its header says 1 x 16 bits") { wave($0, align: 3) },
    Sound("anti.wav: channels that cancel", "warning: ") { data in
      wave(eachSample(data) { little($0, 2) + little(-$0, 2) }, channels: 2)
    },
  ]

  @Test("sound", arguments: sounds)
  func sound(_ sound: Sound) throws {
    let seven = "\(fixtures)/seven.wav"
    let samples = Array(try FileAccess.read(seven).dropFirst(44))
    let path = "\(folder.path)/sound.wav"
    try FileAccess.writeAtomically(sound.bytes(samples), to: path)
    let run = try Run("classify", path)
    #expect(run.status == (sound.isAnswered ? 0 : 1) && run.errorLines.count == (sound.words.isEmpty ? 0 : 1))
    #expect(
      sound.words.isEmpty || run.errors.contains("\(path): ") && run.errors.contains(sound.words), "\(run.errors)")
    guard sound.isAnswered, !sound.name.hasPrefix("anti") else { return }
    #expect(run.output == (try Run("classify", seven).output.replacing(seven, with: path)), "\(run.output)")
  }

  @Test(
    "sound in containers: read to its end, or one line that names the file",
    arguments: [
      ("vbr.mp3: no header that counts", "variable-rate.mp3", "length    8064 frames"),
      ("chain.ogg: two links", "chained-vorbis.ogg", "length    4800 frames"),
      ("bits.mp3: a damaged frame", "damaged-frame.mp3", nil),
      ("zeros after damage", "damaged-after-pause.mp3", nil),
      ("a codec that is not read", "g726.wav", nil),
    ] as [(String, String, String?)])
  func container(name: String, file: String, length: String?) throws {
    let run = try Run("inspect", "\(fixtures)/containers/\(file)")
    #expect(run.status == (length == nil ? 1 : 0) && run.errorLines.count == (length == nil ? 1 : 0), "\(run.errors)")
    if let length { #expect(run.output.contains(length), "\(run.output)") }
    #expect(length != nil || run.errors.hasPrefix("auricle: \(fixtures)/containers/\(file): "), "\(run.errors)")
  }

  /// A name, files of a data set (a text, or the name of a sound of Fixtures/digits), what is given to `train`, what it
  /// must say, and the exit code.
  struct Data: Sendable, CustomTestStringConvertible {
    let name: String
    let files: [String: String]
    let dataset: String
    let words: [String]
    var options: [String] = []

    var testDescription: String { name }
  }

  /// So many sounds of "0" and of "7" at places that `path` says.
  private static func sounds(_ count: Int = 4, _ path: (_ digit: Int, _ index: Int) -> String) -> [String: String] {
    let takes = ["rms_0", "rms_1", "slt_0", "slt_1", "awb_0", "awb_1", "kal_0", "kal_1"]
    var files: [String: String] = [:]
    for digit in [0, 7] {
      for index in 0..<count { files[path(digit, index)] = "=\(digit)_flite-\(takes[index]).wav" }
    }
    return files
  }

  private static let flat = sounds { "wav/\($0)/\($1).wav" }

  private static func rows(_ line: (_ digit: Int, _ index: Int) -> String) -> String {
    (0..<4).flatMap { index in [0, 7].map { line($0, index) } }.joined(separator: "\n") + "\n"
  }

  private static func table(
    _ name: String, _ file: String, _ text: String, _ words: String..., options: [String] = []
  ) -> Data {
    Data(name: name, files: flat.merging([file: text]) { $1 }, dataset: file, words: words, options: options)
  }

  static let data = [
    Data(
      name: "common_voice_quotes: lone quotation marks in sentences",
      files: sounds { "clips/\($0)\($1).wav" }.merging([
        "train.tsv": "client_id\tpath\tsentence\tup_votes\tlabel\n"
          + rows { "a\t\($0)\($1).wav\t\($1 == 1 ? "\"Lone" : "so it is")\t2\tw\($0)" }
      ]) { $1 }, dataset: "train.tsv", words: ["Common Voice (train.tsv), labels from 'label', 8 files in 2 classes"]),
    table(
      "nemo_offset: segments", "m.jsonl",
      rows { #"{"audio_filepath":"wav/0/0.wav","offset":0.0\#($1)\#($0),"duration":0.1,"label":"w\#($0)"}"# },
      "segments by 'offset' and 'duration', 8 files in 2 classes"),
    Data(
      name: "silence_unknown_folders",
      files: sounds { ["data/_silence_", "data/_unknown_"][$0 / 7] + "/\($1).wav" }
        .merging(sounds { ["data/yes", "data/_background_noise_"][$0 / 7] + "/\($1).wav" }) { $1 }, dataset: "data",
      words: ["noise in _background_noise_, 12 files in 3 classes", "_silence_ 3 + 1, _unknown_ 3 + 1, yes 3 + 1"]),
    Data(
      name: "us8k/audio: folders that are folds", files: sounds { "fold\($0 + 1)/\($1).wav" }, dataset: ".",
      words: ["  fold1 3 + 1, fold8 3 + 1", "the classes are named like folds ('fold1', 'fold8')"]),
    Data(
      name: "ravdess: folders that are actors", files: sounds { "Actor_0\($0)/03-01-0\($1 + 1)-01-01-01-0\($0).wav" },
      dataset: ".", words: ["named like actors", "{modality}-{channel}-{label}-"]),
    Data(
      name: "train_test_flat: folders that are splits", files: sounds { ["test", "train"][$0 / 7] + "/1_x_\($1).wav" },
      dataset: ".", words: ["  test 3 + 1, train 3 + 1", "named like splits ('test', 'train')"]),
    Data(
      name: "us8k/metadata",
      files: sounds { "audio/fold\($1 + 1)/1-\($0)-\($1).wav" }.merging([
        "metadata/UrbanSound8K.csv": "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
          + rows { "1-\($0)-\($1).wav,1,0.0,0.3,1,\($1 + 1),\($0),c\($0)" }
      ]) { $1 }, dataset: "metadata/UrbanSound8K.csv",
      words: [
        "UrbanSound8K (UrbanSound8K.csv), labels from 'class', 8 files in 2 classes", "4 folds, the data set's own",
      ],
      options: ["--cross-validate", "4"]),
    Data(
      name: "hf_audiofolder",
      files: sounds { "data/\($0)\($1).wav" }.merging([
        "metadata.csv": "file_name,label\n" + rows { "data/\($0)\($1).wav,w\($0)" }
      ]) { $1 }, dataset: ".", words: ["Hugging Face audiofolder (metadata.csv), labels from 'label', 8 files in 2"]),
    table(
      "txt.csv: a transcript beside the label", "l.csv",
      "path,text,emotion\n" + rows { "wav/\($0)/\($1).wav,hello \($1),\($0 == 0 ? "happy" : "sad")" },
      "labels from 'emotion', 8 files in 2 classes"),
    table(
      "a transcript beside what may be the label", "l.csv",
      "path,text,mood\n" + rows { "wav/\($0)/\($1).wav,hello \($1),m\($0)" },
      "line 1: the label might be any of the columns 'text', 'mood'; name the one that is meant, with --label-column"),
    table(
      "semi.csv", "l.csv", "\u{FEFF}path;label\n" + rows { "wav/\($0)/\($1).wav;w \($0)" },
      "manifest (CSV separated by ';'), labels from 'label', 8 files in 2 classes"),
    table(
      "tab.csv: tabs, and an index without a name", "l.csv",
      "\tpath\tlabel\n" + rows { "\($1)\twav/\($0)/\($1).wav\tl\($0)" },
      "manifest (CSV separated by tabs), labels from 'label', 8 files in 2 classes"),
    table(
      "nohdr.csv", "l.csv", rows { "wav/\($0)/\($1).wav,l\($0)" },
      "line 1: 'wav/0/0.wav' stands where the names of the columns should; add a first line such as 'path,label'"),
    table(
      "bs.csv: backslashes", "l.csv", "path,label\n" + rows { "wav\\\($0)\\\($1).wav,\"naïve, \($0)\"" },
      "8 files in 2 classes", "naïve, 0 3 + 1"),
    table(
      "arr2.json", "l.json",
      "[\n" + rows { "{\"path\":\"wav/\($0)/\($1).wav\",\"label\":\"l\($0)\"}," }.dropLast(2) + "\n]\n",
      "manifest (JSON array), labels from 'label', 8 files in 2 classes"),
    table(
      "ml.jsonl: a list of labels", "l.jsonl",
      rows { "{\"path\":\"wav/\($0)/\($1).wav\",\"label\":\($0 == 0 ? "[\"Bark\",\"Meow\"]" : "\"Bark\"")}" },
      "4 lines are wrong; lines 1, 3, 5 and 1 more: 'Bark', 'Meow': 2 labels, and a sound has one here; keep one"),
    table(
      "ml2.csv: labels with a comma between them", "l.csv",
      "path,label\n" + rows { "wav/\($0)/\($1).wav,\($0 == 0 ? "\"Bark,Meow\"" : "Bark")" },
      "lines 2, 4, 6 and 1 more: 'Bark,Meow' looks like several labels ('Bark' is one elsewhere, too)"),
    table(
      "several labels in every row", "l.csv",
      "path,label\n" + rows { "wav/\($0)/\($1).wav,\($0 == 0 ? "dog" : "cat");rain" },
      "'dog;rain' looks like several labels ('rain' is one elsewhere, too)"),
    table(
      "what may be several labels, for all that is known", "l.csv",
      "path,label\n" + rows { "wav/\($0)/\($1).wav,\($0 == 0 ? "dog|wind" : "cat")" },
      "warning: one class looks like several labels ('dog|wind')"),
    table(
      "class_only_in_test.csv", "l.csv",
      "path,label,split\n" + rows { "wav/\($0)/\($1).wav,l\($0),train" } + "wav/0/9.wav,other,test\n",
      "l.csv, line 10: class 'other': its one file is for testing", "--allow-test-only-classes leaves such classes out"),
    Data(
      name: "one_file_per_class", files: sounds(1) { "\($0)/\($1).wav" }, dataset: ".",
      words: ["0 1, 7 1", "warning: no file is left for validation"], options: ["--validation-split", "0.5"]),
    Data(
      name: "nested: the data set lies one folder deeper", files: sounds { "unzipped/\($0)/\($1).wav" }, dataset: ".",
      words: ["folder per class in 'unzipped', 8 files in 2 classes"]),
  ]

  @Test("data sets: what is recognised is said before training, or why nothing is trained", arguments: data)
  func dataset(_ data: Data) throws {
    for (name, content) in data.files {
      let path = "\(folder.path)/in/\(name)"
      try FileAccess.makeFolder((path as NSString).deletingLastPathComponent)
      if content.hasPrefix("=") {
        try FileManager.default.copyItem(atPath: "\(fixtures)/digits/\(content.dropFirst())", toPath: path)
      } else {
        try FileAccess.writeAtomically(content, to: path)
      }
    }
    // So few files are suspicious: with --strict nothing is trained.
    let dataset = data.dataset == "." ? "\(folder.path)/in" : "\(folder.path)/in/\(data.dataset)"
    let run = try Run(
      ["train", dataset, "--strict"] + (data.options.first == "--cross-validate" ? [] : ["-o", "m"]) + data.options)
    #expect(run.status == 1 && run.output.isEmpty && !run.errors.contains("epoch 1/"))
    for words in data.words { #expect(run.errors.contains(words), "\(words) in \(run.errors)") }
  }

  @Test("a truth that the model lacks counts as wrong, and is said")
  func truthUnknownToModel() throws {
    let list = try folder.write(
      "l.csv", "path,label\n\(fixtures)/seven.wav,7\n\(fixtures)/digits/3_flite-slt_0.wav,drei\n")
    let run = try Run("evaluate", list)
    #expect(run.status == 0 && run.output.contains("accuracy 50.00% (1 of 2)"), "\(run.errors)")
    #expect(run.errors.contains("warning: 1 of 2 files are of classes that the model lacks ('drei' 1)"))
  }

  @Test(
    "predictions of other programs are checked",
    arguments: [
      (
        "probabilities_not_1.csv", "path,truth,prediction,probability:a,probability:b\na.wav,a,a,0.9,0.3\n", 0,
        "warning: ", "the probabilities of 1 rows do not sum to 1"
      ),
      ("y_true_y_pred.csv", "path,y_true,y_pred\na,1,1\nb,2,1\n", 1, "", "rows want 'truth' and 'label'"),
    ] as [(String, String, Int32, String, String)])
  func predictions(name: String, text: String, status: Int32, kind: String, words: String) throws {
    let path = try folder.write(name, text)
    let run = try Run("evaluate", "--from", path)
    #expect(run.status == status && run.errorLines.count == 1)
    #expect(run.errors.hasPrefix("auricle: \(kind)\(path): ") && run.errors.contains(words), "\(run.errors)")
  }
}
