import AuricleBase
import SequenceModel
import Testing

@Suite("Model files that nobody should trust")
struct HostileFileTests {
  /// A file with `header` and so many bytes after it.
  private func file(_ header: String, bytes: Int = 0) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + header.utf8
      + [UInt8](repeating: 0, count: bytes)
  }

  private func complaint(_ bytes: [UInt8]) -> String? {
    do throws(TensorFileError) {
      _ = try TensorFile(bytes: bytes, path: "m")
      return nil
    } catch {
      return error.description
    }
  }

  private func tensor(_ name: String, _ shape: String, _ offsets: String, _ kind: String = "F32") -> String {
    #""\#(name)":{"dtype":"\#(kind)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test("a header that says what the format says is read")
  func plain() throws {
    let header = "{\(tensor("a", "[2]", "[0,8]")),\(tensor("b", "[]", "[8,12]")),\(tensor("c", "[0, 5]", "[12,12]"))}"
    let found = try TensorFile(bytes: file(header, bytes: 12), path: "m")
    #expect(found.tensors.mapValues(\.shape) == ["a": [2], "b": [], "c": [0, 5]])
  }

  @Test("lengths, offsets, shapes and types that cannot be are refused")
  func impossible() {
    let huge = Array(repeating: UInt8(0xFF), count: 8) + [UInt8(ascii: "{")]
    #expect(complaint(huge)?.hasSuffix("it is not a safetensors file") == true)
    for (header, bytes) in [
      ("{\(tensor("a", "[2]", "[0,8]"))", 8),  // not closed
      ("{\(tensor("a", "[2]", "[0,8]"))}", 7),  // cut short
      ("{\(tensor("a", "[2]", "[0,8]"))}", 9),  // more than it says
      ("{\(tensor("a", "[2]", "[4,12]"))}", 12),  // a gap
      ("{\(tensor("a", "[2]", "[0,8]")),\(tensor("b", "[2]", "[4,12]"))}", 12),  // an overlap
      ("{\(tensor("a", "[2]", "[0,8]")),\(tensor("b", "[2]", "[0,8]"))}", 8),  // the same bytes twice
      ("{\(tensor("a", "[2]", "[8,0]"))}", 8), ("{\(tensor("a", "[2]", "[-8,0]"))}", 8),
      ("{\(tensor("a", "[-2]", "[0,8]"))}", 8), ("{\(tensor("a", "[3]", "[0,8]"))}", 8),
      ("{\(tensor("a", "[2]", "[0]"))}", 8), ("{\(tensor("a", "[2]", "[0,8,8]"))}", 8),
      ("{\(tensor("a", "[2]", "[0,9223372036854775807]"))}", 8), ("{\(tensor("a", "[2]", "[0,1e3]"))}", 8),
      ("{\(tensor("a", "[4294967296,4294967296]", "[0,0]"))}", 0),  // 2^64 elements
      ("{\(tensor("a", "[2,null]", "[0,8]"))}", 8), ("{\(tensor("a", "2", "[0,8]"))}", 8),
      ("{\(tensor("a", "[4]", "[0,8]", "F16"))}", 8), ("{\"a\":null}", 0), ("{\"a\":{}}", 0),
      ("{\"__metadata__\":{\"a\":[]}}", 0), ("{\"a\":{\"dtype\":\"F32\",\"extra\":1}}", 0),
    ] {
      #expect(complaint(file(header, bytes: bytes))?.hasPrefix("m: ") == true, "\(header)")
    }
  }

  @Test("a name that stands in the header twice is refused, for tensors, metadata and members")
  func duplicates() {
    let a = tensor("a", "[2]", "[0,8]")
    for (header, name) in [
      ("{\(a),\(a)}", "'a'"), (#"{"__metadata__":{},"__metadata__":{}}"#, "'__metadata__'"),
      (#"{"__metadata__":{"k":"1","k":"2"}}"#, "'k' of '__metadata__'"),
      (#"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "'dtype' of 'a'"),
    ] {
      #expect(
        complaint(file(header, bytes: 8))?.contains("cannot be read: \(name) is in it twice") == true, "\(header)")
    }
  }

  @Test("a header is read up to 16 MiB and to any depth, in no more memory than it is long")
  func large() {
    let long = "{\"__metadata__\":{\"k\":\"" + String(repeating: "x", count: 1 << 24) + "\"}}"
    #expect(complaint(file(long))?.contains("at most 16777216 are read") == true)
    for open in ["[", "{\"a\":"] {
      #expect(complaint(file("{\"a\":" + String(repeating: open, count: 1 << 20)))?.hasPrefix("m: ") == true)
    }
  }

  @Test("a model cut anywhere or with bytes changed at random is an error, or answers with probabilities")
  func mutants() throws {
    let configuration = try Front.none.configuration()
    let one = try configuration.classifier()
    let other = try Front.oneDimensional.configuration(cell: .lstm).classifier(seed: 2)
    let input = configuration.features(5, seed: 1)
    func check(_ bytes: [UInt8], _ what: String) {
      do throws(ModelError) {
        let model = try ClassifierEnsemble(bytes: bytes, path: "m")
        guard model.input.width == configuration.input else { return }
        let probabilities = try model.probabilities(of: [input])[0]
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-4, "\(what)")
      } catch {
        #expect(error == .overflow || error.description.hasPrefix("m: "), "\(what): \(error)")
      }
    }
    for members in [[one], [one, other]] {
      let whole = try ClassifierEnsemble(members: members).fileBytes()
      for part in 0..<100 { check(Array(whole.prefix(whole.count * part / 100)), "cut at \(part) of 100") }
      for seed in 0..<300 {
        var generator = SeededGenerator(seed: UInt64(seed))
        var bytes = whole
        for _ in 0...seed % 4 {
          let end = seed % 3 == 0 ? bytes.count : 2000
          bytes[Int.random(in: 0..<end, using: &generator)] = .random(in: 0...255, using: &generator)
        }
        check(bytes, "seed \(seed)")
      }
    }
  }
}
