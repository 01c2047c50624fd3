/// Changes the sample rate of mono sound, block by block.
///
///     let narrow = try Resampler.resample(samples, from: 44_100, to: 16_000)
///
///     var resampler = try Resampler(from: 44_100, to: 16_000)
///     for block in blocks { resampler.process(block.span, into: &output) }
///     resampler.finish(into: &output)
///
/// A polyphase filter with linear phase (J. O. Smith, "Digital Audio Resampling", ccrma.stanford.edu/~jos/resample),
/// its delay compensated: output `n` is the sound at `n / to` seconds. `n` samples become `ceil(n * to / from)`. The
/// sound is taken to be silent before its first sample and after its last. Blocks of any size give, bit for bit,
/// what one block of everything gives. Equal rates give the samples back unchanged.
///
/// With the Nyquist frequency of the lower rate as 1, `passband` and below passes (within 0.001 dB), and 1 and above
/// is attenuated by `stopbandAttenuation` dB.
public struct Resampler: Sendable {
  /// Upper end of the pass-band, as a fraction of the lower rate's Nyquist frequency.
  public static let passband = 0.9
  /// In dB, from the lower rate's Nyquist frequency upwards.
  public static let stopbandAttenuation = 100.0
  /// Half the filter's length in samples of the lower rate: Kaiser's formula for that attenuation over a transition
  /// from `passband` to 1, (A - 7.95) / (2.285 * 2 pi * (1 - passband) / 2) / 2 = 64.1.
  static let zeroCrossings = 64.0

  private let filter: ResamplingFilter
  /// Input that later outputs still need. It begins with silence, so that the first output has a full window.
  private var buffer: [Float]
  /// Where in `buffer` the next output's window begins; beyond its end when whole samples are to be skipped.
  private var start = 0
  /// The next output's fraction of a sample, in units of 1 / `filter.up`.
  private var fraction = 0

  /// A resampler between two rates in Hz; throws `invalidSampleRate` for one outside `AudioFile.sampleRates`.
  public init(from: Int, to: Int) throws(AudioError) {
    for rate in [from, to] where !AudioFile.sampleRates.contains(rate) { throw .invalidSampleRate(rate) }
    filter = .between(from, to)
    buffer = Self.silence(filter)
  }

  /// All of `samples` at once.
  public static func resample(_ samples: [Float], from: Int, to: Int) throws(AudioError) -> [Float] {
    var resampler = try Resampler(from: from, to: to)
    guard from != to else { return samples }
    var output: [Float] = []
    output.reserveCapacity((samples.count * resampler.filter.up) / resampler.filter.down + 1)
    resampler.process(samples.span, into: &output)
    resampler.finish(into: &output)
    return output
  }

  /// Takes the next samples and appends to `output` what can be computed: about half a filter's length
  /// (64 samples of the lower rate) is still to come.
  public mutating func process(_ block: Span<Float>, into output: inout [Float]) {
    if filter.up == filter.down {
      block.withUnsafeBufferPointer { output.append(contentsOf: $0) }
    } else {
      block.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
      filterBuffer(into: &output)
    }
  }

  /// Appends the rest, and makes the resampler ready for another sound.
  public mutating func finish(into output: inout [Float]) {
    guard filter.up != filter.down else { return }
    buffer.append(contentsOf: repeatElement(0, count: filter.taps / 2))
    filterBuffer(into: &output)
    buffer = Self.silence(filter)
    start = 0
    fraction = 0
  }

  private static func silence(_ filter: ResamplingFilter) -> [Float] {
    Array(repeating: 0, count: filter.taps / 2 - 1)
  }

  /// Computes every output whose window `buffer` holds, and drops the input no later output needs.
  private mutating func filterBuffer(into output: inout [Float]) {
    let (up, down, taps) = (filter.up, filter.down, filter.taps)
    let lastStart = buffer.count - taps
    guard lastStart >= start else { return }
    // Output k from here begins at start + (fraction + k * down) / up, rounded down; as long as that is in the buffer.
    let count = ((lastStart - start + 1) * up - 1 - fraction) / down + 1
    let first = output.count
    output.append(contentsOf: repeatElement(0, count: count))

    let (skip, step) = down.quotientAndRemainder(dividingBy: up)
    let isExact = filter.phases == up
    let phasesPerFraction = Double(filter.phases) / Double(up)
    buffer.withUnsafeBufferPointer { buffer in
      filter.coefficients.withUnsafeBufferPointer { coefficients in
        output.withUnsafeMutableBufferPointer { output in
          guard let buffer = buffer.baseAddress, let coefficients = coefficients.baseAddress else { return }
          for index in first..<first + count {
            if isExact {
              output[index] = dotProduct(buffer + start, coefficients + fraction * taps, taps)
            } else {
              let position = Double(fraction) * phasesPerFraction
              let phase = Int(position)
              let before = dotProduct(buffer + start, coefficients + phase * taps, taps)
              let after = dotProduct(buffer + start, coefficients + (phase + 1) * taps, taps)
              output[index] = before + (after - before) * Float(position - Double(phase))
            }
            start += skip
            fraction += step
            if fraction >= up {
              fraction -= up
              start += 1
            }
          }
        }
      }
    }
    let used = min(start, buffer.count)
    buffer.removeFirst(used)
    start -= used
  }
}

/// The sum of `a[i] * b[i]`; `count` is a multiple of 16. The order of additions depends on nothing but `count`.
@inline(__always)
private func dotProduct(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
  let a = UnsafeRawPointer(a)
  let b = UnsafeRawPointer(b)
  var even = SIMD8<Float>.zero
  var odd = SIMD8<Float>.zero
  for offset in stride(from: 0, to: count * 4, by: 64) {
    even +=
      a.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
      * b.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
    odd +=
      a.loadUnaligned(fromByteOffset: offset + 32, as: SIMD8<Float>.self)
      * b.loadUnaligned(fromByteOffset: offset + 32, as: SIMD8<Float>.self)
  }
  return (even + odd).sum()
}
