import AudioFeatures
import AuricleBase
import Testing

@testable import FeatureFiles

@Suite struct FeatureFileTests {
  static let formats: [FeatureFileFormat] = [.npy, .csv, .htk]

  @Test("a file written in blocks is the one written at once", arguments: formats)
  func blocks(format: FeatureFileFormat) throws {
    let folder = try TemporaryFolder()
    let encoding = FeatureEncoding(format, of: threeCoefficients)
    // More than the output buffer holds, so that the header is patched in the file.
    let features = matrix(20_000)
    for size in [1000, 20_000] {
      let file = try FeatureFile(path: "\(folder.path)/\(size)", encoding: encoding)
      for start in stride(from: 0, to: 20_000, by: size) { try file.append(features.frames(start..<start + size)) }
      try file.finish()
      #expect(file.frames == 20_000)
    }
    var whole = encoding.header(frames: 20_000)
    encoding.encode(features, into: &whole)
    #expect(try FileAccess.read("\(folder.path)/1000") == whole)
    #expect(try FileAccess.read("\(folder.path)/20000") == whole)
  }

  @Test("frames of another width are refused, by a file and by an entry of an archive", arguments: formats)
  func otherWidth(format: FeatureFileFormat) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/file"
    let file = try FeatureFile(path: path, encoding: FeatureEncoding(format, of: threeCoefficients))
    let entry = FeatureEntry(encoding: FeatureEncoding(.npz, of: threeCoefficients), path: path)
    let other = FeatureMatrix(coefficients: 2, values: [1, 2, 3, 4, 5, 6])
    #expect(throws: FeatureFileError.otherWidth(path: path, found: 2, wanted: 3)) { try file.append(other) }
    #expect(throws: FeatureFileError.otherWidth(path: path, found: 2, wanted: 3)) { try entry.append(other) }
    try file.append(matrix(2))
    #expect(file.frames == 2 && entry.frames == 0)
  }

  @Test("a file that is abandoned leaves nothing, and the old one as it was", arguments: formats)
  func abandoned(format: FeatureFileFormat) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/file"
    try FileAccess.writeAtomically("old", to: path)
    do {
      let file = try FeatureFile(path: path, encoding: FeatureEncoding(format, of: threeCoefficients))
      try file.append(matrix(20_000))
    }
    #expect(try folder.names == ["file"])
    #expect(try FileAccess.read(path) == Array("old".utf8))
  }

  @Test(
    "a whole file is known by header and size; one cut short, longer, or of other features is not", arguments: formats)
  func whole(format: FeatureFileFormat) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/file"
    let encoding = FeatureEncoding(format, of: threeCoefficients)
    #expect(FeatureFile.frames(at: path, encoding: encoding) == nil, "no file")
    let file = try FeatureFile(path: path, encoding: encoding)
    try file.append(golden)
    try file.finish()
    #expect(FeatureFile.frames(at: path, encoding: encoding) == 5)

    let bytes = try FileAccess.read(path)
    for length in 0..<bytes.count {
      try put(path, with: bytes[..<length])
      let frames = FeatureFile.frames(at: path, encoding: encoding)
      // A CSV file cut after a line cannot be told from a shorter one; it is never left so, being renamed when whole.
      #expect(frames == nil || format == .csv && bytes[length - 1] == UInt8(ascii: "\n"), "\(length) bytes")
    }
    try FileAccess.writeAtomically(bytes + [0], to: path)
    #expect(FeatureFile.frames(at: path, encoding: encoding) == nil, "a byte too many")

    try FileAccess.writeAtomically(bytes, to: path)
    var other = threeCoefficients
    other.cepstrum.count = 2
    #expect(FeatureFile.frames(at: path, encoding: FeatureEncoding(format, of: other)) == nil, "other coefficients")
    if format == .htk {
      var other = threeCoefficients
      other.hopLength = 200
      #expect(FeatureFile.frames(at: path, encoding: FeatureEncoding(format, of: other)) == nil, "another period")
    }
  }

  @Test("more coefficients than HTK's header can say are refused")
  func tooMany() throws {
    let folder = try TemporaryFolder()
    var configuration = FeatureConfiguration.htk(sampleRate: 16_000, kind: .spectrogram)
    configuration.fftLength = 32_768
    let encoding = FeatureEncoding(.htk, of: configuration)
    #expect(throws: FeatureFileError.tooManyCoefficients(path: "\(folder.path)/x", coefficients: 16_385, limit: 8191)) {
      try FeatureFile(path: "\(folder.path)/x", encoding: encoding)
    }
  }

  @Test("a folder that is not there is an error with its name")
  func unwritable() {
    #expect(throws: FileError.self) {
      try FeatureFile(path: "/nonexistent/x.npy", encoding: FeatureEncoding(.npy, of: threeCoefficients))
    }
  }
}
