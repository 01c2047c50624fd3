import AudioInput
import AuricleBase

/// The files of a folder that were passed over, counted by the reason.
///
///     let (files, leftOut) = try AudioFiles.find(paths: ["recordings"])
///     leftOut.counts          // [.format("m4a"): 12, .hidden: 1, .otherKind("txt"): 3]
///     leftOut.description     // "12 .m4a files (not read; use --ffmpeg, or convert them, for example with 'ffmpeg -i a.m4a a.wav'), 1 hidden file"
public struct LeftOut: Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// Sound (or film) of a kind that is not read, by the ending of its name.
    case format(String)
    /// Sound whose name begins with a dot, as the companions do that macOS leaves on foreign disks.
    case hidden
    /// A name that is nothing but an ending: ".wav".
    case emptyName
    /// In a folder whose name begins with "_" and does not end with it.
    case underscoredFolder
    /// A folder of logs, checkpoints or features that Auricle wrote, and no class.
    case ownFolder(String)
    /// What its ending says is no sound ("txt", "png"), or nothing known.
    case otherKind(String)
  }

  public private(set) var counts: [Reason: Int]

  public init(_ counts: [Reason: Int] = [:]) {
    self.counts = counts
  }

  mutating func add(_ reason: Reason, count: Int = 1) {
    counts[reason, default: 0] += count
  }

  mutating func add(_ other: LeftOut) {
    counts.merge(other.counts, uniquingKeysWith: +)
  }

  /// Counts the file of this name, which is not read as sound.
  mutating func add(name: String, extensions: Set<String>) {
    let ending = fileExtension(of: name)
    if name.hasPrefix(".") {
      let isNamed = !ending.isEmpty
      let suffix = isNamed ? ending : name.dropFirst().lowercased()
      if extensions.contains(suffix) { add(isNamed ? .hidden : .emptyName) }
    } else {
      add(Self.unreadFormats.contains(ending) ? .format(ending) : .otherKind(ending))
    }
  }

  /// Files that may well be sound: all but those of another kind.
  public var soundCount: Int {
    counts.reduce(0) { if case .otherKind = $1.key { $0 } else { $0 + $1.value } }
  }

  /// One line with the remedy about the files that may well be sound; empty when there are none.
  public var description: String {
    var parts: [String] = []
    let formats = counts.compactMap { reason, count -> (ending: String, count: Int)? in
      if case .format(let ending) = reason { (ending, count) } else { nil }
    }.sorted { ($1.count, $0.ending) < ($0.count, $1.ending) }
    func add(_ formats: [(ending: String, count: Int)], _ remedy: (String) -> String) {
      guard let first = formats.first else { return }
      let list = formats.map { "\($0.count) .\($0.ending)" }.joined(separator: ", ")
      let noun = formats.map(\.count).reduce(0, +) == 1 ? "file" : "files"
      parts.append("\(list) \(noun) (\(remedy(first.ending)))")
    }
    let isBare = { (format: (ending: String, count: Int)) in Self.bareFormats.contains(format.ending) }
    add(formats.filter { !isBare($0) }) {
      "not read; use --ffmpeg, or convert them, for example with 'ffmpeg -i a.\($0) a.wav'"
    }
    add(formats.filter(isBare)) { _ in "samples without a header; describe them with --raw" }
    func add(_ reason: Reason, _ words: String) {
      if let count = counts[reason] { parts.append("\(count) \(count == 1 ? "file" : "files") \(words)") }
    }
    add(.hidden, "whose names begin with '.'")
    add(.emptyName, "whose names are nothing but an ending (rename them)")
    add(.underscoredFolder, "in folders whose names begin with '_' (rename the folders, if they are classes)")
    let own = counts.keys.compactMap { if case .ownFolder(let name) = $0 { "'\(name)'" } else { nil } }.sorted()
    if !own.isEmpty {
      parts.append(
        "folder\(own.count == 1 ? "" : "s") \(own.joined(separator: ", ")) of Auricle's own logs, checkpoints or features"
      )
    }
    return parts.joined(separator: ", ")
  }

  private static let bareFormats: Set<String> = ["raw", "pcm", "sln"]
  /// Endings of sound and film that libsndfile does not read.
  static let unreadFormats = AudioFormats.unreadExtensions.union(bareFormats)
}
