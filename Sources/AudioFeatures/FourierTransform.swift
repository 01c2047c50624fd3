import AuricleBase
import CFFTW
import Synchronization

/// A real-to-complex Fourier transform of one length, in single precision, by FFTW.
///
/// A plan is made once under a lock, since FFTW's planner is not thread-safe, and never destroyed; executing it is
/// thread-safe on buffers of the same alignment (FFTW manual, "Thread safety"). Plans are made with `FFTW_ESTIMATE`: a
/// measured plan is a tenth faster but may differ, and round differently, from run to run.
struct FourierTransform: Sendable {
  let length: Int
  private let plan: Plan

  /// `@unchecked Sendable`: FFTW allows `fftwf_execute_dft_r2c` on one plan from any number of threads.
  private struct Plan: @unchecked Sendable {
    let pointer: fftwf_plan
  }

  private static let plans = Mutex<[Int: Plan]>([:])

  init(length: Int) throws(FeatureError) {
    let plan = FourierTransform.plans.withLock { plans -> Plan? in
      if let plan = plans[length] { return plan }
      let input = fftwf_alloc_real(length)
      let output = fftwf_alloc_complex(length / 2 + 1)
      defer {
        fftwf_free(input)
        fftwf_free(output)
      }
      guard let input, let output,
        let pointer = fftwf_plan_dft_r2c_1d(Int32(length), input, output, UInt32(FFTW_ESTIMATE))
      else { return nil }
      plans[length] = Plan(pointer: pointer)
      return plans[length]
    }
    guard let plan else { throw .transform(length: length) }
    self.length = length
    self.plan = plan
  }

  /// Transforms `length` reals into `length / 2 + 1` complex numbers (re, im, re, ...). Both pointers must be aligned to
  /// 64 bytes; the input may be overwritten.
  func execute(_ input: UnsafeMutablePointer<Float>, _ output: UnsafeMutablePointer<Float>) {
    output.withMemoryRebound(to: fftwf_complex.self, capacity: length / 2 + 1) {
      fftwf_execute_dft_r2c(plan.pointer, input, $0)
    }
  }
}
