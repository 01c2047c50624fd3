import Foundation
import SystemPackage
import Testing

@testable import AuricleBase

/// A folder of its own for one test, removed with all that is in it.
private struct TemporaryFolder: ~Copyable {
  let path = FileManager.default.temporaryDirectory.path + "/auricle-\(UUID().uuidString)"

  init() throws { try FileAccess.makeFolder(path) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func at(_ name: String) -> String { "\(path)/\(name)" }
  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

@Suite("Files")
struct FileTests {
  @Test("what is written is read again, of any length", arguments: [0, 1, 65_535, 65_536, 65_537, 1_000_000])
  func roundTrip(count: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 31 >> 3) }
    try FileAccess.writeAtomically(bytes, to: folder.at("file"))
    #expect(try FileAccess.read(folder.at("file")) == bytes)
    #expect(try FileAccess.read(folder.at("file"), limit: count) == bytes)
    #expect(FileAccess.size(of: folder.at("file")) == count)
    var blocks: [UInt8] = []
    try FileAccess.readBlocks(folder.at("file")) { blocks += $0 }
    #expect(blocks == bytes)
    if count > 0 {
      #expect(throws: FileError.tooLarge(path: folder.at("file"), bytes: count, limit: count - 1)) {
        try FileAccess.read(folder.at("file"), limit: count - 1)
      }
    }
    // Not held in one piece.
    try FileAccess.writeAtomically(bytes.lazy.map { $0 }, to: folder.at("file"))
    #expect(try FileAccess.read(folder.at("file")) == bytes)
    #expect(try folder.names() == ["file"])
  }

  @Test("what cannot be read or written is named, with the system's reason")
  func errors() throws {
    let folder = try TemporaryFolder()
    let reason = "No such file or directory"
    #expect(throws: FileError.unreadable(path: folder.at("none"), reason: reason)) {
      try FileAccess.read(folder.at("none"))
    }
    #expect(throws: FileError.unwritable(path: folder.at("none/file"), reason: reason)) {
      try FileAccess.writeAtomically("text", to: folder.at("none/file"))
    }
    #expect(throws: FileError.unwritable(path: folder.at("none/file"), reason: reason)) {
      try FileAccess.checkWritable(folder.at("none/file"))
    }
    #expect(throws: FileError.self) { try FileAccess.read(folder.path) }
    #expect(throws: FileError.self) { try FileAccess.writeAtomically("text", to: folder.path) }
    #expect(throws: FileError.unwritable(path: folder.path, reason: "it is a folder")) {
      try FileAccess.checkWritable(folder.path)
    }
    #expect(throws: FileError.unwritable(path: "/dev/full", reason: "No space left on device")) {
      try FileAccess.writeAtomically("text", to: "/dev/full")
    }
    #expect(throws: FileError.unreadable(path: "", reason: reason)) { try FileAccess.read("") }
    #expect(try folder.names() == [])
  }

  @Test("a write replaces the file as a whole: who holds the old one still reads it")
  func atomic() throws {
    let folder = try TemporaryFolder()
    try FileAccess.writeAtomically("old", to: folder.at("file"))
    let held = try FileDescriptor.open(FilePath(folder.at("file")), .readOnly)
    defer { try? held.close() }
    try FileAccess.checkWritable(folder.at("file"))
    try FileAccess.writeAtomically("new", to: folder.at("file"))
    var bytes = [UInt8](repeating: 0, count: 8)
    #expect(try bytes.withUnsafeMutableBytes { try held.read(into: $0) } == 3 && bytes[..<3] == Array("old".utf8)[...])
    #expect(try FileAccess.read(folder.at("file")) == Array("new".utf8))
    #expect(try folder.names() == ["file"])
  }

  @Test(
    "a pipe is read to its end, written straight through, and one that nobody reads any more is an error of its own")
  func pipes() throws {
    let folder = try TemporaryFolder()
    let path = folder.at("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    #expect(FileAccess.size(of: path) == nil && FileAccess.exists(path) && !FileAccess.isFolder(path))
    let text = String(repeating: "through a pipe. ", count: 10_000)
    let writer = Thread { try? FileAccess.writeAtomically(text, to: path) }
    writer.start()
    #expect(try FileAccess.read(path) == Array(text.utf8))

    signal(SIGPIPE, SIG_IGN)
    let ends = try FileDescriptor.pipe()
    try ends.readEnd.close()
    defer { try? ends.writeEnd.close() }
    #expect(throws: FileError.closedPipe(path: "pipe")) {
      try FileAccess.write([1, 2, 3], to: ends.writeEnd, path: "pipe")
    }
  }

  @Test("kinds, sizes and beginnings, links followed")
  func kinds() throws {
    let folder = try TemporaryFolder()
    try FileAccess.writeAtomically("RIFF1234", to: folder.at("file"))
    try FileManager.default.createSymbolicLink(atPath: folder.at("link"), withDestinationPath: "file")
    try FileManager.default.createSymbolicLink(atPath: folder.at("lost"), withDestinationPath: "nowhere")
    for name in ["file", "link"] {
      #expect(FileAccess.exists(folder.at(name)) && FileAccess.size(of: folder.at(name)) == 8)
      #expect(FileAccess.hasPrefix(folder.at(name), Array("RIFF".utf8)))
      #expect(FileAccess.hasPrefix(folder.at(name), at: 4, Array("1234".utf8)))
      #expect(!FileAccess.hasPrefix(folder.at(name), at: 5, Array("2345".utf8)))
    }
    #expect(!FileAccess.exists(folder.at("lost")) && FileAccess.size(of: folder.path) == nil)
    #expect(FileAccess.isFolder(folder.path) && !FileAccess.isFolder(folder.at("file")))
    #expect(FileAccess.status(of: FilePath(folder.at("lost")))?.type == .symbolicLink)
    #expect(FileAccess.status(of: FilePath(folder.at("link")))?.type == .regular)
    #expect(FileAccess.status(of: FilePath(folder.at("none"))) == nil)
  }

  @Test("folders are made with those above them; a file in the way is an error")
  func folders() throws {
    let folder = try TemporaryFolder()
    for path in ["a/b/c", "a/b/c", "a//d/", "a/b/../e"] {
      try FileAccess.makeFolder(folder.at(path))
      #expect(FileAccess.isFolder(folder.at(path)))
    }
    try FileAccess.writeAtomically("text", to: folder.at("file"))
    #expect(throws: FileError.self) { try FileAccess.makeFolder(folder.at("file")) }
    #expect(throws: FileError.self) { try FileAccess.makeFolder(folder.at("file/b")) }
    #expect(throws: FileError.self) { try FileAccess.makeFolder("") }
  }

  @Test("a file is appended to from where it is cut")
  func appendable() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try AppendableFile(path: folder.at("log"), keeping: 0)
      try file.append(Array("one\ntwo\nthr".utf8))
      #expect(try FileAccess.read(folder.at("log")) == Array("one\ntwo\nthr".utf8))
    }
    let file = try AppendableFile(path: folder.at("log"), keeping: 8)
    try file.append("three\n".utf8)
    try file.append("".utf8)
    try file.append(Array("four\n".utf8).reversed().reversed())
    #expect(try FileAccess.read(folder.at("log")) == Array("one\ntwo\nthree\nfour\n".utf8))
    _ = try AppendableFile(path: "/dev/null", keeping: 5)
    #expect(throws: FileError.self) { try AppendableFile(path: folder.path, keeping: 0) }
  }

  @Test("a scratch file gives back what was put at any place, to several threads, and has no name")
  func scratch() async throws {
    let file = try ScratchFile()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask {
          let bytes = [UInt8](repeating: UInt8(number + 1), count: 100_000)
          try bytes.withUnsafeBytes { try file.write($0, at: number * 100_000) }
          var found = [UInt8](repeating: 0, count: 100_000)
          try found.withUnsafeMutableBytes { try file.read(into: $0, at: number * 100_000) }
          #expect(found == bytes)
        }
      }
      try await group.waitForAll()
    }
    var beyond = [UInt8](repeating: 0, count: 10)
    #expect(throws: FileError.self) {
      try beyond.withUnsafeMutableBytes { try file.read(into: $0, at: 799_995) }
    }
  }
}

