import AuricleBase

/// Labelled sequences in files: features of sound, or anything else.
///
///     let data = try SequenceDataset(at: "features.npz", labels: "labels.csv")
///     let split = try data.dataset.split(validation: .fraction(0.1), seed: 1)
///     let result = try await SoundTrainer(sequences: data).train(split, labels: data.dataset.labels)
public struct SequenceDataset: Sendable {
  /// Of each example, `path` is the sequence's name, or its file in a folder of files.
  public let dataset: Dataset
  /// Features of sound, where all were written by Auricle with one configuration; otherwise sequences of some width.
  public private(set) var input: ModelInput
  /// How many sequences have no label, and are not among the examples.
  public let unlabeled: Int
  private let stored: StoredFeatures

  /// The endings of files with one sequence that are looked for in folders; the first of these groups that is there.
  private static let fileExtensions: [Set<String>] = [["npy", "htk"], ["csv"]]

  /// Sequences in the file at `path` (see `StoredFeatures`), or in the files of a folder or of a manifest.
  ///
  /// - Parameters:
  ///   - labels: of the sequences, by name: see `Dataset(labelsAt:)`. The examples are in its order. A name that the file
  ///     does not hold is an example that cannot be read.
  ///   - labelPattern: how names carry labels, where there is no `labels`. Without either, an archive of `X_train` and
  ///     `y_train` has its own labels, and a folder has a folder per class.
  ///
  /// Throws `FileError`, `FeatureFileError` and `DatasetError`.
  public init(
    at path: String, labels: String? = nil, labelPattern: LabelPattern? = nil, root: String? = nil
  ) throws {
    if Self.isArchive(path) {
      stored = try StoredFeatures(at: path)
      if let ownLabels = stored.ownLabels, labels == nil, labelPattern == nil {
        dataset = Dataset(
          examples: zip(stored.names, ownLabels).map { Example(path: $0, label: $1.label, split: Split($1.part)) },
          source: "arrays with labels")
      } else {
        dataset = try Self.labeled(stored, labels, labelPattern, root)
      }
    } else if let labels {
      stored = try Self.files(in: path)
      dataset = try Self.labeled(stored, labels, labelPattern, root)
    } else {
      dataset = try Self.dataset(ofFilesAt: path, labelPattern, root)
      stored = StoredFeatures(files: dataset.examples.map { ($0.path, $0.path) }, of: path)
    }
    let named = Set(dataset.examples.map(\.path))
    unlabeled = stored.names.count { !named.contains($0) }
    // Of the first that can be read; all others must be as wide.
    var firstError: (any Error)?
    for example in dataset.examples {
      do {
        let width = try stored.features(of: example.path).coefficients
        let configuration = FeatureNote(at: FeatureNote.path(for: path))?.configuration
        input = configuration.flatMap { $0.coefficientCount == width ? .audio($0) : nil } ?? .sequence(width: width)
        return
      } catch {
        firstError = firstError ?? error
      }
    }
    throw firstError ?? DatasetError.noExamples(path: path)
  }

  /// Chooses whether features are normalised over all training data. Throws `TrainingError.configuration` where each sound
  /// was normalised by itself when they were written.
  public mutating func setNormalization(_ isGlobal: Bool) throws {
    guard case .audio(var features) = input else { return }
    guard features.normalization == .none || features.normalization == .global else {
      throw TrainingError.configuration("the features were normalised when they were written")
    }
    features.normalization = isGlobal ? .global : .none
    input = .audio(features)
  }

  /// The sequence of an example. Throws as `StoredFeatures.features(of:)` does, and for one of another width.
  public func features(of example: Example) throws -> FeatureMatrix {
    let features = try stored.features(of: example.path)
    guard features.coefficients == input.width else {
      throw FeatureFileError.unusable(
        path: stored.path,
        reason: "'\(example.path)' has \(features.coefficients) numbers a frame, others have \(input.width)")
    }
    return features
  }

  /// Classifies many examples on `jobs` threads; see `SoundClassifier.classify`. Throws `ModelError` where the model is not
  /// for these sequences.
  public func classify(
    _ examples: [Example], with model: ClassifierEnsemble, jobs: Int, isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool = false, each: (Prediction) throws -> Void
  ) async throws {
    try stored.check(suits: model)
    try await orderedMap(examples, jobs: jobs, until: stop()) { [stored] example in
      let start = ContinuousClock.now
      var prediction = stored.prediction(of: example, named: example.path, by: model)
      prediction.seconds = (ContinuousClock.now - start) / .seconds(1)
      return prediction
    } each: { _, prediction in
      try each(prediction)
    }
  }

  // MARK: Where sequences are

