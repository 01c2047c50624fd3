import ArgumentParser
import Auricle
import AuricleBase
import Foundation
import Testing

@testable import AuricleCommand

@Suite("Training by the program")
struct TrainCommandTests {
  private let folder: TemporaryFolder
  private let manifest: String

  init() throws {
    folder = try TemporaryFolder()
    let rows = ["0", "7"].flatMap { digit in
      ["flite-rms", "flite-slt", "flite-awb", "en-us-f1"].flatMap { voice in
        [0, 1].map { "\(fixtures)/digits/\(digit)_\(voice)_\($0).wav,\(digit),\(voice),\($0)" }
      }
    }
    manifest = try folder.write("digits.csv", (["path,label,voice,take"] + rows).joined(separator: "\n"))
  }

  private func arguments(_ name: String, epochs: Int = 3) -> [String] {
    [
      "train", manifest, "-o", "\(folder.path)/\(name)", "--hidden", "8", "--layers", "1", "--batch-size", "4",
      "--epochs", "\(epochs)",
    ]
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")) }

  @Test("killed again and again, at any moment, training still arrives at the model of an uninterrupted run")
  func kills() throws {
    #expect(try Run(arguments("whole", epochs: 12)).status == 0)
    var wasKilled = false
    let command = arguments("killed", epochs: 12) + ["--checkpoint", "\(folder.path)/run"]
    for attempt in 0..<12 {
      let process = Process()
      process.executableURL = try Run.program
      process.arguments = command + (attempt == 0 ? [] : ["--resume"])
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      usleep(UInt32(100_000 + 37_000 * attempt))
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      wasKilled = wasKilled || process.terminationReason == .uncaughtSignal
    }
    #expect(wasKilled)
    let run = try Run(command + ["--resume"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(try bytes("whole") == bytes("killed"))
  }

  @Test(
    "Ctrl-C and SIGTERM save, say how to go on, and end with 130 and 143", arguments: [(SIGINT, 130), (SIGTERM, 143)])
  func interrupt(signal: Int32, status: Int) throws {
    let command = arguments("model", epochs: 4000) + ["--checkpoint", "\(folder.path)/run"]
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = command
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    // Once training has begun: the first epoch's checkpoint is there.
    for _ in 0..<600 where !FileManager.default.fileExists(atPath: "\(folder.path)/run/checkpoint.safetensors") {
      usleep(50_000)
    }
    kill(process.processIdentifier, signal)
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == Int32(status))
    #expect(text.contains("stopped and saved; go on with: auricle train --resume "))
  }

  /// Runs `command`, stops it as Ctrl-C does once `file` is there, and runs it again with --resume.
  private func stopAndResume(_ command: [String], when file: String) throws {
    let process = Process()
    process.executableURL = try Run.program
    process.arguments = command
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<60_000 where process.isRunning && !FileManager.default.fileExists(atPath: file) { usleep(1_000) }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    let run = try Run(command + ["--resume"])
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test("stopped by Ctrl-C and resumed, the model is that of an uninterrupted run")
  func interruptAndResume() throws {
    #expect(try Run(arguments("whole", epochs: 60)).status == 0)
    try stopAndResume(
      arguments("stopped", epochs: 60) + ["--checkpoint", "\(folder.path)/run"],
      when: "\(folder.path)/run/checkpoint.safetensors")
    #expect(try bytes("whole") == bytes("stopped"))
  }

  @Test("a cross-validation that was stopped in its second fold goes on there, to the same report")
  func resumeCrossValidation() throws {
    var command = arguments("model", epochs: 30)
    command.removeSubrange(2..<4)
    command += ["--leave-one-out", "voice"]
    #expect(try Run(command + ["--report", "\(folder.path)/whole.json"]).status == 0)
    try stopAndResume(
      command + ["--report", "\(folder.path)/stopped.json", "--checkpoint", "\(folder.path)/run"],
      when: "\(folder.path)/run/fold-2/checkpoint.safetensors")
    #expect(try bytes("whole.json") == bytes("stopped.json"))
  }

  @Test("folds that are trained by themselves, and models, are joined: the report of one run, and one model of all")
  func merge() throws {
    var command = arguments("model", epochs: 2)
    command.removeSubrange(2..<4)
    command += ["--cross-validate", "3"]
    #expect(try Run(command + ["--report", "\(folder.path)/whole.json"]).status == 0)
    for fold in 1...3 {
      #expect(try Run(command + ["--fold", "\(fold)", "--report", "\(folder.path)/fold-\(fold).json"]).status == 0)
    }
    func merge(_ parts: [String], _ output: String) throws -> Run {
      try Run(["merge"] + parts.map { "\(folder.path)/\($0)" } + ["-o", "\(folder.path)/\(output)"])
    }
    #expect(try merge(["fold-3.json", "fold-1.json", "fold-2.json"], "joined.json").status == 0)
    #expect(try bytes("joined.json") == bytes("whole.json"))
    let missing = try merge(["fold-3.json", "fold-1.json"], "none.json")
    #expect(missing.status == 1 && missing.errors.contains("missing: fold 2"), "\(missing.errors)")
    let twice = try merge(["fold-3.json", "whole.json"], "none.json")
    #expect(twice.status == 1 && twice.errors.contains("there twice: fold 3"), "\(twice.errors)")
    #expect(try Run(command + ["--fold", "4"]).errors.contains("fold 4 of 3"))
    #expect(try Run(command + ["--fold", "0"]).status == 2)

    for seed in 1...2 { #expect(try Run(arguments("\(seed).safetensors") + ["--seed", "\(seed)"]).status == 0) }
    #expect(try merge(["fold-1.json"], "none.safetensors").status == 1)
    // The validation files follow from the seed, and so do the means that inputs are normalised by.
    let other = try merge(["1.safetensors", "2.safetensors"], "both.safetensors")
    #expect(other.status == 1 && other.errors.contains("normalisation"), "\(other.errors)")
    for seed in 3...4 {
      let options = ["--seed", "\(seed)", "--hold-out", "take=1"]
      #expect(try Run(arguments("\(seed).safetensors") + options).status == 0)
    }
    #expect(try merge(["3.safetensors", "4.safetensors"], "both.safetensors").status == 0)
    let model = try ClassifierEnsemble(contentsOf: "\(folder.path)/both.safetensors")
    let alone = try ClassifierEnsemble(contentsOf: "\(folder.path)/4.safetensors")
    #expect(model.members.count == 2 && model.members[1].parameters == alone.members[0].parameters)
  }

  @Test("a checkpoint is not overwritten, nor used for another training")
  func refused() throws {
    let command = arguments("model") + ["--checkpoint", "\(folder.path)/run"]
    #expect(try Run(command).status == 0)
    let again = try Run(command)
    #expect(again.status == 1 && again.errorLines.count == 1 && again.errors.contains("--resume"))
    let other = try Run(command + ["--resume", "--learning-rate", "0.5"])
    #expect(other.status == 1 && other.errors.contains("learning rate was 0.002 and is 0.5 now"), "\(other.errors)")
    // The network's text is long, and not shown.
    let wider = try Run(command + ["--resume", "--hidden", "9"])
    #expect(wider.errorLines.last?.contains("the network is different; repeat") == true, "\(wider.errors)")
    // Another seed also chooses other files to learn from.
    for folds in [[], ["--cross-validate", "2"]] {
      let command = command + folds + ["--checkpoint", "\(folder.path)/run\(folds.count)"]
      #expect(try Run(command).status == 0)
      let other = try Run(command + ["--resume", "--seed", "2"])
      #expect(
        other.status == 1
          && other.errors.contains("seed was 1 and is 2 now; also different: checksum of the training data"),
        "\(other.errors)")
    }
    // Those of later parts are found before anything is read.
    let (late, final) = ("\(folder.path)/late", "\(folder.path)/folds")
    for (path, command) in [
      ("\(late)/network-2", arguments("model") + ["--checkpoint", late, "--members", "2"]),
      ("\(final)/fold-2", arguments("model") + ["--checkpoint", final, "--cross-validate", "2"]),
      ("\(final)/final", arguments("model") + ["--checkpoint", final, "--cross-validate", "2"]),
    ] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data().write(to: URL(filePath: "\(path)/checkpoint.safetensors"))
      let run = try Run(command)
      #expect(run.status == 1 && run.errorLines.last?.contains("\(path): holds a checkpoint already") == true)
      #expect(!run.errors.contains("epoch 1") && !run.errors.contains("fold 1 of"), "\(run.errors)")
      try FileManager.default.removeItem(atPath: path)
    }
    // An empty one is named, with what to do.
    try Data().write(to: URL(filePath: "\(folder.path)/run/checkpoint.safetensors"))
    let damaged = try Run(command + ["--resume"])
    #expect(
      damaged.status == 1 && damaged.errorLines.last?.contains("it is damaged; remove it to begin anew") == true)
  }

  @Test("--jobs reaches the trainer")
  func jobs() throws {
    let train = try Train.parse(["sounds", "-o", "model", "--sample-rate", "8000", "-j", "3"])
    let examples = [Example(path: "\(fixtures)/seven.wav", label: "7")]
    #expect(
      try train.trainer(for: examples, of: LabeledData(Dataset(examples: [], source: "")), folder: nil).training.jobs
        == 3)
  }

