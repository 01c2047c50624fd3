import AuricleBase
import SequenceModel

/// Weights of Keras as the converter in the documentation writes them: `012.GRU.0` is the first weight of layer 12, in the
/// order of Keras's `layer.weights`, which is Auricle's.
enum KerasWeights {
  static func isName(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 3 && Int(parts[0]) != nil && Int(parts[2]) != nil && Int(parts[1]) == nil
  }

  /// Throws the reason for names that the converter does not write.
  static func modules(_ file: TensorFile) throws(ImportProblem) -> [WeightModule] {
    var modules: [String: WeightModule] = [:]
    for (name, tensor) in file.tensors {
      guard isName(name) else {
        throw ImportProblem(reason: "'\(name)' is no name that the converter for Keras gives (see Import.md)")
      }
      guard tensor.kind == .float32 || tensor.kind == .float64 else {
        throw ImportProblem(reason: "'\(name)' holds whole numbers")
      }
      let parts = name.split(separator: ".").map { String($0) }
      let module = parts[0] + "." + parts[1]
      var known = modules[module] ?? WeightModule(name: module, tensors: [:], isNumbered: true)
      known.tensors[parts[2]] = tensor
      modules[module] = known
    }
    return modules.values.map { module in
      var module = module
      let shapes = (0..<module.tensors.count).compactMap { module.tensors["\($0)"]?.shape }
      module.inputs = shapes.first.flatMap { $0.count >= 2 ? $0[$0.count - 2] : nil }
      module.isDense = module.name.hasSuffix(".Dense")
      let directions = module.kind == "Bidirectional" ? 2 : 1
      // Without a bias nothing tells where a GRU resets.
      if ["GRU", "LSTM", "SimpleRNN", "Bidirectional"].contains(module.kind), shapes.count == 3 * directions,
        shapes[1].count == 2, shapes[1][0] > 0
      {
        let units = shapes[1][0]
        let cells: [Int: Recurrent.Cell] = [
          1: .simpleRNN, 3: shapes[2].count == 2 ? .gru : .gruResetBefore, 4: .lstm,
        ]
        module.recurrent = cells[shapes[1][1] / units].map { Recurrent($0, units: units, directions: directions) }
      }
      return module
    }
  }

  /// The layer's parameters as `ParameterLayout` places them. Biases that a layer was made without are zeros.
  static func parameters(_ slot: WeightSlot, _ module: WeightModule) throws(ImportProblem) -> [Float] {
    let kinds = module.kind
    func refuse(_ wanted: String) -> ImportProblem {
      ImportProblem(reason: "\(module.name) is not the \(wanted) that the network has there")
    }
    switch slot.layer {
    case .dense: guard kinds == "Dense" else { throw refuse("Dense") }
    case .convolution(let layer):
      let wanted = layer.bins == nil ? "Conv1D" : "Conv2D"
      guard kinds == wanted else { throw refuse(wanted) }
    case .depthwiseConvolution: guard kinds == "DepthwiseConv1D" else { throw refuse("DepthwiseConv1D") }
    case .batchNormalization: guard kinds == "BatchNormalization" else { throw refuse("BatchNormalization") }
    case .layerNormalization: guard kinds == "LayerNormalization" else { throw refuse("LayerNormalization") }
    case .recurrent(let layer):
      let wanted =
        switch layer.cell {
        case .gru, .gruResetBefore: "GRU"
        case .lstm: "LSTM"
        case .simpleRNN, .simpleRNNReLU: "SimpleRNN"
        }
      guard kinds == (layer.directions == 2 ? "Bidirectional" : wanted) else {
        throw refuse(layer.directions == 2 ? "Bidirectional" : wanted)
      }
    case .pooling: throw refuse("attention, which Keras has no layer for")
    case .activation, .dropout, .residual, .windowPooling: return []
    }
    let withoutBiases = slot.specifications.filter { !$0.role.hasSuffix("bias") }.count
    let hasBiases = module.tensors.count == slot.specifications.count
    guard hasBiases || module.tensors.count == withoutBiases else {
      throw ImportProblem(
        reason: "\(module.name) has \(module.tensors.count) weights; the network wants \(slot.specifications.count): "
          + slot.specifications.map(\.role).joined(separator: ", "))
    }
    var (result, next): ([Float], Int) = ([], 0)
    for specification in slot.specifications {
      if !hasBiases && specification.role.hasSuffix("bias") {
        result += [Float](repeating: 0, count: specification.shape.reduce(1, *))
        continue
      }
      var shape = specification.shape
      // A depthwise kernel has a multiplier, which must be 1.
      if case .depthwiseConvolution = slot.layer, specification.role == "kernel" { shape.append(1) }
      result += try module.values("\(next)", shape)
      next += 1
    }
    return result
  }
}

extension WeightModule {
  /// Keras's class.
  fileprivate var kind: String { name.split(separator: ".").last.map { String($0) } ?? "" }
}
