import AudioFeatures
import Testing

@testable import FeatureFiles

@Suite struct EncodingTests {
  private func encoded(_ format: FeatureFileFormat) -> [UInt8] {
    let encoding = FeatureEncoding(format, of: threeCoefficients)
    var bytes = encoding.header(frames: golden.frames)
    encoding.encode(golden, into: &bytes)
    return bytes
  }

  @Test("NumPy and HTK files are, byte for byte, what their own tools write", arguments: [FeatureFileFormat.npy, .htk])
  func binary(format: FeatureFileFormat) throws {
    #expect(try encoded(format) == goldenBytes("matrix.\(format.rawValue)"))
  }

  @Test("an entry of a Kaldi archive is, byte for byte, what kaldiio writes")
  func kaldi() throws {
    let archive = try goldenBytes("matrix.ark")
    let entry = Array("a/first ".utf8) + encoded(.ark)
    #expect(archive.starts(with: entry))
  }

  @Test("CSV gives every number back exactly")
  func csv() throws {
    let text = String(decoding: encoded(.csv), as: UTF8.self)
    let lines = text.split(separator: "\n")
    #expect(lines[0] == "c0,c1,c2" && text.hasSuffix("\n"))
    let numbers = lines.dropFirst().flatMap { $0.split(separator: ",").compactMap { Float($0) } }
    #expect(numbers.map(\.bitPattern) == golden.values.map(\.bitPattern))
    let theirs = String(decoding: try goldenBytes("matrix.csv"), as: UTF8.self).split(separator: "\n").dropFirst()
      .flatMap { $0.split(separator: ",").compactMap { Float($0) } }
    #expect(theirs.map(\.bitPattern) == numbers.map(\.bitPattern))
  }

  @Test("a header is as long for no frames as for very many", arguments: FeatureFileFormat.allCases)
  func headerLength(format: FeatureFileFormat) {
    let encoding = FeatureEncoding(format, of: threeCoefficients)
    #expect(encoding.header(frames: 0).count == encoding.header(frames: 2_000_000_000).count)
  }

  @Test("a shape is read from a header, and from nothing else")
  func shape() throws {
    let (npy, length) = try #require(FeatureEncoding.shape(.npz, startingWith: try goldenBytes("matrix.npy")))
    #expect(npy == FeatureShape(frames: 5, coefficients: 3) && length == 128)
    let (ark, _) = try #require(FeatureEncoding.shape(.ark, startingWith: encoded(.ark)))
    #expect(ark == FeatureShape(frames: 5, coefficients: 3))
    for format in [FeatureFileFormat.npz, .ark] {
      let bytes = encoded(format)
      let header = FeatureEncoding(format, of: threeCoefficients).header(frames: 5)
      for length in 0..<header.count {
        #expect(
          FeatureEncoding.shape(format, startingWith: Array(bytes[..<length])) == nil, "\(format), \(length) bytes")
      }
    }
    #expect(FeatureEncoding.shape(.npz, startingWith: encoded(.ark)) == nil)
    #expect(FeatureEncoding.shape(.ark, startingWith: encoded(.npy)) == nil)
  }

  @Test("a shape whose bytes cannot be counted is none")
  func endlessShape() throws {
    let most = [UInt8](bytes(Int32.max.littleEndian))
    #expect(FeatureEncoding.shape(.ark, startingWith: [0] + Array("BFM ".utf8) + [4] + most + [4] + most) == nil)
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 4194304), }"
    let start = [0x93] + Array("NUMPY".utf8) + [1, 0] + bytes(UInt16(text.utf8.count).littleEndian) + Array(text.utf8)
    #expect(FeatureEncoding.shape(.npz, startingWith: start) == nil)
  }

  @Test("the kind that an HTK file names is what it holds")
  func kinds() {
    func kind(_ change: (inout FeatureConfiguration) -> Void) -> HTKParameterKind {
      var configuration = FeatureConfiguration.htk(sampleRate: 16_000)
      change(&configuration)
      return HTKParameterKind(configuration)
    }
    #expect(kind { _ in }.name == "MFCC_0_D_A" && kind { _ in }.code == 0o21406)
    #expect(kind { $0.deltas.order = 0 }.code == 0o20006)
    #expect(
      kind { $0.cepstrum.energy = .raw }.name == "MFCC_E_D_A" && kind { $0.cepstrum.energy = .raw }.code == 0o1506)
    #expect(kind { $0.normalization = .utteranceMean }.name == "MFCC_0_D_A_Z")
    #expect(kind { $0.normalization = .utteranceMean }.code == 0o25406)
    #expect(kind { $0.cepstrum.zerothPosition = .first }.name == "USER_D_A")
    #expect(HTKParameterKind(.htk(sampleRate: 8000, kind: .logMel)).name == "FBANK")
    #expect(HTKParameterKind(.htk(sampleRate: 8000, kind: .logMel)).code == 7)
    #expect(HTKParameterKind(.htk(sampleRate: 8000, kind: .mel)).code == 8)
    #expect(HTKParameterKind(.htk(sampleRate: 8000, kind: .spectrogram)).code == 9)
  }
}
