import Auricle
import AuricleBase
import Foundation
import Testing

@Suite("Training by effort, from a model, at any rate")
struct EffortTests {
  private let folder: TemporaryFolder
  private let manifest: String

  init() throws {
    folder = try TemporaryFolder()
    let rows = ["0", "7"].flatMap { digit in
      ["flite-rms", "flite-slt", "flite-awb"].map { "\(fixtures)/digits/\(digit)_\($0)_0.wav,\(digit)" }
    }
    manifest = try folder.write("digits.csv", (["path,label"] + rows).joined(separator: "\n"))
  }

  private func train(_ data: String, _ name: String, _ options: String...) throws -> Run {
    try Run(["train", data, "-o", "\(folder.path)/\(name)", "--validation-split", "0"] + options)
  }

  private func model(_ name: String) throws -> ClassifierEnsemble {
    try ClassifierEnsemble(contentsOf: "\(folder.path)/\(name)")
  }

  @Test("without options a crnn learns from log-mel energies, and the banner says so")
  func normal() throws {
    let run = try train(manifest, "m", "--epochs", "1")
    #expect(run.status == 0, "\(run.errors)")
    for text in ["log-mel energies, frames of", "network crnn, 1 epochs of adamw, effort normal"] {
      #expect(run.errors.contains(text), "\(run.errors)")
    }
    let model = try model("m")
    let features = try model.features
    #expect(features.kind == .logMel && features.deltas.order == 0 && model.window == nil)
    #expect(try Run("classify", "--model", "\(folder.path)/m", "\(fixtures)/seven.wav").status == 0)
  }

  @Test("an effort chooses epochs and networks; what options say comes first")
  func efforts() throws {
    let survey = SoundSurvey(sampleRate: 16_000, long: 1, median: 1, count: 2661)
    let (quick, normal, best) = (
      SoundTrainer(effort: .quick, survey: survey), SoundTrainer(effort: .normal, survey: survey),
      SoundTrainer(effort: .best, survey: survey)
    )
    #expect(quick.training.epochs < normal.training.epochs && normal.training.epochs < best.training.epochs)
    #expect(normal.networks.count == 1 && best.networks.count == 3 && normal.training.keeps == .last)
    // Ten times the sound is seen a tenth as often, ten files no more than 200 times.
    #expect(
      Effort.normal.training(examples: 26_610, frames: 100, coefficients: 40).epochs < normal.training.epochs / 4)
    #expect(Effort.normal.training(examples: 10, frames: 100, coefficients: 40).epochs == 200)

