import AuricleBase
import Testing

@testable import SequenceModel

/// What PyTorch computed; see `Goldens/make_goldens.py` for the names.
struct Golden {
  let file: TensorFile

  init(_ name: String) throws {
    let path = #filePath.replacing("Goldens.swift", with: "Goldens/\(name).safetensors")
    file = try TensorFile(bytes: FileAccess.read(path), path: path)
  }

  func callAsFunction(_ name: String) throws -> [Double] {
    try #require(file.tensors[name], "\(name) is missing").values
  }

  func sequences(_ prefix: String) throws -> [[Double]] {
    try (0..<3).map { try self("\(prefix).\($0)") }
  }
}

/// How one direction of one layer of torch's lies in ours: torch keeps gates in rows, GRU gates in the order r, z, n,
/// and two biases; Keras keeps them in columns, in the order z, r, h, and one bias but for the GRU.
struct TorchLayer {
  let cell: ModelConfiguration.Cell
  let inputs: Int
  let hidden: Int
  /// For example "rnn." and "_l0_reverse".
  let prefix: String
  let suffix: String

  private var gates: Int { cell.gateCount }
  private func torchGate(_ gate: Int) -> Int { cell == .gru ? [1, 0, 2][gate] : gate }

  /// Kernel, recurrent kernel and bias in our layout, of parameters or (with "gradient." in the prefix) gradients.
  func parameters(_ golden: Golden, areGradients: Bool = false) throws -> [Double] {
    func matrix(_ name: String, _ rows: Int) throws -> [Double] {
      let torch = try golden(prefix + name + suffix)
      return (0..<rows).flatMap { row in
        (0..<gates).flatMap { gate in
          (0..<hidden).map { unit in torch[(torchGate(gate) * hidden + unit) * rows + row] }
        }
      }
    }
    func bias(_ name: String) throws -> [Double] {
      let torch = try golden(prefix + name + suffix)
      return (0..<gates).flatMap { gate in (0..<hidden).map { torch[torchGate(gate) * hidden + $0] } }
    }
    let (input, state) = (try bias("bias_ih"), try bias("bias_hh"))
    // One bias that is the sum of two has the gradient that each of them has.
    let biases = cell.biasRows == 2 ? input + state : areGradients ? input : zip(input, state).map(+)
    return try matrix("weight_ih", inputs) + matrix("weight_hh", hidden) + biases
  }
}

/// Expects every element of `found` to agree with `wanted`; names the worst one when it does not.
func expectAgreement(
  _ found: [Double], _ wanted: [Double], relative: Double, absolute: Double, _ what: String,
  location: SourceLocation = #_sourceLocation
) {
  #expect(found.count == wanted.count, "\(what): number of elements", sourceLocation: location)
  func excess(_ i: Int) -> Double { abs(found[i] - wanted[i]) - absolute - relative * abs(wanted[i]) }
  guard let worst = zip(found, wanted).indices(worst: excess), !(excess(worst) <= 0) else { return }
  Issue.record("\(what): element \(worst) is \(found[worst]), wanted \(wanted[worst])", sourceLocation: location)
}

extension Zip2Sequence<[Double], [Double]> {
  fileprivate func indices(worst: (Int) -> Double) -> Int? {
    (0..<underestimatedCount).max { !(worst($0) >= worst($1)) }
  }
}
