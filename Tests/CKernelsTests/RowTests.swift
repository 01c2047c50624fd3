import CKernels
import Foundation
import Testing

@Suite("Rows")
struct RowTests {
  private let activations: [(auricle_activation, (Double) -> Double, (Double) -> Double)] = [
    (auricle_relu, { max(0, $0) }, { $0 > 0 ? 1 : 0 }),
    (auricle_tanh, { tanh($0) }, { 1 - tanh($0) * tanh($0) }),
    (auricle_sigmoid, { 1 / (1 + exp(-$0)) }, { 1 / (1 + exp(-$0)) / (1 + exp($0)) }),
    (auricle_silu, { $0 / (1 + exp(-$0)) }, { (1 + exp(-$0) + $0 * exp(-$0)) / ((1 + exp(-$0)) * (1 + exp(-$0))) }),
  ]

  @Test("activations and their gradients, of any count, also in place", arguments: allTables, [1, 16, 37])
  func activate(_ name: String, _ count: Int) {
    func check<R: Real>(_: R.Type) {
      let kernels = UnsafePointer.named(name).pointee
      let (x, dy) = (noise(count, seed: 1).map { R(4 * $0) }, noise(count, seed: 2).map { R($0) })
      for (f, value, slope) in activations {
        var y = x
        y.withUnsafeMutableBytes { kernels.activate(f, count, $0.baseAddress!, $0.baseAddress!) }
        #expect(disagreement(y, x.map { Sum(value(Double($0))) }) == nil)
        var dx = dy
        dx.withUnsafeMutableBytes {
          kernels.activate_backward(f, count, f == auricle_silu ? x : y, $0.baseAddress!, $0.baseAddress!)
        }
        // The 1 is that of 1 - y, which cancels.
        let wanted = zip(x, dy).map { Sum(Double($1) * slope(Double($0)), 1, -1) }
        #expect(disagreement(dx, wanted) == nil)
      }
      var sum = [R](repeating: 0, count: count)
      kernels.add(count, x, dy, &sum)
      #expect(sum == zip(x, dy).map { $0 + $1 })
    }
    if name == "double" { check(Double.self) } else { check(Float.self) }
  }

  @Test("masks repeat over segments", arguments: allTables)
  func masks(_ name: String) {
    func check<R: Real>(_: R.Type) {
      let (rows, segments, columns) = (3, 2, 32)
      let (x, masks): ([R], [R]) = (matrix(rows, segments * columns, seed: 1), matrix(rows, columns, seed: 2))
      var y = [R](repeating: 0, count: x.count)
      UnsafePointer.named(name).pointee.mask_columns(
        rows, segments, columns, x, segments * columns, masks, columns, &y, segments * columns)
      #expect(y == x.indices.map { x[$0] * masks[$0 / (segments * columns) * columns + $0 % columns] })
    }
    if name == "double" { check(Double.self) } else { check(Float.self) }
  }

  @Test("scale and shift, with and without ReLU, and moments of columns", arguments: allTables, [(1, 16), (3, 48)])
  func scaleAndMoments(_ name: String, _ size: (segments: Int, columns: Int)) {
    func check<R: Real>(_: R.Type) {
      let (kernels, rows, width) = (UnsafePointer.named(name).pointee, 5, size.segments * size.columns)
      let x: [R] = matrix(rows, width, seed: 1)
      let (scale, shift): ([R], [R]) = (matrix(1, size.columns, seed: 2), matrix(1, size.columns, seed: 3))
      for relu in [false, true] {
        var y = x
        y.withUnsafeMutableBytes {
          kernels.scale_and_shift(
            rows, size.segments, size.columns, $0.baseAddress!, width, scale, shift, relu, $0.baseAddress!, width)
        }
        let wanted = x.indices.map { index in
          var sum = Sum(
            Double(x[index]) * Double(scale[index % size.columns]), Double(shift[index % size.columns]))
          if relu { sum.value = max(0, sum.value) }
          return sum
        }
        #expect(disagreement(y, wanted) == nil)
      }
      let origin = noise(size.columns, seed: 4).map { Double($0) }
      var sums = [Double](repeating: 1, count: size.columns)
      var squares = sums
      var (wantedSums, wantedSquares) = (sums.map { Sum($0) }, sums.map { Sum($0) })
      for index in x.indices {
        let d = Double(x[index]) - origin[index % size.columns]
        wantedSums[index % size.columns] += d
        wantedSquares[index % size.columns] += d * d
      }
      kernels.column_moments(rows, size.segments, size.columns, x, width, origin, &sums, &squares)
      #expect(disagreement(sums, wantedSums) == nil)
      #expect(disagreement(squares, wantedSquares) == nil)
      let before = sums
      kernels.column_moments(0, size.segments, size.columns, x, width, origin, &sums, nil)
      #expect(sums == before)
    }
    if name == "double" { check(Double.self) } else { check(Float.self) }
  }

