extension SequenceClassifier {
  /// Parameters for another training to go on from, with `labels` as classes: all layers as they are, and of the last one
  /// the units of classes that the model knows already; those of new classes begin as `seed` says. A temperature is taken
  /// out again.
  ///
  /// - Returns: the network, its parameters, and whether any class is new.
  package func start(
    labels: [String], seed: UInt64
  ) throws(ModelError) -> (network: NetworkConfiguration, parameters: [Float], hasNewClasses: Bool) {
    let network = try configuration.with(classCount: labels.count)
    let (old, new) = (ParameterLayout(configuration), ParameterLayout(network))
    var parameters = new.initialParameters(seed: seed)
    let last = configuration.layers.count - 1
    let temperature = Float(record?.temperature ?? 1)
    var places: [String: Int] = [:]
    for (place, label) in self.labels.enumerated() { places[label] = place }
    for (from, to) in zip(old.tensors, new.tensors) {
      guard from.layer == last else {
        parameters.replaceSubrange(to.range, with: self.parameters[from.range])
        continue
      }
      // Rows of one number a class: the kernel has one for each input, the bias is one.
      let (known, wanted) = (self.labels.count, labels.count)
      for row in 0..<from.count / known {
        for (unit, label) in labels.enumerated() {
          guard let place = places[label] else { continue }
          parameters[to.offset + row * wanted + unit] = temperature * self.parameters[from.offset + row * known + place]
        }
      }
    }
    return (network, parameters, labels.contains { places[$0] == nil })
  }
}
