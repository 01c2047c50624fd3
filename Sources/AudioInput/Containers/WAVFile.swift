/// The chunks of a WAV file, and one that decoders read to its end: header, format, samples, and nothing else.
///
/// Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0" (1991), and what recorders that were
/// killed, pipes and careless writers leave: sizes of 0, of 4 GiB or too small, chunks padded to four bytes or not at all.
struct WAVFile {
  private let source: ByteSource
  private let range: Range<Int>
  private let path: String
  private let isBigEndian: Bool

  init(_ source: ByteSource, _ range: Range<Int>, path: String) {
    self.source = source
    self.range = range
    self.path = path
    isBigEndian = source.bytes(range.prefix(4)).elementsEqual("RIFX".utf8)
  }

  private struct Chunk {
    let name: [UInt8]
    /// As the header says, which may be more than there is.
    let size: Int
    let contents: Range<Int>

    func isNamed(_ other: String) -> Bool { name.elementsEqual(other.utf8) }
  }

  func sections() throws(AudioError) -> SoundSections {
    var format: [UInt8]?
    var position = range.lowerBound + 12
    while let chunk = chunk(at: position) {
      if chunk.isNamed("fmt ") {
        format = source.bytes(chunk.contents.prefix(1024))
      } else if chunk.isNamed("data") {
        guard let format, format.count >= 16 else { break }
        return try sections(WAVFormat(format, isBigEndian: isBigEndian), chunk)
      }
      position = next(after: chunk)
    }
    // The decoder says what is wrong.
    return SoundSections(source, range)
  }

  private func sections(_ format: WAVFormat, _ data: Chunk) throws(AudioError) -> SoundSections {
    var format = format
    let (end, warning) = try self.end(of: data)
    let contents = data.contents.lowerBound..<end
    let gain = try format.gain(path: path) { source.bytes(contents.prefix($0)) }
    let header = format.header(data: contents.count)
    let view = ByteView(source, [.bytes(header), .file(contents)])
    return SoundSections([SoundSection(view: view, gain: gain)], warnings: warning.map { [$0] } ?? [])
  }

  /// Where the samples end. Bytes that follow them and are no chunks are samples, too.
  private func end(of data: Chunk) throws(AudioError) -> (Int, AudioWarning?) {
    let declared = data.contents.upperBound
    switch rest(after: data) {
    case .nothing: return (declared, nil)
    case .sound: throw .severalSounds(path: path, container: "WAV")
    // A size of 0 was to be filled in when the recording ended.
    case .unknown where data.size == 0: return (range.upperBound, nil)
    case .unknown:
      return (range.upperBound, .bytesAfterSamples(path: path, count: range.upperBound - declared))
    }
  }

  private enum Rest { case nothing, sound, unknown }

  /// What follows the samples: chunks, padding and tags up to the end of the file, another sound, or something else.
  private func rest(after data: Chunk) -> Rest {
    var position = data.contents.upperBound
    if isPadding(position) { return .nothing }
    position = next(after: data)
    while let chunk = chunk(at: position), Self.isName(chunk.name) {
      if ["RIFF", "RIFX", "data"].contains(where: chunk.isNamed) { return .sound }
      if chunk.size > chunk.contents.count + 3 {
        return Self.names.contains(where: chunk.isNamed) ? .nothing : .unknown
      }
      position = next(after: chunk)
    }
    return isPadding(position) ? .nothing : .unknown
  }

  /// Whether nothing but zeros is left, or the odd byte that fills up a chunk.
  private func isPadding(_ position: Int) -> Bool {
    range.upperBound - position <= 1 || source.isZero(position..<range.upperBound)
  }

  private func chunk(at position: Int) -> Chunk? {
    let header = source.bytes(position..<position + 8)
    guard header.count == 8, position + 8 <= range.upperBound else { return nil }
    let size = WAVFormat.number(header[4...], isBigEndian: isBigEndian)
    let start = position + 8
    return Chunk(
      name: Array(header.prefix(4)), size: size, contents: start..<min(start + size, range.upperBound))
  }

  /// Where the next chunk begins: padded to two bytes, as it should be, or not, or to four.
  private func next(after chunk: Chunk) -> Int {
    let end = chunk.contents.upperBound
    let even = end + chunk.size % 2
    for candidate in [even, end, end + (4 - chunk.size % 4) % 4] {
      if let found = self.chunk(at: candidate), Self.names.contains(where: found.isNamed) { return candidate }
    }
    return even
  }

  private static func isName(_ name: [UInt8]) -> Bool { name.allSatisfy { (0x20...0x7E).contains($0) } }

  private static let names = [
    "fmt ", "data", "LIST", "fact", "cue ", "smpl", "inst", "bext", "iXML", "JUNK", "junk", "PEAK", "id3 ", "ID3 ",
    "plst", "ltxt", "acid", "PAD ", "FLLR", "qlty", "mext", "levl", "link", "axml", "chna", "DISP", "_PMX", "RIFF",
  ]
}
