import AuricleBase

/// The files of a folder that were passed over, counted by the reason.
///
///     let (files, leftOut) = try AudioFiles.find(paths: ["recordings"])
///     leftOut.counts          // [.format("m4a"): 12, .hidden: 1, .otherKind("txt"): 3]
///     leftOut.description     // "12 .m4a files (not read; convert them, for example with 'ffmpeg -i a.m4a a.wav'), 1 hidden file"
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
    if let first = formats.first {
      let names = formats.map { ".\($0.ending)" }
      let list = zip(formats, names).map { "\($0.count) \($1)" }.joined(separator: ", ")
      parts.append(
        "\(list) \(formats.map(\.count).reduce(0, +) == 1 ? "file" : "files") (not read; convert them, for example with "
          + "'ffmpeg -i a.\(first.ending) a.wav')")
    }
    func add(_ reason: Reason, _ words: String) {
      if let count = counts[reason] { parts.append("\(count) \(count == 1 ? "file" : "files") \(words)") }
    }
    add(.hidden, "whose names begin with '.'")
    add(.emptyName, "whose names are nothing but an ending (rename them)")
    add(.underscoredFolder, "in folders whose names begin with '_' (rename the folders, if they are classes)")
    return parts.joined(separator: ", ")
  }

  /// Endings of sound and film that libsndfile does not read.
  static let unreadFormats: Set<String> = [
    "m4a", "m4b", "m4v", "mp4", "aac", "alac", "webm", "weba", "amr", "awb", "3gp", "3g2", "wma", "asf", "wmv", "mka",
    "mkv",
    "mov", "avi", "mpg", "mpeg", "ac3", "eac3", "dts", "ape", "wv", "tta", "dsf", "dff", "ra", "rm", "mpc", "spx",
    "shn",
    "mts", "oma", "qcp", "gsm", "raw", "pcm", "sln", "vox", "flv", "ogv", "aa", "aax",
  ]
}
