import Auricle
import AuricleBase
import Foundation
import Testing

@testable import AuricleCommand

@Suite("What the program says of a data set, and how it is told to read one")
struct DatasetOptionsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let small = ["--hidden", "8", "--layers", "1", "--epochs", "1", "--batch-size", "8"]

  private func digits(_ voices: [String] = ["flite-rms", "flite-slt"]) -> [(path: String, digit: String, voice: String)]
  {
    ["0", "7"].flatMap { digit in
      voices.flatMap { voice in
        [0, 1].map { ("\(fixtures)/digits/\(digit)_\(voice)_\($0).wav", digit, voice) }
      }
    }
  }

  private func manifest(
    header: String, _ row: ((path: String, digit: String, voice: String)) -> String
  ) throws -> String {
    try folder.write("list.csv", ([header] + digits().map(row)).joined(separator: "\n") + "\n")
  }

  @Test(
    "before training, classes are named with their counts, and what is suspicious; with --strict nothing is trained")
  func banner() throws {
    let list = try manifest(header: "path,emotion") { "\($0.path),\($0.digit)" }
    let command = ["train", list, "-o", "\(folder.path)/m"] + small
    let run = try Run(command)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("manifest (CSV), labels from 'emotion', 8 files in 2 classes"), "\(run.errors)")
    #expect(run.errors.contains("\n  0 3 + 1, 7 3 + 1\n"), "\(run.errors)")
    let warning = "auricle: warning: 2 classes have fewer than 10 files: '0' 4, '7' 4\n"
    #expect(run.errors.contains(warning))
    try FileManager.default.removeItem(atPath: "\(folder.path)/m")
    let strict = try Run(command + ["--strict"])
    #expect(strict.status == 1 && strict.output.isEmpty && strict.errors.contains(warning), "\(strict.errors)")
    #expect(strict.errors.hasSuffix("list.csv: not trained on, because of --strict and what is suspicious in it\n"))
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/m"))
  }

  @Test("one sound in two classes is told before training; files that are not read are counted")
  func contradiction() throws {
    for (path, digit, voice) in digits() {
      let target = "\(folder.path)/in/\(digit)/\(voice)\(path.suffix(6))"
      try FileManager.default.createDirectory(
        atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: path, toPath: target)
    }
    try FileManager.default.copyItem(atPath: digits()[0].path, toPath: "\(folder.path)/in/7/copy.wav")
    _ = try folder.write("in/7/a.m4a", "x")
    let run = try Run(["train", "\(folder.path)/in", "-o", "\(folder.path)/m"] + small)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("auricle: warning: one sound is in several classes ("), "\(run.errors)")
    #expect(
      run.errors.contains("auricle: left out: 1 .m4a file (not read; use --ffmpeg, or convert them"), "\(run.errors)")
    let classified = try Run("classify", "\(folder.path)/in")
    #expect(classified.status == 0 && classified.errors.contains("left out: 1 .m4a file"), "\(classified.errors)")
    let features = try Run("features", "\(folder.path)/in", "-o", "\(folder.path)/out")
    #expect(features.status == 0 && features.errors.contains("left out: 1 .m4a file"), "\(features.errors)")
  }

  @Test("a column 'fold' gives the folds where as many are asked for, which is said; other numbers are warned of")
  func folds() throws {
    let list = try manifest(header: "path,label,fold") { "\($0.path),\($0.digit),\($0.voice == "flite-rms" ? 1 : 2)" }
    let own = try Run(["train", list, "--cross-validate", "2"] + small)
    #expect(own.status == 0 && own.errors.contains("2 folds, the data set's own\n"), "\(own.errors)")
    #expect(own.output.contains("fold 1  accuracy ") && own.output.contains("fold 2  accuracy "))
    let left = try Run(["train", list, "--leave-one-out", "fold"] + small)
    #expect(
      left.output.replacing("fold=", with: "fold ") == own.output, "the same files, learned from in the same order")
    let four = try Run(["train", list, "--cross-validate", "4"] + small)
    #expect(four.errors.contains("warning: the data set's own 2 folds are not used; --cross-validate 2 uses them"))
  }

  @Test("columns, separator and folder of any table; the hint names the options")
  func columns() throws {
    let list = try manifest(header: "clip~mood~text") { "\($0.path.split(separator: "/").last ?? "")~\($0.digit)~x" }
    let plain = try Run(["train", list, "-o", "\(folder.path)/m"] + small)
    #expect(plain.status == 1 && plain.errorLines.count == 1, "\(plain.errors)")
    #expect(plain.errors.hasSuffix("; --path-column and --label-column name others\n"), "\(plain.errors)")
    let path = ["--separator", "~", "--path-column", "clip"]
    let ambiguous = try Run(["train", list, "-o", "\(folder.path)/m"] + small + path)
    #expect(ambiguous.errors.hasSuffix("name the one that is meant, with --label-column\n"), "\(ambiguous.errors)")
    let all = try Run(
      ["train", list, "-o", "\(folder.path)/m", "--label-column", "mood", "--audio-root", "\(fixtures)/digits"] + small
        + path)
    #expect(all.status == 0, "\(all.errors)")
    for separator in ["ab", "é", ""] {
      let run = try Run(["train", list, "-o", "m", "--separator", separator])
      #expect(run.status == 2 && run.errors.contains("--separator is '\(separator)'"))
    }
  }

  @Test("of a manifest's spans, the span is heard and not the file: as a file that holds only that")
  func segments() throws {
    let whole = try Waveform(contentsOf: "\(fixtures)/seven.wav")
    let cut = Array(whole.samples[Int(0.05 * Double(whole.sampleRate))..<Int(0.4 * Double(whole.sampleRate))])
    try FileAccess.writeAtomically(
      Waveform(samples: cut, sampleRate: whole.sampleRate).wavBytes, to: "\(folder.path)/cut.wav")
    for (name, row) in [("span", "\(fixtures)/seven.wav,7,0.05,0.4"), ("cut", "\(folder.path)/cut.wav,7,,")] {
      let list = "\(folder.path)/\(name).csv"
      try FileAccess.writeAtomically(Array("path,label,start,end\n\(row)\n".utf8), to: list)
      #expect(
        try Run("evaluate", list, "--predictions", "\(folder.path)/\(name).jsonl").status == 0
          && Run("features", list, "-o", "\(folder.path)/\(name).npz").status == 0)
    }
    func probabilities(_ name: String) throws -> [Prediction.Candidate] {
      var found: [Prediction.Candidate] = []
      _ = try PredictionFile(path: "\(folder.path)/\(name).jsonl").read { found = $0.probabilities }
      return found
    }
    let (span, alone) = (try probabilities("span"), try probabilities("cut"))
    #expect(span.count == 11)
    // 16 bits of the copy.
    for (a, b) in zip(span, alone) { #expect(abs(a.probability - b.probability) < 1e-3) }
    #expect(try Run("classify", "--json", "\(fixtures)/seven.wav").output.contains("\"duration\":0.5015"))
  }
}
