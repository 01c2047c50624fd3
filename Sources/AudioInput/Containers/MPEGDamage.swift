/// Sees in decoded MP3 sound that a granule could not be decoded.
///
/// libmpg123 fills up such a granule, and all that is left of its frame, with zeros, and goes on without a word. What a
/// granule that holds sound is decoded to is never zeros alone; and sound that ends properly fades within the decoder's
/// filters, so that its zeros do not begin with a granule.
struct MPEGDamage {
  /// Samples per channel (ISO/IEC 11172-3, 2.4.2.7).
  private static let granule = 576
  /// A short block, or a long one after it, begins with so many samples of nothing but what the block before left.
  private static let overlap = 192
  /// Of any sound, more than this is none: 24 dB above full scale.
  private static let largest: Float = 16

  private let granules: [MPEGGranule]
  private var index = 0
  /// Samples of the granule.
  private var count = 0
  private var isSilent = true
  /// Whether there was sound up to the last sample before the granule.
  private var isAbrupt = false
  /// Whether short blocks were zeros, which must be heard now.
  private var isOwed = false

  init(_ granules: [MPEGGranule]) { self.granules = granules }

  /// Takes the next frames of interleaved samples; false when they show damage.
  mutating func accepts(_ samples: UnsafeBufferPointer<Float>, channels: Int) -> Bool {
    for start in stride(from: 0, to: samples.count - channels + 1, by: channels) {
      var largest: Float = 0
      for index in start..<start + channels { largest = max(largest, samples[index].magnitude) }
      if largest > MPEGDamage.largest { return false }
      if largest > 0 { isSilent = false }
      count += 1
      if count == MPEGDamage.overlap && isSilent && isOwed { return false }
      if count == MPEGDamage.granule {
        let held = index < granules.count ? granules[index] : .silent
        if isSilent && (isAbrupt || held == .long) { return false }
        isOwed = isSilent && held == .short
        isAbrupt = largest > 0
        (index, count, isSilent) = (index + 1, 0, true)
      }
    }
    return true
  }
}
