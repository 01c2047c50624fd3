/// How a model holds the weights of its matrices: those of dense, convolutional and recurrent layers.
public enum WeightPrecision: String, Codable, CaseIterable, Sendable {
  case float32
  /// Whole numbers of -127 to 127 with a scale for each output. Recurrent layers multiply them as they are, by frames and
  /// states that are made whole numbers as they come; other layers, whose weights are read seldom, by single precision.
  case int8
}

extension ParameterLayout.Tensor {
  /// Whether it has a row for each input and a column for each output.
  var isMatrix: Bool { shape.count > 1 && name.hasSuffix("kernel") }
}

extension ParameterLayout {
  /// Parameters whose matrices are whole numbers times a scale, each as near as it can be.
  func onGrid(_ parameters: [Float]) -> [Float] {
    var parameters = parameters
    for tensor in tensors where tensor.isMatrix {
      let columns = tensor.shape.last ?? 1
      let quantized = QuantizedRows(lastAxisOf: Array(parameters[tensor.range]), count: columns)
      for (place, value) in quantized.values.enumerated() {
        parameters[tensor.offset + place] = Float(value) * quantized.scales[place % columns]
      }
    }
    return parameters
  }
}

extension ClassifierEnsemble {
  /// The same networks with weights of 8 bits: a file a quarter as large, and faster where recurrent layers take the
  /// time. Throws `ModelError.configuration` where they are so already.
  public func quantized() throws(ModelError) -> ClassifierEnsemble {
    guard members[0].precision == .float32 else { throw .configuration("its weights have 8 bits already") }
    var quantized: [SequenceClassifier] = []
    for member in members {
      quantized.append(
        try SequenceClassifier(
          configuration: member.configuration, input: member.input, output: member.output, labels: member.labels,
          normalizer: member.normalizer, parameters: member.parameters, precision: .int8, record: member.record))
    }
    var model = try ClassifierEnsemble(members: quantized, window: window)
    model.detection = detection
    return model
  }
}