  @Test(
    "batch normalisation backward, with and without a ReLU after it", arguments: allTables,
    [(1, 16, false), (3, 48, true)])
  func batchNormalization(_ name: String, _ size: (segments: Int, columns: Int, relu: Bool)) {
    func check<R: Real>(_: R.Type) {
      let (kernels, rows, width) = (UnsafePointer.named(name).pointee, 5, size.segments * size.columns)
      let (x, dy): ([R], [R]) = (matrix(rows, width, seed: 1), matrix(rows, width, seed: 2))
      func row(_ seed: UInt64) -> [R] { matrix(1, size.columns, seed: seed) }
      let (mean, inverse, scale, shift) = (row(3), row(4), row(5), row(6))
      let (meanDy, meanProduct) = (row(7), row(8))
      var sums = [Double](repeating: 0, count: size.columns)
      var products = sums
      var dx = dy
      mean.withUnsafeBytes { mean in
        inverse.withUnsafeBytes { inverse in
          scale.withUnsafeBytes { scale in
            shift.withUnsafeBytes { shift in
              meanDy.withUnsafeBytes { meanDy in
                meanProduct.withUnsafeBytes { meanProduct in
                  x.withUnsafeBytes { x in
                    dx.withUnsafeMutableBytes { dx in
                      var arguments = auricle_batch_normalization(
                        rows: rows, segments: size.segments, columns: size.columns, x: x.baseAddress!, ldx: width,
                        dy: dx.baseAddress!, lddy: width, mean: mean.baseAddress!, inverse: inverse.baseAddress!,
                        scale: scale.baseAddress!, shift: size.relu ? shift.baseAddress! : nil,
                        mean_dy: meanDy.baseAddress!, mean_product: meanProduct.baseAddress!, dx: dx.baseAddress!,
                        lddx: width)
                      kernels.batch_normalization_sums(&arguments, &sums, &products)
                      kernels.batch_normalization_backward(&arguments)
                    }
                  }
                }
              }
            }
          }
        }
      }
      var (wanted, wantedSums) = ([Sum](), [Sum](repeating: Sum(), count: size.columns))
      var wantedProducts = wantedSums
      for index in x.indices {
        let c = index % size.columns
        let passes = !size.relu || Double(scale[c]) * Double(x[index]) + Double(shift[c]) > 0
        let d = passes ? Double(dy[index]) : 0
        let normalized = (Double(x[index]) - Double(mean[c])) * Double(inverse[c])
        wantedSums[c] += d
        wantedProducts[c] += d * normalized
        let factor = Double(scale[c])
        wanted.append(Sum(factor * d, -factor * Double(meanDy[c]), -factor * normalized * Double(meanProduct[c])))
      }
      #expect(disagreement(dx, wanted) == nil)
      #expect(disagreement(sums.map { R($0) }, wantedSums) == nil)
      #expect(disagreement(products.map { R($0) }, wantedProducts) == nil)
    }
    if name == "double" { check(Double.self) } else { check(Float.self) }
  }

