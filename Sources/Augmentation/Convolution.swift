import AudioFeatures
import AuricleBase
import CFFTW

/// The convolution of long signals with one response, by FFTW in blocks (overlap-add): n log n steps, where the sum as it
/// stands takes n times the response's length.
///
///     let room = Convolution(response)
///     let heard = room?.applied(to: samples)      // as many samples as came: the tail beyond them is cut
///
/// A value that any number of threads share; the same signals give the same samples.
struct Convolution: Sendable {
  private let responseCount: Int
  private let plan: Plan
  /// Of the response, over the length of a transform and divided by it.
  private let spectrum: [Complex]

  /// Real and imaginary part, as in `fftwf_complex`.
  private typealias Complex = (Float, Float)

  /// Quickest for signals of `count` samples, or for long ones. Nil for an empty response, or where there is no memory
  /// for a transform so long.
  init?(_ response: [Float], count: Int = .max) {
    let most = response.count + min(count, 3 * response.count)
    guard !response.isEmpty, let plan = Plan.lasting(most), let buffers = Buffers(plan.length) else { return nil }
    (responseCount, self.plan) = (response.count, plan)
    let scale = 1 / Float(plan.length)
    buffers.transform(response.lazy.map { scale * $0 }, plan)
    spectrum = Array(UnsafeBufferPointer(start: buffers.spectrum, count: plan.length / 2 + 1))
  }

  /// Nil where there is no memory for the transform.
  func applied(to samples: [Float]) -> [Float]? {
    guard let buffers = Buffers(plan.length) else { return nil }
    var result = [Float](repeating: 0, count: samples.count)
    let block = plan.length - responseCount + 1
    for start in stride(from: 0, to: samples.count, by: block) {
      buffers.transform(samples[start..<min(start + block, samples.count)], plan)
      for (i, h) in spectrum.enumerated() {
        let x = buffers.spectrum[i]
        buffers.spectrum[i] = (x.0 * h.0 - x.1 * h.1, x.0 * h.1 + x.1 * h.0)
      }
      fftwf_execute_dft_c2r(plan.backward, buffers.spectrum, buffers.samples)
      for i in 0..<min(plan.length, samples.count - start) { result[start + i] += buffers.samples[i] }
    }
    return result
  }

  /// FFTW's plans of one length, made once and never destroyed.
  ///
  /// `@unchecked Sendable`: FFTW allows new arrays in one plan from any number of threads (manual, "Thread safety").
  private struct Plan: @unchecked Sendable {
    let length: Int
    let forward, backward: fftwf_plan

    private static let made = Locked<[Int: Plan]>([:])

    /// Of the next power of two from `count` on.
    static func lasting(_ count: Int) -> Plan? {
      var length = 64
      while length < count { length *= 2 }
      return made.withLock { plans in
        if plans[length] == nil { plans[length] = make(length) }
        return plans[length]
      }
    }

    private static func make(_ length: Int) -> Plan? {
      guard let size = Int32(exactly: length), let buffers = Buffers(length) else { return nil }
      let flags = UInt32(FFTW_ESTIMATE)
      return fourierPlanner.withLock { _ in
        guard let forward = fftwf_plan_dft_r2c_1d(size, buffers.samples, buffers.spectrum, flags),
          let backward = fftwf_plan_dft_c2r_1d(size, buffers.spectrum, buffers.samples, flags)
        else { return nil }
        return Plan(length: length, forward: forward, backward: backward)
      }
    }
  }

  /// Where one transform happens, aligned as FFTW likes it.
  private final class Buffers {
    let samples: UnsafeMutablePointer<Float>
    let spectrum: UnsafeMutablePointer<fftwf_complex>
    private let length: Int

    init?(_ length: Int) {
      guard let samples = fftwf_alloc_real(length) else { return nil }
      guard let spectrum = fftwf_alloc_complex(length / 2 + 1) else {
        fftwf_free(samples)
        return nil
      }
      (self.samples, self.spectrum, self.length) = (samples, spectrum, length)
    }

    deinit {
      fftwf_free(samples)
      fftwf_free(spectrum)
    }

    /// The spectrum of `signal`, at most `length` samples, and zeros after.
    func transform(_ signal: some Collection<Float>, _ plan: Plan) {
      samples.update(repeating: 0, count: length)
      for (i, sample) in signal.enumerated() { samples[i] = sample }
      fftwf_execute_dft_r2c(plan.forward, samples, spectrum)
    }
  }
}
