import ArgumentParser
import Auricle
import AuricleBase

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model in the form of another tool.",
    discussion: """
      Examples:
        auricle export digits.safetensors --to onnx -o digits.onnx
        auricle export digits.safetensors --to onnx --input samples -o digits.onnx
        auricle export digits.safetensors --to c --int8 -o digits.c

      ONNX (opset 9): inputs are features (batch x frames x coefficients, as
      auricle features --model computes them) or samples (batch x samples in
      [-1, 1), mono, at the model's sample rate), and lengths (batch, int64), how
      many frames or samples of each row count. Outputs are probabilities and, of
      a model of one network, logits. Labels and the feature configuration are in
      the metadata.

      With --streaming: the next frames (batch x frames x coefficients), or with
      --input samples the next hops of sound, and states, zeros at first, in;
      probabilities of all frames so far and the next states out; for networks that
      need nothing of what is to come.

      C: one C99 file and its header beside it (digits.h), which need only libm;
      sizes of flash and RAM stand in the head.
      """)

  enum Form: String, CaseIterable, ExpressibleByArgument { case onnx, c }

  @Option(help: "Whose form.")
  var to: Form = .onnx
  @Option(
    help: ArgumentHelp(
      "What the exported model takes; with samples it computes the features itself (default: features for ONNX, samples for C).",
      valueName: "features|samples"))
  var input: ONNXExporter.Input?
  @Flag(help: "For ONNX: a graph for streams, with states as inputs and outputs.")
  var streaming = false
  @Flag(help: "For C: weights of 8 bits, a scale for each row.")
  var int8 = false
  @Option(
    help: ArgumentHelp(
      "For C: the longest sound, in seconds, for networks that need all of it before they answer.", valueName: "seconds"
    ))
  var seconds = 10.0
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write it; - for standard output.", valueName: "file"))
  var output: String
  @Argument(help: ArgumentHelp("The model; nothing for the bundled model.", valueName: "model"))
  var model: String?

  func validate() throws {
    if to != .c && int8 { throw ValidationError("--int8 is for --to c.") }
    if streaming && to != .onnx { throw ValidationError("--streaming is for --to onnx; C is for streams as it is.") }
    if to == .c && output == "-" { throw ValidationError("--to c writes two files, so -o must name a file.") }
  }

  func run() throws {
    let model = try model.map { try ClassifierEnsemble(contentsOf: $0) } ?? SoundClassifier().model
    if let window = model.window {
      StandardError.report(
        "warning: this model hears sounds of more than \(window) frames in windows of so many and averages its answers; what "
          + "is exported hears them whole: give it windows")
    }
    switch to {
    case .onnx:
      try FileAccess.checkWritable(output)
      let exporter = ONNXExporter(model)
      try FileAccess.writeAtomically(
        streaming ? exporter.streamBytes(input: input ?? .features) : exporter.bytes(input: input ?? .features),
        to: output)
    case .c: try writeC(model)
    }
  }

  /// The source at `output`, the header beside it.
  private func writeC(_ model: ClassifierEnsemble) throws {
    let stem = output.hasSuffix(".c") ? String(output.dropLast(2)) : output
    let name = stem.split(separator: "/").last.map { String($0) } ?? stem
    for path in [stem + ".c", stem + ".h"] { try FileAccess.checkWritable(path) }
    let files = try CExporter(
      model, name: name, input: input ?? .samples, precision: int8 ? .int8 : .float32, seconds: seconds
    ).files(headerName: name + ".h")
    try FileAccess.writeAtomically(files.header, to: stem + ".h")
    try FileAccess.writeAtomically(files.source, to: stem + ".c")
  }
}

extension ONNXExporter.Input: ExpressibleByArgument {}
