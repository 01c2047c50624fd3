/// Weights as whole numbers of 8 bits, -127 to 127, and a scale for each row (an output, a filter, a unit of a gate):
/// weight = scale * whole number, the scale being the row's greatest weight / 127.
package struct QuantizedRows: Sendable {
  package let values: [Int8]
  package let scales: [Float]

  /// `weights` is `blocks x rows x columns`; a row has one scale over all blocks.
  package init(_ weights: [Float], rows: Int, columns: Int, blocks: Int = 1) {
    var greatest = [Float](repeating: 0, count: rows)
    let size = rows * columns
    for block in 0..<blocks {
      for row in 0..<rows {
        let start = block * size + row * columns
        for place in start..<start + columns { greatest[row] = max(greatest[row], abs(weights[place])) }
      }
    }
    scales = greatest.map { $0 / 127 }
    var values = [Int8](repeating: 0, count: weights.count)
    for place in values.indices {
      let scale = scales[place / columns % rows]
      if scale > 0 { values[place] = Int8(max(-127, min(127, (weights[place] / scale).rounded()))) }
    }
    self.values = values
  }

  /// Weights whose last axis has `count` outputs, each with a scale.
  init(lastAxisOf weights: [Float], count: Int) {
    self.init(weights, rows: count, columns: 1, blocks: weights.count / max(1, count))
  }
}
