/// Which files a scan of a folder takes for audio, by name alone; what is inside decides when a file is opened.
public enum AudioFormats {
  /// File name extensions in lower case, without the dot.
  public static let extensions: Set<String> = [
    "wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "caf", "au", "snd", "flac", "ogg", "oga", "opus", "mp3",
    "voc", "sph", "nist",
  ]

  /// Of samples without a header, which nothing but the user can describe.
  public static let rawExtensions: Set<String> = [
    "raw", "pcm", "sln", "s8", "u8", "s16", "s24", "s32", "f32", "f64", "sw", "ub", "sb", "al", "ul", "alaw", "ulaw",
    "lin", "bin",
  ]

  /// Of sound and film that libsndfile does not read, and `ExternalDecoder` mostly does.
  public static let unreadExtensions: Set<String> = [
    "m4a", "m4b", "m4v", "mp4", "aac", "alac", "webm", "weba", "amr", "awb", "3gp", "3g2", "wma", "asf", "wmv", "mka",
    "mkv", "mov", "avi", "mpg", "mpeg", "ac3", "eac3", "dts", "ape", "wv", "tta", "dsf", "dff", "ra", "rm", "mpc",
    "spx",
    "shn", "mts", "oma", "qcp", "gsm", "vox", "flv", "ogv", "aa", "aax",
  ]

  /// Whether the name at the end of `path` has one of `extensions`, in any case.
  ///
  ///     AudioFormats.isAudio("takes/ONE.WAV")   // true
  ///     AudioFormats.isAudio("takes/._one.wav") // false: a hidden file is never audio
  public static func isAudio(_ path: String) -> Bool {
    let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.utf8.index(after: $0)...] } ?? path[...]
    guard !name.hasPrefix("."), let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return extensions.contains(name[name.utf8.index(after: dot)...].lowercased())
  }
}
