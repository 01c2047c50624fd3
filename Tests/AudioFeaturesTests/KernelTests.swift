import CKernels
import Foundation
import Testing

@Suite("Feature kernels")
struct KernelTests {
  static let sets: [String] = ["baseline", "neon", "avx2", "avx512"].filter { (isa: String) in
    auricle_kernels_named(isa) != nil
  }

  @Test("the logarithm is within 2 ulp of the exact one over all normal numbers", arguments: sets)
  func logarithm(_ isa: String) throws {
    let kernels = try #require(auricle_kernels_named(isa)).pointee
    let x = stride(from: Float.leastNormalMagnitude.bitPattern, to: Float.greatestFiniteMagnitude.bitPattern, by: 9973)
      .map { Float(bitPattern: $0) }
    var y = [Float](repeating: 0, count: x.count)
    kernels.logarithm(x.count, 0, Double(Float.leastNormalMagnitude), 1, x, &y)
    var worst = 0.0
    for (x, y) in zip(x, y) {
      let exact = log(Double(x))
      worst = max(worst, abs(Double(y) - exact) / Double(max(Float(exact).ulp, Float(0x1p-24).ulp)))
    }
    #expect(worst < 2)
  }

  @Test("each band is the weighted sum of its rows, and an empty band is zero", arguments: sets)
  func banded(_ isa: String) throws {
    let kernels = try #require(auricle_kernels_named(isa)).pointee
    let group = Int(AURICLE_COLUMN_UNIT)
    let x = (0..<40 * group).map { Float(($0 * 7919) % 1000) / 1000 }
    let bands = [
      auricle_band(first: 3, count: 5, offset: 0), auricle_band(first: 8, count: 0, offset: 5),
      auricle_band(first: 30, count: 10, offset: 5),
    ]
    let weights = (0..<15).map { Float($0) / 7 }
    var out = [Float](repeating: -1, count: 3 * group)
    kernels.banded_product(bands.count, bands, weights, x, &out)
    for (k, band) in bands.enumerated() {
      for lane in 0..<group {
        var sum = 0.0
        for i in 0..<Int(band.count) {
          sum += Double(weights[Int(band.offset) + i]) * Double(x[(Int(band.first) + i) * group + lane])
        }
        #expect(abs(Double(out[k * group + lane]) - sum) < 1e-5)
      }
    }
  }

  @Test("a transposition moves every element, whatever the counts", arguments: sets)
  func transpose(_ isa: String) throws {
    let kernels = try #require(auricle_kernels_named(isa)).pointee
    for (rows, columns) in [(1, 1), (4, 4), (5, 9), (16, 13), (3, 2)] {
      let x = (0..<rows * columns).map(Float.init)
      var y = [Float](repeating: -1, count: rows * columns)
      kernels.transpose(rows, columns, x, columns, &y, rows)
      for r in 0..<rows { for c in 0..<columns { #expect(y[c * rows + r] == x[r * columns + c]) } }
    }
  }
}
