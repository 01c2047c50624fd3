import AudioFeatures
import AuricleBase
import SequenceModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Makes a model of weights that PyTorch or Keras trained, from a safetensors or ONNX file; nothing of it is executed, and
/// pickles are never opened.
///
///     let importer = try WeightsImporter(bytes: FileAccess.read("gru.safetensors"), path: "gru.safetensors")
///     let model = try importer.model(
///       WeightsImporter.Options(network: json, labels: ["yes", "no"], input: .audio(.kaldi(sampleRate: 16_000))))
///
/// Of PyTorch, the file is a state dictionary; of Keras, what the converter in the documentation wrote. Weights say nothing
/// of what lies between them (activations, poolings, strides, padding), so the network is described in JSON, as
/// `NetworkTemplate` reads it; only recurrent layers followed by one dense layer are recognised, and networks of Keras whose
/// configuration the converter put beside the weights. An ONNX file, as PyTorch's
/// and Keras's exporters write it, says all of this itself (`ONNXNetwork`).
public struct WeightsImporter: Sendable {
  public enum Source: String, CaseIterable, Sendable { case pytorch, keras, onnx }

  public struct Options: Sendable {
    /// The layers in JSON; nil where they are to be recognised.
    public var network: String?
    /// How frames become one vector, for a network that is to be recognised.
    public var pooling: SequencePooling.Kind?
    /// Names of the classes, in the order of the outputs.
    public var labels: [String]
    public var output = ModelOutput.softmax
    /// What frames are; nil for sequences of as many numbers as the first layer takes.
    public var input: ModelInput?
    /// Mean and deviation over the training data, for features that are normalised so.
    public var normalizer: FeatureNormalizer?
    /// Names of PyTorch's modules in the order of the layers, where shapes alone do not tell it.
    public var modules: [String]?
    /// Whether PyTorch's two-dimensional convolutions have the bins before the frames (`batch x channels x bins x frames`).
    public var hasBinsFirst = false
    /// Whether a frame of several channels and bins was flattened channel after channel (PyTorch's `flatten` of
    /// `channels x bins`), not bin after bin.
    public var flattensChannelsFirst = true

    public init(
      network: String? = nil, pooling: SequencePooling.Kind? = nil, labels: [String], input: ModelInput? = nil
    ) {
      (self.network, self.pooling, self.labels, self.input) = (network, pooling, labels, input)
    }
  }

  public let source: Source
  private let path: String
  private let modules: [WeightModule]
  private let graph: ONNXFile?
  /// Of Keras, the model's configuration in JSON, where the file has it.
  private let configuration: String?

  /// Reads a file's `bytes`; `path` is for error messages, and where it ends with `.onnx` the file is one (weights that lie
  /// in a file beside it are read from there). Else it is a safetensors file, whose `source` is found by the tensors' names
  /// if it is not given. Throws `ModelExchangeError.weights`.
  public init(bytes: [UInt8], path: String, source: Source? = nil) throws(ModelExchangeError) {
    func refuse(_ reason: String) -> ModelExchangeError { .weights(path: path, reason: reason) }
    if source == .onnx || source == nil && path.hasSuffix(".onnx") {
      (self.source, self.path, modules, configuration) = (.onnx, path, [], nil)
      let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
      do {
        graph = try ONNXFile(reading: bytes) { try FileAccess.read(folder + $0) }
      } catch let problem as ImportProblem {
        throw refuse(problem.reason)
      } catch {
        throw refuse("\(error)")
      }
      return
    }
    graph = nil
    let file: TensorFile
    do {
      file = try TensorFile(bytes: bytes, path: path)
    } catch {
      if bytes.starts(with: [0x80]) || bytes.starts(with: Array("PK".utf8)) {
        throw refuse(
          "a pickle, which can run programs, or an archive; save the weights as safetensors, as the documentation shows"
        )
      }
      if bytes.dropFirst().starts(with: Array("HDF".utf8)) {
        throw refuse("a file of Keras; turn it into safetensors with the lines in the documentation")
      }
      throw refuse(error.reason)
    }
    if file.metadata["auricle.format"] != nil { throw refuse("it is a model of Auricle already") }
    let isKeras = !file.tensors.isEmpty && file.tensors.keys.allSatisfy { KerasWeights.isName($0) }
    self.source = source ?? (isKeras ? .keras : .pytorch)
    self.path = path
    configuration = file.metadata["keras.config"]
    do {
      modules = try self.source == .keras ? KerasWeights.modules(file) : PyTorchWeights.modules(file)
    } catch {
      throw refuse(error.reason)
    }
    if modules.isEmpty { throw refuse("it holds no tensor") }
  }

