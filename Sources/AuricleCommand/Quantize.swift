import ArgumentParser
import Auricle
import AuricleBase

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Write a model whose weights have 8 bits: a quarter as large, and faster one sound at a time.",
    discussion: """
      Examples:
        auricle quantize digits.safetensors -o digits-int8.safetensors
        auricle evaluate --model digits-int8.safetensors recordings/

      Weights of dense, convolutional and recurrent layers become whole numbers with
      a scale for each output; no data are needed. The new model is used as any
      other; evaluate says what it costs in accuracy.
      """)

  @Argument(help: ArgumentHelp("The model; nothing for the bundled model.", valueName: "model"))
  var model: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the new model.", valueName: "file"))
  var output: String

  func run() throws {
    let model = try model.map { try ClassifierEnsemble(contentsOf: $0) } ?? SoundClassifier().model
    try FileAccess.checkWritable(output)
    let (before, bytes) = (try model.fileBytes().count, try model.quantized().fileBytes())
    try FileAccess.writeAtomically(bytes, to: output)
    StandardError.write("auricle: \(output): \(bytes.count) bytes, of \(before)")
  }
}
