import AudioInput
import AuricleBase
import RealModule
import Testing

@Suite("Resampling")
struct ResamplerTests {
  /// Exact tables, and (the last three) interpolated ones.
  static let pairs = [
    (44_100, 16_000), (8_000, 16_000), (16_000, 8_000), (48_000, 44_100), (8_000, 44_100), (11_025, 16_000),
    (44_101, 16_000), (16_000, 44_101), (96_001, 8_000),
  ]

  private func tone(_ frequency: Double, rate: Int, count: Int) -> [Double] {
    (0..<count).map { Double.sin(2 * .pi * frequency * Double($0) / Double(rate)) }
  }

  /// The half of `samples` in the middle, away from the silence before and after.
  private func middle<Element>(_ samples: [Element]) -> ArraySlice<Element> {
    samples[samples.count / 4..<samples.count * 3 / 4]
  }

  @Test(
    "a tone in the pass-band comes out as the same tone, in time",
    arguments: pairs, [0.05, 0.5, Resampler.passband])
  func passband(rates: (from: Int, to: Int), fraction: Double) throws {
    let frequency = fraction * Double(min(rates.from, rates.to)) / 2
    let input = tone(frequency, rate: rates.from, count: rates.from / 8).map(Float.init)
    let output = try Resampler.resample(input, from: rates.from, to: rates.to)
    let expected = tone(frequency, rate: rates.to, count: output.count)
    let ratio = signalToNoise(middle(output), middle(expected))
    #expect(ratio > (fraction < 0.6 ? 110 : 95), "\(ratio) dB")
  }

  @Test(
    "a tone that would alias is gone",
    arguments: pairs.filter { $0.0 > $0.1 }, [1.0001, 1.01, 1.05, 1.2, 1.5, 1.9])
  func stopband(rates: (from: Int, to: Int), fraction: Double) throws {
    let frequency = min(fraction * Double(rates.to), 0.999 * Double(rates.from)) / 2
    guard frequency * 2 >= Double(rates.to) else { return }
    let input = tone(frequency, rate: rates.from, count: rates.from / 8)
    let output = try Resampler.resample(input.map(Float.init), from: rates.from, to: rates.to)
    let power = middle(output).reduce(0) { $0 + Double($1) * Double($1) } / Double(middle(output).count)
    let attenuation = 10 * Double.log10(0.5 / power)
    #expect(attenuation > Resampler.stopbandAttenuation - 2, "\(attenuation) dB at \(frequency) Hz")
  }

  @Test("a constant stays what it is", arguments: pairs)
  func constant(rates: (from: Int, to: Int)) throws {
    let output = try Resampler.resample(Array(repeating: 0.75, count: rates.from / 8), from: rates.from, to: rates.to)
    #expect(middle(output).allSatisfy { ($0 - 0.75).magnitude < 1e-6 })
  }

  @Test("blocks give, bit for bit, what one piece gives", arguments: pairs)
  func streaming(rates: (from: Int, to: Int)) throws {
    var generator = SeededGenerator(seed: 3)
    let input = (0..<20_000).map { _ in Float(generator.normal()) }
    let whole = try Resampler.resample(input, from: rates.from, to: rates.to)
    var resampler = try Resampler(from: rates.from, to: rates.to)
    // Twice, to show that it is as new after its end.
    for longest in [10, 3000] {
      var output: [Float] = []
      var rest = input[...]
      while !rest.isEmpty {
        let length = Int.random(in: 0...longest, using: &generator)
        let block = rest.prefix(length)
        resampler.process(block.span, into: &output)
        rest = rest.dropFirst(length)
      }
      resampler.finish(into: &output)
      #expect(output == whole)
    }
  }

  @Test("n samples become ceil(n * to / from)", arguments: pairs, [0, 1, 2, 159, 441, 1000, 4097])
  func length(rates: (from: Int, to: Int), count: Int) throws {
    let output = try Resampler.resample(Array(repeating: 1, count: count), from: rates.from, to: rates.to)
    #expect(output.count == (count * rates.to + rates.from - 1) / rates.from)
  }

  @Test("extreme ratios work", arguments: [(1000, 1_000_000), (1_000_000, 1000), (1_000_000, 1001), (1001, 999_983)])
  func extremes(from: Int, to: Int) throws {
    let input = [Float](repeating: 1, count: max(200, from / 6))
    let output = try Resampler.resample(input, from: from, to: to)
    #expect(output.count == (input.count * to + from - 1) / from)
    #expect((output[output.count / 2] - 1).magnitude < 1e-4)
  }

  @Test("equal rates change nothing, in blocks too")
  func identity() throws {
    let input: [Float] = [1, -2, 3e9, 1e-30]
    #expect(try Resampler.resample(input, from: 8000, to: 8000) == input)
    var resampler = try Resampler(from: 8000, to: 8000)
    var output: [Float] = []
    resampler.process(input.span, into: &output)
    resampler.finish(into: &output)
    #expect(output == input)
  }

  @Test("rates outside 1 kHz to 1 MHz are refused", arguments: [.min, -8000, 0, 999, 1_000_001, .max])
  func invalidRates(rate: Int) {
    #expect(throws: AudioError.invalidSampleRate(rate)) { try Resampler(from: rate, to: 8000) }
    #expect(throws: AudioError.invalidSampleRate(rate)) { try Resampler(from: 8000, to: rate) }
  }
}
