import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A folder of its own for a test, removed with everything in it afterwards.
struct TemporaryFolder: ~Copyable {
  let path = FileManager.default.temporaryDirectory.path() + "auricle-" + UUID().uuidString

  /// Makes the files named, each empty, with the folders above them.
  init(_ files: [String] = []) throws {
    try FileAccess.makeFolder(path)
    for file in files { try write("", to: file) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Writes `text` to a file of this folder and returns its path.
  @discardableResult
  func write(_ text: String, to file: String) throws -> String {
    let target = path + "/" + file
    try FileAccess.makeFolder(target.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
    try FileAccess.writeAtomically(text, to: target)
    return target
  }

  func link(_ name: String, to destination: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: destination)
  }

  func makeFolder(_ name: String) throws {
    try FileAccess.makeFolder(path + "/" + name)
  }

  /// `paths` without this folder's own path before them.
  func relative(_ paths: [String]) -> [String] {
    paths.map { $0.hasPrefix(path + "/") ? String($0.dropFirst(path.count + 1)) : $0 }
  }
}

/// The sentence of the error `work` throws; "nothing thrown" when it does not.
func sentence(_ work: () throws -> Void) -> String {
  do {
    try work()
    return "nothing thrown"
  } catch {
    return "\(error)"
  }
}