  /// The tensors of a model, without its record, which names every option.
  private func tensors(_ name: String) throws -> Data {
    let bytes = try bytes(name)
    return bytes.dropFirst(8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) })
  }

  /// A rate at which the loss goes up and down.
  private static let plateau = [
    "--schedule", "plateau", "--plateau-patience", "0", "--learning-rate", "0.9", "--epochs", "6", "--validation-split",
    "0",
  ]

  /// What an option is tried with, and the option.
  private static let changes: [(with: [String], option: [String])] = [
    ([], ["--epochs", "3"]), ([], ["--batch-size", "8"]), ([], ["--learning-rate", "0.01"]),
    (["--hold-out", "voice=flite-slt"], ["--seed", "2"]), (["--optimizer", "sgd"], ["--optimizer", "adam"]),
    ([], ["--optimizer", "adamw"]), ([], ["--optimizer", "sgd"]), ([], ["--optimizer", "rmsprop"]),
    ([], ["--weight-decay", "0.3"]), (["--optimizer", "sgd"], ["--momentum", "0.2"]),
    (["--schedule", "constant"], ["--schedule", "cosine"]), ([], ["--schedule", "constant"]),
    ([], ["--schedule", "one-cycle"]), ([], ["--schedule", "plateau"]),
    ([], ["--warm-up", "2"]), ([], ["--clip-norm", "0.01"]), ([], ["--label-smoothing", "0.3"]),
    (plateau, ["--plateau-patience", "1"]), (plateau, ["--plateau-factor", "0.1"]),
    ([], ["--class-weight", "0=3"]), (["--class-weight", "0=3"], ["--class-weight", "0=3,7=2"]),
    (["--hold-out", "label=7", "--hold-out", "take=1"], ["--class-weight", "balanced"]),
    ([], ["--average-decay", "0.9"]),
    ([], ["--validation-split", "0.4"]), ([], ["--hold-out", "voice=flite-slt"]),
    (["--augment", "light"], ["--augment", "none"]), ([], ["--augment", "light"]), ([], ["--augment", "strong"]),
    (["--augment", "strong"], ["--noise", "\(fixtures)/seven.wav"]),
    (["--augment", "room=1", "--rooms", "\(fixtures)/audio/word.wav"], ["--rooms", "\(fixtures)/seven.wav"]),
    ([], ["--sample-rate", "8000"]), ([], ["--kind", "logmel"]), ([], ["--mels", "30"]), ([], ["--crop", "0.2"]),
    (["--cell", "lstm"], ["--cell", "gru"]), ([], ["--cell", "gru-reset-before"]), ([], ["--cell", "lstm"]),
    ([], ["--cell", "simple-rnn"]), (["--cell", "simple-rnn"], ["--cell", "simple-rnn-relu"]), ([], ["--hidden", "9"]),
    ([], ["--layers", "2"]), ([], ["--unidirectional"]),
    ([], ["--pooling", "mean"]), (["--pooling", "mean"], ["--pooling", "last"]), ([], ["--pooling", "max"]),
    (["--architecture", "gru"], ["--pooling", "attention"]), ([], ["--dropout", "0"]),
    ([], ["--recurrent-dropout", "0.3"]),
    ([], ["--input-normalization", "layer"]), ([], ["--convolution", "4:3"]),
  ]

  @Test("every option of training changes the weights")
  func options() throws {
    var plain: [[String]: Data] = [:]
    for (with, option) in Self.changes {
      if plain[with] == nil {
        let run = try Run(arguments("plain", epochs: 2) + with)
        #expect(run.status == 0, "\(with): \(run.errors)")
        plain[with] = try tensors("plain")
      }
      let run = try Run(arguments("changed", epochs: 2) + with + option)
      #expect(run.status == 0, "\(option): \(run.errors)")
      #expect(try tensors("changed") != plain[with], "\(option) does nothing")
    }
  }

  @Test("training without progress ends when --patience does")
  func patience() throws {
    let run = try Run(arguments("model", epochs: 30) + ["--learning-rate", "0.9", "--patience", "2"])
    #expect(run.status == 0 && run.errors.contains("stopped after epoch") && !run.errors.contains("epoch 30/30"))
  }

  @Test("--channel chooses what is learned from")
  func channel() throws {
    let stereo = try folder.write(
      "stereo.csv", "path,label\n\(fixtures)/audio/word-stereo-44k.wav,word\n\(fixtures)/seven.wav,seven\n")
    func tensors(_ channel: [String]) throws -> Data {
      var command = arguments("model", epochs: 1) + ["--validation-split", "0"] + channel
      command[1] = stereo
      let run = try Run(command)
      // Seven has one channel only, and is all there is of its class.
      if channel == ["--channel", "2"] {
        #expect(run.status == 1 && run.errors.contains("no file of class 'seven'"), "\(run.errors)")
        return Data()
      }
      #expect(run.status == 0, "\(run.errors)")
      return try self.tensors("model")
    }
    let (mean, first, second) = (try tensors([]), try tensors(["--channel", "1"]), try tensors(["--channel", "2"]))
    #expect(mean != first && second.isEmpty)
  }

  @Test(
    "each architecture has its layers",
    arguments: [
      ("gru-small", ["GRU 8  ", "Pooling (mean)"], 1), ("gru", ["GRU 8  ", "Pooling (mean)"], 2),
      ("bigru-attention", ["Bidirectional GRU 8", "Pooling (attention)"], 2),
      (
        "conv-gru",
        ["Conv1D 64 (5), stride 1", "Conv1D 64 (3), stride 2", "Bidirectional GRU 8", "Pooling (attention)"], 1
      ),
      ("lstm", ["Bidirectional LSTM 8", "Pooling (attention)"], 2),
      ("simple-rnn", ["Bidirectional SimpleRNN (tanh) 8", "Pooling (attention)"], 1),
    ])
  func architecture(name: String, layers: [String], depth: Int) throws {
    let model = "\(folder.path)/model.safetensors"
    let run = try Run(
      "train", manifest, "-o", model, "--architecture", name, "--hidden", "8", "--epochs", "1", "--batch-size", "8")
    #expect(run.status == 0, "\(run.errors)")
    let lines = try Run("inspect", model).output.split(separator: "\n")
    for layer in layers { #expect(lines.contains { $0.hasPrefix(layer) }, "\(layer) is missing in \(lines)") }
    #expect(lines.count { $0.contains("GRU 8") || $0.contains("LSTM 8") || $0.contains("RNN (tanh) 8") } == depth)
  }

  @Test("--json: a line per epoch and one of the result; --report: all epochs")
  func machineReadable() throws {
    let report = "\(folder.path)/report.json"
    let run = try Run(arguments("model") + ["--json", "--report", report])
    let lines = try run.output.split(separator: "\n").map { try json(Data($0.utf8)) }
    #expect(run.status == 0 && lines.count == 4)
    #expect(lines.dropLast().map { $0["number"] as? Int } == [1, 2, 3] && lines.last?["seconds"] != nil)
    let record = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: report))) as? [String: Any]
    let epochs = try #require(record?["epochs"] as? [[String: Any]])
    #expect(epochs.map { $0["trainingLoss"] as? Double } == lines.dropLast().map { $0["trainingLoss"] as? Double })
  }

  @Test("--members trains several networks, which inspect shows and which answer together")
  func members() throws {
    let (model, report) = ("\(folder.path)/model", "\(folder.path)/report.json")
    let networks = ["--architecture", "gru-small", "--architecture", "simple-rnn"]
    let several = networks + ["--members", "3", "--log-dir", "\(folder.path)/logs", "--report", report]
    let run = try Run(arguments("model") + several + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    let lines = try run.output.split(separator: "\n").map { try json(Data($0.utf8)) }
    #expect(lines.map { $0["network"] as? Int } == [1, 1, 1, 2, 2, 2, 3, 3, 3, nil])
    #expect(lines.last?["validationAccuracy"] is Double && (lines.last?["networks"] as? [Any])?.count == 3)
    #expect((try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: report))) as? [Any])?.count == 3)
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/logs/network-3/training.csv"))

    let text = try Run("inspect", model).output
    for part in ["3 networks, ", "network 1, 3\n", "network 2\n", "\nGRU 8", "Bidirectional SimpleRNN (tanh) 8"] {
      #expect(text.contains(part), "\(part) is missing in \(text)")
    }
    let description = try json(Data(Run("inspect", model, "--json").output.utf8))
    #expect((description["members"] as? [[String: Any]])?.count == 3)
    let answer = try Run("classify", "--model", model, "\(fixtures)/seven.wav", "--json")
    #expect(answer.status == 0)
    #expect(try Run(arguments("alone") + ["--architecture", "gru-small"]).status == 0)
    #expect(
      try Run("classify", "--model", "\(folder.path)/alone", "\(fixtures)/seven.wav", "--json").output != answer.output)

    for (count, status) in [("0", 2), ("1", 2), ("1001", 2), ("2", 0)] {
      let run = try Run(arguments("other", epochs: 1) + networks + ["--members", count])
      #expect(run.status == status, "\(count): \(run.errors)")
    }
  }

  @Test("stopped in its second network and resumed, a model of several is that of an uninterrupted run")
  func resumeMembers() throws {
    let several = ["--members", "3"]
    #expect(try Run(arguments("whole", epochs: 30) + several).status == 0)
    try stopAndResume(
      arguments("stopped", epochs: 30) + several + ["--checkpoint", "\(folder.path)/run"],
      when: "\(folder.path)/run/network-2/checkpoint.safetensors")
    #expect(try bytes("whole") == bytes("stopped"))
    // One more, after those that are there; and the first of them alone.
    for (members, finished) in [(["--members", "4"], 3), ([], 1)] {
      let run = try Run(
        arguments("more", epochs: 30) + members + ["--checkpoint", "\(folder.path)/run", "--resume"])
      #expect(
        run.status == 0 && run.errorLines.count { $0 == "going on after epoch 30" } == finished, "\(run.errors)")
    }
    #expect(try Run(arguments("one", epochs: 30)).status == 0)
    #expect(try bytes("more") == bytes("one"))
  }

  @Test("a noise file that was replaced by another is another training; one that was moved is the same")
  func otherNoise() throws {
    let noise = "\(folder.path)/noise"
    try FileManager.default.createDirectory(atPath: noise, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "\(fixtures)/seven.wav", toPath: "\(noise)/a.wav")
    func run(_ more: [String]) throws -> Run {
      try Run(
        arguments("model", epochs: 1)
          + ["--augment", "noise=1", "--noise", noise, "--checkpoint", "\(folder.path)/run"] + more)
    }
    #expect(try run([]).status == 0)
    try FileManager.default.moveItem(atPath: "\(noise)/a.wav", toPath: "\(noise)/b.wav")
    #expect(try run(["--resume"]).status == 0)
    try FileManager.default.removeItem(atPath: "\(noise)/b.wav")
    try FileManager.default.copyItem(atPath: "\(fixtures)/audio/word.wav", toPath: "\(noise)/a.wav")
    let other = try run(["--resume"])
    #expect(other.status == 1 && other.errors.contains("checksum of noise and rooms"), "\(other.errors)")
    try FileManager.default.removeItem(atPath: "\(noise)/a.wav")
    let none = try Run(arguments("model") + ["--augment", "noise=1", "--noise", noise])
    #expect(none.status == 1 && none.errors.contains("no audio files"), "\(none.errors)")
  }

  @Test(
    "an impossible value is wrong usage, said before anything is read",
    arguments: [
      (["--epochs", "0"], "0 epochs"), (["--batch-size", "0"], "a batch size of 0"),
      (["--learning-rate", "0"], "a learning rate of 0.0"),
      (["--optimizer", "adamw", "--learning-rate", "300"], "a weight decay of 0.004 with a learning rate of 300.0"),
      (["--patience", "0"], "a patience of 0"), (["--average-decay", "1"], "a decay of the average of 1.0"),
      (["--label-smoothing", "1"], "label smoothing of 1.0"), (["--hidden", "0"], "hidden size is 0"),
      (["--dropout", "1"], "dropout"), (["--convolution", "0:3"], "number of filters is 0"),
      (["--sample-rate", "100"], "is 100;"),
      (["--sample-rate", "10000000"], "is 10000000;"), (["--hold-out", "voice"], "'voice'"),
      (["--label-pattern", "{label"], "'{label'"), (["--cross-validate", "1"], "at least 2 folds"),
      (["--leave-one-out", "voice", "--patience", "3"], "--patience needs validation files"),
      (["--validation-split", "0", "--patience", "3"], "--patience needs validation files"),
      (["--report", "report.HTML"], "--report of train is JSON"), (["-o", "-"], "-o needs a file's name"),
      (Array(repeating: ["--architecture", "gru"], count: 1001).flatMap { $0 }, "1001 networks"),
    ] as [([String], String)])
  func impossible(option: [String], reason: String) throws {
    let run = try Run(arguments("model") + option)
    #expect(run.status == 2 && run.output.isEmpty && !run.errors.contains("files in"), "\(run.errors)")
    #expect(run.errors.contains(reason), "\(run.errors)")
  }

  @Test("weights of an unknown class, or none, are refused")
  func classWeight() throws {
    #expect(try Run(arguments("model") + ["--class-weight", "cat=2"]).errors.contains("'cat'"))
    #expect(try Run(arguments("model") + ["--class-weight", "lots"]).status == 2)
  }

  @Test("cross-validation: a line per fold, one matrix of all files, mean and spread, no model unless asked for")
  func crossValidation() throws {
    let report = "\(folder.path)/report.json"
    var command = arguments("model", epochs: 2)
    command.removeSubrange(2..<4)
    let run = try Run(command + ["--leave-one-out", "voice", "--report", report, "--log-dir", "\(folder.path)/logs"])
    #expect(run.status == 0, "\(run.errors)")
    for voice in ["flite-rms", "flite-slt", "flite-awb", "en-us-f1"] {
      #expect(run.output.contains("voice=\(voice)  accuracy "))
    }
    #expect(run.output.contains("of 16)") && run.output.contains("standard deviation"))
    let found = try json(bytes("report.json"))
    let folds = try #require(found["folds"] as? [[String: Any]])
    let accuracies = folds.compactMap { $0["accuracy"] as? Double }
    #expect(accuracies.count == 4)
    #expect(abs(accuracies.reduce(0, +) / 4 - (found["meanAccuracy"] as? Double ?? -1)) < 1e-12)
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/logs/fold-4/training.csv"))
    let same = try Run(command + ["--leave-one-out", "voice", "--jobs", "2"])
    #expect(same.output == run.output)
    let four = try Run(command + ["--cross-validate", "4"])
    #expect(four.status == 0 && four.output.contains("fold 4  accuracy ") && four.output.contains("of 16)"))
    #expect(try Run(command + ["--leave-one-out", "label"]).errors.contains("none is left to learn from"))
  }

  @Test("cross-validation with -o also trains a model of all data, with its own log and checkpoint")
  func crossValidationAndModel() throws {
    let (report, logs, run) = ("\(folder.path)/report.json", "\(folder.path)/logs", "\(folder.path)/run")
    let both = try Run(
      arguments("model", epochs: 1) + [
        "--cross-validate", "2", "--validation-split", "0.25", "--json", "--report", report, "--log-dir", logs,
        "--checkpoint", run,
      ])
    #expect(both.status == 0, "\(both.errors)")
    let lines = try both.output.split(separator: "\n").map { try json(Data($0.utf8)) }
    #expect(lines.map { $0["fold"] as? String } == ["fold 1", "fold 2", nil, nil, nil])
    #expect(lines[2]["meanAccuracy"] is Double && lines[3]["number"] as? Int == 1 && lines[4]["seconds"] is Double)
    // The report is that of the folds; a quarter of the eight files that a fold learns from chooses the epoch.
    let folds = try #require(try json(bytes("report.json"))["folds"] as? [[String: Any]])
    #expect(folds.map { $0["validation"] as? Int } == [2, 2])
    for file in ["model", "logs/final/training.csv", "run/final/checkpoint.safetensors"] {
      #expect(FileManager.default.fileExists(atPath: "\(folder.path)/\(file)"), "\(file) is missing")
    }
  }

  private func json(_ data: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test("beyond --cache-memory features go to a temporary file, and the model is the same")
  func cacheMemory() throws {
    #expect(try Run(arguments("plain")).status == 0)
    let run = try Run(arguments("cached") + ["--cache-memory", "0"])
    #expect(run.status == 0 && run.errors.contains("beyond --cache-memory"))
    #expect(try bytes("plain") == bytes("cached"))
    let full = try Run(
      arguments("full") + ["--cache-memory", "0"], environment: ["TMPDIR": "\(folder.path)/missing"])
    #expect(full.status == 0 && !full.errors.contains("beyond --cache-memory"), "\(full.errors)")
    #expect(try bytes("plain") == bytes("full"))
  }
}
