import ArgumentParser
import Auricle

/// The network of `train`: one by name, and what is to be different in it.
struct ArchitectureOptions: ParsableArguments {
  @Option(help: "A network by name; the options below change it.")
  var architecture = SoundTrainer.Architecture.Name.bigruAttention

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

  var choice: SoundTrainer.Architecture {
    var choice = SoundTrainer.Architecture(architecture)
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
