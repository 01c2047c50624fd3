import ArgumentParser
import Auricle

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model in the form of another tool.",
    discussion: """
      Examples:
        auricle export digits.safetensors --to onnx -o digits.onnx
        auricle export digits.safetensors --to onnx --input samples -o digits.onnx

      ONNX (opset 9): inputs are features (batch x frames x coefficients, as auricle features --model computes them) or
      samples (batch x samples in [-1, 1), mono, at the model's sample rate), and lengths (batch, int64), how many frames or
      samples of each row count. Outputs are probabilities and, of a model of one network, logits. Labels and the feature
      configuration are in the metadata.
      """)

  enum Form: String, CaseIterable, ExpressibleByArgument { case onnx }

  @Option(help: "Whose form.")
  var to: Form = .onnx
  @Option(help: "What the exported model takes; with samples it computes the features itself.")
  var input: ONNXExporter.Input = .features
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write it; - for standard output.", valueName: "file"))
  var output: String
  @Argument(help: ArgumentHelp("The model; nothing for the bundled model.", valueName: "model"))
  var model: String?

  func run() throws {
    let model = try model.map { try ClassifierEnsemble(contentsOf: $0) } ?? SoundClassifier().model
    try FileAccess.checkWritable(output)
    let bytes: [UInt8]
    switch to {
    case .onnx: bytes = try ONNXExporter(model).bytes(input: input)
    }
    try FileAccess.writeAtomically(bytes, to: output)
  }
}

extension ONNXExporter.Input: ExpressibleByArgument {}