  /// The model.
  ///
  /// Throws `ModelExchangeError.weights` where weights and network do not fit each other, and `ModelError` for an impossible
  /// network.
  public func model(_ options: Options) throws -> SequenceClassifier {
    do {
      if let graph { return try model(of: graph, options) }
      var options = options
      var input = options.input
      let layers: [Layer]
      if options.network == nil, options.pooling == nil, source == .keras, let configuration {
        let keras = try KerasConfiguration(json: configuration)
        layers = keras.layers
        input = input ?? .sequence(width: keras.width)
        if keras.output == .softmax && options.output == .sigmoid {
          throw ImportProblem(reason: "it ends with a softmax, so that one of the classes is there, not several")
        }
        options.output = keras.output ?? options.output
        try requireEnd(layers, options)
      } else {
        layers = try options.network.map { try described($0) } ?? recognized(options)
      }
      guard let width = try input?.width ?? inputWidth(layers) else {
        throw ImportProblem(reason: "a two-dimensional convolution comes first, so say what the features are")
      }
      let network = try NetworkTemplate(layers).network(input: width, classCount: options.labels.count)
      var assembly = Assembly(options: options, source: source)
      let slots = try assembly.slots(network.layers, network.shapes)
      let order = try assignment(slots, options)
      let parameters = try zip(slots, order).flatMap { try $0.parameters(of: $1) }
      return try SequenceClassifier(
        configuration: network, input: input ?? .sequence(width: width), output: options.output,
        labels: options.labels, normalizer: options.normalizer, parameters: parameters)
    } catch let problem as ImportProblem {
      throw ModelExchangeError.weights(path: path, reason: problem.reason)
    }
  }

  /// The last layer of a network that is recognised has a unit for each label; `NetworkTemplate` would replace it.
  private func requireEnd(_ layers: [Layer], _ options: Options) throws(ImportProblem) {
    guard case .dense(let last)? = layers.last, last.activation == nil else {
      throw ImportProblem(reason: "its last layer is not dense, without an activation, with a unit for each class")
    }
    guard last.units == options.labels.count else {
      throw ImportProblem(reason: "it has \(last.units) classes; \(options.labels.count) labels were given")
    }
  }

  private func model(of graph: ONNXFile, _ options: Options) throws -> SequenceClassifier {
    if options.network != nil || options.pooling != nil || options.modules != nil {
      throw ImportProblem(
        reason: "an ONNX file describes its network itself, with its pooling and the order of its layers")
    }
    let found = try ONNXNetwork.found(in: graph, width: options.input?.width, binsFirst: options.hasBinsFirst)
    if found.output == .softmax && options.output == .sigmoid {
      throw ImportProblem(reason: "its graph ends with a softmax, so that one of the classes is there, not several")
    }
    let network = try NetworkConfiguration(input: found.width, found.layers)
    guard network.classCount == options.labels.count else {
      throw ImportProblem(reason: "it has \(network.classCount) classes; \(options.labels.count) labels were given")
    }
    return try SequenceClassifier(
      configuration: network, input: options.input ?? .sequence(width: found.width),
      output: found.output ?? options.output,
      labels: options.labels, normalizer: options.normalizer, parameters: found.parameters)
  }

