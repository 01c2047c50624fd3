import CSndfile

/// What the header of an audio file says.
///
///     try AudioFile(path: "one.wav").info
///     // container "WAV", encoding "16-bit PCM", 8000 Hz, 1 channel, 3457 frames, 0.432 s
public struct AudioFileInfo: Codable, Sendable, Equatable {
  /// The file format, such as "WAV", "AIFF" or "FLAC".
  public var container: String
  /// How samples are stored, such as "16-bit PCM" or "mu-law".
  public var encoding: String
  /// Hz.
  public var sampleRate: Int
  public var channels: Int
  /// One frame is one sample of every channel. The header's word, which libsndfile corrects in most formats when the
  /// file is shorter; 0 when the header does not say. Only reading to the end tells.
  public var frames: Int
  /// `frames / sampleRate`, in seconds.
  public var duration: Double

  init(_ info: SF_INFO) {
    container = Self.containers[Int(info.format) & SF_FORMAT_TYPEMASK] ?? "unknown"
    encoding = Self.encodings[Int(info.format) & SF_FORMAT_SUBMASK] ?? "unknown"
    sampleRate = Int(info.samplerate)
    channels = Int(info.channels)
    frames = info.frames == .max ? 0 : Int(info.frames)
    duration = Double(frames) / Double(sampleRate)
  }

  private static let containers: [Int: String] = [
    SF_FORMAT_WAV: "WAV", SF_FORMAT_WAVEX: "WAV", SF_FORMAT_RF64: "RF64", SF_FORMAT_W64: "W64",
    SF_FORMAT_AIFF: "AIFF", SF_FORMAT_CAF: "CAF", SF_FORMAT_AU: "AU", SF_FORMAT_FLAC: "FLAC", SF_FORMAT_OGG: "Ogg",
    SF_FORMAT_MPEG: "MPEG", SF_FORMAT_VOC: "VOC", SF_FORMAT_NIST: "NIST", SF_FORMAT_PAF: "PAF", SF_FORMAT_SVX: "SVX",
    SF_FORMAT_IRCAM: "IRCAM", SF_FORMAT_MAT4: "MAT4", SF_FORMAT_MAT5: "MAT5", SF_FORMAT_PVF: "PVF", SF_FORMAT_XI: "XI",
    SF_FORMAT_HTK: "HTK", SF_FORMAT_SDS: "SDS", SF_FORMAT_AVR: "AVR", SF_FORMAT_SD2: "SD2", SF_FORMAT_WVE: "WVE",
    SF_FORMAT_MPC2K: "MPC2K",
  ]

  private static let encodings: [Int: String] = [
    SF_FORMAT_PCM_S8: "8-bit PCM", SF_FORMAT_PCM_U8: "8-bit PCM", SF_FORMAT_PCM_16: "16-bit PCM",
    SF_FORMAT_PCM_24: "24-bit PCM", SF_FORMAT_PCM_32: "32-bit PCM", SF_FORMAT_FLOAT: "32-bit float",
    SF_FORMAT_DOUBLE: "64-bit float", SF_FORMAT_ULAW: "mu-law", SF_FORMAT_ALAW: "A-law",
    SF_FORMAT_IMA_ADPCM: "IMA ADPCM", SF_FORMAT_MS_ADPCM: "Microsoft ADPCM", SF_FORMAT_VOX_ADPCM: "VOX ADPCM",
    SF_FORMAT_NMS_ADPCM_16: "NMS ADPCM", SF_FORMAT_NMS_ADPCM_24: "NMS ADPCM", SF_FORMAT_NMS_ADPCM_32: "NMS ADPCM",
    SF_FORMAT_GSM610: "GSM 6.10", SF_FORMAT_G721_32: "G.721 ADPCM", SF_FORMAT_G723_24: "G.723 ADPCM",
    SF_FORMAT_G723_40: "G.723 ADPCM", SF_FORMAT_DWVW_12: "12-bit DWVW", SF_FORMAT_DWVW_16: "16-bit DWVW",
    SF_FORMAT_DWVW_24: "24-bit DWVW", SF_FORMAT_DWVW_N: "DWVW", SF_FORMAT_DPCM_8: "8-bit DPCM",
    SF_FORMAT_DPCM_16: "16-bit DPCM", SF_FORMAT_VORBIS: "Vorbis", SF_FORMAT_OPUS: "Opus",
    SF_FORMAT_ALAC_16: "16-bit ALAC", SF_FORMAT_ALAC_20: "20-bit ALAC", SF_FORMAT_ALAC_24: "24-bit ALAC",
    SF_FORMAT_ALAC_32: "32-bit ALAC", SF_FORMAT_MPEG_LAYER_I: "MPEG layer I",
    SF_FORMAT_MPEG_LAYER_II: "MPEG layer II", SF_FORMAT_MPEG_LAYER_III: "MPEG layer III",
  ]
}
