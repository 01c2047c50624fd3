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
}
