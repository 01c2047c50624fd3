import ArgumentParser
import Auricle

/// The networks of `train`: one by name, or several, and what is to be different in them.
struct ArchitectureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A network by name (default: bigru-attention); the options below change it. Give it again for a model of several.",
      valueName: "name"))
  var architecture: [SoundTrainer.Architecture.Name] = []
  @Option(
    help: ArgumentHelp(
      "Train so many networks, each from another beginning, of the named architectures in turn; the model answers with the mean of their probabilities (default: one for each --architecture).",
      valueName: "n"))
  var members: Int?

  @Option(help: "Recurrent cell.")
  var cell: ModelConfiguration.Cell?
  @Option(help: ArgumentHelp("Units of the hidden state, in each direction.", valueName: "n"))
  var hidden: Int?
  @Option(help: ArgumentHelp("Recurrent layers.", valueName: "n"))
  var layers: Int?
  @Flag(help: "Go through the sound forwards only.")
  var unidirectional = false
  @Option(help: "How frames become one vector.")
  var pooling: ModelConfiguration.Pooling?
  @Option(help: ArgumentHelp("Share of outputs dropped in training.", valueName: "share"))
  var dropout: Double?

  @Option(
    help: ArgumentHelp("Share of units whose state recurrent weights do not see in training.", valueName: "share"))
  var recurrentDropout: Double?
  @Option(help: "Normalise features in the network, with a learned scale.")
  var inputNormalization: InputNormalization.Kind?
  @Option(
    help: ArgumentHelp(
      "A convolution before the recurrent layers, for example 64:5/2 (64 filters over 5 frames, every 2nd frame) or "
        + "32:3x3/1x2 (3 frames x 3 coefficients); give it again for the next one.", valueName: "filters:size/stride"))
  var convolution: [Convolution] = []

  func validate() throws {
    let (count, most) = (members ?? names.count, ClassifierEnsemble.mostMembers)
    guard count >= names.count && count <= most else {
      throw ValidationError("\(count) networks; there must be \(names.count), one for each --architecture, to \(most).")
    }
    try checkUsage {
      // With as many classes as there are at least.
      let coefficients = FeatureConfiguration.speech(sampleRate: 16_000).coefficientCount
      for name in Set(names) { _ = try choice(name).network(inputSize: coefficients, classCount: 2) }
    }
  }

  var choices: [SoundTrainer.Architecture] {
    (0..<(members ?? names.count)).map { choice(names[$0 % names.count]) }
  }

  private var names: [SoundTrainer.Architecture.Name] { architecture.isEmpty ? [.bigruAttention] : architecture }

  private func choice(_ name: SoundTrainer.Architecture.Name) -> SoundTrainer.Architecture {
    var choice = SoundTrainer.Architecture(name)
    if let cell { choice.cell = cell }
    if let hidden { choice.hiddenSize = hidden }
    if let layers { choice.layers = layers }
    if unidirectional { choice.bidirectional = false }
    if let pooling { choice.pooling = pooling }
    if let dropout { choice.dropout = dropout }
    if let recurrentDropout { choice.recurrentDropout = recurrentDropout }
    if let inputNormalization { choice.inputNormalization = InputNormalization(inputNormalization) }
    if !convolution.isEmpty { choice.convolutions = convolution }
    return choice
  }
}
