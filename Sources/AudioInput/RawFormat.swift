import CSndfile

/// How samples without a header are stored: `ENCODING:RATE:CHANNELS`.
///
///     RawFormat("s16le:16000:1")     // 16-bit integers, little-endian, 16 kHz, mono
public struct RawFormat: Hashable, Sendable, Codable, CustomStringConvertible {
  public enum Encoding: String, Hashable, Sendable, Codable, CaseIterable {
    case s8, u8, s16le, s16be, s24le, s24be, s32le, s32be, f32le, f32be, f64le, f64be
    case aLaw = "alaw"
    case muLaw = "mulaw"
  }

  public var encoding: Encoding
  /// Hz, within `AudioFile.sampleRates`.
  public let sampleRate: Int
  /// 1 to 1024.
  public let channels: Int

  /// Nil for text of another form, and for rates and channels that no file may have. One channel where none are named.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, let encoding = Encoding(rawValue: String(parts[0])),
      let sampleRate = Int(parts[1]), let channels = parts.count == 3 ? Int(parts[2]) : 1
    else { return nil }
    self.init(encoding, sampleRate: sampleRate, channels: channels)
  }

  /// Nil for rates and channels that no file may have.
  public init?(_ encoding: Encoding, sampleRate: Int, channels: Int) {
    guard AudioFile.sampleRates.contains(sampleRate), (1...1024).contains(channels) else { return nil }
    self.encoding = encoding
    self.sampleRate = sampleRate
    self.channels = channels
  }

  public var description: String { "\(encoding.rawValue):\(sampleRate):\(channels)" }

  /// Of one sample of one channel.
  var bytesPerSample: Int {
    switch encoding {
    case .s8, .u8, .aLaw, .muLaw: 1
    case .s16le, .s16be: 2
    case .s24le, .s24be: 3
    case .s32le, .s32be, .f32le, .f32be: 4
    case .f64le, .f64be: 8
    }
  }

  /// All bytes as samples.
  func sections(_ source: ByteSource) -> SoundSections {
    let view = ByteView(source, [.file(0..<source.byteCount)])
    return SoundSections([
      SoundSection(view: view, frames: source.byteCount / (channels * bytesPerSample), raw: self)
    ])
  }

  /// What libsndfile needs to know.
  var soundInfo: SF_INFO {
    let (subtype, order) =
      switch encoding {
      case .s8: (SF_FORMAT_PCM_S8, 0)
      case .u8: (SF_FORMAT_PCM_U8, 0)
      case .s16le: (SF_FORMAT_PCM_16, SF_ENDIAN_LITTLE)
      case .s16be: (SF_FORMAT_PCM_16, SF_ENDIAN_BIG)
      case .s24le: (SF_FORMAT_PCM_24, SF_ENDIAN_LITTLE)
      case .s24be: (SF_FORMAT_PCM_24, SF_ENDIAN_BIG)
      case .s32le: (SF_FORMAT_PCM_32, SF_ENDIAN_LITTLE)
      case .s32be: (SF_FORMAT_PCM_32, SF_ENDIAN_BIG)
      case .f32le: (SF_FORMAT_FLOAT, SF_ENDIAN_LITTLE)
      case .f32be: (SF_FORMAT_FLOAT, SF_ENDIAN_BIG)
      case .f64le: (SF_FORMAT_DOUBLE, SF_ENDIAN_LITTLE)
      case .f64be: (SF_FORMAT_DOUBLE, SF_ENDIAN_BIG)
      case .aLaw: (SF_FORMAT_ALAW, 0)
      case .muLaw: (SF_FORMAT_ULAW, 0)
      }
    var info = SF_INFO()
    info.samplerate = Int32(sampleRate)
    info.channels = Int32(channels)
    info.format = Int32(SF_FORMAT_RAW | subtype | order)
    return info
  }
}
