/// Which files a scan of a folder takes for audio, by name alone; what is inside decides when a file is opened.
public enum AudioFormats {
  /// File name extensions in lower case, without the dot.
  public static let extensions: Set<String> = [
    "wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "caf", "au", "snd", "flac", "ogg", "oga", "opus", "mp3",
    "voc", "sph", "nist",
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
