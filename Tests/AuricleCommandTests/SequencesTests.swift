import AuricleBase
import Foundation
import Testing

@Suite("Sequences by the program")
struct SequencesTests {
  private let folder: TemporaryFolder
  private let manifest: String
  private let options = ["--hidden", "8", "--layers", "1", "--batch-size", "4", "--epochs", "3"]

  init() throws {
    folder = try TemporaryFolder()
    let rows = ["0", "7"].flatMap { digit in
      ["flite-rms", "flite-slt", "flite-awb", "en-us-f1"].flatMap { voice in
        [0, 1].map { take in
          "\(fixtures)/digits/\(digit)_\(voice)_\(take).wav,\(digit)_\(voice)_\(take),\(digit),"
            + (voice == "flite-slt" ? "validation" : "training")
        }
      }
    }
    manifest = try folder.write("digits.csv", (["path,id,label,split"] + rows).joined(separator: "\n"))
  }

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }
  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name))) }

  @Test(
    "a model trained on features that were written is, byte for byte, the one trained on the sound",
    arguments: ["features.npz", "features.ark", "features"])
  func sameModel(features: String) throws {
    #expect(try Run(["train", manifest, "-o", path("sound")] + options).status == 0)
    #expect(try Run(["features", manifest, "-o", path(features)]).status == 0)
    let run = try Run(["train", path(features), "--labels", manifest, "-o", path("features.m")] + options)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try bytes("sound") == bytes("features.m"))
    // It hears sound, and takes features of its own configuration.
    #expect(try Run("classify", "--model", path("features.m"), "\(fixtures)/seven.wav").status == 0)
    let ofSound = try Run("evaluate", "--model", path("features.m"), manifest)
    let ofFeatures = try Run("evaluate", "--model", path("features.m"), path(features), "--labels", manifest)
    #expect(ofSound.status == 0 && ofFeatures.status == 0, "\(ofFeatures.errors)")
    #expect(ofSound.output == ofFeatures.output)
  }

  @Test("a model of sound takes features that 'features --model' wrote, and no others")
  func ofModel() throws {
    #expect(try Run(["train", manifest, "-o", path("m")] + options).status == 0)
    #expect(try Run("features", manifest, "--model", path("m"), "-o", path("a.npz")).status == 0)
    #expect(try Run("classify", "--model", path("m"), path("a.npz")).output.split(separator: "\n").count == 16)
    #expect(try Run("features", manifest, "--preset", "kaldi", "-o", path("b.npz")).status == 0)
    try FileManager.default.copyItem(atPath: path("a.npz"), toPath: path("c.npz"))
    for (name, reason) in [("b.npz", "another configuration"), ("c.npz", "does not say which features")] {
      let run = try Run("classify", "--model", path("m"), path(name))
      #expect(run.status == 1 && run.errorLines.count == 1 && run.errors.contains(reason), "\(run.errors)")
    }
  }

  @Test("any sequences: labels by name or a folder per class, a network from a file, a model that takes no sound")
  func sequences() throws {
    for (index, label) in ["up", "down", "up", "down", "up", "down"].enumerated() {
      let rows = (0..<6 + index).map { "\(label == "up" ? $0 : -$0),\($0 % 2)" }.joined(separator: "\n")
      _ = try folder.write("sequences/\(label)/\(index).csv", rows)
      _ = try folder.write("flat/\(index).csv", rows)
    }
    let labels = try folder.write("labels.txt", "0 up\n1 down\n2 up\n3 down\n4 up\n5 down\n")
    let network = try folder.write(
      "network.json",
      #"{"layers": [{"type": "recurrent", "cell": "simple-rnn", "units": 8}, {"type": "pooling", "kind": "last"}]}"#)
    let options = ["--network", network, "--epochs", "20", "--learning-rate", "0.02", "--validation-split", "0"]
    let byFolder = try Run(["train", path("sequences"), "-o", path("a")] + options)
    #expect(byFolder.status == 0, "\(byFolder.errors)")
    let byName = try Run(
      ["train", path("flat"), "--labels", labels, "--normalize", "global", "-o", path("b")] + options)
    #expect(byName.status == 0, "\(byName.errors)")

    let evaluate = try Run("evaluate", "--model", path("a"), path("sequences"))
    #expect(evaluate.status == 0 && evaluate.output.contains("accuracy 100.00% (6 of 6)"))
    #expect(
      try Run("classify", "--model", path("b"), path("flat/2.csv")).output.hasPrefix("\(path("flat/2.csv"))  up "))
    for command in [["classify", "\(fixtures)/seven.wav"], ["evaluate", manifest]] {
      let run = try Run(command + ["--model", path("a")])
      #expect(run.status == 1 && run.errorLines.count == 1 && run.errors.contains("not sound"), "\(run.errors)")
    }
  }

  @Test("what does not go together is one line")
  func refused() throws {
    #expect(try Run("features", manifest, "-o", path("f.npz")).status == 0)
    let empty = try folder.write("empty.csv", "name,label\nx,1\ny,2\n")
    for (arguments, reason) in [
      (["f.npz"], "--labels"), (["f.npz", "--labels", manifest, "--augment", "light"], "--augment is for sound"),
      (["f.npz", "--labels", manifest, "--sample-rate", "8000"], "--sample-rate is for sound"),
      (["f.npz", "--labels", manifest, "--mels", "20"], "--kind and the like is for sound"),
      (["digits.csv", "--labels", manifest], "--labels"),
      (["f.npz", "--labels", empty], "none of its names is in"),
    ] {
      let run = try Run(["train", path(arguments[0])] + arguments.dropFirst() + ["-o", path("m")])
      #expect(run.status == 1 && run.errorLines.count == 1 && run.errors.contains(reason), "\(run.errors)")
    }
  }

  @Test("names without a label are left out and counted; labels without a sequence are failures")
  func unmatched() throws {
    #expect(try Run("features", manifest, "-o", path("f.npz")).status == 0)
    let rows = try String(contentsOfFile: manifest, encoding: .utf8).split(separator: "\n").dropFirst(3).map {
      $0.split(separator: ",")
    }.map { "\($0[1]),\($0[2])" }
    let labels = try folder.write("l.csv", (["name,label"] + rows + ["none,7"]).joined(separator: "\n"))
    let run = try Run(["train", path("f.npz"), "--labels", labels, "-o", path("m")] + options)
    #expect(run.status == 3 && run.errors.contains("2 sequences have no label"), "\(run.errors)")
    #expect(run.errors.contains("it holds no 'none'"))
  }
}
