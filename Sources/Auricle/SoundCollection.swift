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
  private var frames: [Int] = []
  /// Without utterance normalisation, which comes after augmentation; and where in it each one's features are.
  private var cache: FeatureCache
  private var cached: [Int?] = []
  /// The process that has each one's features in its cache; and those of others' that this one has needed.
  private var holders: [Int] = []
  private let visitors = Visitors()
  private let group: any ProcessGroup
  private let read: @Sendable (Example) throws -> (features: FeatureMatrix, decoder: ExternalDecoder?)
  /// What normalises each whole sound, where there is anything to be normalised.
  private let features: FeatureConfiguration?
  let classCount: Int
  private var places: [Example: Int] = [:]

  /// What one process has found in a file that others do not read.
  private struct Reading: Codable {
    var frames = 0
    var checksum: UInt32 = 0
    var decoder: ExternalDecoder?
    var failure: FailedFile?
  }

  /// Reads `examples`, whose labels are among `labels`, on as many workers as there are jobs; of several processes each
  /// reads a part.
  ///
  /// Files that cannot be read become `failures`. Throws `TrainingError` for a label that is not among `labels`, or twice
  /// among them, before anything is read; `FeatureError`; and `FileError` when the cache has no room.
  init(
    _ examples: [Example], labels: [String], trainer: SoundTrainer, isolation: isolated (any Actor)? = #isolation,
    progress: (SoundTrainer.Progress) -> Void
  ) async throws {
    classCount = labels.count
    group = trainer.group
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
    try await group.requireSame([
      ("the number of files", "\(examples.count)"), ("the list of files", Self.checksum(of: examples)),
    ])
    cache = FeatureCache(memoryLimit: trainer.featureMemory)
    let own = group.part(group.rank, of: examples.count)
    var readings: Result<[Reading], any Error>
    do {
      var found: [Reading] = []
      try await orderedMap(examples[own], jobs: trainer.training.jobs) { [read] example in
        Result { try read(example) }
      } each: { index, result in
        var reading = Reading()
        switch result {
        case .success(let (features, decoder)):
          try cache.append(features)
          let checksum = Self.checksum(of: features, classOfExample[own.lowerBound + index])
          reading = Reading(frames: features.frames, checksum: checksum, decoder: decoder)
        case .failure(let error):
          reading.failure = FailedFile(path: examples[own.lowerBound + index].identity, error: error)
        }
        found.append(reading)
        progress(.file(done: index + 1, of: own.count, failure: reading.failure))
      }
      readings = .success(found)
    } catch {
      readings = .failure(error)
    }
    let all = try await group.gather(readings)
    guard all.map(\.count).reduce(0, +) == examples.count else {
      throw ProcessGroupError.broken("readings of other files")
    }
    var held = 0
    for (rank, part) in all.enumerated() {
      for (index, reading) in zip(group.part(rank, of: examples.count), part) {
        if let failure = reading.failure {
          failures.append(failure)
          if rank != group.rank { progress(.file(done: own.count, of: own.count, failure: failure)) }
          continue
        }
        if let decoder = reading.decoder { decoders.insert(decoder) }
        places[examples[index]] = self.examples.count
        self.examples.append(examples[index])
        self.labels.append(classOfExample[index])
        checksums.append(reading.checksum)
        frames.append(reading.frames)
        holders.append(rank)
        cached.append(rank == group.rank ? held : nil)
        held += rank == group.rank ? 1 : 0
      }
    }
    visitors.makeRoom(for: trainer.featureMemory - cache.bytesInMemory)
    progress(.cached(memory: cache.bytesInMemory, disk: cache.bytesOnDisk))
  }

  private static func checksum(of features: FeatureMatrix, _ label: Int) -> UInt32 {
    var checksum = Checksum()
    withUnsafeBytes(of: label) { checksum.update($0) }
    features.values.withUnsafeBytes { checksum.update($0) }
    return checksum.value
  }

  private static func checksum(of examples: [Example]) -> String {
    var checksum = Checksum()
    for example in examples { checksum.update(Array("\(example.identity)\0\(example.label)\0".utf8)) }
    return "\(checksum.value)"
  }

  /// Of the file number `index` of those that could be read, from this process's cache, or from the file.
  fileprivate func features(at index: Int) throws -> FeatureMatrix {
    if let place = cached[index] { return try cache.features(at: place) }
    if let features = visitors[index] { return features }
    let features = try read(examples[index]).features
    guard Self.checksum(of: features, labels[index]) == checksums[index] else {
      throw ProcessGroupError.otherFeatures(path: examples[index].path, rank: holders[index])
    }
    visitors[index] = features
    return features
  }

  /// Features of files that other processes have in their caches, as many as there is room for.
  private final class Visitors: Sendable {
    private let state = Locked<(features: [Int: FeatureMatrix], room: Int)>(([:], 0))

    func makeRoom(for bytes: Int) { state.withLock { $0.room = bytes } }

    subscript(index: Int) -> FeatureMatrix? {
      get { state.withLock { $0.features[index] } }
      set {
        guard let newValue else { return }
        let size = newValue.values.count * MemoryLayout<Float>.size
        state.withLock { state in
          guard size <= state.room, state.features.updateValue(newValue, forKey: index) == nil else { return }
          state.room -= size
        }
      }
    }
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
    var lengths: [Int] { indices.map { sounds.frames[$0] } }

    func example(_ index: Int, epoch: Int) throws -> LabeledFeatures {
      try LabeledFeatures(features: features(index), label: labels[index], of: sounds.classCount)
    }

    func holder(of index: Int) -> Int? { sounds.group.count > 1 ? sounds.holders[indices[index]] : nil }

    func features(_ index: Int) throws -> FeatureMatrix {
      var features = try sounds.features(at: indices[index])
      sounds.features?.normalizeUtterance(&features)
      return features
    }

    /// What `model` takes each for: the index of its class.
    func answers(
      of model: ClassifierEnsemble, jobs: Int, isolation: isolated (any Actor)? = #isolation
    ) async throws -> [Int] {
      try await distributions(of: model, jobs: jobs).map { mostProbable(ClassifierEnsemble.mean(of: $0)) }
    }

    /// What each network of `model` says of each, or of each of its windows; each process asks for those it holds.
    func distributions(
      of model: ClassifierEnsemble, jobs: Int, isolation: isolated (any Actor)? = #isolation
    ) async throws -> [[[Float]]] {
      let group = sounds.group
      let own = indices.indices.filter { holder(of: $0) ?? 0 == group.rank }
      var found: Result<[[[Float]]], any Error>
      do {
        var answers: [[[Float]]] = []
        try await orderedMap(own, jobs: jobs) { index in
          Result { try model.answers(to: [features(index)])[0] }
        } each: { _, answer in
          answers.append(try answer.get())
        }
        found = .success(answers)
      } catch {
        found = .failure(error)
      }
      var parts = try await group.gather(found).map { $0.makeIterator() }
      return try indices.indices.map { index in
        guard let answer = parts[holder(of: index) ?? 0].next() else {
          throw ProcessGroupError.broken("answers to other files")
        }
        return answer
      }
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
      let features = try subset.sounds.features(at: subset.indices[index])
      return try LabeledFeatures(features: features, label: labels[index], of: subset.sounds.classCount)
    }
  }
}