@Suite("Names that are not UTF-8")
struct FileNameTests {
  private let latin = FilePath.Component(platformString: [99, 97, 102, CChar(bitPattern: 0xE9), 46, 119, 97, 118, 0])

  @Test("a listing gives every name as it is, and each leads to its file")
  func listing() throws {
    let folder = try TemporaryFolder()
    let root = FilePath(folder.path)
    let names = [try #require(latin), FilePath.Component(".hidden"), FilePath.Component("caf\u{E9}.wav")]
    for name in names {
      let file = try FileDescriptor.open(
        root.appending(name), .writeOnly, options: .create, permissions: .ownerReadWrite)
      try file.close()
    }
    let found = try FileAccess.names(in: root)
    #expect(Set(found) == Set(names))
    for name in found { #expect(FileAccess.status(of: root.appending(name))?.type == .regular) }
    #expect(throws: FileError.self) { try FileAccess.names(in: root.appending("none")) }
  }

  @Test("as text, a name is itself where it can be; escaped, each is another, and leads back")
  func escapes() throws {
    let path = FilePath("a").appending(try #require(latin))
    #expect(path.escaped == #"a/caf\xE9.wav"#)
    #expect(FilePath(#"a/caf\xE9.wav"#).escaped == #"a/caf\x5CxE9.wav"#)
    #expect(FilePath(#"a\b/\\/€😀"#).escaped == #"a\b/\\/€😀"#)
    #expect(FilePath(escaped: #"\x+1\xG0\x00\x"#) == FilePath(#"\x+1\xG0\x00\x"#))
    var generator = SeededGenerator(seed: 1)
    let pieces: [[UInt8]] = [
      [0xE2, 0x82, 0xAC], [0xE2, 0x82], [0xFF], [0x5C], Array(#"\xE9"#.utf8), [0x78], [0x0A], [0xED, 0xA0, 0x80],
      [0x61],
    ]
    var texts: [String: FilePath] = [:]
    for _ in 0..<2_000 {
      let bytes = (0..<6).flatMap { _ in pieces[Int(generator.next() % UInt64(pieces.count))] }
      let path = FilePath(platformString: bytes.map { CChar(bitPattern: $0) } + [0])
      #expect(FilePath(escaped: path.escaped) == path)
      #expect(texts.updateValue(path, forKey: path.escaped).map { $0 == path } ?? true)
    }
  }
}
