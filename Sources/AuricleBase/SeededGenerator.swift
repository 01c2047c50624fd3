import RealModule

/// A small, fast, seedable random number generator whose whole state is one word.
///
///     var generator = SeededGenerator(seed: 7)
///     generator.next()               // the same on every machine
///     generator.uniform()            // in [0, 1)
///
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
/// doi:10.1145/2660193.2660195). `Codable`, so that a checkpoint can carry it.
public struct SeededGenerator: RandomNumberGenerator, Codable, Hashable, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  /// A generator for one of many independent streams: the same `seed` and `stream` always give the same numbers,
  /// whatever other streams were used before.
  public init(seed: UInt64, stream: UInt64) {
    var mixer = SeededGenerator(seed: seed)
    state = mixer.next() ^ (stream &* 0xD1B5_4A32_D192_ED03)
    _ = next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The next number, uniform in [0, 1), with 53 random bits.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// The next number from the standard normal distribution (polar method of Marsaglia and Bray, 1964).
  public mutating func normal() -> Double {
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let s = u * u + v * v
      if s > 0 && s < 1 { return u * Double.sqrt(-2 * Double.log(s) / s) }
    }
  }
}
