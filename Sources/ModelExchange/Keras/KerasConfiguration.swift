import SequenceModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The layers of a Keras model from its configuration (`model.to_json()`, Keras 3), of a model whose layers follow each
/// other.
struct KerasConfiguration {
  /// Numbers of a frame.
  let width: Int
  private(set) var layers: [Layer] = []
  /// What its last layer makes of the logits; nil where it ends with logits.
  private(set) var output: ModelOutput?
  private var shape: LayerShape

  /// Throws the reason for what Auricle has no layer for, with the layer's name.
  init(json: String) throws(ImportProblem) {
    let model: Model
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      model = try decoder.decode(Model.self, from: Data(json.utf8))
    } catch {
      throw ImportProblem(reason: "its configuration is none of a Keras model")
    }
    let described = model.config.layers
    guard let input = model.config.buildInputShape ?? described.lazy.compactMap(\.config.batchShape).first,
      [3, 4].contains(input.count), let last = input.last, let width = input.count == 3 ? last : input[2], width > 0,
      width <= 65_536, input.count == 3 || last == 1
    else {
      throw ImportProblem(
        reason: "its configuration does not say how many numbers a frame has, or frames of several channels")
    }
    self.width = width
    shape = LayerShape(input: width)
    for (index, layer) in described.enumerated() {
      do throws(ImportProblem) {
        if index > 1, let from = layer.sources, from != [described[index - 1].config.name] {
          throw ImportProblem(reason: "does not follow the layer before it")
        }
        guard output == nil else { throw ImportProblem(reason: "comes after the probabilities") }
        try add(layer, isLast: index == described.count - 1)
      } catch {
        throw ImportProblem(reason: "layer '\(layer.config.name ?? "\(index)")' (\(layer.className)) \(error.reason)")
      }
    }
  }

  private mutating func append(_ layer: Layer) throws(ImportProblem) {
    do {
      shape = try NetworkConfiguration.shapes(of: [layer], input: shape)[1]
    } catch {
      throw ImportProblem(reason: "is no layer of Auricle's: \(error)")
    }
    layers.append(layer)
  }

  private mutating func add(_ layer: Described, isLast: Bool) throws(ImportProblem) {
    let config = layer.config
    switch layer.className {
    case "InputLayer", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise": return
    case "Dense":
      let name = config.activation ?? "linear"
      if isLast, name == "softmax" || name == "sigmoid" {
        output = name == "softmax" ? .softmax : .sigmoid
        try append(.dense(config.units ?? 0))
      } else {
        try append(.dense(config.units ?? 0, activation(name)))
      }
    case "Softmax": output = .softmax
    case "Activation", "ReLU":
      guard config.maxValue == nil, config.negativeSlope ?? 0 == 0, config.threshold ?? 0 == 0 else {
        throw ImportProblem(reason: "is another function than max(x, 0)")
      }
      let name = layer.className == "ReLU" ? "relu" : config.activation ?? "linear"
      if name == "softmax" {
        output = .softmax
      } else if isLast, name == "sigmoid" {
        output = .sigmoid
      } else if let function = try activation(name) {
        try append(.activation(function))
      }
    case "BatchNormalization":
      try requireLastAxis(config)
      try append(.batchNormalization(epsilon: config.epsilon ?? 1e-3))
    case "LayerNormalization":
      try requireLastAxis(config)
      try append(.layerNormalization(epsilon: config.epsilon ?? 1e-3))
    case "Conv1D", "Conv2D", "DepthwiseConv1D": try convolution(layer)
    case "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D": try windowPooling(layer)
    case "GlobalAveragePooling1D": try append(.pooling(.mean))
    case "GlobalMaxPooling1D": try append(.pooling(.max))
    case "GRU", "LSTM", "SimpleRNN", "Bidirectional": try recurrent(layer)
    case "Reshape":
      // Bins of channels as one frame, or a channel for convolutions over bins.
      guard let target = config.targetShape, target.first == -1 || target.first == nil,
        target.dropFirst() == [shape.count] || target.dropFirst() == [shape.bins, shape.channels]
      else { throw ImportProblem(reason: "reshapes otherwise than to frames of all their numbers") }
    default: throw ImportProblem(reason: "is none of the layers that Auricle has")
    }
  }

  private func activation(_ name: String) throws(ImportProblem) -> Activation.Function? {
    switch name {
    case "linear": return nil
    case "swish": return .silu
    default:
      guard let function = Activation.Function(rawValue: name) else {
        throw ImportProblem(reason: "has the activation '\(name)', which Auricle has not")
      }
      return function
    }
  }

  private func requireLastAxis(_ config: Config) throws(ImportProblem) {
    guard config.axis.map({ $0.values == [-1] || $0.values == [2] && shape.isFlat }) ?? true else {
      throw ImportProblem(reason: "normalises another axis than the last")
    }
  }

  private mutating func convolution(_ layer: Described) throws(ImportProblem) {
    let config = layer.config
    let (kernel, strides) = (config.kernelSize?.values ?? [], config.strides?.values ?? [1])
    let dilations = config.dilationRate?.values ?? [1]
    guard config.groups ?? 1 == 1, config.dataFormat ?? "channels_last" == "channels_last", let frames = kernel.first,
      config.depthMultiplier ?? 1 == 1
    else { throw ImportProblem(reason: "has groups, a depth multiplier or channels first") }
    let causal = config.padding == "causal"
    // "same" with a stride depends on the number of frames.
    guard causal || config.padding == "same" && strides.allSatisfy({ $0 == 1 }) || kernel.allSatisfy({ $0 == 1 }) else {
      throw ImportProblem(
        reason:
          "pads by '\(config.padding ?? "valid")'\(strides.allSatisfy { $0 == 1 } ? "" : " with a stride"), so that other "
          + "frames come out than Auricle's; 'same' without a stride and 'causal' are taken")
    }
    let function = try activation(config.activation ?? "linear")
    switch layer.className {
    case "DepthwiseConv1D":
      try append(
        .depthwiseConvolution(
          frames: frames, frameStride: strides.first ?? 1, frameDilation: dilations.first ?? 1, causal: causal))
      if let function { try append(.activation(function)) }
    default:
      let isFlat = layer.className == "Conv1D"
      guard isFlat || kernel.count == 2 else { throw ImportProblem(reason: "has no kernel of two sizes") }
      try append(
        .convolution(
          filters: config.filters ?? 0, frames: frames, frameStride: strides.first ?? 1,
          frameDilation: dilations.first ?? 1, bins: isFlat ? nil : kernel.last,
          binStride: isFlat ? 1 : strides.last ?? 1,
          binDilation: isFlat ? 1 : dilations.last ?? 1, causal: causal, activation: function))
    }
  }

  private mutating func windowPooling(_ layer: Described) throws(ImportProblem) {
    let config = layer.config
    let size = config.poolSize?.values ?? [2]
    guard config.strides.map({ $0.values == size }) ?? true, config.dataFormat ?? "channels_last" == "channels_last",
      let frames = size.first
    else { throw ImportProblem(reason: "has windows that overlap, or channels first") }
    let bins = layer.className.hasSuffix("2D") ? size.last ?? 1 : 1
    let isSame = config.padding == "same"
    guard isSame && frames <= 2 && bins <= 2 || frames == 1 && shape.bins.isMultiple(of: bins) else {
      throw ImportProblem(
        reason: "drops frames or bins that fill no window, or pads before them; 'same' with windows of 2 is taken")
    }
    try append(
      layer.className.hasPrefix("Max")
        ? .maxPooling(frames: frames, bins: bins) : .meanPooling(frames: frames, bins: bins))
  }

  private mutating func recurrent(_ layer: Described) throws(ImportProblem) {
    let isBoth = layer.className == "Bidirectional"
    guard let inner = isBoth ? layer.config.layer : layer, !isBoth || layer.config.mergeMode == "concat" else {
      throw ImportProblem(reason: "does not put both directions side by side ('concat')")
    }
    let config = inner.config
    let gates = inner.className == "SimpleRNN" || config.recurrentActivation ?? "sigmoid" == "sigmoid"
    let isReLU = inner.className == "SimpleRNN" && config.activation == "relu"
    guard gates, isReLU || config.activation ?? "tanh" == "tanh", config.goBackwards != true, config.stateful != true
    else { throw ImportProblem(reason: "has other activations than Keras's own, goes backward or is stateful") }
    let cells: [String: Recurrent.Cell] = [
      "GRU": config.resetAfter ?? true ? .gru : .gruResetBefore, "LSTM": .lstm,
      "SimpleRNN": isReLU ? .simpleRNNReLU : .simpleRNN,
    ]
    guard let cell = cells[inner.className] else { throw ImportProblem(reason: "wraps what is no recurrent layer") }
    try append(.recurrent(cell, units: config.units ?? 0, directions: isBoth ? 2 : 1))
    if config.returnSequences != true { try append(.pooling(.last)) }
  }
}

