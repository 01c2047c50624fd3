import AuricleBase
import Testing

@Suite("Options of the network")
struct NetworkOptionsTests {
  @Test("layers before the recurrent ones are trained, and inspect shows them")
  func front() throws {
    let folder = try TemporaryFolder()
    let model = "\(folder.path)/digits.safetensors"
    let train = try Run(
      "train", "\(fixtures)/digits", "--label-pattern", "{label}_{voice}_{take}", "-o", model, "--hidden", "8",
      "--layers", "1", "--epochs", "1", "--unidirectional", "--recurrent-dropout", "0.25", "--input-normalization",
      "batch", "--convolution", "4:3x5/2x3", "--convolution", "6:3")
    #expect(train.status == 0, "\(train.errors)")
    let inspect = try Run("inspect", model).output
    for line in [
      "Batch normalization", "Conv2D 4 (3 x 5), stride 2 x 3, ReLU  frames/2 x 13 x 4",
      "Conv1D 6 (3), stride 1, ReLU", "GRU 8, recurrent dropout 0.25", "of them not trained",
    ] {
      #expect(inspect.contains(line), "\(inspect)")
    }
    #expect(try Run("classify", "--model", model, "\(fixtures)/seven.wav").status == 0)
  }

  @Test(
    "a convolution that cannot be read, or cannot be, is wrong usage",
    arguments: ["", "8", "8:", "x:3", "8:3x", "8:3/", "8:3/2x2", "8:3x3x3", "8:3:3", "8:3/1/1", "0:3"])
  func convolution(_ text: String) throws {
    let folder = try TemporaryFolder()
    let run = try Run(
      "train", "\(fixtures)/digits", "--label-pattern", "{label}_{voice}_{take}", "-o", "\(folder.path)/m.safetensors",
      "--convolution", text)
    #expect(run.status == 2 && run.output.isEmpty)
  }
}
