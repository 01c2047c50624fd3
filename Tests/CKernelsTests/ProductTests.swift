import CKernels
import Testing

@Suite("Matrix products")
struct ProductTests {
  /// C (m x n) = bias + A (m x k) B (k x n), by the kernel.
  private func gemm(_ name: String, _ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float], _ bias: [Float])
    -> [Float]
  {
    var packed = [Float](repeating: 0, count: k * n)
    auricle_pack_f32(k, n, b, n, 1, &packed)
    var c = [Float](repeating: .nan, count: m * n)
    UnsafePointer.named(name).pointee.gemm(m, n, k, a, k, packed, bias, false, &c, n)
    return c
  }

  @Test("every number of rows agrees with a sum in double precision", arguments: tables, [16, 48, 80])
  func everyShape(_ name: String, _ n: Int) {
    let k = 37
    let (b, bias) = (noise(k * n, seed: 2), noise(n, seed: 3))
    for m in 1...29 {
      let a = noise(m * k, seed: UInt64(m))
      let c = gemm(name, m, n, k, a, b, bias)
      for (index, value) in c.enumerated() {
        let (i, j) = (index / n, index % n)
        let wanted = (0..<k).reduce(Double(bias[j])) { $0 + Double(a[i * k + $1]) * Double(b[$1 * n + j]) }
        #expect(abs(Double(value) - wanted) < 1e-5, "row \(i), column \(j) of \(m) x \(n)")
      }
    }
  }

  @Test("a row alone has the same bits as in any batch", arguments: tables)
  func sameBits(_ name: String) {
    let (k, n, m) = (40, 48, 29)
    let (a, b, bias) = (noise(m * k, seed: 4), noise(k * n, seed: 5), noise(n, seed: 6))
    let alone = (0..<m).flatMap { gemm(name, 1, n, k, Array(a[$0 * k..<($0 + 1) * k]), b, bias) }
    for rows in 1...m {
      #expect(gemm(name, rows, n, k, a, b, bias) == Array(alone.prefix(rows * n)), "\(rows) rows")
    }
  }

  @Test("the gradient of weights agrees with a sum in double precision", arguments: tables)
  func transposed(_ name: String) {
    // More rows and columns than one block holds.
    for (m, n, k) in [(1, 16, 1), (40, 32, 300), (150, 16, 130)] {
      let (a, b) = (noise(k * m, seed: 7), noise(k * n, seed: 8))
      var c = noise(m * n, seed: 9)
      let before = c
      UnsafePointer.named(name).pointee.gemm_transposed(m, n, k, a, m, b, n, &c, n)
      for index in c.indices {
        let (i, j) = (index / n, index % n)
        let wanted = (0..<k).reduce(Double(before[index])) { $0 + Double(a[$1 * m + i]) * Double(b[$1 * n + j]) }
        #expect(abs(Double(c[index]) - wanted) < 1e-4, "row \(i), column \(j) of \(m) x \(n)")
      }
    }
  }
}