  @Test(
    "layer normalisation and its gradients; padding does not count", arguments: allTables,
    [(1, 39), (3, 20), (2, 32), (1, 1)])
  func layerNormalization(_ name: String, _ size: (segments: Int, count: Int)) {
    func check<R: Real>(_: R.Type) {
      let (kernels, rows, columns, epsilon) = (UnsafePointer.named(name).pointee, 3, padded(size.count), 1e-3)
      let width = size.segments * columns
      // Far from zero, so that cancellation would show; padding that must not count.
      let numbers: [R] = matrix(rows, size.count, segments: size.segments, padding: 99, seed: 1)
      let x = numbers.map { $0 + 3 }
      let dy: [R] = matrix(rows, size.count, segments: size.segments, padding: 99, seed: 2)
      let gamma: [R] = matrix(1, size.count, segments: size.segments, seed: 3)
      let beta: [R] = matrix(1, size.count, segments: size.segments, seed: 4)
      var (y, dx) = ([R](repeating: .nan, count: rows * width), [R](repeating: .nan, count: rows * width))
      var (mean, inverse) = ([R](repeating: .nan, count: rows), [R](repeating: .nan, count: rows))
      var dgamma = [Double](repeating: 0, count: width)
      var dbeta = dgamma
      gamma.withUnsafeBytes { gamma in
        beta.withUnsafeBytes { beta in
          mean.withUnsafeMutableBytes { mean in
            inverse.withUnsafeMutableBytes { inverse in
              y.withUnsafeMutableBytes { y in
                dx.withUnsafeMutableBytes { dx in
                  x.withUnsafeBytes { x in
                    dy.withUnsafeBytes { dy in
                      dgamma.withUnsafeMutableBufferPointer { dgamma in
                        dbeta.withUnsafeMutableBufferPointer { dbeta in
                          var arguments = auricle_layer_normalization(
                            rows: rows, segments: size.segments, columns: columns, count: size.count,
                            x: x.baseAddress!, ldx: width, epsilon: epsilon, gamma: gamma.baseAddress!,
                            beta: beta.baseAddress!, mean: mean.baseAddress!, inverse: inverse.baseAddress!,
                            y: y.baseAddress!, ldy: width, dy: dy.baseAddress!, lddy: width, dx: dx.baseAddress!,
                            lddx: width, dgamma: dgamma.baseAddress!, dbeta: dbeta.baseAddress!)
                          kernels.layer_normalization(&arguments)
                          kernels.layer_normalization_backward(&arguments)
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
      var (wanted, wantedDx) = ([Sum](repeating: Sum(0), count: y.count), [Sum](repeating: Sum(0), count: y.count))
      var (wantedDgamma, wantedDbeta) = ([Sum](repeating: Sum(), count: width), [Sum](repeating: Sum(), count: width))
      let places = (0..<width).filter { $0 % columns < size.count }
      let number = Double(places.count)
      for row in 0..<rows {
        func value(_ x: [R], _ i: Int) -> Double { Double(x[row * width + i]) }
        let mean = places.reduce(0) { $0 + value(x, $1) } / number
        let variance = places.reduce(0) { $0 + (value(x, $1) - mean) * (value(x, $1) - mean) } / number
        let inverse = 1 / (variance + epsilon).squareRoot()
        func normalized(_ i: Int) -> Double { (value(x, i) - mean) * inverse }
        let sum = places.reduce(0) { $0 + value(dy, $1) * Double(gamma[$1]) } / number
        let product = places.reduce(0) { $0 + value(dy, $1) * Double(gamma[$1]) * normalized($1) } / number
        for i in places {
          wanted[row * width + i] = Sum(normalized(i) * Double(gamma[i]), Double(beta[i]), 1)
          wanted[row * width + i].value -= 1
          wantedDgamma[i] += value(dy, i) * normalized(i)
          wantedDbeta[i] += value(dy, i)
          let d = value(dy, i) * Double(gamma[i])
          wantedDx[row * width + i] = Sum(inverse * d, -inverse * sum, -inverse * normalized(i) * product, 1)
          wantedDx[row * width + i].value -= 1
        }
      }
      #expect(disagreement(y, wanted, factor: 10) == nil)
      #expect(disagreement(dx, wantedDx, factor: size.count == 1 ? 100 : 10) == nil)
      #expect(disagreement(dgamma.map { R($0) }, wantedDgamma, factor: 10) == nil)
      #expect(disagreement(dbeta.map { R($0) }, wantedDbeta) == nil)
    }
    if name == "double" { check(Double.self) } else { check(Float.self) }
  }

  struct Window: Sendable {
    var bins = 7, taps = 2, binTaps = 2, binStride = 2, binPadding = 0
    var outputBins: Int { (bins + 2 * binPadding - binTaps + binStride - 1) / binStride + 1 }
  }

  @Test(
    "maximum and mean pooling and their gradients leave out what is not there", arguments: allTables,
    [
      Window(), Window(bins: 1, taps: 3, binTaps: 1, binStride: 1), Window(binTaps: 3, binStride: 1, binPadding: 1),
      Window(bins: 5, taps: 1, binTaps: 300, binStride: 1, binPadding: 150),
    ])
  func pooling(_ name: String, _ window: Window) {
    func check<R: Real>(_: R.Type) {
      let (kernels, columns, inputRows) = (UnsafePointer.named(name).pointee, 32, 5)
      let (width, outputs) = (window.bins * columns, window.outputBins)
      // Rounded, so that some are equal; all negative, so that zeros would be seen.
      let x = noise(inputRows * width, seed: 1).map { R(($0 * 4).rounded() - 8) }
      let rows = 4
      let pattern: [Int?] = [0, 1, 2, 3, nil, 4, nil, nil, 1, nil, 3, 2, 0, nil]
      let taps = (0..<rows * window.taps).map { pattern[($0 * 5 + 3) % pattern.count] }
      let dy: [R] = matrix(rows, outputs * columns, seed: 2)
      var y = [R](repeating: .nan, count: rows * outputs * columns)
      var positions = [UInt16](repeating: 7, count: y.count)
      func pool(_ kernel: (UnsafePointer<auricle_pooling>) -> Void) {
        withRows(x, width, taps) { x in
          y.withUnsafeMutableBytes { y in
            positions.withUnsafeMutableBufferPointer { positions in
              var arguments = auricle_pooling(
                rows: rows, taps: window.taps, x: x, bins_in: window.bins, bins_out: outputs, columns: columns,
                bin_taps: window.binTaps, bin_stride: window.binStride, bin_padding: window.binPadding,
                y: y.baseAddress!, y_row: outputs * columns, positions: positions.baseAddress!)
              kernel(&arguments)
            }
          }
        }
      }
      func backward(_ kernel: (UnsafePointer<auricle_pooling_backward>) -> Void) -> [R] {
        var dx: [R] = matrix(inputRows, width, seed: 3)
        withMutableRows(&dx, width, taps) { dx in
          dy.withUnsafeBytes { dy in
            positions.withUnsafeBufferPointer { positions in
              var arguments = auricle_pooling_backward(
                rows: rows, taps: window.taps, dx: dx, bins_in: window.bins, bins_out: outputs, columns: columns,
                bin_taps: window.binTaps, bin_stride: window.binStride, bin_padding: window.binPadding,
                dy: dy.baseAddress!, dy_row: outputs * columns, positions: positions.baseAddress!)
              kernel(&arguments)
            }
          }
        }
        return dx
      }
      let before: [R] = matrix(inputRows, width, seed: 3)
      var (wantedMaximum, wantedMean) = ([Sum](), [Sum]())
      var (wantedFromMaximum, wantedFromMean) = (before.map { Sum(Double($0)) }, before.map { Sum(Double($0)) })
      var wantedPositions: [UInt16] = []
      for index in y.indices {
        let (row, bin, c) = (index / (outputs * columns), index / columns % outputs, index % columns)
        var present: [(position: Int, element: Int)] = []
        for tap in 0..<window.taps {
          guard let input = taps[row * window.taps + tap] else { continue }
          for k in 0..<window.binTaps {
            let seen = bin * window.binStride + k - window.binPadding
            guard (0..<window.bins).contains(seen) else { continue }
            present.append((tap * window.binTaps + k, input * width + seen * columns + c))
          }
        }
        let greatest = present.map { x[$0.element] }.max()
        let first = present.first { x[$0.element] == greatest }
        wantedMaximum.append(Sum(Double(greatest ?? 0)))
        wantedPositions.append(UInt16(first?.position ?? 65535))
        if let first { wantedFromMaximum[first.element] += Double(dy[index]) }
        var mean = Sum()
        for (_, element) in present {
          mean += Double(x[element]) / Double(present.count)
          wantedFromMean[element] += Double(dy[index]) / Double(present.count)
        }
        wantedMean.append(mean)
      }
      pool { kernels.maximum_pooling($0) }
      #expect(disagreement(y, wantedMaximum) == nil)
      #expect(positions == wantedPositions)
      #expect(disagreement(backward { kernels.maximum_pooling_backward($0) }, wantedFromMaximum) == nil)
      pool { kernels.mean_pooling($0) }
      #expect(disagreement(y, wantedMean) == nil)
      #expect(disagreement(backward { kernels.mean_pooling_backward($0) }, wantedFromMean) == nil)
    }
    if name == "double" { check(Double.self) } else { check(Float.self) }
  }
}
