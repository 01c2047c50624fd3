import AuricleBase
import Foundation
import Testing

@Suite("Exporting by the program")
struct ExportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("the bundled model is written as ONNX, for features and for samples", arguments: ["features", "samples"])
  func export(input: String) throws {
    let path = "\(folder.path)/digits.onnx"
    let run = try Run("export", "--to", "onnx", "--input", input, "-o", path)
    #expect(run.status == 0 && run.output.isEmpty && run.errors.isEmpty, "\(run.errors)")
    let bytes = try Data(contentsOf: URL(filePath: path))
    #expect(bytes.range(of: Data(input.utf8)) != nil && bytes.count > 429_066 * 4)
  }

  @Test("what is no model, and where nothing can be written, is one line")
  func failures() throws {
    let path = "\(folder.path)/digits.onnx"
    for arguments in [["\(fixtures)/seven.wav", "-o", path], ["-o", "\(folder.path)/none/digits.onnx"]] {
      let run = try Run(["export"] + arguments)
      #expect(run.status == 1 && run.errorLines.count == 1, "\(run.errors)")
    }
    #expect(try Run("export").status == 2)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("C is two files with the sizes in the head; what belongs to other forms is wrong usage")
  func c() throws {
    let run = try Run("export", "--to", "c", "--int8", "--seconds", "1", "-o", "\(folder.path)/digits.c")
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let header = try String(contentsOfFile: "\(folder.path)/digits.h", encoding: .utf8)
    #expect(header.contains("Flash: ") && header.contains("digits_classify"))
    let source = try String(contentsOfFile: "\(folder.path)/digits.c", encoding: .utf8)
    #expect(source.contains("#include \"digits.h\""))
    for arguments in [
      ["--to", "c", "-o", "-"], ["--to", "onnx", "--int8", "-o", "x"], ["--to", "c", "--streaming", "-o", "x"],
    ] {
      #expect(try Run(["export"] + arguments).status == 2)
    }
    let long = try Run("export", "--to", "c", "--seconds", "1e9", "-o", "\(folder.path)/long.c")
    #expect(long.status == 1 && long.errorLines.count == 1)
    // The bundled model goes backward.
    let stream = try Run("export", "--to", "onnx", "--streaming", "-o", "\(folder.path)/stream.onnx")
    #expect(stream.status == 1 && stream.errors.contains("bidirectional"))
  }

  @Test("a quantised model is a quarter as large and answers the same")
  func quantize() throws {
    let path = "\(folder.path)/small.safetensors"
    #expect(try Run("quantize", "-o", path).status == 0)
    #expect(try Data(contentsOf: URL(filePath: path)).count < 500_000)
    let found = try Run("classify", "--model", path, "\(fixtures)/seven.wav")
    #expect(found.status == 0 && found.output.contains("seven.wav  7"), "\(found.output) \(found.errors)")
    let again = try Run("quantize", path, "-o", path)
    #expect(again.status == 1 && again.errorLines.count == 1)
    #expect(try Run("inspect", path).output.contains("8 bits"))
  }

  @Test("a package has the model, its card, ONNX, C and a sound with its answer")
  func package() throws {
    let model = "\(folder.path)/digits.safetensors"
    #expect(try Run("quantize", "-o", model).status == 0)
    let target = "\(folder.path)/package"
    let run = try Run("package", model, target, "--sound", "\(fixtures)/seven.wav", "--licence", "CC0")
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
    #expect(
      names == [
        "README.md", "digits.c", "digits.h", "digits.onnx", "digits.safetensors", "expected.json", "sound.wav",
      ])
    let card = try String(contentsOfFile: "\(target)/README.md", encoding: .utf8)
    #expect(card.hasPrefix("# digits\n") && card.contains("CC0") && card.contains("GRU") && !card.contains("Missing"))
    let expected = try String(contentsOfFile: "\(target)/expected.json", encoding: .utf8)
    #expect(expected.contains(#""label":"7""#))
    // The sound that was written has the answer that is promised.
    let found = try Run("classify", "--json", "--model", "\(target)/digits.safetensors", "\(target)/sound.wav")
    let probability = try #require(expected.firstMatch(of: #/"probability":([0-9.]+)/#)?.1)
    #expect(found.output.contains(#""probability":\#(probability)"#), "\(found.output) \(expected)")
    let again = try Run("package", model, target)
    #expect(again.status == 1 && again.errorLines.count == 1)
    let inspected = try Run("inspect", model, "--card")
    #expect(inspected.status == 0 && inspected.output.hasPrefix("# digits"))
    #expect(try Run("inspect", "\(fixtures)/seven.wav", "--card").status == 1)
  }

  @Test("weights that are not there, or say too little, are one line; without labels it is wrong usage")
  func imports() throws {
    let weights = "\(folder.path)/weights.safetensors"
    try Data([8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8)).write(to: URL(filePath: weights))
    for path in [weights, "\(folder.path)/none.safetensors", "\(fixtures)/seven.wav"] {
      let run = try Run("import", path, "-o", "\(folder.path)/model.safetensors", "--labels", "a,b")
      #expect(run.status == 1 && run.errorLines.count == 1, "\(run.errors)")
    }
    #expect(try Run("import", weights, "-o", "x").status == 2)
    #expect(try Run("import", weights, "-o", "x", "--labels", "a,b", "--preset", "kaldi").status == 2)
  }
}
