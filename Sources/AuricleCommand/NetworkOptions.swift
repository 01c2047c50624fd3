import ArgumentParser
import Auricle
import AuricleBase

/// The networks of `train`: one by name or from a file, or several, and what is to be different in them.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A network by name (default: by the effort; bigru-attention where an option below changes it). Give it again for a model of several.",
      valueName: "name"))
  var architecture: [NetworkName] = []
  @Option(
    help: ArgumentHelp(
      "A network as a list of layers in JSON, as --print-network prints it. Give it again for a model of several.",
      valueName: "file"))
  var network: [String] = []
  @Option(
    help: ArgumentHelp(
      "Train so many networks, each from another beginning, of the named ones in turn; the model answers with the mean of their probabilities (default: one for each --architecture and --network; by the effort where there are none).",
      valueName: "n"))
  var members: Int?

  @Option(help: "Recurrent cell.")
  var cell: Recurrent.Cell?
  @Option(help: ArgumentHelp("Units of the hidden state, in each direction.", valueName: "n"))
  var hidden: Int?
  @Option(help: ArgumentHelp("Recurrent layers.", valueName: "n"))
  var layers: Int?
  @Flag(help: "Go through the sound forwards only.")
  var unidirectional = false
  @Option(help: "How frames become one vector.")
  var pooling: ClassicNetwork.Pooling?
  @Option(help: ArgumentHelp("Share of outputs dropped in training.", valueName: "share"))
  var dropout: Double?

  @Option(
    help: ArgumentHelp("Share of units whose state recurrent weights do not see in training.", valueName: "share"))
  var recurrentDropout: Double?
  @Option(help: "Normalise features in the network, with a learned scale.")
  var inputNormalization: ClassicNetwork.InputNormalization?
  @Option(
    help: ArgumentHelp(
      "A convolution before the recurrent layers, for example 64:5/2 (64 filters over 5 frames, every 2nd frame) or "
        + "32:3x3/1x2 (3 frames x 3 coefficients); give it again for the next one.", valueName: "filters:size/stride"))
  var convolution: [Convolution] = []

  func validate() throws {
    let (count, most) = (members ?? named, ClassifierEnsemble.mostMembers)
    guard count >= named && count <= most else {
      throw ValidationError("\(count) networks; there must be \(named), one for each that is named, to \(most).")
    }
    // Each alone, so that it is named.
    try check("--hidden", \.hiddenSize, hidden)
    try check("--layers", \.recurrentLayers, layers)
    try check("--dropout", \.dropout, dropout)
    try check("--recurrent-dropout", \.recurrentDropout, recurrentDropout)
    try check("--convolution", \.convolutions, convolution.isEmpty ? nil : convolution)
    try checkUsage {
      // With as many classes as there are at least.
      for name in Set(names) { _ = try template(name).network(input: coefficients, classCount: 2) }
    }
  }

  private func check<Value>(
    _ option: String, _ field: WritableKeyPath<ClassicNetwork, Value>, _ value: Value?
  ) throws {
    guard let value else { return }
    var network = ClassicNetwork()
    network[keyPath: field] = value
    do {
      _ = try NetworkTemplate(network.layers()).network(input: coefficients, classCount: 2)
    } catch {
      throw ValidationError("\(option): \(error).")
    }
  }

  /// Of the features that networks are tried with.
  private var coefficients: Int { FeatureConfiguration.speech(sampleRate: 16_000).coefficientCount }

  /// As options say, and where they say nothing, as an effort does. Throws `FileError` and `ModelError` for a file that is
  /// no list of layers.
  func templates(_ effort: Effort?) throws -> [NetworkTemplate] {
    var all =
      try names.map { try template($0) }
      + network.map { path in
        do {
          return try NetworkTemplate(json: String(decoding: FileAccess.read(path), as: UTF8.self))
        } catch let error as ModelError {
          throw ModelError.file(path: path, reason: "\(error)")
        }
      }
    var count = members ?? all.count
    if let effort, !namesNetwork {
      all = [effort.network.template]
      count = members ?? effort.members
    }
    return (0..<count).map { all[$0 % all.count] }
  }

  /// Whether any option is about the network itself.
  var namesNetwork: Bool { isChanged || !architecture.isEmpty || !network.isEmpty }

  /// Whether all networks are ones that learn from log-mel energies, as the efforts' do.
  var isOfSpectrograms: Bool {
    !namesNetwork || !architecture.isEmpty && network.isEmpty && architecture.allSatisfy { $0.classic == nil }
  }

  private var names: [NetworkName] { architecture.isEmpty && network.isEmpty ? [.bigruAttention] : architecture }
  private var named: Int { names.count + network.count }

  /// What the options ask for that change a network.
  private var isChanged: Bool {
    cell != nil || hidden != nil || layers != nil || unidirectional || pooling != nil || dropout != nil
      || recurrentDropout != nil || inputNormalization != nil || !convolution.isEmpty
  }

  private func template(_ name: NetworkName) throws -> NetworkTemplate {
    guard isChanged else { return name.template }
    guard var network = name.classic else {
      throw ValidationError(
        "--cell, --hidden and the like do not change \(name.rawValue); write its layers to a file with --print-network, "
          + "change that, and give it as --network.")
    }
    if let cell { network.cell = cell }
    if let hidden { network.hiddenSize = hidden }
    if let layers { network.recurrentLayers = layers }
    if unidirectional { network.bidirectional = false }
    if let pooling { network.pooling = pooling }
    if let dropout { network.dropout = dropout }
    if let recurrentDropout { network.recurrentDropout = recurrentDropout }
    if let inputNormalization { network.inputNormalization = inputNormalization }
    if !convolution.isEmpty { network.convolutions = convolution }
    return NetworkTemplate(try network.layers())
  }
}
