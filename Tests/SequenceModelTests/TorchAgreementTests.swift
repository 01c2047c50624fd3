import AuricleBase
import TestSupport
import Testing

@testable import SequenceModel

/// The same weights and sequences in PyTorch and here: outputs, states and gradients of recurrent layers.
@Suite("Recurrent layers agree with PyTorch")
struct TorchAgreementTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var cell: Recurrent.Cell
    var layers = 1
    var directions = 1
    var units = 5

    var testDescription: String { "\(cell.rawValue).\(layers).\(directions).\(units)" }

    var configuration: NetworkConfiguration {
      get throws {
        try classicNetwork(
          inputSize: units == 5 ? 3 : 4, cell: cell, hiddenSize: units, layers: layers, bidirectional: directions == 2,
          pooling: .mean, dropout: 0, classCount: 2)
      }
    }
  }

  static let cases = Recurrent.Cell.allCases.flatMap { cell in
    [1, 2, 3].flatMap { layers in [1, 2].map { Case(cell: cell, layers: layers, directions: $0) } }
      + [Case(cell: cell, units: 17)]
  }

  @Test("in double precision, to 1e-12", arguments: cases)
  func double(_ test: Case) throws {
    try check(test, Double.self, relative: 1e-12, golden: "recurrent")
  }

  @Test("in single precision, to 1e-6", arguments: cases)
  func single(_ test: Case) throws {
    try check(test, Float.self, relative: 1e-6, golden: "recurrent")
  }

  static let dropoutCases = Recurrent.Cell.allCases.flatMap {
    [Case(cell: $0), Case(cell: $0, layers: 2, directions: 2)]
  }

  @Test("with recurrent dropout, given the masks, in double precision", arguments: dropoutCases)
  func dropout(_ test: Case) throws {
    try check(test, Double.self, relative: 1e-12, golden: "dropout")
  }

  @Test("with recurrent dropout, given the masks, in single precision", arguments: dropoutCases)
  func singleDropout(_ test: Case) throws {
    try check(test, Float.self, relative: 1e-6, golden: "dropout")
  }

  private func check<Scalar: NetworkScalar>(
    _ test: Case, _ type: Scalar.Type, relative: Double, golden file: String
  ) throws {
    let golden = try Golden(file, prefix: "\(test.testDescription).")
    let configuration = try test.configuration
    let layout = ParameterLayout(configuration)
    let recurrent = try golden("parameters").map { Scalar($0) }
    let parameters = recurrent + [Scalar](repeating: 0, count: layout.count - recurrent.count)
    let body = NetworkWeights(configuration, layout: layout, parameters: parameters, forTraining: true).body
    let shape = BatchShape(lengths: Golden.lengths)
    let (inputs, hidden) = (Axis(configuration.input), Axis(test.units))
    let outputs = Axis(test.units, segments: test.directions)

    func state(_ kind: String) throws -> RecurrentState<Scalar> {
      let layers = test.layers * test.directions
      func parts(_ suffix: String) throws -> [[Scalar]] {
        let values = try golden("\(kind).\(suffix)").map { Scalar($0) }
        let count = values.count / layers
        return (0..<layers).map { Array(values[$0 * count..<($0 + 1) * count]) }
      }
      let cells = test.cell == .lstm ? try parts("c") : [[Scalar]](repeating: [], count: layers)
      return RecurrentState(layers: zip(try parts("h"), cells).map { .init(hidden: $0, cell: $1) })
    }
    func expectState(_ found: RecurrentState<Scalar>, _ kind: String) throws {
      expectAgreement(found.layers.flatMap(\.hidden), try golden("\(kind).h"), relative: relative, "\(kind) h")
      let cells = test.cell == .lstm ? try golden("\(kind).c") : []
      expectAgreement(found.layers.flatMap(\.cell), cells, relative: relative, "\(kind) c")
    }
    let tape = body.makeTape()
    // Masks are given in the caller's order and used in the sorted one.
    if let mask = golden.file.tensors["\(test.testDescription).mask"] {
      let count = Golden.lengths.count * test.units
      let masks = (0..<mask.values.count / count).map { place in
        let buffer = Buffer<Scalar>(shape.sequences * hidden.paddedCount)
        shape.gather(mask.values[place * count..<(place + 1) * count].map { Scalar($0) }, hidden, into: buffer.base)
        return buffer
      }
      for (layer, tape) in tape.layers.enumerated() {
        let tape = try #require(tape as? RecurrentPass<Scalar>.Tape)
        tape.masks = Array(masks[layer * test.directions..<(layer + 1) * test.directions])
      }
    }

    let x = Buffer<Scalar>()
    shape.gather(
      sequences: try golden.inputs(columns: inputs.count).map { $0.map { Scalar($0) } }, inputs, into: x)
    let final = PassOptions.FinalState(RecurrentState<Scalar>(configuration, sequences: Golden.lengths.count))
    var options = PassOptions<Scalar>(training: true, initialState: try state("initial"), finalState: final)
    let y = body.forward(Frames(shape, inputs, x), tape, options)
    expectAgreement(
      shape.sequences(y.base, outputs).flatMap { $0 }, try golden("output"), relative: relative, "output")
    try expectState(final.state, "final")

    let upstream = try golden("upstream").map { Scalar($0) }
    let dy = Buffer<Scalar>()
    shape.gather(sequences: cut(upstream, width: outputs.count, lengths: Golden.lengths), outputs, into: dy)
    var gradient = [Scalar](repeating: 0, count: layout.count)
    options.stateGradient = try state("upstream")
    let dx = try gradient.withUnsafeMutableBufferPointer {
      body.backward(
        Frames(shape, outputs, dy), tape, options, wanted: true, gradient: try #require($0.baseAddress))
    }
    expectAgreement(
      Array(gradient.prefix(recurrent.count)), try golden("gradient"), relative: relative, "gradient of parameters")
    try expectState(final.state, "gradient")
    expectAgreement(
      shape.sequences(try #require(dx).base, inputs).flatMap { $0 }, try golden("gradient.input"), relative: relative,
      "gradient of the input")
  }
}
