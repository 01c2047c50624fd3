import AuricleBase
import SequenceModel

/// State dictionaries of PyTorch (2.x): which modules there are, and their weights in Auricle's order.
enum PyTorchWeights {
  /// Throws the reason for a tensor that is no weight of a module that Auricle has.
  static func modules(_ file: TensorFile) throws(ImportProblem) -> [WeightModule] {
    var modules: [String: WeightModule] = [:]
    for (name, tensor) in file.tensors {
      var parts = name.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
      var leaf = parts.removeLast()
      if leaf == "num_batches_tracked" { continue }
      var layer: Int?
      if let (tensor, number) = recurrent(leaf) {
        (leaf, layer) = (tensor, number)
        parts.append("l\(number)")
      } else if !["weight", "bias", "running_mean", "running_var"].contains(leaf) {
        throw ImportProblem(
          reason: leaf.hasPrefix("weight_hr") || leaf.contains("weight_hr_l")
            ? "'\(name)': recurrent layers with a projection (proj_size)"
            : "'\(name)' is no weight of a recurrent, convolutional, normalising or linear module")
      }
      guard tensor.kind == .float32 || tensor.kind == .float64 else {
        throw ImportProblem(reason: "'\(name)' holds whole numbers")
      }
      let module = parts.joined(separator: ".")
      let numbers = parts.filter { Int($0) == nil }
      var known =
        modules[module]
        ?? WeightModule(
          name: module, tensors: [:],
          follows: layer.flatMap { $0 > 0 ? (parts.dropLast() + ["l\($0 - 1)"]).joined(separator: ".") : nil },
          isNumbered: numbers.isEmpty || numbers.count == 1 && layer != nil && parts.count > 1)
      known.tensors[leaf] = tensor
      modules[module] = known
    }
    return modules.values.map { module in
      var module = module
      describe(&module)
      return module
    }
  }

