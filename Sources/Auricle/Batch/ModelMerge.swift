extension ClassifierEnsemble {
  /// One model of the networks of several, which were trained by themselves, for example with other seeds: it answers with
  /// the mean of their probabilities.
  ///
  /// Throws `ModelError.configuration` where they differ in what they take or answer.
  public init(joining models: [ClassifierEnsemble]) throws(ModelError) {
    let window = models.first?.window
    guard models.allSatisfy({ $0.window == window }) else {
      throw .configuration("models that hear windows of different lengths")
    }
    try self.init(members: models.flatMap(\.members), window: window)
    let detection = models.first?.detection
    if models.allSatisfy({ $0.detection == detection }) { self.detection = detection }
  }
}
