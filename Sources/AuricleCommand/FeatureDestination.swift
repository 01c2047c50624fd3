import ArgumentParser
import Auricle

/// Where features go.
enum FeatureDestination: Equatable {
  /// Text, for one sound.
  case standardOutput
  /// One sound to the file of this name.
  case file(String, FeatureFileFormat)
  /// A file for each sound in a folder.
  case folder(String, FeatureFileFormat)
  /// All sounds to one file.
  case archive(String, FeatureFileFormat)

  /// What `--format` and `-o` mean for `corpus`, which came of `arguments`. The format is the one asked for, else that of
  /// the name's ending, else `npy`.
  init(format: FeatureFileFormat?, output: String?, corpus: Corpus, arguments: [String]) throws {
    guard let output, output != "-" else {
      guard (format ?? .csv) == .csv else {
        throw ValidationError("Say where to write with -o; only csv goes to standard output.")
      }
      guard corpus.files.count == 1 else {
        throw ValidationError("\(corpus.files.count) files do not go to standard output; say where to write with -o.")
      }
      self = .standardOutput
      return
    }
    let isFolder = output.hasSuffix("/") || FileAccess.isFolder(output)
    let ending = output.split(separator: "/").last?.split(separator: ".").dropFirst().last.map { $0.lowercased() }
    let named = isFolder ? nil : ending.flatMap { FeatureFileFormat(rawValue: $0) }
    let format = format ?? named ?? .npy
    if let named, named != format, named.isArchive || format.isArchive {
      throw ValidationError("--format \(format.rawValue) does not go with the name \(output).")
    }
    let folder = output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
    if format.isArchive {
      self = .archive(named == nil ? "\(folder)/features.\(format.rawValue)" : output, format)
    } else if named == format, arguments.count == 1, corpus.files.count == 1, !FileAccess.isFolder(arguments[0]) {
      self = .file(output, format)
    } else {
      self = .folder(folder, format)
    }
  }

  /// The hidden file that says which configuration the features have, so that no run mixes two.
  var notePath: String? {
    switch self {
    case .standardOutput, .file: return nil
    case .folder(let folder, _): return "\(folder)/.features.json"
    case .archive(let path, _):
      let name = path.split(separator: "/").last.map { String($0) } ?? path
      return "\(path.dropLast(name.count)).\(name).json"
    }
  }
}

extension FeatureFileFormat: ExpressibleByArgument {}
