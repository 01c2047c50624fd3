import AuricleBase
import CFFTW
import RealModule

/// Whoever makes a plan of FFTW's holds this, since its planner is not thread-safe (FFTW manual, "Thread safety").
package let fourierPlanner = Locked(())

/// The Fourier transform of real frames of one length, in single precision, by FFTW.
///
/// A frame of even length is transformed as half as many complex numbers, even samples plus i times odd ones, in half the
/// time that FFTW's own transform of reals takes; the kernel `power_spectra` draws the spectrum from it by `twiddles`.
///
/// A plan is made once and never destroyed; executing it is thread-safe on buffers of the same alignment. Plans are made
/// with `FFTW_ESTIMATE`: a measured plan may differ, and round differently, from run to run.
struct FourierTransform: Sendable {
  let length: Int
  /// e^(2 pi i k / length) for k up to a quarter of the length; empty where the length is odd.
  let twiddles: [Float]
  private let plan: Plan

  /// `@unchecked Sendable`: FFTW allows `fftwf_execute_dft` on one plan from any number of threads.
  private struct Plan: @unchecked Sendable {
    let pointer: fftwf_plan
  }

  private static let plans = Locked<[Int: Plan]>([:])

  init(length: Int) throws(FeatureError) {
    let plan = FourierTransform.plans.withLock { plans -> Plan? in
      if let plan = plans[length] { return plan }
      let input = fftwf_alloc_real(length)
      let output = fftwf_alloc_complex(length / 2 + 1)
      defer {
        fftwf_free(input)
        fftwf_free(output)
      }
      guard let input, let output else { return nil }
      plans[length] = fourierPlanner.withLock { _ in
        let pointer =
          length.isMultiple(of: 2)
          ? input.withMemoryRebound(to: fftwf_complex.self, capacity: length / 2) {
            fftwf_plan_dft_1d(Int32(length / 2), $0, output, FFTW_FORWARD, UInt32(FFTW_ESTIMATE))
          } : fftwf_plan_dft_r2c_1d(Int32(length), input, output, UInt32(FFTW_ESTIMATE))
        return pointer.map { Plan(pointer: $0) }
      }
      return plans[length]
    }
    guard let plan else { throw .transform(length: length) }
    self.length = length
    self.plan = plan
    twiddles =
      length.isMultiple(of: 2)
      ? (0...length / 4).flatMap { k in
        let angle = 2 * Double.pi * Double(k) / Double(length)
        return [Float(Double.cos(angle)), Float(Double.sin(angle))]
      } : []
  }

  /// Transforms `length` reals; the complex numbers at `output` are re, im, re, ... Both pointers must be aligned to 64
  /// bytes; the input may be overwritten.
  func execute(_ input: UnsafeMutablePointer<Float>, _ output: UnsafeMutablePointer<Float>) {
    output.withMemoryRebound(to: fftwf_complex.self, capacity: length / 2 + 1) { output in
      if twiddles.isEmpty {
        fftwf_execute_dft_r2c(plan.pointer, input, output)
      } else {
        input.withMemoryRebound(to: fftwf_complex.self, capacity: length / 2) {
          fftwf_execute_dft(plan.pointer, $0, output)
        }
      }
    }
  }
}
