import AudioFeatures
import AuricleBase

/// Takes float matrices out of Kaldi's archives (https://kaldi-asr.org/doc/io.html): `FM ` and `DM `, little-endian.
struct KaldiReader: Sendable {
  struct Entry: Sendable {
    var name: String
    fileprivate var file: SeekableFile
    /// Of the mark of binary data.
    fileprivate var offset: Int
  }

  private(set) var entries: [Entry] = []

  /// The longest name that is looked for.
  private static let longestName = 4096
  /// The mark of binary data, the kind, rows and columns.
  fileprivate static let headerLength = 15

  /// An archive, which is read from front to back.
  init(archive path: String) throws {
    let file = try SeekableFile(path)
    var offset = 0
    while offset < file.size {
      let start = try file.read(KaldiReader.longestName + 1, at: offset)
      guard let space = start.firstIndex(of: UInt8(ascii: " ")), space > 0,
        let name = String(validating: start[..<space], as: UTF8.self)
      else { throw FeatureFileError.unusable(path: path, reason: "there is no name in UTF-8 at byte \(offset)") }
      let entry = Entry(name: name, file: file, offset: offset + space + 1)
      entries.append(entry)
      offset = entry.offset + (try entry.shape()).size
    }
    try refuseRepeatedNames(path)
  }

  /// A script file: lines of a name and `PATH:OFFSET`, or the path of a file with one matrix. A path leads on from the
  /// current folder, as Kaldi has it, or else from the script's.
  init(script path: String) throws {
    let bytes = try FileAccess.read(path, limit: 1 << 30)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FeatureFileError.unusable(path: path, reason: "it is not UTF-8 text")
    }
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    var files: [String: SeekableFile] = [:]
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let parts = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
      if parts.isEmpty { continue }
      func refuse(_ reason: String) -> FeatureFileError {
        .unusable(path: path, reason: "line \(index + 1): \(reason)")
      }
      guard parts.count == 2 else { throw refuse("wanted a name and PATH:OFFSET") }
      var place = parts[1].drop { $0 == " " || $0 == "\t" }
      while place.last?.isWhitespace == true { place.removeLast() }
      guard place.last != "|" else { throw refuse("a command; no command is run here: write its output to a file") }
      guard place.last != "]" else { throw refuse("a range of a matrix, which is not understood") }
      var offset = 0
      if let colon = place.lastIndex(of: ":"), let number = Int(place[place.index(after: colon)...]), number >= 0 {
        (offset, place) = (number, place[..<colon])
      }
      var target = String(place)
      if !target.hasPrefix("/"), !FileAccess.exists(target) { target = folder + target }
      let file = try files[target] ?? SeekableFile(target)
      files[target] = file
      entries.append(Entry(name: String(parts[0]), file: file, offset: offset))
    }
    try refuseRepeatedNames(path)
  }

  private func refuseRepeatedNames(_ path: String) throws(FeatureFileError) {
    var names: Set<String> = []
    for entry in entries where !names.insert(entry.name).inserted {
      throw .unusable(path: path, reason: "'\(entry.name)' is in it twice")
    }
  }
}

extension KaldiReader.Entry {
  private func refuse(_ reason: String) -> FeatureFileError {
    .unusable(path: file.path, reason: "'\(name)' in it \(reason)")
  }

  /// Rows, columns, bytes of a number, and of the whole matrix with its header.
  fileprivate func shape() throws -> (rows: Int, columns: Int, element: Int, size: Int) {
    var reader = ByteReader(try file.read(KaldiReader.headerLength, at: offset))
    guard reader.take(2)?.elementsEqual([0, UInt8(ascii: "B")]) == true, let kind = reader.take(3) else {
      throw refuse("is not binary data; copy it with 'copy-feats SOURCE ark,scp:features.ark,features.scp'")
    }
    let name = String(decoding: kind, as: UTF8.self)
    guard name == "FM " || name == "DM " else {
      throw refuse(
        name.hasPrefix("CM")
          ? "is compressed; copy it with 'copy-feats --compress=false'" : "is not a matrix of floats ('\(name)')")
    }
    guard reader.number(1) == 4, let rows = reader.number(4), reader.number(1) == 4, let columns = reader.number(4),
      rows <= Int32.max, columns <= Int32.max
    else { throw refuse("has a damaged header") }
    let element = name == "FM " ? 4 : 8
    let (numbers, overflows) = rows.multipliedReportingOverflow(by: columns * element)
    guard !overflows, numbers <= file.size - offset - KaldiReader.headerLength else { throw refuse("is cut off") }
    return (rows, columns, element, KaldiReader.headerLength + numbers)
  }

  func matrix() throws -> FeatureMatrix {
    let (rows, columns, element, size) = try shape()
    let bytes = try file.read(size - KaldiReader.headerLength, at: offset + KaldiReader.headerLength)
    guard bytes.count == size - KaldiReader.headerLength else { throw refuse("is cut off") }
    let values = bytes.withUnsafeBytes { bytes in
      (0..<rows * columns).map { index in
        element == 4
          ? Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
          : Float(
            Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))))
      }
    }
    do {
      return try FeatureMatrix(checking: rows, columns, values)
    } catch {
      throw refuse("cannot be used: \(error.reason)")
    }
  }
}