    let run = try train(
      manifest, "m", "--effort", "best", "--architecture", "gru-small", "--epochs", "1", "--hidden", "4", "--members",
      "2")
    #expect(run.status == 0, "\(run.errors)")
    let model = try model("m")
    #expect(model.members.count == 2 && model.members.allSatisfy { $0.record?.settings?["optimizer"] == "adamw" })
  }

  @Test(
    "any features of 'auricle features' can be learned from",
    arguments: [
      (["--kind", "mel", "--mels", "12"], "12 mel energies"), (["--preset", "kaldi"], "13 MFCC of 23 mel filters"),
      (["--kind", "mfcc", "--cepstra", "8"], "8 MFCC of 40"),
      (["--mels", "24", "--frame-length", "40ms"], "24 log-mel"),
      (["--pcen", "--sample-rate", "8000"], "mel energies"),
    ])
  func features(_ options: [String], says: String) throws {
    let run = try Run(
      ["train", manifest, "-o", "\(folder.path)/m", "--epochs", "1", "--validation-split", "0"] + options)
    #expect(run.status == 0 && run.errors.contains(says), "\(run.errors)")
    #expect(try model("m").features.normalization == .global)
  }

  @Test("a configuration file is heeded, and what cannot be is wrong in one line")
  func config() throws {
    let file = try folder.write("features.json", #"{"kind": "logmel", "mel": {"count": 16}, "normalization": "none"}"#)
    #expect(try train(manifest, "m", "--config", file, "--epochs", "1").status == 0)
    let features = try model("m").features
    #expect(features.mel.count == 16 && features.normalization == .none)
    let run = try train(manifest, "m", "--mels", "2000")
    #expect(run.status != 0 && run.errors.contains("2000 mel filters"), "\(run.errors)")
  }

  @Test("sounds of 2 kHz and of 384 kHz train without options", arguments: [2_000, 384_000])
  func rates(_ rate: Int) throws {
    let rows = try (0..<4).map { index in
      let samples = (0..<rate / 4).map { Int16(8000 * sin(Double($0) * (index % 2 == 0 ? 0.3 : 1.1))) }
      let path = "\(folder.path)/\(index).wav"
      try wave(samples, rate: rate).write(to: URL(filePath: path))
      return "\(path),\(index % 2 == 0 ? "low" : "high")"
    }
    let list = try folder.write("tones.csv", (["path,label"] + rows).joined(separator: "\n"))
    let run = try train(list, "m", "--epochs", "1")
    #expect(run.status == 0 && run.errors.contains("at \(rate) Hz"), "\(run.errors)")
  }

  @Test("spans of long sounds are learned, and heard in windows by whatever uses the model")
  func crop() throws {
    let run = try train(manifest, "m", "--crop", "0.2", "--epochs", "1")
    #expect(run.status == 0 && run.errors.contains("spans of 0.2 s"), "\(run.errors)")
    let model = try model("m")
    let features = try FeatureExtractor(model.features).features(ofFile: "\(fixtures)/seven.wav").features
    let window = try #require(model.window)
    let wanted = Int((0.2 / hop(try model.features)).rounded())
    #expect(window < features.frames && window == wanted)
    let classification = try SoundClassifier(model).classify("\(fixtures)/seven.wav")
    #expect(try classification.probabilities.map(\.probability) == model.probabilities(of: [features])[0])
  }

  private func hop(_ features: FeatureConfiguration) -> Double {
    Double(features.hopLength) / Double(features.sampleRate)
  }

  @Test("goes on from a model, with its features, to more classes; what does not go with it is wrong usage")
  func from() throws {
    let small = ["--hidden", "4", "--layers", "1", "--epochs", "1"]
    #expect(try Run(["train", manifest, "-o", "\(folder.path)/m", "--validation-split", "0"] + small).status == 0)
    let rows = ["0", "3", "7"].flatMap { digit in
      ["flite-rms", "flite-slt"].map { "\(fixtures)/digits/\(digit)_\($0)_1.wav,\(digit)" }
    }
    let three = try folder.write("three.csv", (["path,label"] + rows).joined(separator: "\n"))
    let old = "\(folder.path)/m"
    let run = try train(three, "n", "--from", old, "--freeze", "1", "--epochs", "1", "--effort", "quick")
    #expect(run.status == 0 && run.errors.contains("2 of its 2 classes, 1 new ones"), "\(run.errors)")
    let (before, after) = (try model("m"), try model("n"))
    #expect(after.labels == ["0", "3", "7"] && after.input == before.input && after.normalizer == before.normalizer)
    let layout = ParameterLayout(after.members[0].configuration)
    for tensor in layout.tensors where tensor.layer == 0 {
      #expect(after.members[0].parameters[tensor.range] == before.members[0].parameters[tensor.range])
    }
    for options in [
      ["--from", old, "--kind", "mfcc"], ["--from", old, "--architecture", "gru"], ["--freeze", "1"],
      ["--old-rate", "0.1"], ["--from", old, "--freeze", "-1"],
    ] {
      #expect(try Run(["train", three, "-o", "\(folder.path)/x"] + options).status == 2, "\(options)")
    }
    let all = try train(three, "x", "--from", old, "--freeze", "9", "--epochs", "1")
    #expect(all.status != 0 && all.errors.contains("the last must learn"), "\(all.errors)")
  }
}

/// A RIFF file of 16-bit samples.
private func wave(_ samples: [Int16], rate: Int) -> Data {
  func bytes(_ value: some FixedWidthInteger) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }
  let size = UInt32(2 * samples.count)
  var data = Data("RIFF".utf8) + bytes(36 + size) + Data("WAVEfmt ".utf8) + bytes(UInt32(16)) + bytes(UInt16(1))
  data += bytes(UInt16(1)) + bytes(UInt32(rate)) + bytes(UInt32(2 * rate)) + bytes(UInt16(2)) + bytes(UInt16(16))
  data += Data("data".utf8) + bytes(size)
  for sample in samples { data += bytes(sample) }
  return data
}
