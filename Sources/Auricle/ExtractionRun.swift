import AuricleBase

/// What became of one file whose features were to be written.
public struct Extraction: Encodable, Hashable, Sendable {
  public var path: String
  /// The file that holds the features, and their name in it, if it is an archive.
  public var output: String
  public var name: String
  public var frames: Int?
  public var coefficients: Int?
  /// True for features that were there already.
  public var skipped: Bool?
  /// Why there are none, and at which stage it failed.
  public var error: String?
  public var stage: Stage?

  static let memberNames: Set<String> = [
    "path", "output", "name", "frames", "coefficients", "skipped", "error", "stage",
  ]

  mutating func fail(_ error: any Error) {
    self.error = "\(error)"
    stage = Stage(of: error)
  }
}

/// A destination of features that is open, shared by the threads that write to it.
package final class ExtractionRun: Sendable {
  private let extractor: CorpusExtractor
  private let destination: FeatureDestination
  private let overwrite: Bool
  private let archive: FeatureArchive?
  private let note: FeatureNote?

  /// Throws `FileError`, and `FeatureFileError.notContinued` where features of another configuration are there.
  package init(_ extractor: CorpusExtractor, to destination: FeatureDestination, overwrite: Bool) throws {
    (self.extractor, self.destination) = (extractor, destination)
    self.overwrite = if case .file = destination { true } else { overwrite }
    note = try destination.notePath.map { path in
      try Self.note(at: path, extractor.recipe, of: destination.path, overwrite: overwrite)
    }
    if case .archive(let path, let format) = destination {
      try FileAccess.makeFolder(folder(of: path))
      archive = try FeatureArchive(path: path, format: format, overwrite: overwrite)
    } else {
      archive = nil
    }
  }

  /// Refuses to mix features of two configurations in one place, and notes which it holds.
  private static func note(
    at path: String, _ recipe: FeatureRecipe, of destination: String, overwrite: Bool
  ) throws -> FeatureNote {
    let json = try JSONValue(json: recipe.json)
    if !overwrite, FileAccess.exists(path) {
      guard let noted = FeatureNote(at: path), noted.recipe == json else {
        throw FeatureFileError.notContinued(
          path: destination, reason: "it holds features of another configuration (which is in \(path))")
      }
      return noted
    }
    try FileAccess.makeFolder(folder(of: path))
    let note = FeatureNote(recipe: json)
    try note.write(to: path)
    return note
  }

  /// Writes the features of `file`, whose turn it is in an archive. What cannot be written there fails; what cannot be
  /// read, and what cannot be written elsewhere, is an outcome with an error.
  package func write(_ file: Corpus.File, turn: Int) async -> Result<Extraction, any Error> {
    if let archive { return await add(file, to: archive, turn: turn) }
    var outcome = Extraction(path: file.path, output: destination.target(named: file.name), name: file.name)
    do { try writeFile(file, destination.format, &outcome) } catch { outcome.fail(error) }
    return .success(outcome)
  }

  private func writeFile(_ file: Corpus.File, _ format: FeatureFileFormat, _ outcome: inout Extraction) throws {
    let source = try extractor.source(file.sound)
    let encoding = FeatureEncoding(format, of: source.configuration)
    outcome.coefficients = encoding.coefficients
    if !overwrite, let frames = FeatureFile.frames(at: outcome.output, encoding: encoding) {
      (outcome.frames, outcome.skipped) = (frames, true)
      return
    }
    try FileAccess.makeFolder(folder(of: outcome.output))
    let features = try FeatureFile(path: outcome.output, encoding: encoding)
    try source.forEachBlock { try features.append($0) }
    try features.finish()
    outcome.frames = features.frames
  }

  private func add(_ file: Corpus.File, to archive: FeatureArchive, turn: Int) async -> Result<Extraction, any Error> {
    var outcome = Extraction(path: file.path, output: archive.path, name: file.name)
    var entry: FeatureEntry?
    do {
      let source = try extractor.source(file.sound)
      let coefficients = source.configuration.coefficientCount
      outcome.coefficients = coefficients
      if let shape = archive.existing[file.name] {
        guard shape.coefficients == coefficients else {
          throw FeatureFileError.notContinued(
            path: archive.path,
            reason: "'\(file.name)' in it has \(shape.coefficients) coefficients, not \(coefficients)")
        }
        (outcome.frames, outcome.skipped) = (shape.frames, true)
      } else {
        let begun = archive.entry(source.configuration)
        try source.forEachBlock { try begun.append($0) }
        outcome.frames = begun.frames
        entry = begun
      }
    } catch {
      outcome.fail(error)
      entry = nil
    }
    // What cannot be written ends the run; what cannot be read does not.
    do {
      try await archive.append(entry, named: file.name, turn: turn)
      return .success(outcome)
    } catch {
      return .failure(error)
    }
  }

  /// The row of a line of a list, whose features are written.
  package func row(for file: ListedFile, shard: Shard?) async throws -> BatchRow {
    if let problem = file.problem {
      try await archive?.append(nil, named: "", turn: file.place)
      let members = [("path", file.identity), ("error", problem), ("stage", Stage.list.rawValue)]
      return BatchRow(
        members.map { ($0, jsonString($1)) }, of: file, reserved: Extraction.memberNames, shard: shard, error: problem)
    }
    let name = destination.name(of: file.outputName)
    let outcome = try await write(Corpus.File(file.example.sound, name: name), turn: file.place).get()
    var members = [
      ("path", jsonString(file.identity)), ("output", jsonString(outcome.output)), ("name", jsonString(name)),
    ]
    if let frames = outcome.frames { members.append(("frames", "\(frames)")) }
    if let coefficients = outcome.coefficients { members.append(("coefficients", "\(coefficients)")) }
    if outcome.skipped == true { members.append(("skipped", "true")) }
    if let error = outcome.error { members.append(("error", jsonString(error))) }
    if let stage = outcome.stage { members.append(("stage", jsonString(stage.rawValue))) }
    return BatchRow(members, of: file, reserved: Extraction.memberNames, shard: shard, error: outcome.error)
  }

  /// Gives an archive its name.
  package func finish() async throws { try await archive?.finish() }

  /// Notes of which rates the sounds were, where the recipe does not say.
  package func keepRates() {
    guard var note, extractor.recipe.sampleRate == nil, let path = destination.notePath else { return }
    note.sampleRates = extractor.sampleRates.union(note.sampleRates).sorted()
    try? note.write(to: path)
  }
}
