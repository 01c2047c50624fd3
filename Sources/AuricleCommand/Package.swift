import ArgumentParser
import Auricle
import AuricleBase
import RealModule

struct Package: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "package",
    abstract: "Put a model into a folder with all that another person needs to run it.",
    discussion: """
      Example:
        auricle package digits.safetensors digits/ --sound seven.wav \\
          --licence "CC BY 4.0"

      The folder gets the model, its card (README.md), ONNX and C with samples in,
      and a test sound with the answer that is expected to it (expected.json). What
      the model cannot become is named in README.md with the reason.
      """)

  @Argument(help: ArgumentHelp("The model.", valueName: "model"))
  var model: String
  @Argument(help: ArgumentHelp("The folder, which must not exist yet.", valueName: "folder"))
  var folder: String
  @Option(help: ArgumentHelp("A sound to test with (default: a rising tone of a second).", valueName: "file"))
  var sound: String?
  @Option(help: ArgumentHelp("The licence, in words, for the card.", valueName: "text"))
  var licence: String?
  @Flag(help: "Weights of 8 bits in C.")
  var int8 = false

  func run() throws {
    let ensemble = try ClassifierEnsemble(contentsOf: model)
    guard !FileAccess.exists(folder) else { throw CommandError("\(folder): is there already; name another folder") }
    let file = model.split(separator: "/").last.map { String($0) } ?? model
    let name = file.hasSuffix(".safetensors") ? String(file.dropLast(".safetensors".count)) : file
    let isSound = (try? ensemble.features) != nil
    if sound != nil && !isSound {
      throw CommandError("\(model): takes other sequences than sound, so --sound is of no use")
    }
    try FileAccess.makeFolder(folder)
    func write(_ bytes: [UInt8], _ file: String) throws {
      try FileAccess.writeAtomically(bytes, to: "\(folder)/\(file)")
    }

    try write(FileAccess.read(model), "\(name).safetensors")
    var contents = ["`\(name).safetensors`: the model, for `auricle classify --model`"]
    var missing: [String] = []
    do {
      let input: ONNXExporter.Input = isSound ? .samples : .features
      try write(ONNXExporter(ensemble).bytes(input: input), "\(name).onnx")
      contents.append("`\(name).onnx`: the same for ONNX Runtime, \(input.rawValue) in")
    } catch let error as ModelExchangeError {
      missing.append("ONNX: \(error)")
    }
    do {
      let exporter = try CExporter(
        ensemble, name: name, input: isSound ? .samples : .features, precision: int8 ? .int8 : .float32)
      let files = try exporter.files(headerName: "\(name).h")
      try write(files.source, "\(name).c")
      try write(files.header, "\(name).h")
      contents.append("`\(name).c`, `\(name).h`: the same in C99\(int8 ? ", weights of 8 bits" : "")")
    } catch let error as ModelExchangeError {
      missing.append("C: \(error)")
    }
    if isSound {
      let answer = try writeSound(ensemble, write)
      contents.append("`sound.wav`, `expected.json`: a test sound, and the answer to it: \(answer)")
    }
    var text = ModelCard(ensemble, name: name, licence: licence).markdown
    text += "\n## Files\n\n" + contents.map { "- \($0)\n" }.joined()
    if !missing.isEmpty { text += "\nMissing:\n\n" + missing.map { "- \($0)\n" }.joined() }
    try write(Array(text.utf8), "README.md")
  }

  private struct Expected: Encodable {
    var label: String
    var probability: Float
    var probabilities: [String: Float]
  }

  /// The sound at the model's rate, of 16 bits, and what the model takes it for. Returns the label.
  private func writeSound(_ model: ClassifierEnsemble, _ write: ([UInt8], String) throws -> Void) throws -> String {
    let rate = try model.features.sampleRate
    let waveform =
      try sound.map { try Waveform(contentsOf: $0, sampleRate: rate) }
      ?? Waveform(
        samples: (0..<rate).map { index in
          let time = Double(index) / Double(rate)
          return Float(0.5 * Double.sin(2 * Double.pi * (200 + 600 * time) * time))
        }, sampleRate: rate)
    let bytes = waveform.wavBytes
    // As a file of 16 bits gives it.
    let rounded = waveform.samples.map { max(-32_768, min(32_767, ($0 * 32_768).rounded())) / 32_768 }
    let answer = try SoundClassifier(model).classify(Waveform(samples: rounded, sampleRate: rate))
    try write(bytes, "sound.wav")
    let expected = Expected(
      label: answer.label, probability: answer.probability,
      probabilities: Dictionary(uniqueKeysWithValues: answer.probabilities.map { ($0.label, $0.probability) }))
    try write(Array((jsonLine(expected) + "\n").utf8), "expected.json")
    return answer.label
  }
}
