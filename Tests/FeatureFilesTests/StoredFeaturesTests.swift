import AudioFeatures
import AuricleBase
import Testing

@testable import FeatureFiles

private func goldenPath(_ name: String) -> String {
  #filePath.replacing("StoredFeaturesTests.swift", with: "Goldens/\(name)")
}

/// 0 to 11, as 4 frames of 3.
private let numbers = FeatureMatrix(coefficients: 3, values: (0..<12).map { Float($0) })

private func reason(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch {
    return "\(error)"
  }
}

@Suite("Sequences in files")
struct StoredFeaturesTests {
  @Test("reads what the tools that own the formats wrote", arguments: ["matrix.npy", "matrix.htk", "matrix.csv"])
  func goldens(name: String) throws {
    #expect(try FeatureMatrix(contentsOf: goldenPath(name)) == golden)
    let stored = try StoredFeatures(at: goldenPath(name))
    #expect(stored.names == ["matrix"] && stored.contains("matrix"))
    #expect(try stored.features(of: "matrix") == golden)
  }

  @Test("reads Kaldi's archive, and by a script beside it")
  func kaldi() throws {
    let stored = try StoredFeatures(at: goldenPath("matrix.ark"))
    #expect(stored.names == ["a/first", "second"])
    #expect(try stored.features(of: "a/first") == golden)
    #expect(try stored.features(of: "second") == golden.frames(0..<2))

    let folder = try TemporaryFolder()
    try put("\(folder.path)/matrix.ark", with: goldenBytes("matrix.ark"))
    try put("\(folder.path)/all.scp", with: "b matrix.ark:8\n\na\t\(folder.path)/matrix.ark:8\n".utf8)
    let script = try StoredFeatures(at: "\(folder.path)/all.scp")
    #expect(script.names == ["b", "a"])
    #expect(try script.features(of: "a") == golden && script.features(of: "b") == golden)
    for (line, expected) in [
      ("a cat matrix.ark |", "no command is run"), ("a matrix.ark:8[0:1]", "a range"), ("a", "wanted a name and"),
      ("a matrix.ark:8\na matrix.ark:8", "twice"), ("a missing.ark:8", "missing.ark: cannot be read"),
    ] {
      try put("\(folder.path)/odd.scp", with: line.utf8)
      #expect(reason { _ = try StoredFeatures(at: "\(folder.path)/odd.scp") }.contains(expected))
    }
    try put("\(folder.path)/far.scp", with: "a matrix.ark:\(Int.max)".utf8)
    #expect(throws: FeatureFileError.self) {
      try StoredFeatures(at: "\(folder.path)/far.scp").features(of: "a")
    }
  }

  @Test("numbers of every type and order, stored and deflated", arguments: ["types.npz", "types_deflated.npz"])
  func types(name: String) throws {
    let stored = try StoredFeatures(at: goldenPath(name))
    #expect(stored.names.count == 24 && stored.ownLabels == nil)
    for name in stored.names where !["negative", "halves", "bool"].contains(name) && !name.contains("cube") {
      #expect(try stored.features(of: name) == numbers, "\(name)")
    }
    #expect(try stored.features(of: "negative").values == numbers.values.map { -$0 })
    #expect(try stored.features(of: "halves").values == numbers.values.map { $0 / -2048 })
    #expect(try stored.features(of: "bool").values == numbers.values.map { $0.truncatingRemainder(dividingBy: 2) })
    for cube in ["cube", "fortran_cube"] {
      #expect(try stored.features(of: "\(cube)[0]") == numbers.frames(0..<2))
      #expect(try stored.features(of: "\(cube)[1]") == numbers.frames(2..<4))
    }
  }

  @Test(
    "arrays with labels, as Keras's examples write them: whole numbers, texts, or rows with a one",
    arguments: [
      ("integers", ["0", "1", "2", "1"]), ("one_hot", ["0", "1", "2", "1"]), ("texts", ["a", "b", "ç", "b"]),
      ("column", ["0", "1", "2", "1"]),
    ])
  func keras(name: String, labels: [String]) throws {
    let stored = try StoredFeatures(at: goldenPath("keras_\(name).npz"))
    #expect(stored.names == (0..<4).map { "X_train[\($0)]" } + ["x_test[0]", "x_test[1]"])
    let own = try #require(stored.ownLabels)
    #expect(own.map(\.label) == labels + labels[..<2])
    #expect(own.map(\.part) == ["train", "train", "train", "train", "test", "test"])
    #expect(
      try stored.features(of: "x_test[1]")
        == FeatureMatrix(coefficients: 2, values: (30..<36).map { Float($0) }))
  }

  @Test("what cannot be sequences is refused with the reason, and what to do")
  func refused() throws {
    #expect(
      reason { _ = try StoredFeatures(at: goldenPath("ragged.npy")) }.hasSuffix(
        "save each sequence as an array of its own"))
    #expect(reason { _ = try StoredFeatures(at: goldenPath("keras_soft.npz")) }.contains("one class for each sequence"))
    let folder = try TemporaryFolder()
    for (name, text, expected) in [
      ("a.csv", "1,2\n3\n", "line 2 has 1 numbers, the first has 2"), ("b.csv", "x,y\n1,z\n", "not a number"),
      ("c.csv", "", "empty"), ("d.csv", "c0,c1\n", "no frame"), ("e.csv", "1,2\n3,inf\n", "coefficient 1 of frame 1"),
      ("f.htk", "too short", "too short"), ("g.npy", "PK", "NumPy"), ("h.npz", "PK", "zip"),
      ("i.ark", "utt  [ 1 2 ]", "copy-feats"),
      ("j.txt", "1,2", "its name must end in"),
    ] {
      let path = "\(folder.path)/\(name)"
      try put(path, with: text.utf8)
      let found = reason {
        let stored = try StoredFeatures(at: path)
        _ = try stored.features(of: stored.names[0])
      }
      #expect(found.hasPrefix(path) && found.contains(expected), "\(found)")
    }
    #expect(reason { _ = try StoredFeatures(at: "\(folder.path)/none.npz") }.contains("No such file"))
  }

  @Test(
    "HTK's compressed, integer and sample files are refused",
    arguments: [(6 | 0o2000, "SAVECOMPRESSED"), (0, "floats"), (5, "floats")])
  func htk(kind: Int, expected: String) throws {
    let folder = try TemporaryFolder()
    var bytes = try goldenBytes("matrix.htk")
    (bytes[10], bytes[11]) = (UInt8(kind >> 8), UInt8(kind & 255))
    try put("\(folder.path)/a.htk", with: bytes)
    #expect(reason { _ = try FeatureMatrix(contentsOf: "\(folder.path)/a.htk") }.contains(expected))
  }

  @Test(
    "a file that was cut off or changed anywhere is refused, or read as something else of a fitting size; nothing worse",
    arguments: [
      "matrix.npy", "matrix.htk", "matrix.csv", "matrix.ark", "keras_integers.npz", "keras_texts.npz", "ragged.npy",
    ])
  func damaged(name: String) throws {
    let folder = try TemporaryFolder()
    let (whole, path) = (try goldenBytes(name), "\(folder.path)/\(name)")
    func tryAll() throws {
      do {
        let stored = try StoredFeatures(at: path)
        for name in stored.names {
          let features = try stored.features(of: name)
          #expect(features.values.count <= 16 * whole.count && features.values.allSatisfy(\.isFinite))
        }
      } catch let error as FeatureFileError {
        #expect("\(error)".hasPrefix(path))
      }
    }
    // All of the header, and here and there after it.
    let header = min(whole.count, 96)
    let places = Array(0..<header) + Array(stride(from: header, to: whole.count, by: max(1, whole.count / 48)))
    for length in places {
      try put(path, with: whole[..<length])
      try tryAll()
    }
    for place in places {
      for value in [0, 0x7F, 0xFF, whole[place] ^ 1] as [UInt8] {
        var bytes = whole
        bytes[place] = value
        try put(path, with: bytes)
        try tryAll()
      }
    }
  }

  @Test(
    "shapes that promise more than there is",
    arguments: ["(140737488355327, 0, 5)", "(0, 9, 5)", "(9999999999, 9999999999)", "(3, 3)", "()", "(-1, 3)"])
  func shapes(shape: String) throws {
    let folder = try TemporaryFolder()
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }\n"
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    try put("\(folder.path)/a.npy", with: bytes)
    #expect(throws: FeatureFileError.self) { try StoredFeatures(at: "\(folder.path)/a.npy") }
  }

  @Test("a stored entry whose bytes were changed does not fit its checksum")
  func checksum() throws {
    let folder = try TemporaryFolder()
    var bytes = try goldenBytes("types.npz")
    let header = try #require(bytes.firstRange(of: Array("lf4.npy".utf8)))
    bytes[header.upperBound + 128 + 20] ^= 1
    try put("\(folder.path)/a.npz", with: bytes)
    #expect(reason { _ = try StoredFeatures(at: "\(folder.path)/a.npz").features(of: "lf4") }.contains("checksum"))
  }

  @Test("reads what is written here", arguments: [FeatureFileFormat.npz, .ark])
  func roundTrip(format: FeatureFileFormat) async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/features.\(format.rawValue)"
    let archive = try FeatureArchive(path: path, format: format)
    for turn in 0..<70 {
      let entry = archive.entry(threeCoefficients)
      try entry.append(matrix(turn + 1, seed: Float(turn)))
      try await archive.append(
        entry, named: "sound \(turn + 10)".replacing(" ", with: format == .ark ? "_" : " "), turn: turn)
    }
    try await archive.finish()
    for path in format == .ark ? [path, "\(folder.path)/features.scp"] : [path] {
      let stored = try StoredFeatures(at: path)
      #expect(stored.names.count == 70)
      for (turn, name) in stored.names.enumerated() {
        #expect(try stored.features(of: name) == matrix(turn + 1, seed: Float(turn)))
      }
    }
  }
}

@Suite("Inflater")
struct InflaterTests {
  @Test("decompresses every kind of block as zlib does", arguments: ["stored", "fixed", "dynamic", "huffman"])
  func blocks(kind: String) throws {
    let (whole, compressed) = (try goldenBytes("text.bin"), try goldenBytes("text_\(kind).deflate"))
    #expect(try Inflater.inflated(compressed, limit: whole.count) == whole)
    #expect(throws: Inflater.Malformed.self) {
      try Inflater.inflated(compressed, limit: whole.count - 1)
    }
    for length in stride(from: 0, to: compressed.count - 1, by: 7) {
      #expect(throws: Inflater.Malformed.self) {
        try Inflater.inflated(Array(compressed[..<length]), limit: whole.count)
      }
    }
    for place in stride(from: 0, to: compressed.count, by: 11) {
      var bytes = compressed
      bytes[place] ^= 0x55
      if let output = try? Inflater.inflated(bytes, limit: 1 << 16) { #expect(output.count <= 1 << 16) }
    }
  }
}
