import ArgumentParser
import Auricle
import AuricleBase

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a model of what PyTorch or Keras trained.",
    discussion: """
      Examples:
        auricle import gru.safetensors -o model.safetensors --labels yes,no \\
          --pooling last --preset kaldi --sample-rate 16000 --kind logmel \\
          --normalize none
        auricle import cnn.safetensors -o model.safetensors --labels labels.txt \\
          --network network.json --config features.json
        auricle import net.onnx -o model.safetensors --labels yes,no

      WEIGHTS is a safetensors file: a state dictionary of PyTorch, or what the
      converter in the documentation (Import.md) writes of a Keras model; or an ONNX
      file of PyTorch's or Keras's exporters. Pickles are never opened. ONNX files
      and Keras models say what the network is. Of a state dictionary a recurrent
      network with one dense layer is recognised; any other is described in JSON, as
      --network of auricle train takes it. Without options of features the model
      takes sequences.
      """)

  @Argument(help: ArgumentHelp("The weights, a safetensors or ONNX file.", valueName: "weights"))
  var weights: String
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the model.", valueName: "file"))
  var output: String
  @Option(
    help: ArgumentHelp(
      "Names of the classes in the order of the outputs: with commas between them, or a text file with one in each line.",
      valueName: "a,b,...|file"))
  var labels: String
  @Option(help: "Whose weights they are (default: as names of the file and the tensors show).")
  var from: WeightsImporter.Source?
  @Option(help: ArgumentHelp("The layers in JSON.", valueName: "file"))
  var network: String?
  @Option(help: "How the frames of a recognised network become one vector.")
  var pooling: ClassicNetwork.Pooling?
  @Option(
    help: ArgumentHelp(
      "Names of PyTorch's modules in the order of the layers, where their shapes fit in several.", valueName: "a,b,...")
  )
  var modules: String?
  @Flag(
    help: "PyTorch's two-dimensional convolutions have the bins before the frames (batch x channels x bins x frames).")
  var binsFirst = false
  @Flag(help: "Frames of channels and bins were flattened bin after bin, not channel after channel as PyTorch does it.")
  var channelsLast = false
  @Flag(help: "Any number of the classes may be there: probabilities by sigmoids.")
  var multiLabel = false
  @Option(help: ArgumentHelp("The model takes sequences of so many numbers a frame.", valueName: "n"))
  var sequence: Int?
  @Option(
    help: ArgumentHelp(
      "With --normalize global: a safetensors file with the features' 'mean' and 'std'.", valueName: "file"))
  var statistics: String?
  @OptionGroup(title: "Features") var features: FeatureOptions

  func validate() throws {
    if sequence != nil && !features.isEmpty { throw ValidationError("--sequence is for a model that takes no sound.") }
    if let sequence, sequence < 1 { throw ValidationError("--sequence is \(sequence); it must be at least 1.") }
    if !features.isEmpty && features.config == nil && features.sampleRate == nil {
      throw ValidationError("A model knows the rate of its sound: give --sample-rate.")
    }
  }

  func run() throws {
    try FileAccess.checkWritable(output)
    let importer = try WeightsImporter(bytes: FileAccess.read(weights), path: weights, source: from)
    var options = WeightsImporter.Options(labels: try classes())
    options.network = try network.map { String(decoding: try FileAccess.read($0, limit: 1 << 20), as: UTF8.self) }
    options.pooling = pooling.map { pooling in
      switch pooling {
      case .last: .last
      case .mean: .mean
      case .max: .max
      case .attention: .attention()
      }
    }
    options.modules = modules.map { $0.split(separator: ",").map { String($0) } }
    (options.hasBinsFirst, options.flattensChannelsFirst) = (binsFirst, !channelsLast)
    if multiLabel { options.output = .sigmoid }
    (options.input, options.normalizer) = try input()
    let model = try importer.model(options)
    try ClassifierEnsemble(model).write(to: output)
    let layers = ModelSummary(model.configuration).layers.dropFirst().map(\.name)
    StandardError.write(
      "auricle: \(output): \(model.parameters.count) parameters; the network is \(layers.joined(separator: ", "))")
  }

  private func classes() throws -> [String] {
    guard !labels.contains(","), FileAccess.exists(labels) else {
      return labels.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    }
    let text = String(decoding: try FileAccess.read(labels, limit: 1 << 24), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).map { String($0) }
  }

  /// What the frames are, and their normalisation over the training data.
  private func input() throws -> (ModelInput?, FeatureNormalizer?) {
    if features.isEmpty { return (sequence.map { .sequence(width: $0) }, nil) }
    let configuration = try FeatureConfiguration(json: features.recipe().json)
    guard configuration.normalization == .global else { return (.audio(configuration), nil) }
    guard let statistics else {
      throw CommandError(
        "features that are normalised over the training data need their mean and deviation: --statistics, or --normalize none"
      )
    }
    return (
      .audio(configuration),
      try WeightsImporter.statistics(bytes: FileAccess.read(statistics), path: statistics)
    )
  }
}

extension WeightsImporter.Source: ExpressibleByArgument {}
