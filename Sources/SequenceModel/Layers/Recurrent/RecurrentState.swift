/// What recurrent layers carry from one frame to the next, for any number of sequences: to go on where earlier frames
/// ended, pass the final state of those as the initial state of the next.
///
/// In a bidirectional network the backward layers' final state is the one after the first frame (as in PyTorch's
/// `h_n`), so a sequence cut in two does not give what the whole does.
public struct RecurrentState<Scalar: BinaryFloatingPoint & Sendable>: Hashable, Sendable {
  /// The state of one direction of one layer.
  public struct Layer: Hashable, Sendable {
    /// `sequences x hidden`, row-major, in the caller's order.
    public var hidden: [Scalar]
    /// The LSTM's cell state, `sequences x hidden`; empty for other cells.
    public var cell: [Scalar]

    public init(hidden: [Scalar], cell: [Scalar] = []) {
      self.hidden = hidden
      self.cell = cell
    }
  }

  /// By layer, then direction.
  public var layers: [Layer]

  public init(layers: [Layer]) {
    self.layers = layers
  }

  /// Zeros, which is also where a network begins when it is given no state.
  public init(_ configuration: NetworkConfiguration, sequences: Int) {
    layers = configuration.states.map { units, hasCell in
      let zeros = [Scalar](repeating: 0, count: sequences * units)
      return Layer(hidden: zeros, cell: hasCell ? zeros : [])
    }
  }

  /// Whether this is a state of such a network for so many sequences.
  func fits(_ configuration: NetworkConfiguration, sequences: Int) -> Bool {
    let states = configuration.states
    return layers.count == states.count
      && zip(layers, states).allSatisfy { layer, wanted in
        layer.hidden.count == sequences * wanted.units
          && layer.cell.count == (wanted.hasCell ? sequences * wanted.units : 0)
      }
  }
}

extension BatchShape {
  /// Copies one row per sequence (`sequences x axis`, in the caller's order; an empty array is left alone) to the padded
  /// rows in sorted order.
  func gather<Scalar: NetworkScalar>(_ values: [Scalar], _ axis: Axis, into rows: UnsafeMutablePointer<Scalar>) {
    guard values.count == sequences * axis.count else { return }
    values.withUnsafeBufferPointer { values in
      guard let values = values.baseAddress else { return }
      for (place, sequence) in order.enumerated() {
        Padding.expandRow(values + sequence * axis.count, axis, into: rows + place * axis.paddedCount)
      }
    }
  }

  /// The opposite of `gather`.
  func scatter<Scalar: NetworkScalar>(_ rows: UnsafePointer<Scalar>, _ axis: Axis) -> [Scalar] {
    var values = [Scalar](repeating: 0, count: sequences * axis.count)
    values.withUnsafeMutableBufferPointer { values in
      guard let values = values.baseAddress else { return }
      for (place, sequence) in order.enumerated() {
        Padding.addCollapsedRow(rows + place * axis.paddedCount, axis, to: values + sequence * axis.count)
      }
    }
    return values
  }

  /// The frames of each sequence (`frames x axis`, in the caller's order) out of padded rows, step after step.
  func sequences<Scalar: NetworkScalar>(_ rows: UnsafePointer<Scalar>, _ axis: Axis) -> [[Scalar]] {
    var sequences = [[Scalar]](repeating: [], count: self.sequences)
    for (place, sequence) in order.enumerated() {
      sequences[sequence] = [Scalar](repeating: 0, count: lengths[place] * axis.count)
      sequences[sequence].withUnsafeMutableBufferPointer { values in
        guard let values = values.baseAddress else { return }
        for step in 0..<lengths[place] {
          Padding.addCollapsedRow(
            rows + (offsets[step] + place) * axis.paddedCount, axis, to: values + step * axis.count)
        }
      }
    }
    return sequences
  }
}
