@testable import SequenceModel

extension BatchShape {
  /// Copies sequences (each `frames x width`, row-major) into the rows of a padded matrix.
  func gather<Scalar: NetworkScalar>(_ sequences: [[Scalar]], _ axis: Axis, into buffer: Buffer<Scalar>) {
    buffer.reserve(rows * axis.paddedCount)
    buffer.clear(rows * axis.paddedCount)
    forEachFrame { sequence, frame, row in
      for i in 0..<axis.count {
        buffer.base[row * axis.paddedCount + axis.padded(i)] = sequences[sequence][frame * axis.count + i]
      }
    }
  }

  /// The opposite of `gather`.
  func scatter<Scalar: NetworkScalar>(_ buffer: Buffer<Scalar>, _ axis: Axis) -> [[Scalar]] {
    var sequences = [[Scalar]](repeating: [], count: self.sequences)
    for (place, sequence) in order.enumerated() {
      sequences[sequence] = [Scalar](repeating: 0, count: lengths[place] * axis.count)
    }
    forEachFrame { sequence, frame, row in
      for i in 0..<axis.count {
        sequences[sequence][frame * axis.count + i] = buffer.base[row * axis.paddedCount + axis.padded(i)]
      }
    }
    return sequences
  }

  private func forEachFrame(_ body: (_ sequence: Int, _ frame: Int, _ row: Int) -> Void) {
    for step in 0..<steps {
      for place in 0..<running(step) { body(order[place], step, offsets[step] + place) }
    }
  }
}

extension Axis {
  /// Where element `i` stands in the padded axis.
  func padded(_ i: Int) -> Int { i / size * paddedSize + i % size }
}
