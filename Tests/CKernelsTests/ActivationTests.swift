import CKernels
import Foundation
import Testing

@Suite("Activation functions")
struct ActivationTests {
  typealias Function = (UnsafePointer<auricle_kernels>) -> (Int, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void

  private func apply(_ x: [Float], _ function: (Int, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void) -> [Float] {
    var y = [Float](repeating: 0, count: x.count)
    function(x.count, x, &y)
    return y
  }

  /// The largest error in units in the last place of the exact value, over every 499th float of either sign from 2^-40 up
  /// to `limit`, and where it is.
  private func worst(
    _ limit: Float, _ function: (Int, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void, exact: (Double) -> Double
  ) -> (ulp: Double, x: Float) {
    let bits = stride(from: Float(0x1p-40).bitPattern, through: limit.bitPattern, by: 499)
    let positive = bits.map { Float(bitPattern: $0) }
    var worst = (ulp: 0.0, x: Float(0))
    for x in [positive, positive.map { -$0 }] {
      for (x, y) in zip(x, apply(x, function)) {
        let wanted = exact(Double(x))
        let ulp = max(Double(Float(wanted).ulp), Double(Float.leastNormalMagnitude.ulp))
        let error = abs(Double(y) - wanted) / ulp
        if !(error <= worst.ulp) { worst = (error, x) }
      }
    }
    return worst
  }

  @Test("sigmoid is within 4 ulp of double precision wherever it is a normal number", arguments: tables)
  func sigmoid(_ name: String) {
    let error = worst(87, UnsafePointer.named(name).pointee.sigmoid) { 1 / (1 + exp(-$0)) }
    #expect(error.ulp <= 4, "\(error.ulp) ulp at \(error.x)")
  }

  @Test("tanh is within 7 ulp, which is less than 5e-7, of double precision", arguments: tables)
  func tanh(_ name: String) {
    let error = worst(100, UnsafePointer.named(name).pointee.tanh) { Foundation.tanh($0) }
    #expect(error.ulp <= 7, "\(error.ulp) ulp at \(error.x)")
  }

  @Test("both are right at zero and infinity, and NaN passes through", arguments: tables)
  func limits(_ name: String) {
    let kernels = UnsafePointer.named(name).pointee
    let x: [Float] = [0, -0.0, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
    let (sigmoid, tanh) = (apply(x, kernels.sigmoid), apply(x, kernels.tanh))
    #expect(sigmoid[0...3] == [0.5, 0.5, 1, 0] && sigmoid[4].isNaN && sigmoid[5...] == [1, 0])
    #expect(tanh[0...3] == [0, 0, 1, -1] && tanh[4].isNaN && tanh[5...] == [1, -1])
  }
}
