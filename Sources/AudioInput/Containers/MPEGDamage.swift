/// Sees in decoded MP3 sound that a granule could not be decoded.
///
/// libmpg123 fills up such a granule, and all that is left of its frame, with zeros, and goes on. Sound that ends properly
/// fades within the decoder's filters: its zeros do not begin with a granule.
struct MPEGDamage {
  private static let granule = 576
  /// Of any sound, more than this is none: 24 dB above full scale.
  private static let largest: Float = 16
  private var position = 0
  /// Zeros up to here, in frames.
  private var zeros = 0
  /// Whether the samples before them reached the end of a granule.
  private var isAbrupt = false

  /// Takes the next frames of interleaved samples; false when they show damage.
  mutating func accepts(_ samples: UnsafeBufferPointer<Float>, channels: Int) -> Bool {
    for start in stride(from: 0, to: samples.count - channels + 1, by: channels) {
      var largest: Float = 0
      for index in start..<start + channels { largest = max(largest, samples[index].magnitude) }
      if largest > MPEGDamage.largest { return false }
      if largest > 0 {
        zeros = 0
      } else {
        if zeros == 0 { isAbrupt = position > 0 && position % MPEGDamage.granule == 0 }
        zeros += 1
        if isAbrupt && zeros == MPEGDamage.granule { return false }
      }
      position += 1
    }
    return true
  }
}