  /// The normalisation that a safetensors file's `mean` and `std` describe. Throws `ModelExchangeError.weights`.
  public static func statistics(bytes: [UInt8], path: String) throws(ModelExchangeError) -> FeatureNormalizer {
    func refuse(_ reason: String) -> ModelExchangeError { .weights(path: path, reason: reason) }
    let file: TensorFile
    do { file = try TensorFile(bytes: bytes, path: path) } catch { throw refuse(error.reason) }
    guard let mean = file.tensors["mean"], let deviation = file.tensors["std"] else {
      throw refuse("it must hold two tensors, 'mean' and 'std'")
    }
    do {
      return try FeatureNormalizer(
        mean: mean.values.map { Float($0) }, standardDeviation: deviation.values.map { Float($0) })
    } catch {
      throw refuse(error.description)
    }
  }

  // MARK: The network

  private func described(_ json: String) throws -> [Layer] {
    let layers = try NetworkTemplate(json: json).layers
    guard source == .pytorch else { return layers }
    // What is not said is the library's own default.
    let said = try JSONDecoder().decode(SaidEpsilons.self, from: Data(json.utf8)).layers
    return zip(layers, said).map { $0.withEpsilon(1e-5, unless: $1) }
  }

  /// Recurrent layers and one dense layer.
  private func recognized(_ options: Options) throws(ImportProblem) -> [Layer] {
    let text = modules.map { "\($0.name) (\($0.shapes))" }.joined(separator: ", ")
    let hint = "say how the layers follow each other with a network in JSON; it holds \(text)"
    let ordered = modules.sorted { naturallyPrecedes($0.name, $1.name) }
    let recurrent = ordered.compactMap(\.recurrent)
    guard !recurrent.isEmpty, recurrent.count == ordered.count - 1, ordered.count(where: { $0.isDense }) == 1 else {
      throw ImportProblem(reason: "only recurrent layers with one dense layer are recognised by their weights; \(hint)")
    }
    guard let pooling = options.pooling else {
      throw ImportProblem(reason: "weights do not say how frames become one vector: choose a pooling, last as a rule")
    }
    return recurrent.map { .recurrent($0) } + [.pooling(pooling), .dense(options.labels.count)]
  }

  /// Numbers that the first layer with weights takes; nil where these do not say.
  private func inputWidth(_ layers: [Layer]) throws(ImportProblem) -> Int? {
    for layer in layers {
      switch layer {
      case .recurrent: return try inputs { !$0.isDense && $0.rank < 3 && $0.inputs != nil }
      case .dense: return try inputs { $0.isDense }
      case .convolution(let layer) where layer.bins == nil: return try inputs { $0.rank == 3 }
      case .batchNormalization, .layerNormalization, .depthwiseConvolution:
        throw ImportProblem(
          reason: "the first layer's weights do not tell how many numbers a frame has; give the input")
      case .convolution, .pooling, .residual: return nil
      case .activation, .dropout, .windowPooling: continue
      }
    }
    return nil
  }

  /// Inputs of the first such module by name; where another is meant, its weights will not fit.
  private func inputs(of isFirst: (WeightModule) -> Bool) throws(ImportProblem) -> Int? {
    let candidates = modules.filter(isFirst).sorted { naturallyPrecedes($0.name, $1.name) }
    guard let first = candidates.first else { throw ImportProblem(reason: "no weights for the first layer") }
    return first.inputs
  }

  // MARK: Which weights are whose