  /// Whether the file at `path` is one of many sequences.
  public static func isArchive(_ path: String) -> Bool {
    ["npz", "ark", "scp", "npy"].contains(ending(of: path)) && !FileAccess.isFolder(path)
  }

  /// Whether a manifest's files are of sequences, by the ending of the first.
  public static func isSequences(_ dataset: Dataset) -> Bool {
    dataset.examples.first.map { StoredFeatures.endings.contains(ending(of: $0.path)) } ?? false
  }

  /// Whether there are files of sequences in a folder, or in those in it.
  public static func isFolderOfSequences(_ path: String) -> Bool {
    fileExtensions.contains { (try? AudioFiles.expand(paths: [path], extensions: $0)) != nil }
  }

  private static func files(in folder: String) throws -> StoredFeatures {
    var reason: DatasetError?
    for extensions in fileExtensions {
      do throws(DatasetError) {
        let files = try AudioFiles.expand(paths: [folder], extensions: extensions)
        // As `Corpus` names them: by what is below the folder, without the ending.
        return StoredFeatures(
          files: files.map { file in
            let name = file.dropFirst(folder.count).drop { $0 == "/" }
            return (name.lastIndex(of: ".").map { String(name[..<$0]) } ?? String(name), file)
          }, of: folder)
      } catch {
        reason = reason ?? error
      }
    }
    throw reason ?? DatasetError.noExamples(path: folder)
  }

  private static func dataset(
    ofFilesAt path: String, _ labelPattern: LabelPattern?, _ root: String?
  ) throws(DatasetError) -> Dataset {
    var reason: DatasetError?
    for extensions in fileExtensions {
      do throws(DatasetError) {
        return try Dataset(at: path, labelPattern: labelPattern, root: root, audioExtensions: extensions)
      } catch {
        reason = reason ?? error
      }
    }
    throw reason ?? .noExamples(path: path)
  }

  private static func labeled(
    _ stored: StoredFeatures, _ labels: String?, _ labelPattern: LabelPattern?, _ root: String?
  ) throws -> Dataset {
    if let labels {
      let dataset = try Dataset(labelsAt: labels, labelPattern: labelPattern, root: root)
      guard dataset.examples.contains(where: { stored.contains($0.path) }) else {
        throw FeatureFileError.unusable(
          path: stored.path,
          reason:
            "none of its names is in \(labels) (it holds '\(stored.names[0])', that '\(dataset.examples[0].path)')")
      }
      return dataset
    }
    guard let labelPattern else { throw FeatureFileError.noLabels(path: stored.path) }
    let examples = try stored.names.map { name throws(DatasetError) in
      guard var fields = labelPattern.fields(of: name), let label = fields.removeValue(forKey: "label") else {
        throw .patternMismatch(
          pattern: labelPattern.text, file: name, count: stored.names.count { labelPattern.fields(of: $0) == nil },
          total: stored.names.count)
      }
      return Example(path: name, label: label, fields: fields)
    }
    return Dataset(examples: examples, source: "names by the pattern '\(labelPattern.text)'")
  }
}

extension StoredFeatures {
  /// Throws `ModelError.configuration` where a model of sound cannot know these sequences: they do not say that they are
  /// the features it was trained on.
  public func check(suits model: ClassifierEnsemble) throws {
    guard case .audio(let features) = model.input else { return }
    guard let found = FeatureNote(at: FeatureNote.path(for: path))?.configuration else {
      throw FeatureFileError.unusable(
        path: path,
        reason: "it does not say which features of sound it holds; the model wants those that it was trained on, "
          + "as 'auricle features --model' writes them to an archive or a folder")
    }
    guard found == features else {
      throw FeatureFileError.unusable(
        path: path,
        reason:
          "it holds features of another configuration than the model's; write them with 'auricle features --model'")
    }
  }

  /// What `model` says of a sequence; one that cannot be read gives a prediction with an `error`. `path` names it there,
  /// otherwise `name`.
  public func prediction(of name: String, by model: ClassifierEnsemble, path: String? = nil) -> Prediction {
    prediction(of: Example(SoundSpan(path ?? name), labels: []), named: name, by: model)
  }

  func prediction(of example: Example, named name: String, by model: ClassifierEnsemble) -> Prediction {
    Prediction(of: example, stage: { _ in .features }, answer: { try answer(to: name, by: model) })
  }

  func answer(to name: String, by model: ClassifierEnsemble) throws -> Prediction {
    let features = try features(of: name)
    do {
      return Prediction(path: name, model, try model.probabilities(of: [features])[0])
    } catch {
      throw FeatureFileError.unusable(path: path, reason: "'\(name)': \(error)")
    }
  }
}
