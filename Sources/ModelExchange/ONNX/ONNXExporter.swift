import AudioFeatures
import SequenceModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A model as an ONNX file, which ONNX Runtime and others run without Auricle.
///
///     let bytes = try ONNXExporter(model).bytes(input: .features)
///     try FileAccess.writeAtomically(bytes, to: "digits.onnx")
///
/// The graph's inputs are `features` (`batch x frames x width`, float32, as `FeatureExtractor` computes them: the model's
/// own normalisation is in the graph) or `samples` (`batch x samples`, float32 in [-1, 1), mono, at the model's rate), and
/// `lengths` (`batch`, int64): how many frames or samples of each row count, at least one; what lies beyond may hold
/// anything and changes nothing. Outputs are `probabilities` (`batch x classes`; of an ensemble the mean of its members')
/// and, of a single network, `logits`.
///
/// Metadata has the keys of the model file: `auricle.labels` (a JSON array, in the order of the probabilities),
/// `auricle.features` (the configuration in JSON; or `auricle.sequence`, the width of other sequences) and
/// `auricle.output`.
public struct ONNXExporter: Sendable {
  /// What the graph takes.
  public enum Input: String, CaseIterable, Sendable { case features, samples }

  private let model: ClassifierEnsemble

  public init(_ model: ClassifierEnsemble) { self.model = model }

  /// A graph for streams: takes the next `features` (`batch x frames x width`, any number of frames but none) with the
  /// states `state.0`, `state.1`, ... of what came before, zeros at first, and gives `probabilities` of all frames so far
  /// and the states `next_state.0`, ... for the next piece. `batch` streams go side by side.
  ///
  /// With samples in, `samples` (`batch x samples`) are the next hops, whole ones but in the last piece, which is marked by
  /// `end` (one whole number, int64: 1, else 0) and has at least one hop; the first has at least so many samples as `first`
  /// in the metadata `auricle.stream` says, beside the hop's length. Frames that wait for samples or deltas are in the
  /// states. A piece that breaks these rules makes all answers NaN from there on.
  ///
  /// Throws `ModelExchangeError.network` for networks that see ahead, stride over frames or go backward, and
  /// `ModelExchangeError.features` for features that no stream has.
  public func streamBytes(input: Input = .features) throws -> [UInt8] {
    for member in model.members { try ONNXStates.require(member.configuration) }
    if case .audio(let features) = model.input, features.needsStatistics {
      throw ModelExchangeError.network("its features are normalised over each whole sound")
    }
    return try bytes(input: input, isStream: true)
  }

  /// The file's bytes: the same model always gives the same. Throws `ModelExchangeError`.
  public func bytes(input: Input = .features) throws -> [UInt8] { try bytes(input: input, isStream: false) }

  private func bytes(input: Input, isStream: Bool) throws -> [UInt8] {
    let size = model.parameterCount * MemoryLayout<Float>.stride
    guard size < Int(Int32.max) else { throw ModelExchangeError.tooLarge(bytes: size) }
    var graph = ONNXGraph()
    let value: ONNXFile.Value
    var (frames, lengths): (String, String)
    var isLongEnough: String?
    var states = isStream ? ONNXStates() : nil
    var others = isStream ? [] : [ONNXFile.Value(name: "lengths", element: .int64, shape: [.named("batch")])]
    var stream: ONNXStreamFeatures?
    switch input {
    case .features:
      value = ONNXFile.Value(
        name: "features", element: .float, shape: [.named("batch"), .named("frames"), .fixed(model.input.width)])
      (frames, lengths) = ("features", "lengths")
    case .samples:
      guard case .audio(let configuration) = model.input else { throw ModelExchangeError.notForSound }
      value = ONNXFile.Value(name: "samples", element: .float, shape: [.named("batch"), .named("samples")])
      if isStream {
        let features = try ONNXStreamFeatures(configuration)
        var own = ONNXStates()
        lengths = ""
        (frames, isLongEnough) = features.add(to: &graph, samples: "samples", end: "end", &own)
        (states, stream) = (own, features)
        others = [ONNXFile.Value(name: "end", element: .int64, shape: [.fixed(1)])]
      } else {
        (frames, lengths, isLongEnough) = try ONNXFeatures(configuration).add(
          to: &graph, samples: "samples", lengths: "lengths")
      }
    }
    if let normalizer = model.normalizer {
      graph.scope = "normalization/"
      let mean = graph.constant("mean", normalizer.mean, shape: [model.input.width])
      let scale = graph.constant("scale", normalizer.scale, shape: [model.input.width])
      frames = graph.add("Mul", [graph.add("Sub", [frames, mean]), scale])
    }
    graph.scope = "lengths/"
    let count = graph.size(of: frames, axis: 1)
    graph.scope = ""
    var layers = ONNXLayers(graph, lengths: lengths, frames: count, states: states)
    let isSingle = model.members.count == 1
    var answers: [String] = []
    for (index, member) in model.members.enumerated() {
      layers.graph.scope = isSingle ? "" : "member.\(index)/"
      var logits = try layers.logits(member, of: frames)
      if let isLongEnough { logits = layers.graph.add("Where", [isLongEnough, logits, layers.graph.scalar(.nan)]) }
      let named = isSingle ? layers.graph.add("Identity", [logits], output: "logits") : logits
      let output = isSingle ? "probabilities" : nil
      switch model.output {
      case .softmax: answers.append(layers.graph.add("Softmax", [named], [("axis", .integer(1))], output: output))
      case .sigmoid: answers.append(layers.graph.add("Sigmoid", [named], output: output))
      }
    }
    layers.graph.scope = ""
    if !isSingle { _ = layers.graph.add("Mean", answers, output: "probabilities") }

    let classes = [ONNXFile.Value.Dimension.named("batch"), .fixed(model.labels.count)]
    let file = ONNXFile(
      graphName: "auricle", opset: ONNXGraph.opset, nodes: layers.graph.nodes, initializers: layers.graph.initializers,
      inputs: [value] + others + (layers.states?.inputs ?? []),
      outputs: (["probabilities"] + (isSingle ? ["logits"] : [])).map {
        ONNXFile.Value(name: $0, element: .float, shape: classes)
      } + (layers.states?.outputs ?? []),
      metadata: try metadata() + (stream.map { [("auricle.stream", $0.description)] } ?? []))
    let bytes = file.bytes
    guard bytes.count <= Int(Int32.max) else { throw ModelExchangeError.tooLarge(bytes: bytes.count) }
    return bytes
  }

  private func metadata() throws -> [(key: String, value: String)] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func json(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    let input: (String, String) =
      switch model.input {
      case .audio(let features): ("auricle.features", try json(features))
      case .sequence(let width): ("auricle.sequence", "\(width)")
      }
    return [("auricle.labels", try json(model.labels)), input, ("auricle.output", model.output.rawValue)]
  }
}
