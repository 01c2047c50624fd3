import AuricleBase

/// Kaldi's archive: each entry is its name, a space, and a matrix. A script file beside it, `.scp` in place of `.ark`,
/// has a line `NAME PATH:OFFSET` for each, sorted by the bytes of the names, as Kaldi's readers require.
struct KaldiArchive: ArchiveLayout {
  private let path: String
  private var places: [(name: String, offset: Int)] = []

  /// The longest name that is looked for.
  private static let longestName = 4096

  init(path: String) {
    self.path = path
  }

  mutating func next(in file: OutputFile, at offset: Int) throws -> ArchiveEntry? {
    let start = try file.read(KaldiArchive.longestName + 16, at: offset)
    guard let space = start.firstIndex(of: UInt8(ascii: " ")), space > 0 else { return nil }
    let matrix = offset + space + 1
    guard let (shape, headerLength) = FeatureEncoding.shape(.ark, startingWith: Array(start[(space + 1)...])) else {
      return nil
    }
    let end = matrix + headerLength + 4 * shape.frames * shape.coefficients
    guard end <= file.size else { return nil }
    let entry = ArchiveEntry(name: String(decoding: start[..<space], as: UTF8.self), shape: shape, end: end)
    places.append((entry.name, matrix))
    return entry
  }

  func isEnding(in file: OutputFile, at offset: Int) -> Bool {
    offset == file.size
  }

  mutating func append(_ entry: FeatureEntry, named name: String, to file: OutputFile) throws {
    try file.append("\(name) ".utf8)
    places.append((name, file.size))
    try entry.forEachPiece { try file.append($0) }
  }

  func finish(_ file: OutputFile, isWhole: Bool) throws {
    guard !places.isEmpty else { return }
    let script = path.hasSuffix(".ark") ? String(path.dropLast(4)) + ".scp" : path + ".scp"
    let sorted = places.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    try FileAccess.writeAtomically(sorted.map { "\($0.name) \(path):\($0.offset)\n" }.joined(), to: script)
  }
}
