import Auricle
import Foundation

private let configuration = FeatureConfiguration.speech(sampleRate: 8000)
private let width = configuration.coefficientCount
private let block = Result {
  try FeatureMatrix(frames: 2, coefficients: width, values: Array(repeating: 0.5, count: 2 * width))
}

/// What another program, or a run that was stopped, left in the place of an archive is refused, or continued: what was in
/// it stays, and what is added can be read again. The first byte says which format, and whether the archive was whole.
@Sendable func fuzzFeatureFiles(_ bytes: [UInt8]) throws {
  let choice = bytes.first ?? 0
  let format = [FeatureFileFormat.npz, .ark, .npy, .csv, .htk][Int(choice >> 1) % 5]
  let path = "\(scratch)/features.\(format.rawValue)"
  for name in [path, path + ".part"] { unlink(name) }
  guard format.isArchive else {
    let encoding = FeatureEncoding(format, of: configuration)
    let frames = FeatureFile.frames(
      at: try write(bytes.dropFirst(), to: "features.\(format.rawValue)"), encoding: encoding)
    check(frames.map { $0 <= bytes.count } ?? true, "more frames than bytes")
    try readAll(path)
    return
  }
  _ = try write(bytes.dropFirst(), to: "features.\(format.rawValue)")
  try readAll(path)
  unlink(path)
  _ = try write(bytes.dropFirst(), to: "features.\(format.rawValue)" + (choice & 1 == 0 ? "" : ".part"))
  do {
    let found = try append("a new one", to: path, format)
    let again = try FeatureArchive(path: path, format: format).existing
    check(
      again["a_new_one"] == FeatureShape(frames: 2, coefficients: width), "what was added is not there")
    for (name, shape) in found where name != "a_new_one" { check(again[name] == shape, "'\(name)' was lost") }
  } catch let error as FeatureFileError {
    check("\(error)".hasPrefix(path), "the error does not name the file: \(error)")
  }
}

/// All sequences of the file are finite numbers, or it is refused by its name.
private func readAll(_ path: String) throws {
  do {
    let stored = try StoredFeatures(at: path)
    for name in stored.names {
      let features = try stored.features(of: name)
      check(features.frames > 0 && features.values.allSatisfy(\.isFinite), "'\(name)' is not of finite numbers")
    }
  } catch let error as FeatureFileError {
    check("\(error)".hasPrefix(path), "the error does not name the file: \(error)")
  }
}

/// Continues the archive at `path`; returns what was in it.
func append(_ name: String, to path: String, _ format: FeatureFileFormat) throws -> [String: FeatureShape] {
  let archive = try FeatureArchive(path: path, format: format)
  let done = DispatchSemaphore(value: 0)
  let outcome = Outcome()
  Task {
    do {
      let entry = archive.entry(configuration)
      try entry.append(block.get())
      try await archive.append(entry, named: "a_new_one", turn: 0)
      try await archive.finish()
    } catch {
      outcome.error = error
    }
    done.signal()
  }
  done.wait()
  if let error = outcome.error { throw error }
  return archive.existing
}

private final class Outcome: @unchecked Sendable {
  var error: (any Error)?
}
