import AuricleBase

/// Joins archives of features, those of the shards of one run for example, in one archive.
///
///     let merge = try FeatureMerge(parts: ["part-1.npz", "part-2.npz"], list: "list.txt")
///     if merge.problems.areNone { try await merge.write(to: "all.npz") }
///
/// With the run's list, features stand in its order, and the archive is, byte for byte, that of a run in one piece; without,
/// in the order of the parts.
public struct FeatureMerge: Sendable {
  public let problems: MergeProblems
  private let parts: [StoredFeatures]
  private let entries: [(name: String, part: Int)]
  private let note: FeatureNote?

  public var count: Int { entries.count }

  /// Throws `FileError`, and `FeatureFileError` for what is no archive, and for features of several configurations.
  public init(parts all: [String], list: String? = nil) throws {
    var problems = MergeProblems()
    var entries: [(name: String, part: Int)] = []
    problems.unfinished = all.filter { $0.hasSuffix(".part") }
    let paths = all.filter { !$0.hasSuffix(".part") }
    parts = try paths.map { try StoredFeatures(at: $0) }
    note = try Self.note(paths)
    var places: [String: Int] = [:]
    for (index, part) in parts.enumerated() {
      for name in part.names {
        if let other = places[name] {
          problems.addDoubled("'\(name)' (\(paths[other]), \(paths[index]))")
        } else {
          places[name] = index
          if list == nil { entries.append((name, index)) }
        }
      }
    }
    if let list {
      let isKaldi = paths.first.map { FeatureFileFormat(endingOf: $0) == .ark } ?? false
      let destination = FeatureDestination.archive("", isKaldi ? .ark : .npz)
      try ListedFile.forEach(in: list) { file, _ in
        let name = destination.name(of: file.outputName)
        if file.problem == nil, let part = places.removeValue(forKey: name) {
          entries.append((name, part))
        } else {
          problems.addMissing(file.problem ?? "'\(name)'")
        }
      }
      if let (name, part) = places.first {
        throw FeatureFileError.notContinued(
          path: paths[part], reason: "it holds '\(name)', which \(list) does not name")
      }
    }
    (self.problems, self.entries) = (problems, entries)
  }

  private static func note(_ paths: [String]) throws -> FeatureNote? {
    var joined: FeatureNote?
    for path in paths {
      guard let note = FeatureNote(at: FeatureNote.path(for: path)) else { continue }
      guard joined == nil || joined?.recipe == note.recipe else {
        throw FeatureFileError.notContinued(
          path: path, reason: "it holds features of another configuration than \(paths[0])")
      }
      joined = FeatureNote(
        recipe: note.recipe, sampleRates: Set((joined?.sampleRates ?? []) + note.sampleRates).sorted())
    }
    return joined
  }

  /// Writes the features that are there to the archive at `path`, over what is there. Throws `FileError` and
  /// `FeatureFileError`.
  public func write(to path: String) async throws {
    guard let format = FeatureFileFormat(endingOf: path), format.isArchive else {
      throw FeatureFileError.notContinued(path: path, reason: "its name must end in .npz or .ark")
    }
    try FileAccess.makeFolder(folder(of: path))
    let archive = try FeatureArchive(path: path, format: format, overwrite: true)
    for (turn, place) in entries.enumerated() {
      let features = try parts[place.part].features(of: place.name)
      let entry = archive.entry(coefficients: features.coefficients)
      try entry?.append(features)
      try await archive.append(entry, named: place.name, turn: turn)
    }
    try await archive.finish()
    try note?.write(to: FeatureNote.path(for: path))
  }
}
