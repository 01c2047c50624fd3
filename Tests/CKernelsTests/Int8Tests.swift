import CKernels
import Testing

@Suite("Products of 8 bits")
struct Int8Tests {
  static let names = ["baseline", "avx2", "vnni"]

  private func numbers(_ count: Int, seed: UInt64) -> [UInt64] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
  }

  @Test("a row becomes whole numbers and a scale that give it back", arguments: names)
  func quantization(_ name: String) throws {
    guard let kernels = auricle_int8_named(name) else { return }
    for count in [1, 3, 8, 15, 16, 17, 40, 128] {
      let columns = (count + 3) / 4 * 4
      let x = numbers(count, seed: 1).map { Float($0 % 2001) / 500 - 2 }
      var q = [UInt8](repeating: 0, count: columns)
      let scale = kernels.pointee.quantize(count, columns, x, &q)
      for i in 0..<count { #expect(abs(scale * (Float(q[i]) - 128) - x[i]) <= scale * 0.501) }
      #expect(q[count...].allSatisfy { $0 == 128 })
    }
    var q = [UInt8](repeating: 0, count: 20)
    #expect(kernels.pointee.quantize(20, 20, [Float](repeating: 0, count: 20), &q) == 0)
    #expect(q.allSatisfy { $0 == 128 })
    for odd in [Float.nan, .infinity, -.infinity] {
      for place in [0, 7, 19] {
        var x = [Float](repeating: 1, count: 20)
        x[place] = odd
        #expect(!(kernels.pointee.quantize(20, 20, x, &q).isFinite))
      }
    }
  }

  @Test("sums are exact, with the greatest weights too, whatever the number of rows", arguments: names)
  func products(_ name: String) throws {
    guard let kernels = auricle_int8_named(name) else { return }
    for (rows, outputs, columns) in [(1, 5, 4), (1, 80, 16), (3, 16, 36), (4, 40, 128), (9, 96, 20)] {
      let padded = (outputs + 15) / 16 * 16
      let weights = numbers(outputs * columns, seed: 2).map { Int8(truncatingIfNeeded: Int($0 % 255) - 127) }
      let x = numbers(rows * columns, seed: 3).map { $0 % 3 == 0 ? UInt8(255) : UInt8($0 % 256) }
      let scales = (0..<rows).map { Float(1 << ($0 % 4)) }
      let scale = (0..<padded).map { $0 < outputs ? Float(1 << ($0 % 3)) : 0 }
      let initial = (0..<padded).map { $0 < outputs ? Float($0) : 0 }
      var packed = [Int8](repeating: 0, count: padded * columns)
      var sums = [Int32](repeating: 0, count: padded)
      auricle_int8_pack(outputs, columns, weights, &packed, &sums)
      var y = [Float](repeating: .nan, count: rows * padded)
      x.withUnsafeBufferPointer { x in
        scales.withUnsafeBufferPointer { scales in
          packed.withUnsafeBufferPointer { packed in
            sums.withUnsafeBufferPointer { sums in
              scale.withUnsafeBufferPointer { scale in
                initial.withUnsafeBufferPointer { initial in
                  y.withUnsafeMutableBufferPointer { y in
                    guard let x = x.baseAddress, let scales = scales.baseAddress, let packed = packed.baseAddress,
                      let sums = sums.baseAddress, let scale = scale.baseAddress, let initial = initial.baseAddress,
                      let y = y.baseAddress
                    else { return }
                    var product = auricle_int8_product(
                      count: rows, outputs: padded, columns: columns, x: x, x_scale: scales, weights: packed,
                      sums: sums, scale: scale, initial: initial, y: y)
                    kernels.pointee.product(&product)
                  }
                }
              }
            }
          }
        }
      }
      for row in 0..<rows {
        for output in 0..<outputs {
          let dot = (0..<columns).reduce(0) {
            $0 + Int(weights[output * columns + $1]) * (Int(x[row * columns + $1]) - 128)
          }
          #expect(y[row * padded + output] == initial[output] + scale[output] * scales[row] * Float(dot))
        }
      }
    }
  }
}
