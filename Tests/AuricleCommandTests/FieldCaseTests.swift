import Auricle
import AuricleBase
import Foundation
import Testing

/// What people meet in the field, with inputs of our own making, as they type it. What needs no program is tested where it
/// is mended: in ContainerTests, LayoutTests, TableTests, ReportTests, SplitTests.
@Suite("Field cases")
struct FieldCaseTests {
  private let folder: TemporaryFolder
  private let seven = "\(fixtures)/seven.wav"
  private let small = ["--hidden", "8", "--layers", "1", "--epochs", "1", "--batch-size", "8"]

  init() throws { folder = try TemporaryFolder() }

  private func copy(_ source: String, to name: String) throws -> String {
    let target = "\(folder.path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: source, toPath: target)
    return target
  }

  /// Four files of each of two classes.
  private func classes(_ place: String) throws -> String {
    for digit in ["0", "7"] {
      for take in ["rms_0", "rms_1", "slt_0", "slt_1"] {
        _ = try copy("\(fixtures)/digits/\(digit)_flite-\(take).wav", to: "\(place)/\(digit)/\(take).wav")
      }
    }
    return "\(folder.path)/\(place)"
  }

  /// The samples of a WAV file of 44 bytes of header.
  private func raw(_ path: String, to name: String) throws -> String {
    let target = "\(folder.path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(contentsOf: URL(filePath: path)).dropFirst(44).write(to: URL(filePath: target))
    return target
  }

  @Test("--raw: every command that reads sound reads samples without a header, from files, folders and pipes")
  func rawSound() throws {
    let bare = try raw(seven, to: "seven.raw")
    let format = ["--raw", "s16le:16000:1"]
    let answer = try Run("classify", seven).output.split(separator: "  ").dropFirst().joined()
    for arguments in [[bare], [folder.path]] {
      let run = try Run(["classify"] + format + arguments)
      #expect(run.status == 0 && run.errors.isEmpty)
      #expect(run.output.split(separator: "  ").dropFirst().joined() == answer)
    }
    #expect(try Run(["classify", "-"] + format, input: bare).output.hasSuffix(String(answer.suffix(7))))
    #expect(try Run(["features", bare] + format).output == Run("features", seven).output)
    let labelled = try folder.write("list.csv", "path,label\nseven.raw,7\n")
    #expect(try Run(["evaluate", labelled] + format).output.contains("accuracy 100.00% (1 of 1)"))
    for digit in ["0", "7"] {
      for take in 0..<2 {
        _ = try raw("\(fixtures)/digits/\(digit)_flite-rms_\(take).wav", to: "data/\(digit)/\(take).pcm")
      }
    }
    let trained = try Run(["train", "\(folder.path)/data", "-o", "\(folder.path)/m"] + format + small)
    #expect(trained.status == 0 && trained.errors.contains("4 files in 2 classes"), "\(trained.errors)")
    let refused = try Run("classify", "--raw", "s16:1", bare)
    #expect(refused.status == 2 && refused.errorLines.count == 1 && refused.errors.contains("s16le:16000:1"))
  }

  @Test(
    "--ffmpeg: every command that reads sound reads what libsndfile does not; a model says so",
    .enabled(if: ExternalDecoder.ffmpeg.version != nil))
  func ffmpeg() throws {
    let voice = try copy("\(fixtures)/containers/aac.m4a", to: "in/7/voice.m4a")
    let refused = try Run("classify", voice)
    #expect(refused.status == 1 && refused.errorLines.count == 1)
    #expect(refused.errors.contains("with AAC); let ffmpeg decode it (--ffmpeg), or convert it"), "\(refused.errors)")
    for arguments in [
      ["classify", voice], ["classify", "\(folder.path)/in"], ["features", voice], ["inspect", voice],
    ] {
      let run = try Run(arguments + ["--ffmpeg"])
      #expect(run.status == 0 && run.errors.isEmpty && !run.output.isEmpty, "\(arguments) \(run.errors)")
    }
    #expect(try Run(["classify", "--ffmpeg", "-"], input: voice).output.hasPrefix("-  "))
    #expect(try Run("evaluate", "--ffmpeg", "--only", "label=7", "\(folder.path)/in").output.contains(" of 1), 95%"))
    _ = try copy("\(fixtures)/containers/opus.webm", to: "in/7/other.webm")
    _ = try copy("\(fixtures)/digits/0_flite-rms_0.wav", to: "in/0/a.wav")
    _ = try copy("\(fixtures)/digits/0_flite-rms_1.wav", to: "in/0/b.wav")
    let model = "\(folder.path)/m.safetensors"
    let trained = try Run(["train", "\(folder.path)/in", "-o", model, "--ffmpeg"] + small)
    #expect(trained.status == 0 && trained.errors.contains("4 files in 2 classes"), "\(trained.errors)")
    #expect(try Run("inspect", "--json", model).output.contains(#""decoder":"ffmpeg version "#))
    #if os(Linux)
      // A name that is not UTF-8 reaches ffmpeg as the bytes it is.
      let odd = try copy(voice, to: "odd/a.m4a")
      let bytes = Array("\(folder.path)/odd/caf".utf8) + [0xE9] + Array(".m4a".utf8)
      try #require(rename(odd, bytes.map { CChar(bitPattern: $0) } + [0]) == 0)
      #expect(try Run("classify", "--ffmpeg", "\(folder.path)/odd").output.contains(#"/odd/caf\xE9.m4a  "#))
    #endif
    // Noise, rooms and recordings of events, too.
    _ = try copy("\(fixtures)/containers/aac.m4a", to: "noise/a.m4a")
    let augment = [
      "--augment", "noise=1,room=0.5", "--noise", "\(folder.path)/noise", "--rooms", "\(folder.path)/noise",
    ]
    let command = ["train", "\(folder.path)/in", "-o", model, "--ffmpeg"] + small + augment
    let augmented = try Run(command)
    #expect(augmented.status == 0, "\(augmented.errors)")
    let without = try Run(command.filter { $0 != "--ffmpeg" })
    #expect(without.status == 1 && without.errors.contains("no audio files"), "\(without.errors)")
    let events = try folder.write("a.txt", "0.0\t0.1\tword\n")
    let found = try Run(
      [
        "train", "\(folder.path)/noise", "--events", events, "-o", model, "--ffmpeg", "--negatives",
        "\(folder.path)/in/0",
      ]
        + small)
    #expect(found.status == 0, "\(found.errors)")
  }

