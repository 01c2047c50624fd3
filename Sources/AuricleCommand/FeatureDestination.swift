import ArgumentParser
import Auricle
import AuricleBase

extension FeatureDestination {
  /// What `--format` and `-o` mean for `count` sounds (nil for a list of any number), which are one file if `isOneFile`. The
  /// format is the one asked for, else that of the name's ending, else `npy`. Nil is standard output, as text, for one
  /// sound.
  static func chosen(
    format: FeatureFileFormat?, output: String?, count: Int?, isOneFile: Bool
  ) throws -> FeatureDestination? {
    guard let output, output != "-" else {
      guard (format ?? .csv) == .csv, let count else {
        throw ValidationError("Say where to write with -o; only csv of one sound goes to standard output.")
      }
      guard count == 1 else {
        throw ValidationError("\(count) files do not go to standard output; say where to write with -o.")
      }
      return nil
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
      return .archive(named == nil ? "\(folder)/features.\(format.rawValue)" : output, format)
    } else if named == format, isOneFile {
      return .file(output, format)
    } else {
      return .folder(folder, format)
    }
  }
}

extension FeatureFileFormat: ExpressibleByArgument {}
