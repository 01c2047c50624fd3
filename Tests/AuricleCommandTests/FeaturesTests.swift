import AuricleBase
import Foundation
import Testing

@Suite("The command features")
struct FeaturesTests {
  private let seven = "\(fixtures)/seven.wav"

  private func configuration(_ arguments: String...) throws -> NSDictionary {
    let run = try Run(["features", "--print-config"] + arguments)
    #expect(run.status == 0, "\(run.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? NSDictionary)
  }

  @Test(
    "every option changes its field of the configuration",
    arguments: [
      ("--preset", "kaldi", "inputScale", "int16"), ("--kind", "logmel", "kind", "logmel"),
      ("--sample-rate", "8000", "sampleRate", "8000"), ("--frame-length", "320", "frameLength", "320"),
      ("--frame-length", "32ms", "frameLength", "512"), ("--hop-length", "0.005s", "hopLength", "80"),
      ("--hop-length", "5 ms", "hopLength", "80"), ("--fft-length", "1024", "fftLength", "1024"),
      ("--framing", "snip-edges", "framing", "snip-edges"), ("--window", "povey", "window.shape", "povey"),
      ("--pre-emphasis", "0.5", "preEmphasis.coefficient", "0.5"), ("--dither", "0.25", "dither.amount", "0.25"),
      ("--mels", "30", "mel.count", "30"), ("--mel-scale", "slaney", "mel.scale", "slaney"),
      ("--low-frequency", "100", "mel.lowFrequency", "100"), ("--high-frequency", "4000", "mel.highFrequency", "4000"),
      ("--cepstra", "20", "cepstrum.count", "20"), ("--lifter", "22", "cepstrum.lifter", "22"),
      ("--energy", "raw", "cepstrum.energy", "raw"), ("--deltas", "1", "deltas.order", "1"),
      ("--normalize", "utterance-mean", "normalization", "utterance-mean"),
    ])
  func options(option: String, value: String, path: String, expected: String) throws {
    #expect("\(try configuration().field(path) ?? "none")" != expected, "the default is another")
    #expect("\(try configuration(option, value).field(path) ?? "none")" == expected)
  }

  @Test("a configuration file is read, options go before it, and what is wrong in it is named")
  func configurationFile() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("c.json", #"{"preset": "kaldi", "mel": {"count": 30}, "frameLength": "32 ms"}"#)
    #expect("\(try configuration("--config", file).field("mel.count") ?? "")" == "30")
    #expect("\(try configuration("--config", file, "--mels", "26").field("mel.count") ?? "")" == "26")
    let printed = try folder.write("p.json", try Run("features", "--print-config", "--config", file).output)
    #expect(try configuration("--config", printed) == configuration("--config", file))

    for (text, field) in [
      (#"{"mel": {"cuont": 30}}"#, "mel.cuont"), (#"{"mel": {"count": "x"}}"#, "mel.count"), ("[", "not JSON"),
    ] {
      let run = try Run("features", seven, "--config", try folder.write("bad.json", text))
      #expect(run.status == 1 && run.output.isEmpty && run.errorLines.count == 1)
      #expect(run.errors.contains("bad.json") && run.errors.contains(field), "\(run.errors)")
    }
    let impossible = try Run("features", seven, "--sample-rate", "8000", "--high-frequency", "5000")
    #expect(impossible.status == 1 && impossible.errors.contains("nothing above 4000"), "\(impossible.errors)")
  }

  @Test("the configuration is the one that is computed, and a file's own rate is kept unless another is asked for")
  func computed() throws {
    let lines = try Run("features", seven, "--mels", "30", "--kind", "logmel", "--deltas", "0").output
      .split(separator: "\n")
    #expect(lines[0].split(separator: ",").count == 30 && lines.count == 52)
    #expect(try Run(["features", "--print-config", seven]).output.contains("\"sampleRate\" : 16000"))
    #expect(
      try Run(["features", "--print-config", "\(fixtures)/audio/word-8k.wav"]).output.contains("\"sampleRate\" : 8000"))
  }

  @Test("a run is skipped where it is done, and done again with --overwrite")
  func resume() throws {
    let folder = try TemporaryFolder()
    let run = { (more: [String]) in try Run(["features", seven, "-o", "\(folder.path)/out"] + more) }
    #expect(try run([]).output == "\(folder.path)/out/seven.npy  51 x 39\n")
    let again = try run([])
    #expect(again.status == 0 && again.output.isEmpty && again.errors.hasPrefix("0 files written, 1 already there"))
    #expect(try run(["--json"]).output.contains(#""skipped":true"#))
    #expect(try run(["--overwrite"]).output.hasSuffix("51 x 39\n"))
    let other = try run(["--mels", "30"])
    #expect(other.status == 1 && other.errors.contains("another configuration"))
    #expect(try run(["--mels", "30", "--overwrite"]).status == 0)
  }

  @Test(
    "the format is the one asked for, or that of the name",
    arguments: [
      (["-o", "x.npz"], "x.npz"), (["-o", "x.ark"], "x.scp"), (["-o", "x.htk"], "x.htk"), (["-o", "x.npy"], "x.npy"),
      (["-o", "d", "--format", "htk"], "d/seven.htk"), (["-o", "d", "--format", "csv"], "d/seven.csv"),
      (["-o", "d", "--format", "npz"], "d/features.npz"), (["-o", "d"], "d/seven.npy"),
      (["--plot", "x.png"], "x.png"), (["--plot", "x.svg"], "x.svg"),
    ])
  func targets(arguments: [String], file: String) throws {
    let folder = try TemporaryFolder()
    let placed = [arguments[0], "\(folder.path)/\(arguments[1])"] + arguments.dropFirst(2)
    let run = try Run(["features", seven] + placed)
    #expect(run.status == 0, "\(run.errors)")
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/\(file)"))
  }

  @Test(
    "wrong usage is exit code 2",
    arguments: [
      ["features"], ["features", "x", "--format", "npy"], ["features", "x", "-o", "y.npz", "--format", "npy"],
      ["features", "x", "--plot", "x.gif"], ["features", "x", "--plot", "x.png", "-o", "y"],
      ["features", "x", "--json"], ["features", "x", "y"], ["features", "x", "--model", "m", "--mels", "3"],
      ["features", "x", "--frame-length", "long"], ["features", "x", "y", "--plot", "z.png"],
      ["features", "x", "--kind", "nonsense"],
    ])
  func usage(arguments: [String]) throws {
    let run = try Run(arguments)
    #expect(run.status == 2 && run.output.isEmpty, "\(run.errors)")
  }

  @Test("one bad file among several: a line, the rest done, exit code 3, whatever the jobs")
  func badFiles() throws {
    let folder = try TemporaryFolder()
    for jobs in ["1", "3"] {
      let run = try Run(
        "features", "\(fixtures)/audio/text.wav", seven, "-o", "\(folder.path)/\(jobs).npz", "--jobs", jobs)
      #expect(run.status == 3 && run.output.hasPrefix("seven  51 x 39"), "\(run.errors)")
      #expect(run.errors.contains("1 files written, 0 already there, 1 failed"))
    }
    let archives = try ["1", "3"].map { try Data(contentsOf: URL(filePath: "\(folder.path)/\($0).npz")) }
    #expect(archives[0] == archives[1])
  }
}

extension NSDictionary {
  /// The value at a path such as "mel.count".
  fileprivate func field(_ path: String) -> Any? {
    path.split(separator: ".").reduce(self as Any?) { value, name in (value as? NSDictionary)?[String(name)] }
  }
}
