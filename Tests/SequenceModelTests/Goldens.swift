import AuricleBase
import Testing

@testable import SequenceModel

/// What PyTorch computed; see `Goldens/make_goldens.py` for the names.
struct Golden {
  /// Frames of the sequences in all files but the classifier's.
  static let lengths = [4, 9, 1, 6, 9]

  let file: TensorFile
  /// What all names begin with.
  let prefix: String

  init(_ name: String, prefix: String = "") throws {
    let path = #filePath.replacing("Goldens.swift", with: "Goldens/\(name).safetensors")
    file = try TensorFile(bytes: FileAccess.read(path), path: path)
    self.prefix = prefix
  }

  func callAsFunction(_ name: String) throws -> [Double] {
    try #require(file.tensors[prefix + name], "\(prefix + name) is missing").values
  }

  /// The first `columns` of every frame of `input`, one array per sequence.
  func inputs(columns: Int, lengths: [Int] = Golden.lengths) throws -> [[Double]] {
    let tensor = try #require(file.tensors["input"])
    let width = tensor.shape[1]
    let values = tensor.values
    let frames = (0..<tensor.shape[0]).map { values[$0 * width..<$0 * width + columns] }
    return cut(frames.flatMap { $0 }, width: columns, lengths: lengths)
  }
}

/// Sequences of `lengths` that lie one after the other, `frames x width`.
func cut<Scalar>(_ values: [Scalar], width: Int, lengths: [Int]) -> [[Scalar]] {
  var start = 0
  return lengths.map { length in
    defer { start += length * width }
    return Array(values[start..<start + length * width])
  }
}

extension BatchShape {
  /// Copies sequences (each `frames x width`, row-major) into the rows of a padded matrix.
  func gather<Scalar: NetworkScalar>(sequences: [[Scalar]], _ axis: Axis, into buffer: Buffer<Scalar>) {
    buffer.reserve(rows * axis.paddedCount)
    buffer.clear(rows * axis.paddedCount)
    for step in 0..<steps {
      for place in 0..<running(step) {
        let row = buffer.base + (offsets[step] + place) * axis.paddedCount
        for i in 0..<axis.count {
          row[i / axis.size * axis.paddedSize + i % axis.size] = sequences[order[place]][step * axis.count + i]
        }
      }
    }
  }
}

/// Expects every element of `found` to be as near to `wanted` as `relative` times the largest of them; names the worst
/// one when it is not.
func expectAgreement<Scalar: BinaryFloatingPoint>(
  _ found: [Scalar], _ wanted: [Double], relative: Double, _ what: String,
  location: SourceLocation = #_sourceLocation
) {
  #expect(found.count == wanted.count, "\(what): number of elements", sourceLocation: location)
  let scale = wanted.reduce(0) { max($0, abs($1)) }
  let errors = zip(found, wanted).map { abs(Double($0) - $1) }
  guard let worst = errors.indices.max(by: { !(errors[$0] >= errors[$1]) }) else { return }
  #expect(
    errors[worst] <= relative * scale,
    "\(what): element \(worst) is \(found[worst]), wanted \(wanted[worst]); the largest is \(scale)",
    sourceLocation: location)
}
