import CSndfile

/// The library that decodes sound, as it is installed.
package enum AudioLibrary {
  /// "libsndfile-1.2.2".
  package static var version: String { String(cString: sf_version_string()) }

  /// The containers it reads, by its own names: "WAV (Microsoft)".
  package static var containers: [String] { names(SFC_GET_FORMAT_MAJOR_COUNT, SFC_GET_FORMAT_MAJOR) }

  /// The encodings it reads, by its own names: "Vorbis", "MPEG Layer 3".
  package static var encodings: [String] { names(SFC_GET_FORMAT_SUBTYPE_COUNT, SFC_GET_FORMAT_SUBTYPE) }

  private static func names(_ countCommand: Int, _ command: Int) -> [String] {
    var count: Int32 = 0
    guard sf_command(nil, Int32(countCommand), &count, Int32(MemoryLayout<Int32>.size)) == 0 else { return [] }
    return (0..<count).compactMap { index in
      var info = SF_FORMAT_INFO()
      info.format = index
      guard sf_command(nil, Int32(command), &info, Int32(MemoryLayout<SF_FORMAT_INFO>.size)) == 0 else { return nil }
      return info.name.map { String(cString: $0) }
    }
  }
}
