import Auricle
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a run of `detect` over several sounds has done, beside its output until it is complete: `events.csv.unfinished`, or
/// `.unfinished` in the folder. A line for each sound, written in one piece: however the run ends, at most the last is cut.
final class DetectionJournal {
  struct Entry: Codable {
    var sound: String
    var duration: Double
    /// JSON lines.
    var events: String
  }

  private struct Header: Codable {
    var run: String
  }

  /// By the sounds' identities.
  private(set) var done: [String: Entry] = [:]
  private let path: String
  private let file: AppendableFile

  /// Begins a journal for the output at `output`, or goes on with one. `run` says what decides the events; a journal of
  /// another run is refused.
  init(for output: String, run: String, resuming: Bool) throws {
    path = output + ".unfinished"
    var kept = 0
    if resuming, FileAccess.exists(path) {
      let bytes = try FileAccess.read(path)
      // A last line without end was cut off.
      for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
        if kept == 0 {
          guard let header = try? JSONDecoder().decode(Header.self, from: Data(line)) else {
            throw CommandError("\(path): not what an unfinished run of detect leaves; remove it to begin anew")
          }
          guard header.run == run else {
            throw CommandError(
              "\(path): left by a run with another model or other settings; resume with the same, or without --resume")
          }
        } else {
          guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) else { break }
          done[entry.sound] = entry
        }
        kept += line.count + 1
      }
    }
    if output.hasSuffix("/") { try FileAccess.makeFolder(output) }
    file = try AppendableFile(path: path, keeping: kept)
    if kept == 0 { try append(Header(run: run)) }
  }

  func add(_ sound: String, _ events: [SoundEvent], duration: Double) throws {
    let text = events.map { $0.jsonLine + "\n" }.joined()
    try append(Entry(sound: sound, duration: duration, events: text))
  }

  /// The events of a sound that is done; nil of one that is not.
  func found(_ sound: String) throws -> (events: [SoundEvent], duration: Double)? {
    guard let entry = done[sound] else { return nil }
    return (try AnnotationFormat.events(in: entry.events.utf8, path: path, as: .jsonLines), entry.duration)
  }

  /// The run is complete.
  func remove() throws { try FileManager.default.removeItem(atPath: path) }

  private func append(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try file.append([UInt8](encoder.encode(value)) + [UInt8(ascii: "\n")])
  }
}
