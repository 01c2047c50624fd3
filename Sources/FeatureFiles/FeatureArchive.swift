import AudioFeatures
import AuricleBase

/// Writes the features of many sounds into one archive, which can be continued after any interruption.
///
///     let archive = try FeatureArchive(path: "features.npz", format: .npz)
///     if archive.existing["seven"] == nil {
///       let entry = archive.entry(extractor.configuration)
///       _ = try extractor.features(ofFile: "seven.wav") { try entry.append($0) }
///       try await archive.append(entry, named: "seven", turn: 0)
///     }
///     try await archive.finish()
///
/// Until `finish`, the archive has the name `PATH.part`. When that file is there, or the archive itself, what is whole
/// in it stays, an entry that was cut short is removed, and new ones are added after. So a file named `PATH` is always
/// whole. One process at a time may write it.
///
/// Entries stand in the order of their turns, whichever is ready first. Memory: the name and the place of each entry.
public actor FeatureArchive {
  public nonisolated let path: String
  public nonisolated let format: FeatureFileFormat
  /// What was there when it was opened.
  public nonisolated let existing: [String: FeatureShape]

  private let file: OutputFile
  private var layout: any ArchiveLayout
  /// The file has its own name, and an ending that comes off before more is added.
  private var isWhole: Bool
  private let end: Int

  private var turn = 0
  private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]

  /// Opens the archive at `path`, or begins it; with `overwrite` it is begun anyway.
  ///
  /// Throws `FeatureFileError.notContinued` where something else stands in its place, `.inUse` while another process
  /// writes it. A format of one file for each sound is taken for `npz`.
  public init(path: String, format: FeatureFileFormat, overwrite: Bool = false) throws {
    self.path = path
    self.format = format == .ark ? .ark : .npz
    var layout: any ArchiveLayout = format == .ark ? KaldiArchive(path: path) : ZipArchive()
    let part = path + ".part"
    let isWhole = !overwrite && FileAccess.size(of: path) != nil && FileAccess.size(of: part) == nil
    let file = try OutputFile(path: path, continuing: isWhole ? path : part)
    if overwrite { try file.truncate(to: 0) }
    var existing: [String: FeatureShape] = [:]
    var end = 0
    while let found = try layout.next(in: file, at: end) {
      existing[found.name] = found.shape
      end = found.end
    }
    if !isWhole {
      try file.truncate(to: end)
    } else if try !layout.isEnding(in: file, at: end) {
      throw FeatureFileError.notContinued(path: path, reason: "it is damaged, or of another program")
    }
    self.existing = existing
    self.layout = layout
    self.isWhole = isWhole
    self.file = file
    self.end = end
  }

  /// Begins the features of one sound.
  public nonisolated func entry(_ configuration: FeatureConfiguration) -> FeatureEntry {
    FeatureEntry(encoding: FeatureEncoding(format, of: configuration), path: path)
  }

  /// Begins the features of one sound that were computed elsewhere, frames of so many coefficients.
  public nonisolated func entry(coefficients: Int) -> FeatureEntry? {
    FeatureEncoding(archive: format, coefficients: coefficients).map { FeatureEntry(encoding: $0, path: path) }
  }

  /// Adds an entry when all turns before this one have been taken, or passes this turn when there is no entry. Every
  /// turn from 0 on must be taken once.
  public func append(_ entry: sending FeatureEntry?, named name: String, turn: Int) async throws {
    if turn != self.turn { await withCheckedContinuation { waiting[turn] = $0 } }
    defer {
      self.turn += 1
      waiting.removeValue(forKey: self.turn)?.resume()
    }
    guard let entry else { return }
    if isWhole {
      try file.withdraw(to: path + ".part")
      try file.truncate(to: end)
      isWhole = false
    }
    try layout.append(entry, named: name, to: file)
  }

  /// Completes the archive and gives it its name; without entries there is none.
  public func finish() throws {
    try layout.finish(file, isWhole: isWhole)
    if !isWhole && file.size > 0 { try file.publish() }
    file.unlock()
  }
}

/// How entries follow each other in an archive's file.
protocol ArchiveLayout: Sendable {
  /// Notes and returns the entry that begins at `offset`; nil when none does that is whole.
  mutating func next(in file: OutputFile, at offset: Int) throws -> ArchiveEntry?

  /// Whether what stands at `offset` is what ends a whole archive.
  func isEnding(in file: OutputFile, at offset: Int) throws -> Bool

  mutating func append(_ entry: FeatureEntry, named name: String, to file: OutputFile) throws

  /// Writes what ends an archive, unless it `isWhole` already.
  func finish(_ file: OutputFile, isWhole: Bool) throws
}

/// An entry found in an archive.
struct ArchiveEntry {
  var name: String
  var shape: FeatureShape
  /// Where the next one begins.
  var end: Int
}

/// Takes little-endian numbers from bytes, from front to back.
struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) {
    rest = bytes[...]
  }

  var count: Int { rest.count }

  /// The next bytes; nil when there are fewer.
  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// A number of `size` bytes, at most 8; nil when there are fewer, or it does not fit.
  mutating func number(_ size: Int) -> Int? {
    take(size).flatMap { Int(exactly: $0.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }
  }
}
