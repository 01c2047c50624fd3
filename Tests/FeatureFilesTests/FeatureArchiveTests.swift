import AudioFeatures
import AuricleBase
import Testing

@testable import FeatureFiles

@Suite struct FeatureArchiveTests {
  static let formats: [FeatureFileFormat] = [.npz, .ark]
  private static let names = ["a/first", "second", "third"]

  private func add(_ names: [String], to archive: FeatureArchive) async throws {
    for (turn, name) in names.enumerated() {
      let entry = archive.entry(threeCoefficients)
      try entry.append(matrix(4 + name.utf8.count, seed: Float(name.utf8.count)))
      try await archive.append(entry, named: name, turn: turn)
    }
  }

  private func write(_ names: [String], to path: String, _ format: FeatureFileFormat) async throws {
    let archive = try FeatureArchive(path: path, format: format)
    try await add(names.filter { archive.existing[$0] == nil }, to: archive)
    try await archive.finish()
  }

  @Test("kaldiio's archive of the same matrices is the same, and its entries are found")
  func kaldi() async throws {
    let folder = try TemporaryFolder()
    let archive = try FeatureArchive(path: "\(folder.path)/matrix.ark", format: .ark)
    for (turn, (name, features)) in [("a/first", golden), ("second", golden.frames(0..<2))].enumerated() {
      let entry = archive.entry(threeCoefficients)
      try entry.append(features)
      try await archive.append(entry, named: name, turn: turn)
    }
    try await archive.finish()
    let bytes = try goldenBytes("matrix.ark")
    #expect(try FileAccess.read("\(folder.path)/matrix.ark") == bytes)
    #expect(
      try FileAccess.read("\(folder.path)/matrix.scp")
        == Array("a/first \(folder.path)/matrix.ark:8\nsecond \(folder.path)/matrix.ark:90\n".utf8))
    let again = try FeatureArchive(path: "\(folder.path)/matrix.ark", format: .ark)
    #expect(again.existing["a/first"] == FeatureShape(frames: 5, coefficients: 3))
    #expect(again.existing["second"] == FeatureShape(frames: 2, coefficients: 3))
  }

  @Test("Kaldi's script is sorted by the bytes of the names, as LC_ALL=C sort does")
  func sorted() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x.ark"
    try await write(["a", "a-1", "b"], to: path, .ark)
    let archive = try FeatureArchive(path: path, format: .ark)
    try await add(["Z"], to: archive)
    try await archive.finish()
    let script = String(decoding: try FileAccess.read("\(folder.path)/x.scp"), as: UTF8.self)
    #expect(script.split(separator: "\n").map { $0.prefix { $0 != " " } } == ["Z", "a", "a-1", "b"])
  }

  @Test("an archive cut short anywhere is continued to the very one it would have been", arguments: formats)
  func resume(format: FeatureFileFormat) async throws {
    let folder = try TemporaryFolder()
    let names = FeatureArchiveTests.names
    let path = "\(folder.path)/x.\(format.rawValue)"
    try await write(names, to: path, format)
    let whole = try FileAccess.read(path)
    let script = format == .ark ? try FileAccess.read("\(folder.path)/x.scp") : []

    for length in 0...whole.count {
      try put("\(path).part", with: whole[..<length])
      let archive = try FeatureArchive(path: path, format: format)
      let found = names.filter { archive.existing[$0] != nil }
      #expect(found == Array(names.prefix(found.count)), "whole entries only, from the first on")
      if length == whole.count { #expect(found == names) }
      if length == 0 { #expect(found.isEmpty) }
      try await add(Array(names.dropFirst(found.count)), to: archive)
      try await archive.finish()
      #expect(try FileAccess.read(path) == whole, "\(length) bytes")
    }
    if format == .ark { #expect(try FileAccess.read("\(folder.path)/x.scp") == script) }
    #expect(try folder.names == (format == .ark ? ["x.ark", "x.scp"] : ["x.npz"]))
  }

  @Test("a whole archive is left alone when nothing is added, and continued when something is", arguments: formats)
  func continued(format: FeatureFileFormat) async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x.\(format.rawValue)"
    try await write(Array(FeatureArchiveTests.names.prefix(2)), to: path, format)
    let before = try FileAccess.read(path)
    try await write(Array(FeatureArchiveTests.names.prefix(2)), to: path, format)
    #expect(try FileAccess.read(path) == before)
    try await write(FeatureArchiveTests.names, to: path, format)
    let after = try FileAccess.read(path)
    try await write(FeatureArchiveTests.names, to: "\(folder.path)/y.\(format.rawValue)", format)
    #expect(try after == FileAccess.read("\(folder.path)/y.\(format.rawValue)"))
  }

  @Test("until it is finished an archive has another name; without entries there is none", arguments: formats)
  func unfinished(format: FeatureFileFormat) async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x"
    do {
      let archive = try FeatureArchive(path: path, format: format)
      try await add(["one"], to: archive)
      #expect(FileAccess.size(of: path) == nil)
    }
    #expect(try folder.names == ["x.part"])

    let empty = try FeatureArchive(path: "\(folder.path)/empty", format: format)
    try await empty.append(nil, named: "bad", turn: 0)
    try await empty.finish()
    #expect(FileAccess.size(of: "\(folder.path)/empty") == nil)
  }

  @Test("overwriting begins anew", arguments: formats)
  func overwrite(format: FeatureFileFormat) async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x"
    try await write(FeatureArchiveTests.names, to: path, format)
    let archive = try FeatureArchive(path: path, format: format, overwrite: true)
    #expect(archive.existing.isEmpty)
    try await add(["other"], to: archive)
    try await archive.finish()
    #expect(try Array(FeatureArchive(path: path, format: format).existing.keys) == ["other"])
  }

  @Test("entries stand in the order of their turns, whichever is ready first; turns may be passed", arguments: formats)
  func turns(format: FeatureFileFormat) async throws {
    let folder = try TemporaryFolder()
    try await write((0..<20).filter { $0 % 3 != 1 }.map { "n\($0)" }, to: "\(folder.path)/expected", format)
    let archive = try FeatureArchive(path: "\(folder.path)/x", format: format)
    await withTaskGroup(of: Void.self) { group in
      for turn in (0..<20).reversed() {
        group.addTask {
          let name = "n\(turn)"
          let entry = turn % 3 == 1 ? nil : archive.entry(threeCoefficients)
          try? entry?.append(matrix(4 + name.utf8.count, seed: Float(name.utf8.count)))
          try? await archive.append(entry, named: name, turn: turn)
        }
      }
    }
    try await archive.finish()
    #expect(try FileAccess.read("\(folder.path)/x") == FileAccess.read("\(folder.path)/expected"))
  }

  @Test("features too long for memory are the same by way of a file, which is removed", arguments: formats)
  func long(format: FeatureFileFormat) async throws {
    let folder = try TemporaryFolder()
    let encoding = FeatureEncoding(format, of: threeCoefficients)
    let features = matrix(400_000)
    let archive = try FeatureArchive(path: "\(folder.path)/x", format: format)
    do {
      let entry = archive.entry(threeCoefficients)
      for start in stride(from: 0, to: 400_000, by: 100_000) {
        try entry.append(features.frames(start..<start + 100_000))
      }
      #expect(try folder.names.count == 2, "the archive and the temporary file")
      try await archive.append(entry, named: "long", turn: 0)
    }
    try await archive.finish()
    #expect(try folder.names.count == (format == .ark ? 2 : 1))
    var whole = encoding.header(frames: 400_000)
    encoding.encode(features, into: &whole)
    let bytes = try FileAccess.read("\(folder.path)/x")
    let start = format == .ark ? 5 : 30 + "long.npy".utf8.count
    #expect(bytes[start..<start + whole.count].elementsEqual(whole))
    if format == .npz {
      var checksum = Checksum()
      checksum.update(whole)
      #expect(bytes[14..<18].reversed().reduce(0) { $0 << 8 | UInt32($1) } == checksum.value)
    }
  }

  @Test("what is not such an archive is refused, and left as it is", arguments: formats)
  func foreign(format: FeatureFileFormat) throws {
    let folder = try TemporaryFolder()
    for text in ["not an archive", "PK\u{3}\u{4}", ""] {
      try FileAccess.writeAtomically(text, to: "\(folder.path)/x")
      if text.isEmpty && format == .ark { continue }  // an archive without entries
      #expect(
        throws: FeatureFileError.notContinued(path: "\(folder.path)/x", reason: "it is damaged, or of another program")
      ) { try FeatureArchive(path: "\(folder.path)/x", format: format) }
      #expect(try FileAccess.read("\(folder.path)/x") == Array(text.utf8))
    }
  }

  @Test("a Kaldi archive with a matrix of 2^62 numbers is refused")  // found by fuzzing
  func endlessMatrix() throws {
    let folder = try TemporaryFolder()
    let most = bytes(Int32.max.littleEndian)
    try FileAccess.writeAtomically(
      Array("a ".utf8) + [0] + Array("BFM ".utf8) + [4] + most + [4] + most, to: "\(folder.path)/x")
    #expect(throws: FeatureFileError.self) { try FeatureArchive(path: "\(folder.path)/x", format: .ark) }
  }

  @Test("of two that would write one archive, the second is refused", arguments: formats)
  func inUse(format: FeatureFileFormat) throws {
    let folder = try TemporaryFolder()
    let first = try FeatureArchive(path: "\(folder.path)/x", format: format)
    #expect(throws: FeatureFileError.inUse(path: "\(folder.path)/x")) {
      try FeatureArchive(path: "\(folder.path)/x", format: format)
    }
    #expect(first.existing.isEmpty)
  }

  /// The 64-bit records of APPNOTE.TXT 4.3.9, 4.3.14 and 4.3.15, told to be used from 1 byte and 1 entry on. What
  /// readers make of them at their true size is in the documentation of feature files.
  @Test("sizes, offsets and numbers beyond 32 and 16 bits are written in 64, and found again")
  func zip64() throws {
    let folder = try TemporaryFolder()
    let file = try OutputFile(path: "\(folder.path)/x", continuing: "\(folder.path)/x.part")
    var zip = ZipArchive(limit: 1, countLimit: 1)
    for name in FeatureArchiveTests.names {
      let entry = FeatureEntry(encoding: FeatureEncoding(.npz, of: threeCoefficients), path: "\(folder.path)/x")
      try entry.append(golden)
      try zip.append(entry, named: name, to: file)
    }
    let end = file.size
    try zip.finish(file, isWhole: false)
    try file.flush()
    var (again, offset) = (ZipArchive(), 0)
    var found: [String] = []
    while let entry = try again.next(in: file, at: offset) {
      found.append(entry.name)
      offset = entry.end
      #expect(entry.shape == FeatureShape(frames: 5, coefficients: 3))
    }
    #expect(found == FeatureArchiveTests.names && offset == end)
    #expect(try again.isEnding(in: file, at: end))

    let bytes = try FileAccess.read("\(folder.path)/x.part")
    func number(_ offset: Int, _ size: Int) -> Int {
      bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    let last = bytes.count - 22
    #expect(number(last, 4) == 0x0605_4B50 && number(last + 10, 2) == 0xFFFF && number(last + 16, 4) == 0xFFFF_FFFF)
    let locator = last - 20
    #expect(number(locator, 4) == 0x0706_4B50)
    let end64 = number(locator + 8, 8)
    #expect(number(end64, 4) == 0x0606_4B50 && number(end64 + 32, 8) == 3 && number(end64 + 48, 8) == end)
    // The first central header: sizes in its extra field, as is the offset of all but the first entry.
    #expect(number(end, 4) == 0x0201_4B50 && number(end + 20, 4) == 0xFFFF_FFFF)
    #expect(number(end + 46 + 11 + 4, 8) == 128 + 60, "header and five frames of three numbers")
  }
}
