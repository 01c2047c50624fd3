/// Where features of sounds are written.
public enum FeatureDestination: Equatable, Sendable {
  /// One sound to the file of this name, whatever is there.
  case file(String, FeatureFileFormat)
  /// A file for each sound in a folder.
  case folder(String, FeatureFileFormat)
  /// All sounds to one file.
  case archive(String, FeatureFileFormat)

  public var path: String {
    switch self {
    case .file(let path, _), .folder(let path, _), .archive(let path, _): path
    }
  }

  public var format: FeatureFileFormat {
    switch self {
    case .file(_, let format), .folder(_, let format), .archive(_, let format): format
    }
  }

  /// Where the features of a sound of this name are.
  func target(named name: String) -> String {
    if case .folder(let folder, let format) = self { "\(folder)/\(name).\(format.rawValue)" } else { path }
  }

  /// Kaldi's names hold no white space; its files stand in the order of their bytes, as `LC_ALL=C sort` has them.
  func name(of name: String) -> String {
    guard case .archive(_, .ark) = self else { return name }
    return String(name.map { $0.isWhitespace ? "_" : $0 })
  }

  func named(_ files: [Corpus.File]) throws(DatasetError) -> [Corpus.File] {
    guard case .archive(_, .ark) = self else { return files }
    var earlier: [String: String] = [:]
    return try files.map { file throws(DatasetError) in
      let name = name(of: file.name)
      if let other = earlier.updateValue(file.path, forKey: name) {
        throw .sameName(name, path: file.path, earlier: other)
      }
      return Corpus.File(file.sound, name: name)
    }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The hidden file that says which configuration the features have, so that no run mixes two.
  package var notePath: String? {
    switch self {
    case .file: return nil
    case .folder(let folder, _): return "\(folder)/.features.json"
    case .archive(let path, _):
      let name = path.split(separator: "/").last.map { String($0) } ?? path
      return "\(path.dropLast(name.count)).\(name).json"
    }
  }
}