  /// The modules in the order of the slots.
  private func assignment(_ slots: [WeightSlot], _ options: Options) throws(ImportProblem) -> [WeightModule] {
    guard modules.count == slots.count else {
      throw ImportProblem(
        reason: "the network has \(slots.count) layers with weights, the file weights of \(modules.count): "
          + modules.map(\.name).sorted(by: naturallyPrecedes).joined(separator: ", "))
    }
    if let names = options.modules {
      let known = Dictionary(uniqueKeysWithValues: modules.map { ($0.name, $0) })
      // A recurrent module of several layers has one name.
      let wanted = names.flatMap { name in
        known[name] != nil
          ? [name] : known.keys.filter { $0.hasPrefix(name + ".l") }.sorted(by: naturallyPrecedes)
      }
      guard Set(wanted) == Set(known.keys), wanted.count == known.count else {
        throw ImportProblem(
          reason: "the names that were given are not those of its modules, which are "
            + known.keys.sorted(by: naturallyPrecedes).joined(separator: ", "))
      }
      return wanted.compactMap { known[$0] }
    }
    let natural = modules.sorted { naturallyPrecedes($0.name, $1.name) }
    // Keras's converter numbers layers; so does PyTorch's `Sequential`.
    if modules.allSatisfy({ $0.isNumbered }) { return natural }
    var search = Search(slots: slots, modules: natural)
    search.run()
    guard let first = search.found.first else {
      // A layer that no module fits, beside the first of its kind, shows best what is wrong.
      for slot in slots where !natural.contains(where: { slot.mayTake($0) }) {
        if let alike = natural.first(where: { slot.isAlike($0) }) { _ = try slot.parameters(of: alike) }
      }
      throw ImportProblem(reason: "no order of its modules fits the network")
    }
    guard search.found.count == 1, !search.isExhausted else {
      throw ImportProblem(
        reason: "its modules fit the network in several orders; say which is right with their names in order, of "
          + natural.map(\.name).joined(separator: ", "))
    }
    return first
  }

  /// Looks for two orders of modules that fit; one alone is the right one.
  private struct Search {
    let slots: [WeightSlot]
    let modules: [WeightModule]
    private(set) var found: [[WeightModule]] = []
    private var steps = 0
    var isExhausted: Bool { steps >= 20_000 }

    init(slots: [WeightSlot], modules: [WeightModule]) { (self.slots, self.modules) = (slots, modules) }

    mutating func run() { place([], Array(modules.indices)) }

    private mutating func place(_ taken: [Int], _ rest: [Int]) {
      guard found.count < 2, !isExhausted else { return }
      guard taken.count < slots.count else {
        found.append(taken.map { modules[$0] })
        return
      }
      for index in rest where slots[taken.count].mayTake(modules[index]) {
        // Layers of one recurrent module keep their order.
        if let before = modules[index].follows, before != taken.last.map({ modules[$0].name }) { continue }
        steps += 1
        place(taken + [index], rest.filter { $0 != index })
      }
    }
  }
}

/// What does not fit, for the one who knows the file.
struct ImportProblem: Error {
  let reason: String
  /// How many layers were found before it.
  var progress = 0
  /// Whether the reason says where in a graph it is.
  var isPlaced = false

  init(reason: String) { self.reason = reason }
}

/// Which epsilons a description in JSON gives.
private struct SaidEpsilons: Decodable {
  struct Entry: Decodable {
    var epsilon: Double?
    var layers: [Entry]?
  }
  let layers: [Entry]

  private enum CodingKeys: CodingKey { case layers }

  init(from decoder: any Decoder) throws {
    if let layers = try? decoder.singleValueContainer().decode([Entry].self) {
      self.layers = layers
    } else {
      layers = try decoder.container(keyedBy: CodingKeys.self).decode([Entry].self, forKey: .layers)
    }
  }
}

extension Layer {
  /// With this epsilon where the description gave none.
  fileprivate func withEpsilon(_ epsilon: Double, unless said: SaidEpsilons.Entry) -> Layer {
    switch self {
    case .batchNormalization(var layer) where said.epsilon == nil:
      layer.epsilon = epsilon
      return .batchNormalization(layer)
    case .layerNormalization(var layer) where said.epsilon == nil:
      layer.epsilon = epsilon
      return .layerNormalization(layer)
    case .residual(let layer):
      return .residual(zip(layer.layers, said.layers ?? []).map { $0.withEpsilon(epsilon, unless: $1) })
    default: return self
    }
  }
}
