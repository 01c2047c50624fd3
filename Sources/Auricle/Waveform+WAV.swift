extension Waveform {
  /// A WAV file of 16-bit samples; those beyond 1 are held to it.
  package var wavBytes: [UInt8] {
    var bytes: [UInt8] = []
    func word<Integer: FixedWidthInteger>(_ value: Integer) {
      withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
    let size = UInt32(clamping: 2 * samples.count)
    bytes += "RIFF".utf8
    word(36 + min(size, .max - 36))
    bytes += "WAVEfmt ".utf8
    word(UInt32(16))
    word(UInt16(1))
    word(UInt16(1))
    word(UInt32(sampleRate))
    word(UInt32(2 * sampleRate))
    word(UInt16(2))
    word(UInt16(16))
    bytes += "data".utf8
    word(size)
    for sample in samples { word(Int16(min(32_767, max(-32_768, (sample * 32_768).rounded())))) }
    return bytes
  }
}
