import AuricleBase

/// The row that answers a line of a list.
public struct BatchRow: Sendable {
  /// One JSON object.
  public var json: String
  /// Why there is no answer, if there is none.
  public var error: String?
  /// What a person should know of the sound.
  public var warnings: [String] = []

  init(json: String, error: String?, warnings: [String]) {
    (self.json, self.error, self.warnings) = (json, error, warnings)
  }

  /// The names of the members that stand for what was found are `reserved`; see `jsonRow`.
  init(
    _ members: [(String, String)], of file: ListedFile, reserved: Set<String>, shard: Shard?, error: String? = nil,
    warnings: [String] = []
  ) {
    json = jsonRow(
      members, file.members, reserved: reserved, shard: shard?.description, row: shard == nil ? nil : file.line)
    (self.error, self.warnings) = (error, warnings)
  }
}

/// Answers lines of lists with a model: files of sound, or files of one sequence each.
///
///     let answers = try ListClassifier(model)
///     try await FileList(path: "list.txt", jobs: 4).answers(by: { files, _ in answers.rows(for: files) }) { print($1.json) }
public struct ListClassifier: Sendable {
  private let model: ClassifierEnsemble
  private let classifier: SoundClassifier?
  private let shard: Shard?
  private let isMarked: Bool
  /// Which model answers, and what it listens to; see `ClassifierEnsemble.fingerprint(listeningTo:)`.
  public let fingerprint: String

  /// With `isMarked`, rows say by which model they are. Throws `ModelError` and `FeatureError`.
  public init(
    _ model: ClassifierEnsemble, channel: ChannelSelection = .mix, shard: Shard? = nil, isMarked: Bool = false
  ) throws {
    (self.model, self.shard, self.isMarked) = (model, shard, isMarked)
    classifier = if case .audio = model.input { try SoundClassifier(model, channel: channel) } else { nil }
    fingerprint = try classifier?.fingerprint() ?? model.fingerprint(listeningTo: "sequences")
  }

  /// A row for each of `files`, in order.
  public func rows(for files: ArraySlice<ListedFile>) -> [BatchRow] {
    var predictions: [Prediction] = []
    var sounds: [Example] = []
    func finishSounds() {
      if let classifier, !sounds.isEmpty { predictions += classifier.predictions(of: sounds[...]) }
      sounds = []
    }
    for file in files {
      if classifier != nil && isSound(file) {
        sounds.append(Example(file.example.sound, labels: file.example.labels))
      } else {
        finishSounds()
        predictions.append(sequence(file))
      }
    }
    finishSounds()
    return zip(files, predictions).map { file, prediction in
      var prediction = prediction
      prediction.members = file.members
      if isMarked { prediction.model = fingerprint }
      if let shard { (prediction.shard, prediction.row) = (shard.description, file.line) }
      return BatchRow(json: prediction.jsonLine, error: prediction.error, warnings: prediction.warnings)
    }
  }

  private func isSound(_ file: ListedFile) -> Bool {
    file.problem == nil && !StoredFeatures.endings.contains(ending(of: file.example.path))
  }

  /// Of a line that names no file of sound.
  private func sequence(_ file: ListedFile) -> Prediction {
    let path = file.example.path
    if let problem = file.problem { return Prediction(path: file.identity, error: problem, stage: Stage.list.rawValue) }
    func answer() throws -> Prediction {
      guard !isSound(file) else {
        throw FeatureFileError.unusable(path: path, reason: "the model takes sequences, not sound")
      }
      let stored = try StoredFeatures(at: path)
      try stored.check(suits: model)
      guard stored.names.count == 1 else {
        throw FeatureFileError.unusable(
          path: path, reason: "it holds \(stored.names.count) sequences; a line stands for one")
      }
      return try stored.answer(to: stored.names[0], by: model)
    }
    let example = Example(file.example.sound, labels: file.example.labels)
    return Prediction(of: example, stage: { _ in .features }, answer: answer)
  }
}