  @Test("keys of Kaldi's archives are sorted as LC_ALL=C sort does, whatever order the files' names have")
  func sortedKeys() throws {
    for name in ["a", "a-1", "a b", "B"] { _ = try copy(seven, to: "sort/\(name).wav") }
    let run = try Run("features", "\(folder.path)/sort", "-o", "\(folder.path)/x.ark")
    #expect(run.output.split(separator: "\n").map { $0.prefix { $0 != " " } } == ["B", "a", "a-1", "a_b"])
    let script = try String(contentsOfFile: "\(folder.path)/x.scp", encoding: .utf8)
    #expect(script.split(separator: "\n").map { $0.prefix { $0 != " " } } == ["B", "a", "a-1", "a_b"])
  }

  @Test("sounds of different rates in one archive, and mel filters without a bin, are warnings of one line each")
  func warnings() throws {
    _ = try copy(seven, to: "in/a.wav")
    _ = try copy("\(fixtures)/audio/word-stereo-44k.wav", to: "in/b.wav")
    let run = try Run("features", "\(folder.path)/in", "-o", "\(folder.path)/out.npz")
    #expect(run.status == 0)
    #expect(
      run.errors.contains(
        "auricle: warning: the sounds have 2 rates (16000, 44100 Hz), and their features are not alike; --sample-rate brings them to one\n"
      ), "\(run.errors)")
    let empty = try Run("features", seven, "--preset", "librosa", "--fft-length", "256", "--frame-length", "256")
    #expect(empty.errorLines.count == 1 && empty.errors.contains("hold no bin of the 256-point spectrum"))
  }

  @Test("a sound too short for a frame of kaldi-center has none, as in Kaldi")
  func shortest() throws {
    let bare = "\(folder.path)/short.raw"
    try Data(repeating: 1, count: 48).write(to: URL(filePath: bare))
    let run = try Run(
      "features", "--raw", "s16le:8000:1", "--preset", "kaldi", "--framing", "kaldi-center", bare)
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(run.errors.contains("24 samples are too few for one frame, which takes 40"), "\(run.errors)")
  }

  @Test("a class of which one file is damaged is learned from the other, or the message is true")
  func damagedFile() throws {
    let data = try classes("in")
    _ = try copy("\(fixtures)/digits/3_flite-rms_0.wav", to: "in/3/good.wav")
    _ = try copy("\(fixtures)/audio/text.wav", to: "in/3/text.wav")
    var outcomes: Set<Int32> = []
    for seed in ["1", "2", "3", "4"] {
      let run = try Run(["train", data, "-o", "\(folder.path)/m", "--seed", seed] + small)
      outcomes.insert(run.status)
      if run.status == 1 {
        #expect(
          run.errors.contains(
            "no file of class '3' that is to be trained on could be read; those that can be are for validation"))
      }
    }
    #expect(outcomes.isSubset(of: [1, 3]))
  }

  @Test("one file for each class: that nothing is left to validate is said")
  func oneFilePerClass() throws {
    for digit in ["0", "7"] { _ = try copy("\(fixtures)/digits/\(digit)_flite-rms_0.wav", to: "in/\(digit)/0.wav") }
    let run = try Run(["train", "\(folder.path)/in", "-o", "\(folder.path)/m", "--validation-split", "0.5"] + small)
    #expect(run.status == 0 && run.errors.contains("no file is left for validation"), "\(run.errors)")
  }

  @Test("a class that only files for testing have is refused with its line, and the option that allows it")
  func testOnly() throws {
    let data = try classes("in")
    let rows = ["0", "7"].flatMap { digit in
      ["rms_0", "rms_1", "slt_0", "slt_1"].map { "\(data)/\(digit)/\($0).wav,\(digit),train" }
    }
    let list = try folder.write(
      "list.csv", (["path,label,split"] + rows + ["\(fixtures)/seven.wav,other,test"]).joined(separator: "\n") + "\n")
    let command = ["train", list, "-o", "\(folder.path)/m"] + small
    let refused = try Run(command)
    #expect(refused.status == 1 && refused.errorLines.count == 1)
    #expect(refused.errors.contains("list.csv, line 10: class 'other': its one file is for testing"))
    #expect(refused.errors.hasSuffix("; --allow-test-only-classes leaves such classes out of the model\n"))
    let allowed = try Run(command + ["--allow-test-only-classes"])
    #expect(allowed.status == 0 && allowed.errors.contains("will lack the classes of 1 files for testing ('other' 1)"))
    #expect(try Run("inspect", "\(folder.path)/m").output.contains("labels    0, 7\n"))
  }

  @Test("predictions that are there are not overwritten unless that is asked for")
  func predictions() throws {
    let list = try folder.write("list.csv", "path,label\n\(seven),7\n")
    let command = ["evaluate", list, "--predictions", "\(folder.path)/p.jsonl"]
    #expect(try Run(command).status == 0)
    let again = try Run(command)
    #expect(again.status == 1 && again.output.isEmpty && again.errorLines.count == 1)
    #expect(again.errors.contains("p.jsonl: is there already; go on with --resume, or begin anew with --overwrite"))
    #expect(try Run(command + ["--overwrite"]).status == 0)
  }

  @Test(
    "everything that is wrong with a command is told at once, a line each",
    arguments: [
      (
        "train",
        [
          "none", "--noise", "gone", "--batch-size", "0", "--hidden", "0", "--optimizer", "adamm", "--epoch", "5",
          "--zzz",
          "3",
        ],
        [
          "Unknown option '--epoch'. Did you mean '--epochs'?", "Unknown option '--zzz'",
          "The value 'adamm' is invalid for '--optimizer <optimizer>'",
          "--hidden: impossible model", "--batch-size: a batch size of 0", "Missing -o, the file",
          "gone: no such file", "none: no such file",
        ]
      ),
      (
        "train",
        ["--resume", "--cross-validate", "1", "--hold-out", "voice", "--validation-split", "2", "none", "-j", "0"],
        [
          "--jobs is 0;", "--cross-validate is 1;", "--hold-out does not go with", "--resume needs the --checkpoint",
          "--validation-split and --hold-out exclude each other", "--hold-out: condition 'voice'",
          "--validation-split is 2.0", "none: no such file",
        ]
      ),
      (
        "train", ["none", "-o", "m", "--dropout", "2", "--batch-size=0", "--raw", "s16", "--crop", "-1"],
        [
          "The value 's16' is invalid for '--raw", "--dropout: ", "--batch-size: ", "--crop is -1.0",
          "none: no such file",
        ]
      ),
      (
        "evaluate",
        [
          "none", "--min-accuracy", "3", "--model", "gone", "--report", "x.doc", "--top-k", "0", "--split", "tst",
          "--only", "voice",
        ],
        [
          "--split is 'tst'", "--min-accuracy is 3.0", "--top-k is 0", "--only: condition 'voice'",
          "--report 'x.doc': its name", "gone: no such file", "none: no such file",
        ]
      ),
    ])
  func allAtOnce(command: String, options: [String], wanted: [String]) throws {
    let run = try Run([command] + options)
    #expect(run.status == 2 && run.output.isEmpty && run.errorLines.count == wanted.count + 1, "\(run.errors)")
    for words in wanted {
      #expect(run.errorLines.contains { $0.hasPrefix("auricle: \(words)") }, "\(words) in \(run.errors)")
    }
    #expect(run.errors.hasSuffix("auricle: \(wanted.count) things are wrong; see 'auricle \(command) --help'\n"))
  }

  @Test("files that are not there or cannot be written, and nothing else, are no wrong usage; all are named")
  func filesAtOnce() throws {
    let (none, gone) = ("\(folder.path)/none", "\(folder.path)/gone")
    let output = "\(folder.path)/nowhere/m"
    let train = try Run("train", none, "--noise", gone, "--augment", "strong", "-o", output)
    #expect(train.status == 1 && train.output.isEmpty && train.errorLines.count == 3)
    for path in [none, gone, output] { #expect(train.errors.contains("auricle: \(path): "), "\(train.errors)") }
    let evaluate = try Run("evaluate", none, "--model", gone)
    #expect(evaluate.status == 1 && evaluate.errorLines.count == 2, "\(evaluate.errors)")
  }
}
