import Auricle
import Foundation

/// What libFuzzer runs: the environment variable `FUZZ_TARGET` names it. `FUZZ_TARGET=seeds` writes the first corpus into
/// the folder given instead.
private let targets: [String: @Sendable ([UInt8]) throws -> Void] = [
  "audio": fuzzAudio, "model": fuzzModel, "manifest": fuzzManifest, "predictions": fuzzPredictions,
  "features": fuzzFeatureFiles, "configuration": fuzzConfiguration,
]
private let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
private let target = targets[name]

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer) -> CInt {
  if name == "seeds" {
    do {
      try writeSeeds(to: CommandLine.arguments[1])
      exit(0)
    } catch {
      fatalError("\(error)")
    }
  }
  guard target != nil else {
    FileHandle.standardError.write(Data("FUZZ_TARGET: seeds, \(targets.keys.sorted().joined(separator: ", "))\n".utf8))
    exit(2)
  }
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try target?(Array(UnsafeBufferPointer(start: bytes, count: count)))
  } catch {
    fatalError("an error that the target does not expect: \(error)")
  }
  return 0
}

/// A finding, unless `condition` holds.
func check(_ condition: Bool, _ what: @autoclosure () -> String) {
  if !condition { fatalError(what()) }
}

/// A folder in memory for what the targets write.
let scratch: String = {
  let memory = "/dev/shm"
  let folder = "\(FileAccess.isFolder(memory) ? memory : "/tmp")/auricle-fuzz-\(getpid())"
  try? FileAccess.makeFolder(folder)
  return folder
}()

/// Writes a file there, without the care that results are written with.
func write(_ bytes: some Collection<UInt8>, to name: String) throws -> String {
  let path = "\(scratch)/\(name)"
  try AppendableFile(path: path, keeping: 0).append(bytes)
  return path
}
