import AuricleBase

/// Labelled files and their features, each computed once: what training and cross-validation draw from.
struct SoundCollection: Sendable {
  /// The files that could be read, each once, and the class of each.
  private(set) var examples: [Example] = []
  private(set) var labels: [Int] = []
  private(set) var failures: [FailedFile] = []
  /// What decoded files instead of libsndfile.
  private(set) var decoders: Set<ExternalDecoder> = []
  /// Of each one's features and class.
  private(set) var checksums: [UInt32] = []
  /// Without utterance normalisation, which comes after augmentation.
  private(set) var cache: FeatureCache
  /// What normalises each whole sound, where there is anything to be normalised.
  private let features: FeatureConfiguration?
  let classCount: Int
  private var places: [Example: Int] = [:]

  /// Reads `examples`, whose labels are among `labels`, on as many workers as there are jobs.
  ///
  /// Files that cannot be read become `failures`. Throws `TrainingError` for a label that is not among `labels`, or twice
  /// among them, before anything is read; `FeatureError`; and `FileError` when the cache has no room.
  init(
    _ examples: [Example], labels: [String], trainer: SoundTrainer, isolation: isolated (any Actor)? = #isolation,
    progress: (SoundTrainer.Progress) -> Void
  ) async throws {
    classCount = labels.count
    let read: @Sendable (Example) throws -> (features: FeatureMatrix, decoder: ExternalDecoder?)
    if let sequences = trainer.sequences {
      features = nil
      read = { (try sequences.features(of: $0), nil) }
    } else {
      features = trainer.features
      let extractor = try FeatureExtractor(trainer.features.withoutUtteranceNormalization)
      let channel = trainer.channel
      read = {
        let sound = try extractor.features(of: $0.sound.heard(in: channel))
        return (sound.features, sound.decodedBy)
      }
    }
    let classOfExample = try SoundCollection.classes(of: examples, labels)
    cache = FeatureCache(memoryLimit: trainer.cacheMemory)
    try await orderedMap(examples, jobs: trainer.training.jobs) { example in
      Result { try read(example) }
    } each: { index, result in
      let example = examples[index]
      var failure: FailedFile?
      switch result {
      case .success(let (features, decoder)):
        if let decoder { decoders.insert(decoder) }
        let label = classOfExample[index]
        try cache.append(features)
        places[example] = self.examples.count
        self.examples.append(example)
        self.labels.append(label)
        var checksum = Checksum()
        withUnsafeBytes(of: label) { checksum.update($0) }
        features.values.withUnsafeBytes { checksum.update($0) }
        checksums.append(checksum.value)
      case .failure(let error):
        let failed = FailedFile(path: example.identity, error: error)
        failures.append(failed)
        failure = failed
      }
      progress(.file(done: index + 1, of: examples.count, failure: failure))
    }
    progress(.cached(memory: cache.bytesInMemory, disk: cache.bytesOnDisk))
  }

  /// The class of each label.
  static func classes(of examples: [Example], _ labels: [String]) throws(TrainingError) -> [Int] {
    var classes: [String: Int] = [:]
    for (index, label) in labels.enumerated() where classes.updateValue(index, forKey: label) != nil {
      throw .configuration("class '\(label)' is named twice")
    }
    var classesOfExamples: [Int] = []
    for example in examples {
      guard let label = classes[example.label] else {
        throw .configuration(
          "\(example.path) is of class '\(example.label)'; there are: \(labels.joined(separator: ", "))")
      }
      classesOfExamples.append(label)
    }
    return classesOfExamples
  }

  /// Those of `examples` that could be read.
  func subset(_ examples: [Example]) -> Subset {
    let indices = examples.compactMap { places[$0] }
    return Subset(sounds: self, indices: indices, labels: indices.map { labels[$0] })
  }

  /// Some of the files, as a trainer sees them.
  struct Subset: TrainingSource {
    let sounds: SoundCollection
    let indices: [Int]
    let labels: [Int]
    var lengths: [Int] { indices.map { sounds.cache.frames(at: $0) } }

    func example(_ index: Int, epoch: Int) throws -> LabeledFeatures {
      try LabeledFeatures(features: features(index), label: labels[index], of: sounds.classCount)
    }

    func features(_ index: Int) throws -> FeatureMatrix {
      var features = try sounds.cache.features(at: indices[index])
      sounds.features?.normalizeUtterance(&features)
      return features
    }

    /// What `model` takes each for: the index of its class.
    func answers(
      of model: ClassifierEnsemble, jobs: Int, isolation: isolated (any Actor)? = #isolation
    ) async throws -> [Int] {
      try await distributions(of: model, jobs: jobs).map { mostProbable(ClassifierEnsemble.mean(of: $0)) }
    }

    /// What each network of `model` says of each, or of each of its windows.
    func distributions(
      of model: ClassifierEnsemble, jobs: Int, isolation: isolated (any Actor)? = #isolation
    ) async throws -> [[[Float]]] {
      var answers: [[[Float]]] = []
      try await orderedMap(Array(indices.indices), jobs: jobs) { index in
        Result { try model.answers(to: [features(index)])[0] }
      } each: { _, answer in
        answers.append(try answer.get())
      }
      return answers
    }

    /// The same examples without utterance normalisation.
    var plain: PlainSubset { PlainSubset(subset: self) }

    /// The sound of an example.
    func sound(_ index: Int) -> SoundSpan { sounds.examples[indices[index]].sound }

    /// Changes with any change of any file's features or class, and with their order.
    var checksum: UInt32 {
      var checksum = Checksum()
      for index in indices { withUnsafeBytes(of: sounds.checksums[index]) { checksum.update($0) } }
      return checksum.value
    }

    func normalizer(coefficients: Int) throws -> FeatureNormalizer {
      var statistics = FeatureStatistics(coefficients: coefficients)
      for index in indices.indices { statistics.add(try features(index)) }
      return statistics.normalizer
    }
  }

  /// Some of the files before utterance normalisation.
  struct PlainSubset: TrainingSource {
    let subset: Subset
    var labels: [Int] { subset.labels }
    var lengths: [Int] { subset.lengths }

    func example(_ index: Int, epoch: Int) throws -> LabeledFeatures {
      let features = try subset.sounds.cache.features(at: subset.indices[index])
      return try LabeledFeatures(features: features, label: labels[index], of: subset.sounds.classCount)
    }
  }
}