  /// "weight_ih_l1_reverse" is "weight_ih_reverse" of layer 1.
  private static func recurrent(_ leaf: String) -> (tensor: String, layer: Int)? {
    for name in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] where leaf.hasPrefix(name + "_l") {
      var rest = leaf.dropFirst(name.count + 2)
      let isReverse = rest.hasSuffix("_reverse")
      if isReverse { rest = rest.dropLast("_reverse".count) }
      guard let layer = Int(rest), layer >= 0 else { return nil }
      return (name + (isReverse ? "_reverse" : ""), layer)
    }
    return nil
  }

  private static func describe(_ module: inout WeightModule) {
    if let state = module.tensors["weight_hh"]?.shape, let input = module.tensors["weight_ih"]?.shape,
      state.count == 2, input.count == 2, state[1] > 0
    {
      let cells: [Int: Recurrent.Cell] = [1: .simpleRNN, 3: .gru, 4: .lstm]
      if state[0] % state[1] == 0, let cell = cells[state[0] / state[1]] {
        let directions = module.tensors["weight_hh_reverse"] == nil ? 1 : 2
        module.recurrent = Recurrent(cell, units: state[1], directions: directions)
      }
      module.inputs = input[1]
    } else if let shape = module.tensors["weight"]?.shape {
      module.isDense = shape.count == 2 && module.tensors["running_mean"] == nil
      if shape.count == 2 || shape.count == 3 { module.inputs = shape[1] }
    }
  }

  /// The layer's parameters as `ParameterLayout` places them.
  static func parameters(_ slot: WeightSlot, _ module: WeightModule) throws(ImportProblem) -> [Float] {
    let (input, linear) = (slot.input, Set(["weight", "bias"]))
    switch slot.layer {
    case .dense(let layer):
      try module.require(only: linear, for: "a linear module")
      let weight = try module.values("weight", [layer.units, input.count])
      return slot.reordered(transposed(weight, rows: layer.units), columns: layer.units)
        + (try module.optional("bias", count: layer.units, default: 0))
    case .convolution(let layer):
      try module.require(only: linear, for: "a convolution")
      return try convolution(layer, slot, module) + module.optional("bias", count: layer.filters, default: 0)
    case .depthwiseConvolution(let layer):
      try module.require(only: linear, for: "a depthwise convolution")
      let channels = input.columnCount
      let weight = try module.values("weight", [channels, 1, layer.frames])
      return try transposed(weight, rows: channels) + module.optional("bias", count: channels, default: 0)
    case .batchNormalization:
      try module.require(
        only: ["weight", "bias", "running_mean", "running_var"], for: "a batch normalisation")
      let count = input.columnCount
      let parts = [
        try module.optional("weight", count: count, default: 1), try module.optional("bias", count: count, default: 0),
        try module.values("running_mean", [count]), try module.values("running_var", [count]),
      ]
      return parts.flatMap { count == input.count ? slot.reordered($0, columns: 1) : $0 }
    case .layerNormalization:
      try module.require(only: linear, for: "a layer normalisation")
      let count = input.columnCount
      let parts = [try module.values("weight", [count]), try module.optional("bias", count: count, default: 0)]
      return parts.flatMap { count == input.count ? slot.reordered($0, columns: 1) : $0 }
    case .pooling(let layer):
      guard case .attention(let heads) = layer.kind else { return [] }
      try module.require(only: ["weight"], for: "attention, whose scores are a linear module without a bias")
      let weight = try module.values("weight", [heads, input.count])
      return transposed(slot.reordered(transposed(weight, rows: heads), columns: heads), rows: input.count)
    case .recurrent(let layer): return try recurrent(layer, slot, module)
    case .activation, .dropout, .residual, .windowPooling: return []
    }
  }

  private static func convolution(
    _ layer: Convolution, _ slot: WeightSlot, _ module: WeightModule
  ) throws(ImportProblem) -> [Float] {
    let (channels, bins) = layer.bins == nil ? (slot.input.count, 1) : (slot.input.channels, layer.bins ?? 1)
    let shape =
      layer.bins == nil
      ? [layer.filters, channels, layer.frames]
      : [layer.filters, channels] + (slot.options.hasBinsFirst ? [bins, layer.frames] : [layer.frames, bins])
    let weight = try module.values("weight", shape)
    var kernel = [Float](repeating: 0, count: weight.count)
    for filter in 0..<layer.filters {
      for channel in 0..<channels {
        let target = layer.bins == nil ? slot.order?[channel] ?? channel : channel
        for frame in 0..<layer.frames {
          for bin in 0..<bins {
            let place = slot.options.hasBinsFirst ? bin * layer.frames + frame : frame * bins + bin
            kernel[((frame * bins + bin) * channels + target) * layer.filters + filter] =
              weight[(filter * channels + channel) * layer.frames * bins + place]
          }
        }
      }
    }
    return kernel
  }

  /// PyTorch's gates are r, z, n (GRU) and i, f, g, o (LSTM), its biases two of each.
  private static func recurrent(
    _ layer: Recurrent, _ slot: WeightSlot, _ module: WeightModule
  ) throws(ImportProblem) -> [Float] {
    guard layer.cell != .gruResetBefore else {
      throw ImportProblem(reason: "PyTorch's GRU resets after the product, which is the cell gru, not gru-reset-before")
    }
    let names = ["", "_reverse"].prefix(layer.directions).flatMap { suffix in
      ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map { $0 + suffix }
    }
    try module.require(
      only: Set(names), for: "\(layer.directions == 2 ? "a bidirectional" : "a one-way") recurrent layer")
    let gates = layer.cell == .gru ? [1, 0, 2] : layer.cell == .lstm ? [0, 1, 2, 3] : [0]
    let (units, rows) = (layer.units, gates.count * layer.units)
    /// `rows x columns` as `columns x rows`, the gates in Keras's order.
    func matrix(_ values: [Float], _ columns: Int) -> [Float] {
      (0..<values.count).map { index in
        let (column, row) = (index / rows, index % rows)
        return values[(gates[row / units] * units + row % units) * columns + column]
      }
    }
    var result: [Float] = []
    for suffix in ["", "_reverse"].prefix(layer.directions) {
      let kernel = matrix(try module.values("weight_ih" + suffix, [rows, slot.input.count]), slot.input.count)
      result += slot.reordered(kernel, columns: rows)
      result += matrix(try module.values("weight_hh" + suffix, [rows, units]), units)
      let ofInput = matrix(try module.optional("bias_ih" + suffix, count: rows, default: 0), 1)
      let ofState = matrix(try module.optional("bias_hh" + suffix, count: rows, default: 0), 1)
      result += layer.cell == .gru ? ofInput + ofState : zip(ofInput, ofState).map { $0 + $1 }
    }
    return result
  }

  private static func transposed(_ values: [Float], rows: Int) -> [Float] {
    let columns = values.count / max(1, rows)
    return (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
  }
}