// MARK: What Keras writes

private struct Model: Decodable {
  struct Contents: Decodable {
    var layers: [Described]
    var buildInputShape: [Int?]?
  }
  var config: Contents
}

/// A layer of it: its class, and those of its settings that say what it computes.
private final class Described: Decodable {
  let className: String
  let config: Config
  private let inboundNodes: [Inbound]?

  /// Names of the layers it takes, in a functional model.
  var sources: [String?]? {
    guard let inboundNodes, !inboundNodes.isEmpty else { return nil }
    return inboundNodes.flatMap(\.sources)
  }

  private struct Inbound: Decodable {
    var sources: [String?] = []

    private struct Call: Decodable { var args: [Argument] }
    private struct Argument: Decodable {
      var config: History?
    }
    private struct History: Decodable { var kerasHistory: [Entry] }
    private struct Entry: Decodable {
      var name: String?
      init(from decoder: any Decoder) throws { name = try? decoder.singleValueContainer().decode(String.self) }
    }

    init(from decoder: any Decoder) throws {
      let call = try Call(from: decoder)
      sources = call.args.map { $0.config?.kerasHistory.first?.name }
    }
  }
}

private struct Config: Decodable {
  var name: String?
  var batchShape: [Int?]?
  var units, filters, groups, depthMultiplier: Int?
  var kernelSize, strides, dilationRate, poolSize, axis: Numbers?
  var padding, dataFormat, activation, recurrentActivation, mergeMode: String?
  var epsilon, maxValue, negativeSlope, threshold: Double?
  var goBackwards, stateful, returnSequences, resetAfter: Bool?
  var targetShape: [Int?]?
  var layer: Described?
}

/// One number or several.
private struct Numbers: Decodable {
  var values: [Int]

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    values = try (try? value.decode(Int.self)).map { [$0] } ?? value.decode([Int].self)
  }
}
